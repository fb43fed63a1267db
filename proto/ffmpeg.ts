/**
 * Where to look for ffmpeg, best first: what the person set (`FFMPEG_PATH`), what npm brought (`ffmpeg-static`), what the
 * system has on its `PATH`. Who asks tries them in turn and takes the first that runs.
 * @param staticPath what the package `ffmpeg-static` exports, where it is installed
 */
export function ffmpegCandidates(
  env: Readonly<Record<string, string | undefined>>,
  staticPath?: string | null,
): string[] {
  const candidates = [env.FFMPEG_PATH, staticPath ?? undefined, 'ffmpeg']
  return [...new Set(candidates.filter((path): path is string => path !== undefined && path !== ''))]
}
