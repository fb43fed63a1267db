import { PorchlightError } from '@porchlight/proto/errors.ts'
import { goneReport, maxFrameRanges, missingAnswer } from '@porchlight/proto/frames.ts'
import { name, randomId } from '@porchlight/proto/ids.ts'
import type { FastifyInstance } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { GatewayDeps } from '../deps.ts'
import { ownCamera } from '../own-camera.ts'

const params = z.object({ camera: name })
const path = '/api/device/cameras/:camera/frames'
const tags = ['footage']

/** Numbers go round in 32 bits (proto/footage.ts). */
const frame = z
  .string()
  .regex(/^\d{1,10}$/)
  .transform(Number)
  .refine((number) => number <= 0xffff_ffff, 'a frame number')
  .describe('A frame number.')

export interface FrameDeps {
  recorder: Pick<GatewayDeps['recorder'], 'missingFrames' | 'framesGone'>
  cameras: Pick<GatewayDeps['cameras'], 'get'>
}

/** What devices and recorder say to each other about single frames (proto/frames.ts). */
export function frameRoutes(instance: FastifyInstance, { recorder, cameras }: FrameDeps): void {
  const app = instance.withTypeProvider<ZodTypeProvider>()
  const cameraOf = ownCamera(cameras)

  app.get(
    path,
    {
      schema: {
        tags,
        summary: 'Which frames of a run are not recorded durably',
        params,
        querystring: z.object({ run: randomId, from: frame, to: frame }),
        response: { 200: missingAnswer },
      },
    },
    async (request) => {
      const camera = cameraOf(request, request.params.camera)
      const { run, from, to } = request.query
      if (to < from) throw new PorchlightError('request_invalid', 'to is before from')
      const missing = await recorder.missingFrames(camera, run, from, to)
      const last = missing[maxFrameRanges - 1]
      if (missing.length > maxFrameRanges && last) last[1] = to
      return { missing: missing.slice(0, maxFrameRanges) }
    },
  )

  app.post(
    `${path}/gone`,
    {
      schema: {
        tags,
        summary: 'Frames that will never come, and why',
        params,
        body: goneReport,
        response: { 204: z.null() },
      },
    },
    async (request, reply) => {
      const { run, ranges, reason } = request.body
      await recorder.framesGone(cameraOf(request, request.params.camera), run, ranges, reason)
      return reply.code(204).send(null)
    },
  )
}
