import { connectAsync } from 'mqtt'
import { expect, onTestFinished, test } from 'vitest'
import { barcodeBits, barcodeReaderSource } from '../../support/barcode.ts'
import { openChromium, phoneContext } from '../../support/chromium.ts'
import { startMosquitto } from '../../support/mosquitto.ts'
import { tempDir } from '../../support/temp-dir.ts'

test('Mosquitto starts with users and an ACL, and keeps strangers out', async () => {
  const options = { folder: await tempDir(), users: { door: 'bell' }, acl: ['user door', 'topic readwrite pl/#'] }
  const broker = await startMosquitto(options, onTestFinished)
  const client = await connectAsync(broker.url, { username: 'door', password: 'bell' })
  onTestFinished(() => client.endAsync(true))
  const [allowed, other] = await client.subscribeAsync(['pl/test', 'other'])
  expect([allowed?.qos, other?.qos]).toEqual([0, 0]) // Mosquitto grants both, and delivers by its ACL
  const heard: string[] = []
  const came = new Promise((resolve) =>
    client.on('message', (topic) => heard.push(topic) && topic === 'pl/test' && resolve(0)),
  )
  await client.publishAsync('other', 'no', { qos: 1 })
  await client.publishAsync('pl/test', 'yes', { qos: 1 })
  await came
  expect(heard).toEqual(['pl/test'])
  const stranger = connectAsync(broker.url, { username: 'door', password: 'guess', reconnectPeriod: 0 })
  await expect(stranger).rejects.toThrow(/[Nn]ot authorized/)
  expect(await broker.stop()).toBeUndefined()
})

test('the bar code is read in a page, from a canvas of the size of a phone', async () => {
  const browser = await openChromium(onTestFinished)
  const page = await (await phoneContext(browser)).newPage()
  // Source text, because a page's names are not those of Node.
  const read = await page.evaluate(`(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 300, height: 169 })
    const context = canvas.getContext('2d')
    for (const [index, white] of ${JSON.stringify(barcodeBits(4711))}.entries()) {
      context.fillStyle = white ? '#eee' : '#111'
      context.fillRect((index * 300) / 32, 159, 300 / 32 + 1, 10)
    }
    return ${barcodeReaderSource}(canvas)
  })()`)
  expect(read).toBe(4711)
})
