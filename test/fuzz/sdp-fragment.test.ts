import { PorchlightError } from '@porchlight/proto/errors.ts'
import { parseSdpFragment } from '@porchlight/proto/media/sdp-fragment.ts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

/** Either a fragment is read, or `sdp_invalid` says why not; never anything else. */
function survives(text: string): void {
  try {
    const { iceUfrag, icePwd, candidates } = parseSdpFragment(text)
    for (const word of [iceUfrag, icePwd]) expect(word).not.toBe('')
    for (const line of [iceUfrag, icePwd, ...candidates]) expect(line).not.toMatch(/[\r\n]/)
    for (const candidate of candidates) expect(candidate).toMatch(/^candidate:/)
  } catch (error) {
    expect(error).toBeInstanceOf(PorchlightError)
    expect((error as PorchlightError).code).toBe('sdp_invalid')
  }
}

const word = fc.stringMatching(/^[A-Za-z0-9+/]{4,32}$/)
const candidate = fc
  .tuple(word, fc.nat(65_535), fc.constantFrom('udp', 'tcp'), fc.ipV4(), fc.constantFrom('host', 'srflx', 'relay'))
  .map(([foundation, port, protocol, address, type]) => `${foundation} 1 ${protocol} 1 ${address} ${port} typ ${type}`)

describe('trickle ICE fragments', () => {
  it('survives any text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 300 }), survives), { numRuns: 300 })
  })

  it('survives lines that nearly fit', () => {
    const line = fc.oneof(
      fc.constantFrom('m=audio 9 UDP/TLS/RTP/SAVPF 0', 'm=', 'a=mid:0', 'a=end-of-candidates', 'a=candidate:', 'a='),
      fc
        .tuple(fc.constantFrom('ice-ufrag', 'ice-pwd', 'candidate', 'ice-options'), fc.string())
        .map((a) => `a=${a.join(':')}`),
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), fc.constantFrom('\r\n', '\n', '\r'), (lines, end) =>
        survives(lines.join(end)),
      ),
      { numRuns: 500 },
    )
  })

  it('reads what a fragment says, credentials before the section or in it', () => {
    fc.assert(
      fc.property(word, word, fc.array(candidate, { maxLength: 8 }), fc.boolean(), fc.boolean(), (...told) => {
        const [iceUfrag, icePwd, candidates, ended, before] = told
        const credentials = [`a=ice-ufrag:${iceUfrag}`, `a=ice-pwd:${icePwd}`]
        const section = ['m=video 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0']
        const text = [
          ...(before ? [...credentials, ...section] : [...section, ...credentials]),
          ...candidates.map((one) => `a=candidate:${one}`),
          ...(ended ? ['a=end-of-candidates'] : []),
        ].join('\r\n')
        const lines = candidates.map((one) => `candidate:${one}`)
        expect(parseSdpFragment(text)).toEqual({ iceUfrag, icePwd, candidates: lines, ended })
      }),
    )
  })

  it('refuses two ICE sessions in one', () => {
    fc.assert(
      fc.property(word, word, (one, other) => {
        fc.pre(one !== other)
        const section = (ufrag: string) => `m=audio 9 X 0\na=ice-ufrag:${ufrag}\na=ice-pwd:p\n`
        expect(() => parseSdpFragment(section(one) + section(other))).toThrow('ice-ufrag')
      }),
    )
  })
})
