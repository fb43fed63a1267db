import { z } from 'zod'
import { PorchlightError } from './errors.ts'

/** Where configuration comes from; later ones win: file → environment → flags. */
export interface ConfigSources {
  /** JSON text of the configuration file, where there is one. */
  file?: { path: string; text: string } | undefined
  env: Readonly<Record<string, string | undefined>>
  /** `PORCHLIGHT_GATEWAY_`: `http.port` is then `PORCHLIGHT_GATEWAY_HTTP_PORT`, `media.bindAddress` `…_MEDIA_BIND_ADDRESS`. */
  envPrefix: string
  /** Flags `--http.port 4880` or `--http.port=4880` (lists and objects as JSON), and positional words. */
  argv: readonly string[]
}

/** Deeply read-only, as the result is frozen. */
export type Frozen<T> = T extends readonly (infer I)[]
  ? readonly Frozen<I>[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T

type Values = Record<string, unknown>

/** Path of the configuration file: flag `--config`, else `{envPrefix}CONFIG`. */
function configPath(sources: Omit<ConfigSources, 'file'>): string | undefined {
  for (const [index, word] of sources.argv.entries()) {
    if (word === '--') break
    if (word === '--config') return sources.argv[index + 1]
    if (word.startsWith('--config=')) return word.slice('--config='.length)
  }
  return sources.env[`${sources.envPrefix}CONFIG`] || undefined
}

/**
 * The configuration file that the sources name; undefined where they name none.
 * @throws PorchlightError `config_unreadable`
 */
export function configFile(
  sources: Omit<ConfigSources, 'file'>,
  read: (path: string) => string,
): ConfigSources['file'] {
  const path = configPath(sources)
  if (path === undefined) return undefined
  try {
    return { path, text: read(path) }
  } catch (cause) {
    throw new PorchlightError('config_unreadable', path, { cause })
  }
}

/**
 * Builds the configuration of a program. Unknown keys, variables and flags are refused; every violation is listed at once,
 * with where it came from and never with the value.
 * @returns the frozen configuration, and the positional words
 * @throws PorchlightError `config_unreadable` (the file is no JSON object) or `config_invalid`
 */
export function loadConfig<T extends z.ZodObject>(
  schema: T,
  sources: ConfigSources,
): { config: Frozen<z.infer<T>>; rest: string[] } {
  const paths = settingPaths(schema)
  const problems = new Set<string>()
  /** Which environment variable or flag set a path. */
  const origins = new Map<string, string>()
  const values = sources.file ? readFile(sources.file) : {}
  if (sources.file) for (const key of unknownKeys(schema, values)) problems.add(`${key}: unknown key`)

  const apply = (path: string, text: string, origin: string) => {
    const setting = paths.get(path)
    if (!setting) return
    const value = fromText(setting, text)
    if (value === undefined) {
      problems.add(`${path} (from ${origin}): expected JSON`)
      return
    }
    for (const key of unknownKeys(setting, value)) problems.add(`${path}.${key} (from ${origin}): unknown key`)
    setPath(values, path.split('.'), value)
    origins.set(path, origin)
  }

  const byVariable = new Map([...paths.keys()].map((path) => [sources.envPrefix + toVariable(path), path]))
  for (const [variable, text] of Object.entries(sources.env)) {
    if (!variable.startsWith(sources.envPrefix) || text === undefined || variable === `${sources.envPrefix}CONFIG`)
      continue
    const path = byVariable.get(variable)
    if (path === undefined) problems.add(`${variable}: unknown environment variable`)
    else apply(path, text, variable)
  }

  const { flags, rest } = readFlags(sources.argv, (path) => kindOf(paths.get(path)) === 'boolean')
  for (const { path, text } of flags) {
    if (path === 'config') continue
    if (!paths.has(path)) problems.add(`--${path}: unknown flag`)
    else if (text === undefined) problems.add(`--${path}: a value is missing`)
    else apply(path, text, `--${path}`)
  }

  const parsed = schema.safeParse(values)
  if (!parsed.success)
    for (const issue of parsed.error.issues) for (const line of describe(issue, origins)) problems.add(line)
  if (!parsed.success || problems.size > 0) throw new PorchlightError('config_invalid', [...problems].join('; '))
  return { config: freeze(parsed.data) as Frozen<z.infer<T>>, rest }
}

function readFile({ path, text }: { path: string; text: string }): Values {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new PorchlightError('config_unreadable', `${path} is not JSON`, { cause })
  }
  if (!isRecord(json)) throw new PorchlightError('config_unreadable', `${path} is not a JSON object`)
  return json
}

