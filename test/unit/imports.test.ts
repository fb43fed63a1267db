import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

/**
 * Who may import whom. The arrows run one way; only `gateway/gateway.ts` (with its `main.ts`, its CLI and what it hands to
 * its parts) and `device/agent.ts` do the wiring and know everybody.
 *
 * The choice made on `import type`: it counts for the direction table (a folder that knows another's types knows the
 * folder), but not for cycles, because nothing of it is left when the program runs.
 */
const root = fileURLToPath(new URL('../..', import.meta.url))
const programs = ['proto', 'device', 'gateway', 'viewer', 'test'] as const

/** Between the programs; what is not named is allowed nothing. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  proto: ['proto'],
  device: ['device', 'proto'],
  gateway: ['gateway', 'proto'],
  viewer: ['viewer', 'proto'],
  test: ['test', 'proto', 'device', 'gateway', 'viewer'],
}

/**
 * Inside the gateway: a folder may import those below its layer, its own files, and folders beside it as long as no two
 * of them need each other (then the lower one owns a small interface and `gateway.ts` connects them).
 */
const gatewayLayers: readonly (readonly string[])[] = [
  ['gateway.ts', 'main.ts', 'cli.ts', 'cli', 'event-listeners.ts', 'publishing.ts'],
  ['api'],
  ['signaling', 'events', 'recorder', 'auth', 'cameras', 'notices', 'playback', 'live-stream', 'stills', 'lan'],
  ['sfu', 'broker', 'push'],
  ['webrtc', 'store', 'metrics'],
  ['config', 'identity', 'package.json'],
]

interface Import {
  from: string
  to: string
  typeOnly: boolean
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (['node_modules', 'dist', 'scene'].includes(entry.name) || entry.name.startsWith('.')) return []
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return sources(path)
    return /\.(ts|tsx|mts|mjs|js)$/.test(entry.name) && !entry.name.endsWith('.d.ts') ? [path] : []
  })
}

/** `import … from 'x'`, `export … from 'x'`, `import 'x'`, `import('x')`, `new URL('x', import.meta.url)` left aside. */
const statement =
  /^\s*(?:import|export)\s+(type\s+)?(?:([\w*$\s{},]*?)\s*from\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/gm

function importsOf(file: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '')
  return [...code.matchAll(statement)].flatMap((match) => {
    const target = match[3] ?? match[4]!
    const named = match[2]?.trim() ?? ''
    const allTypes =
      /^\{[^}]*\}$/.test(named) &&
      named
        .slice(1, -1)
        .split(',')
        .filter((name) => name.trim() !== '')
        .every((name) => /^\s*type\s/.test(name))
    const to = locate(file, target)
    return to === undefined ? [] : [{ from: file, to, typeOnly: match[1] !== undefined || allTypes }]
  })
}

/** Path from the root of a file of ours; undefined for packages of others. */
function locate(from: string, target: string): string | undefined {
  if (target.startsWith('.')) return relative(root, resolve(root, dirname(from), target.replace(/\?.*$/, '')))
  const own = /^@porchlight\/(\w+)(?:\/(.*))?$/.exec(target)
  return own ? `${own[1]}/${own[2] ?? 'index.ts'}` : undefined
}

const files = programs.flatMap(sources)
const imports = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')))
const say = ({ from, to }: Import) => `${from} → ${to}`
const programOf = (path: string) => path.split('/')[0]!

/** Every cycle that a walk through the graph meets, as `a → b → a`. */
function cyclesOf(next: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const cycles: string[] = []
  const done = new Set<string>()
  const visit = (node: string, path: readonly string[]) => {
    const at = path.indexOf(node)
    if (at >= 0) cycles.push([...path.slice(at), node].join(' → '))
    if (at >= 0 || done.has(node)) return
    for (const target of next.get(node) ?? []) visit(target, [...path, node])
    done.add(node)
  }
  for (const node of next.keys()) visit(node, [])
  return cycles
}

describe('imports', () => {
  test('are found at all, in each of their forms', () => {
    const text = [
      `import a from './a.ts'`,
      `import { type B, type C } from '@porchlight/proto/b.ts'`,
      `import type { D } from '../d.ts'`,
      `export * from './e.ts'`,
      `import './f.css'`,
      `const g = await ${'import'}('./g.ts')`,
      `import {\n  h,\n  type I,\n} from './h.ts'`,
      `import fs from 'node:fs'`,
      `/* import x from './no.ts' */`,
    ].join('\n')
    expect(importsOf('device/x/y.ts', text).map(({ to, typeOnly }) => [to, typeOnly])).toEqual([
      ['device/x/a.ts', false],
      ['proto/b.ts', true],
      ['device/d.ts', true],
      ['device/x/e.ts', false],
      ['device/x/f.css', false],
      ['device/x/g.ts', false],
      ['device/x/h.ts', false],
    ])
    expect(imports.length).toBeGreaterThan(20)
  })

  test('between the programs follow the table', () => {
    expect(imports.filter(({ from, to }) => !mayImport[programOf(from)]!.includes(programOf(to))).map(say)).toEqual([])
  })

  test('of the device leave its wiring to its main program', () => {
    const users = imports.filter(({ from, to }) => to === 'device/agent.ts' && programOf(from) === 'device')
    expect(users.filter(({ from }) => from !== 'device/cli.ts').map(say)).toEqual([])
  })

  test('of the viewer leave out the media of proto', () => {
    expect(
      imports.filter(({ from, to }) => programOf(from) === 'viewer' && to.startsWith('proto/media/')).map(say),
    ).toEqual([])
  })

  test('inside the gateway run one way', () => {
    const partOf = (path: string) => path.split('/')[1]!
    const layerOf = (path: string) => gatewayLayers.findIndex((layer) => layer.includes(partOf(path)))
    const inside = imports.filter(({ from, to }) => programOf(from) === 'gateway' && programOf(to) === 'gateway')
    expect(inside.filter(({ from, to }) => layerOf(to) < layerOf(from)).map(say)).toEqual([])
    const folders = new Map<string, Set<string>>()
    for (const { from, to } of inside) {
      if (partOf(from) === partOf(to)) continue
      folders.set(partOf(from), (folders.get(partOf(from)) ?? new Set()).add(partOf(to)))
    }
    expect(cyclesOf(folders)).toEqual([])
  })

  test('know every folder of the gateway', () => {
    const parts = new Set(files.filter((file) => programOf(file) === 'gateway').map((file) => file.split('/')[1]!))
    expect([...parts].filter((part) => !gatewayLayers.flat().includes(part))).toEqual([])
  })

  test('name files that are there', () => {
    const there = new Set(files)
    const missing = imports.filter(
      ({ to }) => /\.(ts|tsx|mts|mjs)$/.test(to) && !there.has(to) && !to.endsWith('.d.ts'),
    )
    expect(missing.filter(({ to }) => !to.includes('node_modules')).map(say)).toEqual([])
  })

  test('have no cycles', () => {
    const next = new Map<string, Set<string>>()
    for (const { from, to, typeOnly } of imports) if (!typeOnly) next.set(from, (next.get(from) ?? new Set()).add(to))
    expect(cyclesOf(next)).toEqual([])
  })
})
