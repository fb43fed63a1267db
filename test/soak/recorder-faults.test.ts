import { test } from 'vitest'
import { faults } from '../support/faulty-file-layer.ts'
import { failFromThenOn, failIndexFromThenOn, failIndexOnce, failOnce } from '../support/recorder-faults.ts'

test.each(faults)('%s at any one call of a recording: it is said, and nothing durable is lost', failOnce)

test.each(faults)('%s from any call on: recording goes on when the disk is well again', failFromThenOn)

test('the index takes any one write not: it is said, and nothing durable is lost', failIndexOnce)

test('the index takes nothing from any write on: recording goes on when it is well again', failIndexFromThenOn)
