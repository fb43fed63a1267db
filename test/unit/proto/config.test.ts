import { configFile, loadConfig } from '@porchlight/proto/config.ts'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

const schema = z.strictObject({
  http: z
    .strictObject({ host: z.string().default('127.0.0.1'), port: z.number().int().min(0).max(65535).default(4880) })
    .prefault({}),
  media: z.object({ bindAddress: z.string().optional(), announce: z.array(z.string()).default([]) }).prefault({}),
  quiet: z.boolean().default(false),
  level: z.enum(['info', 'debug']).default('info'),
  cameras: z.array(z.object({ name: z.string(), port: z.number().optional() })).default([]),
})
const base = { env: {}, envPrefix: 'PORCHLIGHT_GATEWAY_', argv: [] }

function refusal(sources: Partial<Parameters<typeof loadConfig>[1]>): string {
  try {
    loadConfig(schema, { ...base, ...sources })
  } catch (error) {
    if (error instanceof PorchlightError) return `${error.code}: ${error.detail}`
    throw error
  }
  throw new Error('accepted')
}

describe('loadConfig', () => {
  it('fills in defaults', () => {
    expect(loadConfig(schema, base).config).toEqual({
      http: { host: '127.0.0.1', port: 4880 },
      media: { announce: [] },
      quiet: false,
      level: 'info',
      cameras: [],
    })
  })

  it('lets the environment win over the file, and flags over both', () => {
    const { config, rest } = loadConfig(schema, {
      file: {
        path: 'x.json',
        text: '{"http":{"host":"::1","port":1},"media":{"bindAddress":"10.0.0.1"},"level":"debug"}',
      },
      env: { PORCHLIGHT_GATEWAY_HTTP_PORT: '2', PORCHLIGHT_GATEWAY_MEDIA_BIND_ADDRESS: '10.0.0.2', PATH: '/bin' },
      envPrefix: 'PORCHLIGHT_GATEWAY_',
      argv: ['run', '--http.port=3', '--media.announce', '["a","b"]', '--quiet', 'more', '--', '--not-a-flag'],
    })
    expect(config).toMatchObject({
      http: { host: '::1', port: 3 },
      media: { bindAddress: '10.0.0.2', announce: ['a', 'b'] },
      quiet: true,
      level: 'debug',
    })
    expect(rest).toEqual(['run', 'more', '--not-a-flag'])
  })

  it('merges a group given as JSON and replaces lists', () => {
    const { config } = loadConfig(schema, {
      ...base,
      file: { path: 'x.json', text: '{"http":{"host":"::1"},"cameras":[{"name":"a"}]}' },
      argv: ['--http', '{"port":9}', '--cameras', '[{"name":"b"},{"name":"c"}]'],
    })
    expect(config.http).toEqual({ host: '::1', port: 9 })
    expect(config.cameras.map((camera) => camera.name)).toEqual(['b', 'c'])
  })

  it('lists every violation at once, with where it came from', () => {
    const text = refusal({
      file: {
        path: 'x.json',
        text: '{"http":{"prot":1},"media":{"spare":1},"cameras":[{"name":"a","extra":1}],"nonsense":true}',
      },
      env: { PORCHLIGHT_GATEWAY_HTTP_PORT: 'secret', PORCHLIGHT_GATEWAY_NOPE: '1' },
      argv: ['--level', 'loud', '--wrong', '1', '--media.announce', 'not json', '--http.host'],
    })
    for (const part of [
      'config_invalid',
      'http.prot: unknown key',
      'media.spare: unknown key',
      'cameras.0.extra: unknown key',
      'nonsense: unknown key',
      'http.port (from PORCHLIGHT_GATEWAY_HTTP_PORT)',
      'PORCHLIGHT_GATEWAY_NOPE: unknown environment variable',
      'level (from --level)',
      '--wrong: unknown flag',
      'media.announce (from --media.announce): expected JSON',
      '--http.host: a value is missing',
    ]) {
      expect(text).toContain(part)
    }
    expect(text).not.toContain('secret')
    expect(text.match(/http\.prot/g)).toHaveLength(1)
  })

  it('blames the flag for what is wrong inside its JSON', () => {
    expect(refusal({ argv: ['--cameras', '[{"name":1}]'] })).toContain('cameras.0.name (from --cameras)')
    expect(refusal({ argv: ['--cameras', '[{"name":"a","b":1}]'] })).toContain(
      'cameras.0.b (from --cameras): unknown key',
    )
  })

  it.each(['', 'nonsense', '[1]', 'null', '"text"'])('refuses the file %j', (text) => {
    expect(refusal({ file: { path: 'house.json', text } })).toMatch(/^config_unreadable: house\.json/)
  })

  it('takes a __proto__ in the file for an unknown key', () => {
    expect(refusal({ file: { path: 'x.json', text: '{"__proto__":{"quiet":true}}' } })).toContain(
      '__proto__: unknown key',
    )
  })

  it('is frozen all the way down', () => {
    const { config } = loadConfig(schema, { ...base, argv: ['--cameras', '[{"name":"a"}]'] })
    for (const part of [config, config.http, config.cameras, config.cameras[0]])
      expect(Object.isFrozen(part)).toBe(true)
  })
})

describe('configFile', () => {
  const read = (path: string) => `text of ${path}`

  it('prefers the flag', () => {
    const env = { PORCHLIGHT_GATEWAY_CONFIG: 'env.json' }
    const flagged = ['run', '--config', 'a.json']
    expect(configFile({ ...base, env }, read)).toEqual({ path: 'env.json', text: 'text of env.json' })
    expect(configFile({ ...base, env, argv: flagged }, read)?.path).toBe('a.json')
    expect(configFile({ ...base, env, argv: ['--config=b.json'] }, read)?.path).toBe('b.json')
    expect(configFile(base, read)).toBeUndefined()
  })

  it('names the file that cannot be read', () => {
    const fail = () => {
      throw new Error('ENOENT')
    }
    const sources = { ...base, argv: ['--config=gone.json'] }
    expect(() => configFile(sources, fail)).toThrow(expect.objectContaining({ code: 'config_unreadable' }))
  })
})
