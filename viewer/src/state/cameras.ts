import type { CameraNotice, FloorNotice } from '@porchlight/proto/messages/notice.ts'
import { signal } from '@preact/signals'
import { getCameras } from '../api/calls.ts'
import { contact } from './contact.ts'
import { noticeSignedOut } from './session.ts'
import { Told } from './told.ts'

/** Cameras by id, in the gateway's order; undefined until it has said. */
export const cameras = signal<ReadonlyMap<string, CameraNotice> | undefined>(undefined)
/** Who holds the talk floor, by camera id. */
export const floors = signal<ReadonlyMap<string, FloorNotice>>(new Map())
const told = new Told()

/** Reads all cameras anew. @throws PorchlightError */
export async function loadCameras(): Promise<void> {
  const toldSince = told.listAsked()
  try {
    const list = await getCameras()
    const newer = [...(cameras.value?.values() ?? [])].filter(({ id }) => toldSince(id))
    cameras.value = new Map([...list, ...newer].map((camera) => [camera.id, camera]))
    contact.value = { ok: true }
  } catch (error) {
    noticeSignedOut(error)
    throw error
  }
}

export function cameraChanged(notice: CameraNotice): void {
  told.notice(notice.id)
  cameras.value = new Map(cameras.value).set(notice.id, notice)
}

export function floorChanged(notice: FloorNotice): void {
  floors.value = new Map(floors.value).set(notice.camera, notice)
}
