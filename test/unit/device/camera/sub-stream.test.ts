import { expect, onTestFinished, test } from 'vitest'
import type { CameraListener } from '../../../../device/camera/camera-source.ts'
import { SubStream } from '../../../../device/camera/sub-stream.ts'
import { quietLog } from '../../../support/quiet-log.ts'

const main = { codec: 'h264', width: 1280, height: 720, parameterSets: [] } as const

function start() {
  const dialled = Promise.withResolvers<CameraListener>()
  const over = Promise.withResolvers<undefined>()
  const close = async () => over.resolve(undefined)
  const sub = new SubStream(
    (listener) => {
      dialled.resolve(listener)
      return {
        talk: undefined,
        ended: over.promise,
        open: async () => undefined,
        requestKeyframe: () => true,
        close,
        [Symbol.asyncDispose]: close,
      }
    },
    { format: () => undefined, accessUnit: () => undefined },
    () => 0,
    quietLog,
  )
  onTestFinished(() => sub.close())
  return { sub, camera: dialled.promise }
}

test('a small stream that has not come yet is a layer all the same: it may come while the session lives', async () => {
  const { sub, camera } = start()
  expect(sub.layerOf(main)?.format).toEqual(main)
  ;(await camera).format({ ...main, width: 320, height: 180 }, undefined)
  expect(sub.layerOf(main)?.format.width).toBe(320)
})

test('one of another codec is none', async () => {
  const { sub, camera } = start()
  ;(await camera).format({ ...main, codec: 'h265' }, undefined)
  expect(sub.layerOf(main)).toBeUndefined()
})
