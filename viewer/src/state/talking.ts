import { signal } from '@preact/signals'

/** Id of the camera that this phone is talking at. */
export const talking = signal<string | undefined>(undefined)
