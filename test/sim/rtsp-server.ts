import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Hearing } from './hearing.ts'
import type { Knobs } from './knobs.ts'
import type { MediaClock, ToneLoop, VideoLoop } from './media-loop.ts'
import type { AuthOptions } from './rtsp/auth.ts'
import { RtspParser, type RtspRequest } from './rtsp/messages.ts'
import { RtspSession } from './rtsp/session.ts'

/** What a path of the camera serves. */
export interface CameraStream {
  video: VideoLoop
  audio: ToneLoop | undefined
}

/** What the sessions of one server share. */
export interface ServerParts {
  host: string
  clock: MediaClock
  hearing: Hearing
  knobs: Knobs
  auth: AuthOptions | undefined
  /** Transports that SETUP grants. */
  allowed: 'any' | 'tcp' | 'udp'
  /** Codec of the backchannel; `off`: `Require` is ignored; `refused`: it is answered with 551. */
  backchannel: 'pcmu' | 'pcma' | 'off' | 'refused'
  /** Seconds without a sign of the client after which its session ends. */
  timeoutSeconds: number
  random: () => number
  /** The stream at a URL, control attributes of tracks allowed behind its path. */
  stream(url: string): CameraStream | undefined
}

/** An RTSP 1.0 server (RFC 2326) for any number of clients, over TCP (interleaved) and UDP. */
export class RtspServer implements AsyncDisposable {
  readonly #parts: ServerParts
  readonly #server: Server
  readonly #sessions = new Map<Socket, RtspSession>()
  readonly #watch: NodeJS.Timeout
  #closing: Promise<void> | undefined

  private constructor(parts: ServerParts) {
    this.#parts = parts
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket))
    this.#watch = setInterval(() => {
      for (const session of this.#sessions.values()) if (session.isSilent(Date.now())) session.close()
    }, 500)
  }

  /** @param port 0: any free one */
  static async listen(parts: ServerParts, port: number): Promise<RtspServer> {
    const server = new RtspServer(parts)
    server.#server.listen(port, parts.host)
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Connections, and how many of them play. */
  get clients(): { connected: number; playing: number } {
    const playing = [...this.#sessions.values()].filter((session) => session.playing).length
    return { connected: this.#sessions.size, playing }
  }

  /** Breaks all connections, as a camera that restarts. */
  drop(): void {
    for (const session of this.#sessions.values()) session.close()
  }

  close(): Promise<void> {
    this.#closing ??= new Promise<void>((resolve) => {
      clearInterval(this.#watch)
      this.#server.close(() => resolve())
      this.drop()
    })
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #serve(socket: Socket): void {
    if (this.#parts.knobs.refuse) {
      socket.resetAndDestroy()
      return
    }
    const session = new RtspSession(socket, this.#parts)
    const parser = new RtspParser()
    const answer = async (request: RtspRequest) => {
      try {
        await session.request(request)
      } catch (error) {
        socket.destroy(error as Error)
      }
    }
    let turn: Promise<void> = Promise.resolve()
    this.#sessions.set(socket, session)
    socket.on('data', (chunk) => {
      try {
        for (const item of parser.push(chunk)) {
          if (item.kind === 'frame') session.frame(item.channel, item.data)
          else turn = turn.then(() => answer(item))
        }
      } catch (error) {
        socket.destroy(error as Error)
      }
    })
    // 'close' follows every error, and does what is to be done.
    socket.on('error', () => session.close())
    socket.on('close', () => {
      session.close()
      this.#sessions.delete(socket)
    })
  }
}
