/**
 * Adds to an offer that lost sound is asked for again: browsers take NACKs on for sound (RFC 4585 §4.2), and do not offer
 * them. Only for lines that receive.
 */
export function askForLostSound(offer: string): string {
  const sections = offer.split(/(?=^m=)/m)
  return sections
    .map((section) => {
      if (!section.startsWith('m=audio') || !/^a=recvonly/m.test(section)) return section
      return section.replace(/^a=rtpmap:(\d+) (?:opus|PCM[UA])\/.*$/gim, (line: string, payloadType: string) => {
        const ask = `a=rtcp-fb:${payloadType} nack`
        return new RegExp(`^${ask}\\r?$`, 'm').test(section) ? line : `${line}\r\n${ask}`
      })
    })
    .join('')
}
