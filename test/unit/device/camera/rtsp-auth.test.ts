import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FrameNumbering } from '../../../../device/camera/frame-numbering.ts'
import { Authenticator, parseChallenges } from '../../../../device/camera/rtsp/auth.ts'
import { RtspHeaders } from '../../../../device/camera/rtsp/messages.ts'
import { RtspSource } from '../../../../device/camera/rtsp-source.ts'
import { CameraCollector } from '../../../support/camera-collector.ts'
import { quietLog } from '../../../support/quiet-log.ts'
import { type Script, ScriptedCamera } from '../../../support/scripted-camera.ts'

function challenge(...values: string[]): RtspHeaders {
  const headers = new RtspHeaders()
  for (const value of values) headers.add('WWW-Authenticate', value)
  return headers
}

const user = { user: 'admin', password: 'pass' }

function answerTo(...values: string[]): string | undefined {
  const authenticator = new Authenticator(user, true, () => 'c0ffee')
  authenticator.challenged(challenge(...values), false)
  return authenticator.header('DESCRIBE', 'rtsp://cam/')
}

function digest(name: 'md5' | 'sha256', middle: string): string {
  const hash = (text: string) => createHash(name).update(text).digest('hex')
  return hash(`${hash('admin:r:pass')}:n:${middle}${hash('DESCRIBE:rtsp://cam/')}`)
}

describe('Digest (RFC 2617, RFC 7616)', () => {
  it('MD5 without qop: no cnonce, no nc', () => {
    const answer = answerTo('Digest realm="r", nonce="n"')
    expect(answer).toBe(
      `Digest username="admin", realm="r", nonce="n", uri="rtsp://cam/", response="${digest('md5', '')}"`,
    )
  })

  it('qop=auth among others, SHA-256, opaque', () => {
    const answer = answerTo('Digest realm="r",qop="auth-int, auth",nonce="n",opaque="",algorithm=SHA-256')
    expect(answer).toContain(`response="${digest('sha256', '00000001:c0ffee:auth:')}"`)
    expect(answer).toContain('algorithm=SHA-256, opaque="", qop=auth, nc=00000001, cnonce="c0ffee"')
  })

  it('extra parameters (Hikvision) are left alone', () => {
    const answer = answerTo('Digest realm="r", domain="::", qop="", nonce="n", stale="FALSE", extra')
    expect(answer).toContain(`response="${digest('md5', '')}"`)
  })

  it('the first that we can do wins', () => {
    expect(answerTo('Digest realm="r", nonce="n", algorithm=SHA-512', 'Basic realm="r"')).toMatch(
      /^Basic YWRtaW46cGFzcw==$/,
    )
    expect(answerTo('Digest realm="r", nonce="n"', 'Basic realm="r"')).toMatch(/^Digest/)
    expect(parseChallenges('Basic realm="a, b", Digest realm="c", nonce="d"').map(({ scheme }) => scheme)).toEqual([
      'basic',
      'digest',
    ])
  })

  it('another host is not told the password by Basic', () => {
    const authenticator = new Authenticator(user, false)
    expect(authenticator.challenged(challenge('Basic realm="r"'), false)).toBe(false)
  })

  it('counts nc up and begins anew with a new nonce', () => {
    const authenticator = new Authenticator(user, true, () => 'x')
    authenticator.challenged(challenge('Digest realm="r", nonce="n", qop=auth'), false)
    authenticator.header('OPTIONS', 'a')
    expect(authenticator.header('OPTIONS', 'a')).toContain('nc=00000002')
    authenticator.challenged(challenge('Digest realm="r", nonce="m", qop=auth, stale=true'), true)
    expect(authenticator.header('OPTIONS', 'a')).toContain('nc=00000001')
  })
})

describe('a camera with a password', () => {
  const open = async (script: Script, credentials?: { user: string; password: string }) => {
    const camera = await new ScriptedCamera(script).listen()
    const source = new RtspSource({
      url: camera.url,
      transport: 'tcp',
      backchannel: 'off',
      memory: {},
      listener: new CameraCollector(),
      numbering: new FrameNumbering(),
      now: Date.now,
      monotonic: () => performance.now(),
      random: Math.random,
      log: quietLog,
      ...(credentials === undefined ? {} : { credentials }),
    })
    onTestFinished(async () => {
      await source.close()
      await camera.close()
    })
    const code = await source.open(AbortSignal.timeout(20_000)).then(
      () => 'open',
      (error) => error.code as string,
    )
    return { camera, code }
  }
  const refuse = (nonce: string, extra = '') => ({
    status: 401,
    body: '',
    headers: [['WWW-Authenticate', `Digest realm="r", nonce="${nonce}"${extra}`]] as const,
  })

  it('a stale nonce in the middle is not a wrong password', async () => {
    let nonce = 'one'
    const { camera, code } = await open(
      {
        answer: ({ method, header }) => {
          if (method === 'OPTIONS') return undefined
          if (method === 'PLAY') nonce = 'two'
          const good = header('authorization')?.includes(`nonce="${nonce}"`)
          return good ? undefined : refuse(nonce, method === 'PLAY' ? ', stale=true' : '')
        },
      },
      user,
    )
    expect(code).toBe('open')
    expect(camera.of('PLAY')).toHaveLength(2)
  })

  it('a wrong password is tried once: cameras lock the account', async () => {
    const { camera, code } = await open({ answer: (_, count) => refuse(`n${count}`) }, user)
    expect(code).toBe('camera_auth')
    expect(camera.asked).toHaveLength(2)
  })

  it('no password given: camera_auth; an empty one is one (TP-Link)', async () => {
    const script: Script = {
      answer: ({ header }) => (header('authorization')?.startsWith('Digest') ? undefined : refuse('n')),
    }
    expect((await open(script)).code).toBe('camera_auth')
    expect((await open(script, { user: 'admin', password: '' })).code).toBe('open')
  })
})
