import { PorchlightError } from '@porchlight/proto/errors.ts'
import { toCameraId } from '@porchlight/proto/ids.ts'
import type { FastifyRequest } from 'fastify'
import { mustBeAllowed } from '../auth/subject.ts'
import type { GatewayDeps } from './deps.ts'

/**
 * The id of a camera that a device names in a request: only ever one of its own.
 * @returns a function that throws PorchlightError `sign_in_required`, `camera_not_found`
 */
export function ownCamera(
  cameras: Pick<GatewayDeps['cameras'], 'get'>,
): (request: FastifyRequest, camera: string) => string {
  return (request, camera) => {
    if (request.subject.kind !== 'device') throw new PorchlightError('sign_in_required')
    const id = toCameraId(request.subject.device, camera)
    mustBeAllowed(request.subject, 'deliver', id)
    cameras.get(id)
    return id
  }
}
