import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startCuttingRelay } from '../../support/cutting-relay.ts'

test('only the connection that asks for it is cut, after so many bytes, and once', async () => {
  const body = Buffer.alloc(200_000, 7)
  const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const relay = await startCuttingRelay((server.address() as AddressInfo).port)
  onTestFinished(() => relay[Symbol.asyncDispose]())
  const get = async (path: string) => {
    let bytes = 0
    const response = await fetch(`http://127.0.0.1:${relay.port}${path}`)
    for await (const chunk of response.body!) bytes += chunk.length
    return bytes
  }
  relay.cutNext('/cut', 100_000)
  expect(await get('/whole')).toBe(200_000)
  expect(relay.cuts).toBe(0)
  await expect(get('/cut')).rejects.toThrow()
  expect(relay.cuts).toBe(1)
  expect(await get('/cut')).toBe(200_000)
})
