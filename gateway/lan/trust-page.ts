import { createHash, X509Certificate } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { type PhoneKind, phoneKind, steps } from './phone-kind.ts'

const style = `
:root{color-scheme:dark;font:400 17px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;background:#0c0d10;color:#f2efe9}
body{margin:0 auto;max-width:560px;padding:28px 20px 64px}
h1{font-size:1.7rem;letter-spacing:-.02em;margin:0 0 8px}
p{color:#c3c6ce;margin:0 0 16px}
a.button{display:flex;align-items:center;justify-content:center;min-height:56px;border-radius:28px;margin:0 0 12px;background:#ffb454;color:#1c1304;font-weight:650;text-decoration:none}
a.quiet{background:#1d2027;color:inherit}
details{background:#15171c;border-radius:20px;padding:4px 18px;margin:0 0 12px}
summary{min-height:48px;display:flex;align-items:center;font-weight:600;cursor:pointer}
ol{padding-left:1.3em;margin:4px 0 16px}
li{margin:0 0 10px}
code{overflow-wrap:anywhere;color:#ffcf94;font-size:.85em}
:focus-visible{outline:3px solid #ffb454;outline-offset:3px}`
const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

export interface TrustPageFacts {
  /** PEM of the house's authority. */
  authority: string
  /** Where Porchlight is once the phone trusts it. */
  url(): string
}

/** The page over plain HTTP that walks a phone through trusting the house's authority. */
export interface TrustPage {
  readonly port: number
  close(): Promise<void>
}

export const certificatePath = '/porchlight-ca.crt'

/** @throws PorchlightError `port_in_use` */
export async function openTrustPage(facts: TrustPageFacts, host: string, port: number): Promise<TrustPage> {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000 }, (request, response) =>
    answer(facts, request, response),
  )
  server.maxConnections = 64
  const listening = Promise.withResolvers<void>()
  server.once('error', listening.reject)
  server.listen(port, host, listening.resolve)
  try {
    await listening.promise
  } catch (cause) {
    throw new PorchlightError('port_in_use', `${host}:${port} (trust page)`, { cause })
  }
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      server.closeAllConnections()
      await closed.promise
    },
  }
}

function answer(facts: TrustPageFacts, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url?.split('?')[0]
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end()
  else if (path === '/') {
    response
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
      .end(trustPage(facts.authority, facts.url(), phoneKind(request.headers['user-agent'] ?? '')))
  } else if (path === certificatePath) {
    // DER under this type is what both iOS and Android offer to install.
    response
      .writeHead(200, {
        'content-type': 'application/x-x509-ca-cert',
        'content-disposition': 'attachment; filename="porchlight-ca.crt"',
      })
      .end(new X509Certificate(facts.authority).raw)
  } else response.writeHead(302, { location: '/' }).end()
}

/** The page's HTML, with the steps of this phone open. */
export function trustPage(authority: string, url: string, kind: PhoneKind): string {
  const certificate = new X509Certificate(authority)
  const name = /CN=(.+)/.exec(certificate.subject)?.[1] ?? 'Porchlight'
  const order = [kind, ...(['ios', 'android', 'other'] as const).filter((other) => other !== kind)]
  const parts = order.map((part) => {
    const items = steps[part].steps.map((step) => `<li>${step.replaceAll('{name}', escapeHtml(name))}</li>`).join('')
    return `<details${part === kind ? ' open' : ''}><summary>${steps[part].title}</summary><ol>${items}</ol></details>`
  })
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>Trust this Porchlight</title>
<style>${style}</style>
<body>
<h1>Trust this Porchlight</h1>
<p>Your Porchlight has a certificate authority of its own, made for this house. Once your phone trusts it, microphone and notifications work.</p>
<a class="button" href="${certificatePath}">Download the certificate</a>
<a class="button quiet" href="${escapeHtml(url)}">Open Porchlight</a>
${parts.join('\n')}
<p>It can vouch for names ending in <code>.local</code> and for addresses inside houses only, for nothing on the internet. Compare its fingerprint (SHA-256) with the one in the console:</p>
<p><code>${certificate.fingerprint256}</code></p>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
