import vm from 'node:vm'
import { VM, VMScript } from 'vm2'
import sandboxSource from 'sluice:sandbox'
import { lineStarts } from '../lines.ts'
import { SAME, SCRIPT_FILE, type Compiled, type ResultHead, type ScriptError } from '../protocol.ts'
import { lastContext } from './patch.ts'
import { takeRejection } from './rejections.ts'
import { setParameters, wrap } from './wrap.ts'

interface Sandbox {
  readonly names: string
  load(factory: unknown, form: string, uses: string): string
  begin(kind: number, headers: string, properties: string, extras: string, body: string): string | undefined
  take(): string
}

const sandboxScript = new VMScript(sandboxSource, { filename: 'sandbox' })
const nothing = new vm.Script('0')
/** How the sandbox describes a rejection. Not through vm2: what is described is not ours, and must not look as if it were. */
const takeTell = new vm.Script('{ const { tell } = globalThis; delete globalThis.tell; tell }')

/** One script in a context of its own. Only texts and numbers cross its border. */
export class ScriptContext {
  private readonly sandbox: Sandbox
  private readonly context: vm.Context
  private readonly compiled: Compiled
  private readonly begin: Sandbox['begin']
  private readonly tell: (reason: unknown) => string

  /** @throws LoadError when the script's top level fails */
  constructor(compiled: Compiled) {
    const machine = new VM({
      eval: false,
      wasm: false,
      allowAsync: true,
      bufferAllocLimit: 16 * 1024 * 1024,
    } as object)
    this.context = lastContext()
    this.sandbox = machine.run(sandboxScript) as Sandbox
    this.begin = this.sandbox.begin
    this.tell = takeTell.runInContext(this.context) as (reason: unknown) => string
    this.compiled = compiled
    setParameters(this.sandbox.names)
    const { prefix, suffix } = wrap(compiled)
    const script = new VMScript(prefix + compiled.code + suffix, {
      filename: SCRIPT_FILE,
      columnOffset: -prefix.length,
    })
    const factory: unknown = machine.run(script)
    const error = this.sandbox.load(factory, compiled.form, JSON.stringify(compiled.uses))
    this.drain()
    const rejection = takeRejection()
    if (error !== '') throw new LoadError(JSON.parse(error) as ScriptError)
    if (rejection) throw new LoadError(JSON.parse(this.tell(rejection.reason)) as ScriptError)
  }

  run(kind: number, headers: string, properties: string, extras: string, body: string): string {
    const begun = this.begin(kind, headers, properties, extras, body)
    this.drain()
    const result = begun === undefined ? this.sandbox.take() : begun
    const rejection = takeRejection()
    return rejection ? failing(result, this.tell(rejection.reason)) : result
  }

  /** Lets every promise of this context go on that can. */
  private drain(): void {
    nothing.runInContext(this.context)
  }

  /** The column in the script's own text, without what vm2 has put into the line. */
  column(line: number, column: number): number {
    const { code, insertions } = this.compiled
    if (insertions.length === 0) return column
    const start = lineStarts(code)[line - 1] ?? 0
    let moved = 0
    for (const [offset, length] of insertions)
      if (offset >= start && offset - start + moved < column - 1) moved += length
    return Math.max(1, column - moved)
  }
}

/** A result that fails after all; what was logged and attached stays. One that has failed already stays as it is. */
function failing(result: string, error: string): string {
  const { e, l, a } = JSON.parse(result.slice(0, result.indexOf('\n'))) as ResultHead
  return e === undefined
    ? JSON.stringify({ b: SAME, e: JSON.parse(error) as ScriptError, l, a }) + '\n'
    : result
}

/** The script's top level failed. */
export class LoadError extends Error {
  readonly error: ScriptError
  constructor(error: ScriptError) {
    super(error.message)
    this.error = error
  }
}
