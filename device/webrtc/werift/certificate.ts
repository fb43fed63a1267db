import { X509Certificate } from 'node:crypto'
import { createSelfSignedCertificate, HashAlgorithm, NamedCurveAlgorithm, SignatureAlgorithm } from 'werift'

const signatureHash = { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 }

/** A certificate that lives as long as one session. */
export interface Certificate {
  certPem: string
  keyPem: string
  signatureHash: typeof signatureHash
  /** As in `a=fingerprint`. */
  fingerprint: string
}

export async function makeCertificate(): Promise<Certificate> {
  const { certPem, keyPem } = await createSelfSignedCertificate(signatureHash, NamedCurveAlgorithm.secp256r1_23)
  return { certPem, keyPem, signatureHash, fingerprint: `sha-256 ${new X509Certificate(certPem).fingerprint256}` }
}
