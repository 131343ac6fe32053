import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exposures, type ProcessStart } from '../src/exposure.ts'

const cases: [name: string, start: Partial<ProcessStart>, found: RegExp[]][] = [
  [
    'nothing',
    { flags: ['--disable-sigusr1'], environment: { NODE_OPTIONS: '--max-old-space-size=100' } },
    [],
  ],
  [
    'an open debugger',
    { debuggerUrl: 'ws://127.0.0.1:9229/0f2c936f-b1cd-4ac9-aab3-f63b0f33d55e' },
    [/^the debugger of this process listens on 127\.0\.0\.1:9229: [^-]+--inspect\.$/],
  ],
  ['heap snapshots', { flags: ['--heapsnapshot-signal=SIGUSR2'] }, [/without --heapsnapshot-signal\.$/]],
  ['heap profiles', { environment: { NODE_OPTIONS: ' --heap-prof ' } }, [/without --heap-prof\.$/]],
  [
    'reports',
    { environment: { NODE_OPTIONS: '--report-on-signal' } },
    [/environment.+--report-on-signal\.$/],
  ],
  ['core dumps', { flags: ['--abort-on-uncaught-exception'] }, [/core dump/]],
  ['keys of TLS', { flags: ['--tls-keylog=/tmp/keys'] }, [/without --tls-keylog\.$/]],
  [
    'what goes over the wire',
    { environment: { NODE_DEBUG: 'module, undici' } },
    [/"undici" out of NODE_DEBUG/],
  ],
  ['other debugging', { environment: { NODE_DEBUG: 'module,timers' } }, []],
]
for (const [name, start, found] of cases)
  test(`what opens a process to others: ${name}`, () => {
    const told = exposures({ flags: [], environment: {}, debuggerUrl: undefined, ...start })
    assert.equal(told.length, found.length, told.join())
    for (const [i, pattern] of found.entries()) assert.match(told[i]!, pattern)
  })
