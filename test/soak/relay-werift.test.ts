import { PorchlightError } from '@porchlight/proto/errors.ts'
import { writeRtp } from '@porchlight/proto/media/rtp.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { SessionListener } from '../../device/webrtc/engine.ts'
import { IceServers } from '../../device/webrtc/ice-servers.ts'
import { offerLines } from '../../device/webrtc/offer-lines.ts'
import { weriftEngine } from '../../device/webrtc/werift/engine.ts'
import { gatewayConfigSchema } from '../../gateway/config/schema.ts'
import { openTurn } from '../../gateway/webrtc/turn.ts'
import { startCoturn } from '../support/coturn.ts'
import { quietLog } from '../support/quiet-log.ts'
import { tempDir } from '../support/temp-dir.ts'
import { relaySdp, startUdpRelay } from '../support/udp-relay.ts'
import { GatewayPeer } from '../unit/device/webrtc/gateway-peer.ts'

test.each(['udp', 'tcp'] as const)(
  "werift's packets reach a gateway that only coturn reaches, by %s",
  async (transport) => {
    const coturn = await startCoturn(await tempDir(), transport, onTestFinished)
    const { turn } = gatewayConfigSchema.parse(coturn.settings)
    const relayFor = await openTurn(turn, Date.now)
    const servers = new IceServers({ configured: [], now: () => performance.now(), log: quietLog })
    onTestFinished(() => servers.close())
    await servers.lend(relayFor!('porch'))
    const opened = Promise.withResolvers<void>()
    const candidates: string[] = []
    const listener: SessionListener = {
      state: (state) => {
        if (state === 'failed') opened.reject(new PorchlightError('session_timeout'))
      },
      open: () => opened.resolve(),
      rtp: () => undefined,
      rtcp: () => undefined,
      // The gateway is told of none, so that it cannot come by another way.
      candidate: (candidate) => candidates.push(candidate),
    }
    const media = offerLines({
      video: { payloadType: 96, rtpmap: 'H264/90000', fmtp: 'packetization-mode=1', feedback: ['nack'] },
      videoSsrc: 1000,
      audio: undefined,
      audioSsrc: 0,
      talk: undefined,
    })
    const session = weriftEngine(quietLog).open(
      { media, iceServers: servers.list(), bindAddress: '127.0.0.1' },
      listener,
    )
    onTestFinished(() => session.close())
    const peer = new GatewayPeer()
    onTestFinished(() => peer.close())
    const answer = await peer.answer(await session.offer())
    const port = Number(/^a=candidate:.* 127\.0\.0\.1 (\d+) typ host/m.exec(answer)?.[1])
    await using firewall = await startUdpRelay({ target: { port }, admits: coturn.isRelay })
    session.answer(relaySdp(answer, firewall.port))
    await opened.promise
    await peer.until(() => peer.tracks.get('v')?.isOpen() === true)
    for (let sequence = 1; sequence <= 100; sequence += 1) {
      const head = { marker: true, payloadType: 96, sequence, timestamp: 0, ssrc: 1000 }
      expect(session.send('v', writeRtp({ ...head, extensions: [], payload: Uint8Array.of(9, 8, 7) }))).toBe(true)
    }
    await peer.until(() => peer.of('v').length === 100)
    expect(candidates.filter((one) => one.includes('typ relay'))).toHaveLength(1)
    session.close()
    await coturn.process.line(/refreshed, .*username=<\d+:porch>, lifetime=0/)
  },
)
