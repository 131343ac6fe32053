import type { ASTNode } from '@marcbachmann/cel-js'
import type { Context } from '../core/context.ts'
import type { Message } from '../core/message.ts'
import type { Constant } from './function-kind.ts'
import type { ExpressionMistake, ExpressionMistakeCode, ExpressionSetting } from './setting.ts'
import { Flaw, Site, type Extent } from './site.ts'

/** Iterations that one evaluation may make. */
export const MAX_ITERATIONS = 100_000
const MAX_NESTING = 500

/** What one evaluation keeps: its iteration variables, and how often it has gone round. */
export class Frame {
  iterations = 0
  readonly slots: unknown[] = []
}

export type Evaluate = (message: Message, context: Context, frame: Frame) => unknown

/** A piece of an expression, compiled. */
export interface Compiled {
  readonly run: Evaluate
  readonly constant?: Constant
  /** Names that it depends on; none: it is always the same. */
  readonly free: ReadonlySet<string>
}

/** Stands for a piece with a mistake; what is made of it is not looked into any further. */
const BROKEN: Compiled = { run: () => null, free: new Set(['a mistake']) }
/** In `free`: gives something else each time. */
export const CHANGES: ReadonlySet<string> = new Set(['chance or time'])

type CompileNode = (node: ASTNode, compilation: Compilation) => Compiled

export function extentOf(node: ASTNode): Extent {
  return { offset: node.start, length: node.end - node.start }
}

/** The compilation of one expression: its mistakes, the variables it uses, the iteration variables in sight. */
export class Compilation {
  readonly text: string
  readonly setting: ExpressionSetting
  readonly mistakes: ExpressionMistake[] = []
  readonly uses = new Set<string>()
  /** Iteration variables, outermost first; the index is the slot in the frame. */
  readonly scope: string[] = []
  iterates = false
  private readonly compileNode: CompileNode
  private nesting = 0

  constructor(text: string, setting: ExpressionSetting, compileNode: CompileNode) {
    this.text = text
    this.setting = setting
    this.compileNode = compileNode
  }

  compile(node: ASTNode): Compiled {
    if (this.nesting >= MAX_NESTING) {
      return this.mistake(
        'expression/syntax',
        `the expression is nested deeper than ${MAX_NESTING} levels`,
        extentOf(node),
      )
    }
    this.nesting++
    const compiled = this.compileNode(node, this)
    this.nesting--
    return compiled
  }

  /** Whether a name stands for something here. */
  knows(name: string): boolean {
    return this.scope.includes(name) || this.setting.variables.has(name)
  }

  mistake(
    code: ExpressionMistakeCode,
    message: string,
    { offset, length }: Extent,
    hint?: string,
    severity: 'error' | 'warning' = 'error',
  ): Compiled {
    this.mistakes.push({ code, severity, message, ...(hint !== undefined && { hint }), offset, length })
    return BROKEN
  }

  site(name: string, node: ASTNode, operands: readonly ASTNode[], parameters: readonly string[] = []): Site {
    return new Site(
      name,
      this.setting,
      extentOf(node),
      operands.map(extentOf),
      parameters,
      (message, hint, extent) => this.mistake('expression/date-pattern', message, extent, hint, 'warning'),
    )
  }

  /** What depends on a name or on chance. */
  varying(run: Evaluate, free: ReadonlySet<string>): Compiled {
    return { run, free }
  }

  constant(value: unknown): Compiled {
    return { run: () => value, constant: { value }, free: new Set() }
  }

  /** What is made of parts: evaluated at once when none of them varies. */
  combined(run: Evaluate, parts: readonly { readonly free: ReadonlySet<string> }[]): Compiled {
    const free = new Set(parts.flatMap((part) => [...part.free]))
    if (free.size > 0) return { run, free }
    return this.attempt(() => this.constant(frozen(run(NOTHING as Message, NOTHING as Context, new Frame()))))
  }

  /** A flaw that shows when compiling is a mistake. */
  attempt(action: () => Compiled, code: ExpressionMistakeCode = 'expression/fails'): Compiled {
    try {
      return action()
    } catch (thrown) {
      if (!(thrown instanceof Flaw)) throw thrown
      return this.mistake(code, thrown.message, thrown.extent, thrown.hint)
    }
  }
}

/** A constant piece looks at neither message nor context. */
const NOTHING: unknown = undefined

function frozen(value: unknown): unknown {
  if (Array.isArray(value) || (typeof value === 'object' && value !== null && isPlain(value))) {
    if (!Object.isFrozen(value)) Object.values(Object.freeze(value)).forEach(frozen)
  }
  return value
}

function isPlain(value: object): boolean {
  return Object.getPrototypeOf(value) === Object.prototype
}
