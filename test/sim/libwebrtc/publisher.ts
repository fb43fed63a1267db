import { parseArgs } from 'node:util'
import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import { type LibwebrtcPeer, openLibwebrtcPeer } from './peer.ts'

/**
 * Publishes by WHIP with real libwebrtc, as plainly as RFC 9725 says it; to be run as a process of its own (see device.ts).
 *
 * stdin: `publish` (anew, with a connection of its own), `trickle`, `restart`, `leave`, `quit`.
 * stdout, JSON lines: `{ ready }`, `{ published: status, code, … }`, `{ patched: status }`, `{ left: status }`, and
 * `{ state }` of the newest connection whenever it changes.
 */
const text = { type: 'string' } as const
const { values } = parseArgs({ options: { url: text, token: text, video: text } })
const { url, token, video } = values
if (!url || !token) throw new Error('--url WHIP --token TOKEN [--video CODEC]')

const authorization = `Bearer ${token}`
let session: { peer: LibwebrtcPeer; offer: string; location: string; etag: string } | undefined

const say = (line: object) => console.log(JSON.stringify(line))

async function publish(): Promise<void> {
  session?.peer.close()
  session = undefined
  const peer = openLibwebrtcPeer()
  const { connection } = peer
  connection.onconnectionstatechange = () => say({ state: connection.connectionState })
  const offer = await peer.offer()
  const headers = { authorization, 'content-type': 'application/sdp' }
  const response = await fetch(url!, { method: 'POST', headers, body: video ? withOnly(video, offer) : offer })
  const body = await response.text()
  if (response.status !== 201) {
    peer.close()
    say({ published: response.status, problem: JSON.parse(body) })
    return
  }
  await peer.answer(body)
  const location = new URL(response.headers.get('location')!, url).href
  session = { peer, offer, location, etag: response.headers.get('etag')! }
  const codecs = parseSdp(body).media.map(({ rtpmaps }) => [...rtpmaps.values()].map(({ codec }) => codec).join())
  say({ published: 201, location, codecs })
}

/** The offer as of a publisher that has one video codec alone. */
function withOnly(codec: string, offer: string): string {
  const { rtpmaps = new Map<number, { codec: string }>() } =
    parseSdp(offer).media.find(({ kind }) => kind === 'video') ?? {}
  const kept = [...rtpmaps].filter(([, map]) => map.codec === codec).map(([payloadType]) => payloadType)
  const gone = [...rtpmaps.keys()].filter((payloadType) => !kept.includes(payloadType))
  const ofGone = new RegExp(`^a=(?:rtpmap|fmtp|rtcp-fb):(?:${gone.join('|')}) .*\r\n`, 'gm')
  return offer.replace(/^(m=video \d+ \S+) .*(?=\r\n)/m, `$1 ${kept.join(' ')}`).replace(ofGone, '')
}

/** @param ufrag another one than the session's asks for a restart of ICE (RFC 9725 §4.3.3) */
async function patch(ifMatch: string, ufrag?: string): Promise<void> {
  const [line] = parseSdp(session!.offer).media
  const fragment = [
    `a=ice-ufrag:${ufrag ?? line!.iceUfrag}`,
    `a=ice-pwd:${line!.icePwd}`,
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    `a=mid:${line!.mid}`,
    ...line!.candidates.map((candidate) => `a=${candidate}`),
    'a=end-of-candidates',
    '',
  ]
  const headers = { authorization, 'content-type': 'application/trickle-ice-sdpfrag', 'if-match': ifMatch }
  const response = await fetch(session!.location, { method: 'PATCH', headers, body: fragment.join('\r\n') })
  say({ patched: response.status })
}

async function leave(): Promise<void> {
  const response = await fetch(session!.location, { method: 'DELETE', headers: { authorization } })
  say({ left: response.status })
}

say({ ready: true })
process.stdin.setEncoding('utf8')
for await (const chunk of process.stdin) {
  for (const verb of String(chunk).split('\n')) {
    if (verb === 'publish') await publish()
    if (verb === 'trickle') await patch(session!.etag)
    if (verb === 'restart') await patch('*', 'another')
    if (verb === 'leave') await leave()
    if (verb === 'quit') {
      session?.peer.close()
      setTimeout(() => process.exit(0), 300)
    }
  }
}
