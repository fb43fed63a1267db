/**
 * Makes this folder ready: dependencies, the viewer's pages, and (with --test) the programs that the tests drive.
 * Plain JavaScript without dependencies, because it runs on whatever Node is there (20 or later), before anything is
 * installed. Run by `npm start` and `npm test`; quick when there is nothing to do.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(fileURLToPath(import.meta.url))
const bin = join(root, 'node_modules', '.bin')
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` }
const say = (line) => process.stderr.write(`setup: ${line}\n`)

class SetupError extends Error {}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', 2, 2], ...options })
  return result.error === undefined && result.status === 0
}

/** Runs the npm that started us, or the one on PATH. */
function npm(args) {
  const cli = process.env.npm_execpath
  if (cli?.endsWith('.js')) return run(process.execPath, [cli, ...args])
  return run(process.platform === 'win32' ? 'npm.cmd' : 'npm', args, { shell: process.platform === 'win32' })
}

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined
}

// ---- dependencies

const stampPath = join(root, 'node_modules', '.porchlight-setup')

function lockHash() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
}

/** Whether somebody's own `npm install` or `npm ci` has already brought all that the lockfile asks for. */
function installedByHand() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {}
  const present = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages
  if (present === undefined) return false
  return Object.entries(wanted).every(
    ([path, entry]) =>
      !path.startsWith('node_modules/') ||
      entry.optional === true || // of another platform, or a download that failed
      (entry.link === true ? present[path]?.link === true : present[path]?.version === entry.version),
  )
}

function installDependencies() {
  const hash = lockHash()
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === hash) return
  if (!installedByHand()) {
    say('installing dependencies (npm ci) …')
    // ffmpeg-static is an optional dependency: npm goes on when its download fails.
    if (!npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']))
      throw new SetupError('`npm ci` has failed; its output is above.')
  }
  ensureNode24()
  writeFileSync(stampPath, hash)
}

function majorOf(command) {
  const result = spawnSync(command, ['--version'], { encoding: 'utf8' })
  return Number(/^v(\d+)\./.exec(result.stdout ?? '')?.[1] ?? 0)
}

/** The package `node` fetches its binary in an install script, which strict npm settings do not run. */
function ensureNode24() {
  const own = join(bin, process.platform === 'win32' ? 'node.cmd' : 'node')
  if (majorOf(own) >= 24) return
  const folder = join(root, 'node_modules', 'node')
  if (existsSync(folder)) run(process.execPath, ['installArchSpecificPackage.js'], { cwd: folder })
  if (majorOf(own) >= 24 || majorOf('node') >= 24) return
  throw new SetupError('Node 24 is needed and could not be installed: allow the install script of the package `node`.')
}

// ---- the viewer's pages

function newestChange(folder) {
  let newest = 0
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules' || entry.name.startsWith('.')) continue
    const path = join(folder, entry.name)
    newest = Math.max(newest, entry.isDirectory() ? newestChange(path) : statSync(path).mtimeMs)
  }
  return newest
}

function buildViewer() {
  const folder = join(root, 'viewer')
  if (!existsSync(join(folder, 'index.html'))) return
  const built = join(folder, 'dist', 'index.html')
  const changed = Math.max(newestChange(folder), newestChange(join(root, 'proto')))
  if (existsSync(built) && statSync(built).mtimeMs >= changed) return
  say('building the viewer …')
  const scripts = readJson(join(folder, 'package.json'))?.scripts ?? {}
  const done =
    scripts.build === undefined
      ? run(join(bin, 'vite'), ['build'], { cwd: folder })
      : npm(['run', 'build', '-w', 'viewer', '--silent'])
  if (!done) throw new SetupError('The viewer could not be built; the output is above.')
}

// ---- programs of the machine

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code)) return false
    throw error
  }
}

function onPath(...names) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.some((folder) => names.some((name) => isExecutable(join(folder, name))))
}

function hasFfmpeg() {
  const given = process.env.FFMPEG_PATH
  if (given) return isExecutable(given)
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return isExecutable(join(root, 'node_modules', 'ffmpeg-static', `ffmpeg${suffix}`)) || onPath(`ffmpeg${suffix}`)
}

function hasChromium() {
  const given = process.env.CHROMIUM_PATH
  if (given) return isExecutable(given)
  return onPath('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
}

function hasFirefox() {
  const given = process.env.FIREFOX_PATH
  return given ? isExecutable(given) : onPath('firefox-esr', 'firefox')
}

function hasPackages(names) {
  const result = spawnSync('dpkg', ['--status', ...names], { encoding: 'utf8' })
  return result.stdout?.match(/^Status: .* installed$/gm)?.length === names.length
}

const gstreamer = [
  ...['base', 'good', 'bad', 'ugly'].map((set) => `gstreamer1.0-plugins-${set}`),
  'gstreamer1.0-libav',
  'gir1.2-gst-rtsp-server-1.0',
  'python3-gi',
]

/** Debian packages that the tests need and this machine lacks. */
function missingPackages() {
  const missing = []
  if (!hasFfmpeg() || !onPath('ffprobe')) missing.push('ffmpeg')
  if (!hasChromium()) missing.push('chromium')
  if (!hasFirefox()) missing.push('firefox-esr')
  if (!onPath('mosquitto')) missing.push('mosquitto')
  if (!onPath('turnserver')) missing.push('coturn')
  if (!hasPackages(gstreamer)) missing.push(...gstreamer)
  return missing
}

function installForTests() {
  const missing = missingPackages()
  if (missing.length === 0) return
  const line = `apt-get install -y --no-install-recommends ${missing.join(' ')}`
  if (process.getuid?.() !== 0 || !onPath('apt-get')) {
    say(`some tests need programs that are not here. Please run:  sudo ${line}`)
    return
  }
  say(`installing what the tests drive: ${missing.join(' ')} …`)
  const apt = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } }
  run('apt-get', ['update', '-q'], apt)
  if (!run('apt-get', line.split(' ').slice(1), apt) || missingPackages().length > 0) {
    say(`that did not work; some tests will fail. Please run:  ${line}`)
  }
}

try {
  installDependencies()
  buildViewer()
  if (process.argv.includes('--test')) installForTests()
  else if (!hasFfmpeg()) say('ffmpeg is not here: motion, stills and AAC sound are off (`apt install ffmpeg`).')
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  say(error.message)
  process.exitCode = 1
}
