/**
 * Candidates as the other side shall see them: host candidates of UDP, with the announced addresses where such are
 * configured (port forwarding, a cloud's one-to-one NAT), else as found.
 * @param found each as `candidate:…` (RFC 8839 §5.1)
 * @param announce IP addresses, in order of preference
 */
export function announceCandidates(found: readonly string[], announce: readonly string[]): string[] {
  const udp = found.filter((candidate) => / udp /i.test(candidate))
  if (announce.length === 0) return udp
  const port = udp.map((candidate) => candidate.split(' ')[5]).find((field) => field !== undefined)
  if (port === undefined) return []
  return announce.map((address, index) => {
    // RFC 8445 §5.1.2.1: type preference of host 126, local preference falls with the order, component 1.
    const priority = 126 * 2 ** 24 + (65535 - index) * 2 ** 8 + 255
    // An address may bring its own port along (`address:port`), as a forwarded one does.
    const own = /^([\d.]+):(\d{1,5})$/.exec(address)
    return `candidate:${index + 1} 1 UDP ${priority} ${own?.[1] ?? address} ${own?.[2] ?? port} typ host`
  })
}

/**
 * The same addresses with another port of ours, to be tried last.
 * @param candidates as {@link announceCandidates} gives them
 */
export function doorCandidates(candidates: readonly string[], port: number): string[] {
  const addresses = new Set(candidates.flatMap((candidate) => candidate.split(' ')[4] ?? []))
  return [...addresses].map((address, index) => {
    // RFC 8445 §5.1.2.1, the lowest local preferences.
    const priority = 126 * 2 ** 24 + (255 - index) * 2 ** 8 + 255
    return `candidate:door${index + 1} 1 UDP ${priority} ${address} ${port} typ host`
  })
}

/**
 * The other side's candidates that are of use to us: names under `.local` cannot be resolved from here (their owner
 * reaches us first, and we learn its address from its checks), TCP is not spoken.
 */
export function usefulCandidates(candidates: readonly string[]): string[] {
  return candidates
    .filter((candidate) => /^candidate:\S{1,32} 1 udp \d{1,10} [0-9a-f.:]{2,45} \d{1,5} typ \w{2,8}/i.test(candidate))
    .slice(0, 16)
}
