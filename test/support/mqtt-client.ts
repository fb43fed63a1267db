import type { MqttClient } from 'mqtt'

/** Resolves when the connection is over. */
export function closed(client: MqttClient): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  client.once('close', () => resolve())
  return promise
}

/** Which of the filters the broker grants. */
export async function grantedOf(client: MqttClient, filters: readonly string[]): Promise<string[]> {
  const granted: string[] = []
  for (const filter of filters) {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    client.subscribe(filter, (error) => resolve(!error))
    if (await promise) granted.push(filter)
  }
  return granted
}
