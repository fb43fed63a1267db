/** Numbers of a camera's frames, which go on over its reconnects: one for each camera and boot; uint32. */
export class FrameNumbering {
  #video: number
  #audio: number

  constructor(firstFrame = 0, firstAudioFrame = 0) {
    this.#video = firstFrame >>> 0
    this.#audio = firstAudioFrame >>> 0
  }

  nextVideo(): number {
    const frame = this.#video
    this.#video = (frame + 1) >>> 0
    return frame
  }

  nextAudio(): number {
    const frame = this.#audio
    this.#audio = (frame + 1) >>> 0
    return frame
  }
}
