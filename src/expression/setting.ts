import type { Context } from '../core/context.ts'
import type { Message } from '../core/message.ts'
import type { ProblemCode } from '../core/problem-codes.ts'
import type { Place } from '../core/problem.ts'
import type { World } from '../core/world.ts'

/** Where an expression stands and what it may use. */
export interface ExpressionSetting {
  /** Names that are there in this place: `body`, `headers`, `item`, ... */
  readonly variables: ReadonlySet<string>
  /** Names of the flow's parameters; others are mistakes. Nothing: not checked. */
  readonly parameters?: ReadonlySet<string>
  /** Bytes; the longest text that an expression may make. */
  readonly bodyLimit: number
  /** Time of `now()` and ids of `uuid()`. */
  readonly world: Pick<World, 'newId'> & { readonly clock: Pick<World['clock'], 'now'> }
  /** The file's place of a piece of the text; called when an evaluation fails. */
  place(offset: number, length: number): Place
}

/** What is wrong with an expression, found when it is compiled. */
export type ExpressionMistakeCode = Extract<ProblemCode, `expression/${string}` | 'value/braces'>

/** A mistake in an expression; offset and length are UTF-16 units of the text that was given. */
export interface ExpressionMistake {
  readonly code: ExpressionMistakeCode
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly hint?: string
  readonly offset: number
  readonly length: number
}

export interface CompiledExpression {
  /** In the order of the text. With an error among them it must not be evaluated. */
  readonly mistakes: readonly ExpressionMistake[]
  /** @throws Failure `expression.failed`, `body.invalid`, `body.consumed`, with the place */
  readonly evaluate: (message: Message, context: Context) => unknown
  readonly readsBody: boolean
  /** Names of the variables that it reads. */
  readonly uses: ReadonlySet<string>
  /** It is always this value. Lists and maps in it are frozen. */
  readonly constant?: { readonly value: unknown }
}
