import { Body } from '../core/body.ts'
import type { Context } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { ProblemReport } from '../core/kinds.ts'
import { Message } from '../core/message.ts'
import type { World } from '../core/world.ts'
import {
  compileCondition,
  compileExpression,
  type CompiledExpression,
  type ExpressionSetting,
} from '../expression/compile.ts'

/** An HTTP answer as the expressions of a credential see it. */
export interface AnswerView {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON value or text; null where there is none. */
  readonly body: unknown
}

/** Looks into an answer. @throws Failure `expression.failed` */
export type AnswerExpression<Result = unknown> = (answer: AnswerView) => Result

const VARIABLES: ReadonlySet<string> = new Set(['body', 'headers', 'status'])
/** Bytes; no answer that is looked into is longer. */
const LONGEST_TEXT = 1024 * 1024
/** Answers are looked at outside of any run. */
const NO_CONTEXT = undefined as unknown as Context

/** An expression over `body`, `headers` and `status`. @param field for failures: `response.token` */
export function compileAnswerExpression(text: string, field: string, world: World): AnswerExpression {
  return over(compileExpression(text, setting(world)), field)
}

/** The same for yes or no: null counts as false, other values that are no boolean fail. */
export function compileAnswerCondition(text: string, field: string, world: World): AnswerExpression<boolean> {
  return over(compileCondition(text, setting(world)), field) as AnswerExpression<boolean>
}

/** Reports what is wrong with an expression over an answer. */
export function checkAnswerExpression(
  text: string,
  at: readonly string[],
  problem: (report: ProblemReport) => void,
): void {
  for (const mistake of compileExpression(text, setting(NO_WORLD)).mistakes)
    problem({ ...mistake, at: [...at] })
}

/** What is only compiled asks for no time and no id. */
const NO_WORLD: ExpressionSetting['world'] = { newId: () => '', clock: { now: () => 0 } }

function setting(world: ExpressionSetting['world']): ExpressionSetting {
  return {
    variables: VARIABLES,
    bodyLimit: LONGEST_TEXT,
    world,
    place: () => ({ file: '', line: 0, column: 0 }),
  }
}

function over({ evaluate }: CompiledExpression, field: string): AnswerExpression {
  return (answer) => {
    try {
      return evaluate(messageOf(answer), NO_CONTEXT)
    } catch (thrown) {
      const { message, hint } = Failure.from(thrown)
      throw new Failure('expression.failed', `"${field}": ${message}`, hint === undefined ? {} : { hint })
    }
  }
}

function messageOf({ status, headers, body }: AnswerView): Message {
  const message = new Message(Body.ofJson(body, headers['content-type']))
  message.headers = { ...headers }
  message.response = { status, headers, url: '' }
  return message
}
