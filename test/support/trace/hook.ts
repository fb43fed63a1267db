/** Loaded ahead of a gateway (`node --import`): writes what its first viewer's estimate was told into `TRACE_TO` at its end. */
import { writeFileSync } from 'node:fs'
import { LinkEstimate } from '@porchlight/proto/media/congestion/link-estimate.ts'
import { type Trace, tickUs } from './trace.ts'

const events: Trace['events'] = []
const { sent, feedback } = LinkEstimate.prototype
let subject: LinkEstimate | undefined
let lastMs = 0

function since(nowMs: number): number {
  const ms = events.length === 0 ? 0 : Math.max(0, Math.round((nowMs - lastMs) * 10) / 10)
  lastMs = events.length === 0 ? nowMs : lastMs + ms
  return ms
}

LinkEstimate.prototype.sent = function (sequence, bytes, nowMs) {
  subject ??= this
  if (this === subject) {
    const ms = since(nowMs)
    const before = events.at(-1)
    if (ms === 0 && before?.[0] === 's' && before[2] + before[3].length === sequence) before[3].push(bytes)
    else events.push(['s', ms, sequence, [bytes]])
  }
  sent.call(this, sequence, bytes, nowMs)
}
LinkEstimate.prototype.feedback = function (told, nowMs) {
  if (this === subject && told.arrivals.length > 0) {
    const ticks = told.arrivals.map(({ atUs }) => (atUs === undefined ? null : Math.round(atUs / tickUs)))
    events.push(['f', since(nowMs), told.arrivals[0]!.sequence, ticks])
  }
  feedback.call(this, told, nowMs)
}
process.once('exit', () => {
  const to = process.env.TRACE_TO
  if (to) writeFileSync(to, JSON.stringify({ about: process.env.TRACE_ABOUT ?? '', events } satisfies Trace))
})
