import { createHash, createHmac, timingSafeEqual, verify, X509Certificate } from 'node:crypto'

/** SignatureAndHashAlgorithm (RFC 5246 §7.4.1.4.1) that we ask a client for: SHA-256 with its kind of key. */
const signatures: ReadonlyMap<number, string> = new Map([
  [0x0401, 'rsa'],
  [0x0403, 'ec'],
])

/**
 * Whether a Certificate message's first certificate is the one that was signalled.
 * @param fingerprint as in `a=fingerprint` (RFC 8122 §5): `sha-256 AB:CD:…`
 * @returns the certificate, or undefined
 */
export function signalledCertificate(body: Buffer, fingerprint: string): X509Certificate | undefined {
  if (body.length < 6) return undefined
  const raw = body.subarray(6, 6 + body.readUIntBE(3, 3))
  const [, hash, hex] = /^sha-(256|384|512) ([0-9A-F:]+)$/i.exec(fingerprint) ?? []
  if (hash === undefined || hex === undefined) return undefined
  const wanted = Buffer.from(hex.replaceAll(':', ''), 'hex')
  const actual = createHash(`sha${hash}`).update(raw).digest()
  if (wanted.length !== actual.length || !timingSafeEqual(wanted, actual)) return undefined
  try {
    return new X509Certificate(raw)
  } catch {
    return undefined
  }
}

/**
 * Whether a CertificateVerify message is signed with the certificate's key over the handshake so far (RFC 5246 §7.4.8).
 * @param transcript all messages from the ClientHello with its cookie to the ClientKeyExchange
 */
export function isSignedBy(certificate: X509Certificate, body: Buffer, transcript: Buffer): boolean {
  if (body.length < 4 || body.length !== 4 + body.readUInt16BE(2)) return false
  const { publicKey } = certificate
  if (signatures.get(body.readUInt16BE(0)) !== publicKey.asymmetricKeyType) return false
  try {
    return verify('sha256', transcript, publicKey, body.subarray(4))
  } catch {
    return false
  }
}

/** Whether a client's Finished message fits the master secret and the handshake (RFC 5246 §7.4.9). */
export function isFinished(verifyData: Buffer, masterSecret: Buffer, transcript: Buffer): boolean {
  const seed = Buffer.concat([Buffer.from('client finished'), createHash('sha256').update(transcript).digest()])
  const hmac = (data: Buffer) => createHmac('sha256', masterSecret).update(data).digest()
  const expected = hmac(Buffer.concat([hmac(seed), seed])).subarray(0, 12) // P_hash, RFC 5246 §5
  return verifyData.length === expected.length && timingSafeEqual(verifyData, expected)
}
