/** `npm run bench -- NAME …`: runs one bench; its last line on stdout is its result as JSON. */
const names = ['ttff', 'press', 'agent', 'lossy', 'fanout', 'glass', 'record', 'complete', 'seek']
const [name, ...args] = process.argv.slice(2)
if (name === undefined || !names.includes(name)) {
  process.stderr.write(`Which bench? ${names.join(', ')}\n`)
  process.exit(2)
}
const { run } = (await import(`./${name}.ts`)) as { run(args: readonly string[]): Promise<unknown> }
process.stdout.write(`${JSON.stringify(await run(args))}\n`)
process.exit(0)
