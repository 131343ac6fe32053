import vm from 'node:vm'
import { VM, VMScript } from 'vm2'
import sandboxSource from 'sluice:sandbox'
import { lineStarts } from '../lines.ts'
import { SCRIPT_FILE, type Compiled, type ScriptError } from '../protocol.ts'
import { lastContext } from './patch.ts'
import { setParameters, wrap } from './wrap.ts'

interface Sandbox {
  readonly names: string
  load(factory: unknown, form: string, uses: string): string
  begin(kind: number, headers: string, properties: string, extras: string, body: string): string | undefined
  take(): string
}

const sandboxScript = new VMScript(sandboxSource, { filename: 'sandbox' })
const nothing = new vm.Script('0')

/** One script in a context of its own. Only texts and numbers cross its border. */
export class ScriptContext {
  private readonly sandbox: Sandbox
  private readonly context: vm.Context
  private readonly compiled: Compiled
  private readonly begin: Sandbox['begin']

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
    if (error !== '') throw new LoadError(JSON.parse(error) as ScriptError)
  }

  run(kind: number, headers: string, properties: string, extras: string, body: string): string {
    const result = this.begin(kind, headers, properties, extras, body)
    this.drain()
    return result === undefined ? this.sandbox.take() : result
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

/** The script's top level failed. */
export class LoadError extends Error {
  readonly error: ScriptError
  constructor(error: ScriptError) {
    super(error.message)
    this.error = error
  }
}
