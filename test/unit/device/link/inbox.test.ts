import { PorchlightError } from '@porchlight/proto/errors.ts'
import { command } from '@porchlight/proto/messages/command.ts'
import { describe, expect, it } from 'vitest'
import { Inbox } from '../../../../device/link/inbox.ts'

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const hello = { v: 1, id: 'message-1', ts: 10_000, ttl: 10_000, from: 'gateway', type: 'hello' }

function refusal(inbox: Inbox, payload: Uint8Array): string {
  try {
    inbox.take(command, payload)
    return 'accepted'
  } catch (error) {
    return error instanceof PorchlightError ? error.code : 'uncoded'
  }
}

describe('Inbox', () => {
  it.each([
    ['message_invalid', new TextEncoder().encode('{')],
    ['message_invalid', bytes({ ...hello, type: 'explode' })],
    ['message_too_large', new Uint8Array(70_000)],
    ['message_foreign', bytes({ ...hello, from: 'garage' })],
    ['message_expired', bytes({ ...hello, ts: -10_000 })],
    ['accepted', bytes({ ...hello, surplus: 1 })],
  ])('%s', (code, payload) => {
    const inbox = new Inbox(() => 12_000)
    expect(refusal(inbox, payload)).toBe(code)
    expect(inbox.accepted + [...inbox.refused.values()].reduce((sum, count) => sum + count, 0)).toBe(1)
  })

  it('drops a message that came before, and remembers a bounded number', () => {
    const inbox = new Inbox(() => 12_000)
    expect(refusal(inbox, bytes(hello))).toBe('accepted')
    expect(refusal(inbox, bytes(hello))).toBe('message_replayed')
    for (let index = 0; index < 2_048; index += 1) inbox.take(command, bytes({ ...hello, id: `message-x${index}` }))
    expect(refusal(inbox, bytes(hello))).toBe('accepted')
  })
})
