import { createHmac } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { relay } from '@porchlight/proto/messages/relay.ts'
import { describe, expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../../../gateway/config/schema.ts'
import { openTurn } from '../../../../gateway/webrtc/turn.ts'
import { tempDir } from '../../../support/temp-dir.ts'

const urls = ['turn:turn.example:3478?transport=udp', 'turns:[2001:db8::1]:5349?transport=tcp']
const settings = (turn: object) => gatewayConfigSchema.parse({ turn }).turn
const now = () => 1_700_000_000_400

describe('credentials for coturn', () => {
  test('say until when and for whom, and are signed with the shared secret', async () => {
    const relayFor = await openTurn(settings({ urls, secret: 'north', ttlSeconds: 300 }), now)
    const lent = relay.parse(relayFor!('porch'))
    expect(lent).toMatchObject({ urls, username: '1700000300:porch', seconds: 300 })
    // openssl dgst -sha1 -hmac north -binary | base64
    expect(lent.credential).toBe(createHmac('sha1', 'north').update('1700000300:porch').digest('base64'))
  })

  test('live ten minutes at the longest, and no name gets out of its quotes', async () => {
    const relayFor = await openTurn(settings({ urls, secret: 'north' }), now)
    expect(relayFor!('a "b"; c\r\nd').username).toBe('1700000600:a__b___c__d')
    expect(() => settings({ urls, secret: 'north', ttlSeconds: 601 })).toThrow('600')
  })

  test('the secret may stand in a file', async () => {
    const path = join(await tempDir(), 'secret')
    await writeFile(path, 'north\n')
    const relayFor = await openTurn(settings({ urls, secretFile: path }), now)
    const same = await openTurn(settings({ urls, secret: 'north' }), now)
    expect(relayFor!('porch')).toEqual(same!('porch'))
    await writeFile(path, '\n')
    await expect(openTurn(settings({ urls, secretFile: path }), now)).rejects.toMatchObject({ code: 'config_invalid' })
    const missing = settings({ urls, secretFile: `${path}.none` })
    await expect(openTurn(missing, now)).rejects.toMatchObject({ code: 'config_invalid' })
  })

  test('without a server there are none', async () => {
    expect(await openTurn(settings({}), now)).toBeUndefined()
  })

  test.each([
    ['no secret', { urls }],
    ['two secrets', { urls, secret: 'a', secretFile: 'b' }],
    ['an address of another kind', { urls: ['https://turn.example'], secret: 'a' }],
    ['an address with an account', { urls: ['turn:user:word@turn.example'], secret: 'a' }],
    ['an address that ends its header', { urls: ['turn:turn.example>; rel="x"'], secret: 'a' }],
  ])('%s is refused', (_, turn) => {
    expect(() => settings(turn)).toThrow()
  })
})
