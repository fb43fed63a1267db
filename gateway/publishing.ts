import type { PublishersPort } from './api/deps.ts'
import { IndexWatch } from './auth/index-watch.ts'
import type { PublishTokens } from './auth/publish-tokens.ts'
import { PublishedCameras } from './cameras/published-cameras.ts'
import type { CameraRegistry } from './cameras/registry.ts'
import { PublisherSessions, type PublishersOptions } from './signaling/publishers.ts'

export interface PublishingOptions extends Omit<PublishersOptions, 'onAir'> {
  tokens: Pick<PublishTokens, 'list'>
  cameras: CameraRegistry
}

/** Cameras that publish by WHIP: their tokens, their sessions and their place in the list, put together. */
export async function openPublishing(
  options: PublishingOptions,
): Promise<PublishersPort & Pick<PublisherSessions, 'switchedOff'> & AsyncDisposable> {
  const { tokens, cameras, ...media } = options
  const published = new PublishedCameras(cameras)
  await using stack = new AsyncDisposableStack()
  const sessions = stack.use(
    new PublisherSessions({ ...media, onAir: (camera, codecs) => published.onAir(camera, codecs) }),
  )
  const watch = stack.use(
    new IndexWatch({
      log: media.log,
      async look() {
        const all = await tokens.list()
        published.present(all)
        await sessions.onlyOf(new Set(all.map(({ credential }) => credential)))
      },
    }),
  )
  await watch.look()
  const open = stack.move()
  return {
    async publish(camera, offer, subject) {
      // It may have been made a moment ago.
      await watch.lookAnew()
      cameras.get(camera)
      return sessions.publish(camera, offer, subject)
    },
    trickle: (id, fragment, subject) => sessions.trickle(id, fragment, subject),
    leave: (id, subject) => sessions.leave(id, subject),
    switchedOff: (camera) => sessions.switchedOff(camera),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  }
}
