import { spawn, type ChildProcess } from 'node:child_process'
import type { Duplex } from 'node:stream'

/** The user id of nobody, where we may change it. */
const NOBODY = 65534

/** No `--allow-*`: nothing is permitted. */
const FLAGS = [
  '--permission',
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--freeze-flags-after-init',
  '--no-addons',
  '--no-experimental-sqlite',
  '--no-experimental-ffi',
  '--no-experimental-websocket',
  '--no-webstorage',
  '--no-experimental-global-navigator',
  '--disable-sigusr1',
  '--no-warnings',
  '--unhandled-rejections=none',
  '--stack-trace-limit=20',
  '--max-semi-space-size=8',
  '--input-type=commonjs',
]

/**
 * No core dumps, no files, few descriptors, 2.5 GB of address space (V8 reserves half of it at once); without the
 * engine's environment and descriptors. Where `setpriv` is there, the process ends with the engine, whatever happens to that;
 * elsewhere it ends when its connection does, or after an hour of processor time.
 */
const CONFINE = `PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
ulimit -c 0; ulimit -f 0; ulimit -n 64; ulimit -v 2500000
if setpriv --pdeathsig KILL --no-new-privs --inh-caps=-all true; then
  exec env -i setpriv --pdeathsig KILL --no-new-privs --inh-caps=-all "$@" bound
fi
ulimit -t 3600
exec env -i "$@"`

/** How tightly a process is held; a system may lack one or the other. */
export interface Hold {
  /** Limits of the operating system, set through a shell. */
  readonly limits: boolean
  /** Another user than the engine's. */
  readonly user: boolean
}

/** What can be had here at best. */
export function bestHold(): Hold {
  const limits = process.platform !== 'win32'
  return { limits, user: limits && process.getuid?.() === 0 }
}

/** The next weaker one, for systems where the better one does not start; nothing when there is none. */
export function weaker({ limits, user }: Hold): Hold | undefined {
  if (user) return { limits, user: false }
  return limits ? { limits: false, user: false } : undefined
}

export interface Launched {
  readonly process: ChildProcess
  /** The connection to it. */
  readonly socket: Duplex
}

/** Starts a script process. Its program comes over standard input, so that there is no file for it to read. */
export function launch(program: Buffer, hold: Hold, heap: number): Launched {
  const node = [process.execPath, ...FLAGS, `--max-old-space-size=${heap}`, '-']
  const [command, ...rest] = hold.limits ? ['/bin/sh', '-c', CONFINE, 'sh', ...node] : node
  const child = spawn(command!, rest, {
    env: {},
    cwd: process.platform === 'win32' ? undefined : '/',
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    windowsHide: true,
    // A process group of its own: Ctrl-C goes to all of the engine's, and runs may finish.
    detached: process.platform !== 'win32',
    ...(hold.user ? { uid: NOBODY, gid: NOBODY } : {}),
  })
  child.stdin!.on('error', () => {})
  child.stdin!.end(program)
  return { process: child, socket: child.stdio[3] as Duplex }
}
