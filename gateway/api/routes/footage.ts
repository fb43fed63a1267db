import type { Readable } from 'node:stream'
import { PorchlightError } from '@porchlight/proto/errors.ts'
import { maxFootageBytes } from '@porchlight/proto/footage.ts'
import { name, randomId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { type DeliveryPiece, OffsetError } from '../../recorder/deliveries.ts'
import type { GatewayDeps } from '../deps.ts'
import { ownCamera } from '../own-camera.ts'
import { ProblemError } from '../problems.ts'

const bodyType = 'application/octet-stream'
const params = z.object({ camera: name, id: randomId })
const state = z.object({ offset: z.number().int(), complete: z.boolean() })
const path = '/api/device/cameras/:camera/footage/:id'

export interface FootageDeps {
  recorder: Pick<GatewayDeps['recorder'], 'deliveries'>
  cameras: Pick<GatewayDeps['cameras'], 'get'>
}

/** Footage (proto/footage.ts) from devices: in pieces, resumed where it broke off. Answered when the disk has it. */
export async function footageRoutes(instance: FastifyInstance, { recorder, cameras }: FootageDeps): Promise<void> {
  const cameraOf = ownCamera(cameras)

  // A scope of its own, because only here a body is a stream.
  await instance.register(async (scope) => {
    const app = scope.withTypeProvider<ZodTypeProvider>()
    app.removeAllContentTypeParsers()
    app.addContentTypeParser(bodyType, async (_: unknown, body: unknown) => body)
    const tags = ['footage']

    app.get(
      path,
      { schema: { tags, summary: 'How much of a delivery is here', params, response: { 200: state } } },
      (request) => recorder.deliveries.state(cameraOf(request, request.params.camera), request.params.id),
    )

    app.put(
      path,
      {
        bodyLimit: maxFootageBytes,
        schema: {
          tags,
          summary: 'A piece of a delivery; `Content-Range` says which',
          consumes: [bodyType],
          params,
          headers: z.object({ 'content-range': z.string().max(64) }),
          response: { 200: state },
        },
      },
      async (request) => {
        const camera = cameraOf(request, request.params.camera)
        const piece = contentRange(request.headers['content-range'])
        try {
          return await recorder.deliveries.put(camera, request.params.id, piece, request.body as Readable)
        } catch (error) {
          if (error instanceof OffsetError) throw new ProblemError('footage_offset', { offset: error.offset })
          throw error
        }
      },
    )
  })
}

/** `bytes {start}-{end}/{total}` (RFC 9110 §14.4). @throws PorchlightError `request_invalid` */
function contentRange(header: string): DeliveryPiece {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(header)
  const start = Number(match?.[1])
  const end = Number(match?.[2]) + 1
  const total = match?.[3] === '*' ? undefined : Number(match?.[3])
  if (match === null || end <= start || (total !== undefined && end > total))
    throw new PorchlightError('request_invalid', 'Content-Range')
  return { start, end, total }
}
