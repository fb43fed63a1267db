import { BaseSequencer, type TestSpecification } from 'vitest/node'

const waits = ({ moduleId }: TestSpecification) => moduleId.includes('/test/integration/')

/**
 * A vitest sequencer that begins with the integration tests, which mostly wait: the others fill the time beside them. At the
 * end they would wait alone. (Without earlier results vitest goes by the size of a file, which says nothing of waiting.)
 */
export class WaitersFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return [...sorted.filter(waits), ...sorted.filter((file) => !waits(file))]
  }
}
