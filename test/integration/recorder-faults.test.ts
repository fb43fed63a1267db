import { test } from 'vitest'
import { failFromThenOn, failOnce } from '../support/recorder-faults.ts'

// all faults both ways: test/soak

test('EIO at any one call of a recording: it is said, and nothing durable is lost', () => failOnce('EIO'))

test('a disk that is full from any call on: recording goes on when there is room again', () => failFromThenOn('ENOSPC'))
