import { PorchlightError } from '@porchlight/proto/errors.ts'
import { cameraId } from '@porchlight/proto/ids.ts'

/** The only word there may be. @param what it is, for who forgot it @throws PorchlightError `request_invalid` */
export function one(words: readonly string[], what: string): string {
  const [word, ...more] = words
  if (word === undefined || more.length > 0) throw new PorchlightError('request_invalid', `${what} is needed, once`)
  return word
}

/** @throws PorchlightError `request_invalid` where a word is left that nobody asked for */
export function none(words: readonly string[]): void {
  if (words.length > 0) throw new PorchlightError('request_invalid', `${words.join(' ')}: not understood`)
}

/** @returns the word, which is a camera's @throws PorchlightError `request_invalid` */
export function mustBeCamera(word: string): string {
  if (!cameraId.safeParse(word).success) throw new PorchlightError('request_invalid', `${word}: not device.camera`)
  return word
}
