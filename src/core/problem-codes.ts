import { CLIENT_PROBLEMS } from './problem-codes/client.ts'
import { CREDENTIAL_PROBLEMS } from './problem-codes/credential.ts'
import { DESTINATION_PROBLEMS } from './problem-codes/destination.ts'
import { EXPRESSION_PROBLEMS } from './problem-codes/expression.ts'
import { FLOW_FILE_PROBLEMS } from './problem-codes/flow-files.ts'
import { FMT_PROBLEMS } from './problem-codes/fmt.ts'
import { FLOW_PROBLEMS } from './problem-codes/flow.ts'
import { OAUTH2_PROBLEMS } from './problem-codes/oauth2.ts'
import { REQUEST_PROBLEMS } from './problem-codes/requests.ts'
import { SCRIPT_PROBLEMS } from './problem-codes/script.ts'
import { SECRET_PROBLEMS } from './problem-codes/secret.ts'
import { SETTING_PROBLEMS } from './problem-codes/settings.ts'
import { SIGNING_PROBLEMS } from './problem-codes/signing.ts'
import { TIMER_PROBLEMS } from './problem-codes/timer.ts'
import { VALUE_PROBLEMS } from './problem-codes/values.ts'
import { YAML_PROBLEMS } from './problem-codes/yaml.ts'
import type { ProblemText } from './problem-codes/problem-text.ts'

/** Every code that a problem can have; it is loaded only by what explains codes. */
export const PROBLEM_CODES = {
  ...YAML_PROBLEMS,
  ...VALUE_PROBLEMS,
  ...FLOW_FILE_PROBLEMS,
  ...FLOW_PROBLEMS,
  ...REQUEST_PROBLEMS,
  ...TIMER_PROBLEMS,
  ...EXPRESSION_PROBLEMS,
  ...SCRIPT_PROBLEMS,
  ...CREDENTIAL_PROBLEMS,
  ...SECRET_PROBLEMS,
  ...CLIENT_PROBLEMS,
  ...OAUTH2_PROBLEMS,
  ...SIGNING_PROBLEMS,
  ...DESTINATION_PROBLEMS,
  ...SETTING_PROBLEMS,
  ...FMT_PROBLEMS,
} as const satisfies Record<string, ProblemText>

/** Stable: people and pipelines look for them. */
export type ProblemCode = keyof typeof PROBLEM_CODES

export function isProblemCode(text: string): text is ProblemCode {
  return Object.hasOwn(PROBLEM_CODES, text)
}
