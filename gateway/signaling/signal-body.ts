import type { Command } from '@porchlight/proto/messages/command.ts'
import type { Envelope } from '@porchlight/proto/messages/envelope.ts'
import type { SignalDown } from '@porchlight/proto/messages/signal.ts'

type Body<T> = T extends unknown ? Omit<T, keyof Envelope> : never

/** A signal to a device before the link puts it into its envelope. */
export type SignalBody = Body<SignalDown>
/** The same without what the session adds. */
export type SessionSignal = SignalBody extends infer B
  ? B extends unknown
    ? Omit<B, 'session' | 'seq'>
    : never
  : never
/** A command to a device before the link puts it into its envelope. */
export type CommandBody = Body<Command>
