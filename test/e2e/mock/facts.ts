import type { CameraNotice, EventNotice } from '@porchlight/proto/messages/notice.ts'

/** A doorbell that works. */
export function aCamera(more: Partial<CameraNotice> = {}): CameraNotice {
  return {
    type: 'camera',
    id: 'home.door',
    title: 'Front door',
    kind: 'doorbell',
    state: 'live',
    online: true,
    lastPictureAt: null,
    viewers: 0,
    recording: false,
    talk: 'opus',
    audio: 'opus',
    video: { codec: 'h264', width: 1280, height: 720 },
    motion: 'on',
    notes: [],
    ...more,
  }
}

export function anEvent(more: Partial<EventNotice> = {}): EventNotice {
  return {
    type: 'event',
    eventId: 'event-0001',
    camera: 'home.door',
    cameraTitle: 'Front door',
    kind: 'motion',
    begin: Date.now() - 60_000,
    end: Date.now() - 40_000,
    hasStill: false,
    protected: false,
    ...more,
  }
}