/** Flags in order of appearance; a flag of a yes-or-no setting needs no value. */
function readFlags(argv: readonly string[], isSwitch: (path: string) => boolean) {
  const flags: { path: string; text: string | undefined }[] = []
  const rest: string[] = []
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index]!
    if (word === '--') {
      rest.push(...argv.slice(index + 1))
      break
    }
    if (!word.startsWith('--')) {
      rest.push(word)
      continue
    }
    const equals = word.indexOf('=')
    if (equals > 0) {
      flags.push({ path: word.slice(2, equals), text: word.slice(equals + 1) })
      continue
    }
    const path = word.slice(2)
    const next = argv[index + 1]
    if (isSwitch(path) && next !== 'true' && next !== 'false') {
      flags.push({ path, text: 'true' })
    } else if (next === undefined || next.startsWith('--')) {
      flags.push({ path, text: undefined })
    } else {
      flags.push({ path, text: next })
      index++
    }
  }
  return { flags, rest }
}

/** Every setting by its dotted path, groups included. */
function settingPaths(schema: z.core.$ZodType, prefix = ''): Map<string, z.core.$ZodType> {
  const paths = new Map<string, z.core.$ZodType>()
  for (const [key, child] of Object.entries(shapeOf(schema) ?? {})) {
    const path = prefix + key
    paths.set(path, child)
    for (const [deeper, setting] of settingPaths(child, `${path}.`)) paths.set(deeper, setting)
  }
  return paths
}

/** Takes defaults, optional and the like off a schema. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  let inner = schema
  for (;;) {
    const def = inner._zod.def as { type: string; innerType?: z.core.$ZodType; in?: z.core.$ZodType }
    const next = def.innerType ?? (def.type === 'pipe' ? def.in : undefined)
    if (!next) return inner
    inner = next
  }
}

function kindOf(schema: z.core.$ZodType | undefined): string | undefined {
  return schema && unwrap(schema)._zod.def.type
}

function shapeOf(schema: z.core.$ZodType): Record<string, z.core.$ZodType> | undefined {
  const inner = unwrap(schema)
  return inner instanceof z.ZodObject ? inner.shape : undefined
}

/** Paths in `value` that the schema does not know, through groups and lists of groups. */
function unknownKeys(schema: z.core.$ZodType, value: unknown, prefix = ''): string[] {
  const inner = unwrap(schema)
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    return value.flatMap((item, index) => unknownKeys(inner.element, item, `${prefix}${index}.`))
  }
  const shape = shapeOf(inner)
  if (!shape || !isRecord(value)) return []
  return Object.entries(value).flatMap(([key, child]) =>
    Object.hasOwn(shape, key) ? unknownKeys(shape[key]!, child, `${prefix}${key}.`) : [prefix + key],
  )
}

/** The value that a text of environment or command line stands for; undefined where JSON was needed and is not there. */
function fromText(schema: z.core.$ZodType, text: string): unknown {
  switch (kindOf(schema)) {
    case 'string':
    case 'enum':
      return text
    case 'number':
      return text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text)
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text
    case 'literal':
    case 'union':
      return tryJson(text) ?? text
    default:
      return tryJson(text)
  }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function setPath(values: Values, path: readonly string[], value: unknown): void {
  const [key, ...deeper] = path as [string, ...string[]]
  if (deeper.length > 0) {
    if (!isRecord(values[key])) values[key] = {}
    setPath(values[key] as Values, deeper, value)
  } else if (isRecord(value) && isRecord(values[key])) {
    for (const [name, child] of Object.entries(value)) setPath(values[key], [name], child)
  } else {
    values[key] = value
  }
}

/** `media.bindAddress` → `MEDIA_BIND_ADDRESS` */
function toVariable(path: string): string {
  return path
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()
}

function describe(issue: z.core.$ZodIssue, origins: ReadonlyMap<string, string>): string[] {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${path === '' ? key : `${path}.${key}`}: unknown key`)
  }
  // A list given as one flag is blamed for what is wrong inside it.
  const parents = issue.path.map((_, index) => issue.path.slice(0, issue.path.length - index).join('.'))
  const origin = parents.map((parent) => origins.get(parent)).find((found) => found !== undefined)
  return [`${path || 'configuration'}${origin === undefined ? '' : ` (from ${origin})`}: ${issue.message}`]
}

function freeze(value: unknown): unknown {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const child of Object.values(value)) freeze(child)
  }
  return value
}

function isRecord(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
