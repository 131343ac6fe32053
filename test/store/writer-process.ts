/** Writes a message log until it is killed: `opened ID` and `closed ID` on standard output once that is on disk. */
import { randomUUIDv7 } from 'node:crypto'
import { createRedactor } from '../../src/security/redaction.ts'
import { openStores } from '../../src/store/message-log.ts'
import { realClock } from '../../src/world.ts'
import { HeardLog, runRecord, VERSION } from './support.ts'

const { messageLog, state } = await openStores({
  folder: process.argv[2]!,
  clock: realClock,
  redactor: createRedactor(),
  log: new HeardLog(),
})
messageLog.deployed(VERSION)
process.stdout.write('ready\n')
for (let i = 1; ; i++) {
  const run = runRecord({ id: randomUUIDv7(), status: 'PROCESSING' })
  await messageLog.open(run)
  let said = `opened ${run.id}\n`
  if (i % 2 === 0) {
    messageLog.line(run.id, realClock.now(), 'info', 'log', `line of ${run.id}`, undefined)
    messageLog.close({ ...run, status: 'COMPLETED' })
    await messageLog.flush()
    said += `closed ${run.id}\n`
  }
  if (await state.atomically([{ kind: 'fire', timer: 'writer', scheduledAt: i }])) said += `fired ${i}\n`
  process.stdout.write(said)
}
