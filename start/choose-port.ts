import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { PorchlightError } from '@porchlight/proto/errors.ts'

/** The port given, or the usual one, or where that is taken any free one. @throws PorchlightError `port_in_use` */
export async function choosePort(
  given: number | undefined,
  usual: number,
  kind: 'tcp' | 'udp' = 'tcp',
): Promise<number> {
  for (const port of given === undefined ? [usual, 0] : [given]) {
    const free = await new Promise<number | undefined>((done) => {
      const socket = kind === 'udp' ? createSocket('udp4') : createServer()
      socket.once('error', () => done(undefined))
      const listening = () => {
        const found = socket.address()
        socket.close(() => done(typeof found === 'object' && found !== null ? found.port : undefined))
      }
      if ('bind' in socket) socket.bind(port, listening)
      else socket.listen(port, listening)
    })
    if (free !== undefined) return free
  }
  throw new PorchlightError('port_in_use', `${kind} ${given}`)
}
