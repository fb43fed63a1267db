import type { Enrolment } from '@porchlight/proto/identity/enrolment.ts'
import type { DeviceConfig } from '../config.ts'
import { wait } from '../link/wait.ts'
import { type AgentView, judgeCamera, judgeEngine, judgeLink, judgeMedia, judgeSpool } from './agent-view.ts'
import { bad, type Check, good, runChecks } from './check.ts'
import { gatewayChecks } from './gateway.ts'
import { examineButton, examineSpeaker } from './speaker.ts'

/** How long cameras, link and session may take, ms. */
const patienceMs = 15_000
const lookEveryMs = 200

/** The agent that is looked at: the one that runs already, or one made for the examination. */
export interface Patient extends AsyncDisposable {
  /** Whether it was there already: its sessions are not touched then. */
  running: boolean
  view(): Promise<AgentView>
  /** Opens a session of this camera. */
  stream(camera: string): Promise<void>
}

export interface DoctorOptions {
  config: DeviceConfig
  enrolment: Enrolment
  /** @throws PorchlightError what keeps an agent from starting */
  patient(): Promise<Patient>
  /** First line of `ffmpeg -version`. @throws PorchlightError `ffmpeg_missing` */
  ffmpeg(): Promise<string>
  authority(url: URL, signal: AbortSignal): Promise<string | undefined>
  now: () => number
  say: (line: string) => void
}

/** Looks again until `well` or the patience is over; the last view. */
async function lookUntil(patient: Patient, well: (view: AgentView) => boolean): Promise<AgentView> {
  const deadline = AbortSignal.timeout(patienceMs)
  for (;;) {
    const view = await patient.view()
    if (well(view) || deadline.aborted) return view
    await wait(lookEveryMs, deadline)
  }
}

/** Examines the device, a line for each finding with what to do. @returns whether all is well */
export async function examine(options: DoctorOptions): Promise<boolean> {
  const { config, enrolment, authority, now, say } = options
  const checks: Check[] = [{ name: 'ffmpeg', run: async () => good(await options.ffmpeg()) }]
  if (config.cameras.some((camera) => camera.button !== undefined)) checks.push({ name: 'button', run: examineButton })
  checks.push(...gatewayChecks({ api: enrolment.api, authority, now }))
  let well = await runChecks(checks, say)

  let patient: Patient | undefined
  const opened = await runChecks(
    [
      {
        name: 'agent',
        run: async () => {
          patient = await options.patient()
          return good(patient.running ? 'is running: this is how it sees the world' : 'started for this examination')
        },
      },
    ],
    say,
  )
  if (patient === undefined || !opened) return false
  await using agent = patient
  well = (await runChecks(agentChecks(options, agent), say)) && well
  return well
}

function agentChecks({ config, enrolment }: DoctorOptions, agent: Patient): Check[] {
  return [
    {
      name: 'broker',
      run: async () => judgeLink(await lookUntil(agent, (view) => view.online), enrolment.broker),
    },
    {
      name: 'camera',
      run: async () => {
        if (config.cameras.length === 0)
          return bad('none is configured', 'Name one under "cameras" in the configuration.')
        const view = await lookUntil(agent, ({ cameras }) =>
          cameras.every((camera) => camera.state === 'live' && camera.video !== undefined),
        )
        return view.cameras.flatMap(judgeCamera)
      },
    },
    { name: 'spool', run: async () => judgeSpool(await agent.view()) },
    { name: 'engine', run: async () => judgeEngine(await agent.view(), config.media.engine) },
    ...config.cameras.map((camera) => ({ name: 'speaker', run: () => examineSpeaker(camera.speaker) })),
    {
      name: 'media path',
      run: async () => {
        const view = await agent.view()
        const live = view.cameras.find((camera) => camera.state === 'live')
        if (!agent.running && view.online && live !== undefined) await agent.stream(live.camera)
        const over = ({ cameras }: AgentView) =>
          cameras.some(({ session }) => session?.live === true || session?.ended !== undefined)
        return judgeMedia(agent.running || !view.online || live === undefined ? view : await lookUntil(agent, over))
      },
    },
  ]
}
