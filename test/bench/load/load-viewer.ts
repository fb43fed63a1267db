import { parseSdp } from '@porchlight/proto/media/sdp.ts'
import nodeDataChannel, { type PeerConnection } from 'node-datachannel'
import type { Counts } from './receiver.ts'

/** One of many who watch. */
export interface LoadViewer {
  counts(): Counts
  close(): Promise<void>
}

/** @param address where it is; it takes media from elsewhere only where that can be reached from there */
export function newPeer(address = '127.0.0.1'): PeerConnection {
  return new nodeDataChannel.PeerConnection('viewer', {
    iceServers: [],
    bindAddress: address,
    disableAutoNegotiation: true,
    forceMediaTransport: true,
  })
}

/** Candidates come after the description they belong to: else the library races with itself. */
export function addCandidates(peer: PeerConnection, sdp: string): void {
  for (const { mid, candidates } of parseSdp(sdp).media) {
    for (const candidate of candidates) peer.addRemoteCandidate(candidate, mid ?? '0')
  }
}
