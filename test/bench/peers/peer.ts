/** A rival that gave no figures, and why. */
export interface Absent {
  absent: string
}

/** What a rival came to. One that is not here, or does not serve, does not end the bench: it is named as absent. */
export async function peer<Figures>(name: string, run: () => Promise<Figures>): Promise<Figures | Absent> {
  try {
    return await run()
  } catch (error) {
    const absent = error instanceof Error ? error.message : String(error)
    process.stdout.write(`${name}  absent: ${absent}\n`)
    return { absent }
  }
}

export const isAbsent = (figures: object): figures is Absent => 'absent' in figures
