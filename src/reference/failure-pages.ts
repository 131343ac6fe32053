import { STATUS_CODES } from 'node:http'
import { Failure, FAILURES, type FailureCode } from '../core/failure.ts'
import { matches } from '../core/retry.ts'
import { FAILURE_TEXTS } from './failure-texts.ts'
import { page } from './kind-pages.ts'
import type { Page } from './page.ts'

const FOLDER = 'docs/reference/failures'

/** A page a code, and one that lists them. */
export function failurePages(): Page[] {
  const codes = Object.keys(FAILURES) as FailureCode[]
  const rows = codes.map(
    (code) => `| [\`${code}\`](${code}.md) | ${FAILURES[code].title} | ${FAILURES[code].reply} |`,
  )
  const index = {
    path: `${FOLDER}/index.md`,
    text: page([
      '# Failures',
      'What can go wrong while a message is processed. The code stands in the message log, in `error.code` of `catch` and `onError`, and in the answer to a caller. `try` catches by code (`codes: [receiver.*]`), `retry` tries again by it. ' +
        'A `fail` step brings a code of its own.',
      ['| code | | a caller gets |', '|---|---|---|', ...rows].join('\n'),
    ]),
  }
  return [index, ...codes.map(failurePage)]
}

function failurePage(code: FailureCode): Page {
  const { title, reply } = FAILURES[code]
  const { meaning, remedy } = FAILURE_TEXTS[code]
  const words = ['network', 'timeout', '5xx'].filter((word) =>
    matches(word, new Failure(code, title, { receiver: { status: 503, host: 'api.example.com' } })),
  )
  const retried =
    code === 'receiver.status'
      ? '`retry` takes it for another attempt with its status: `429`, `5xx`.'
      : words.length > 0
        ? `\`retry\` takes it for another attempt with \`on: [${words.find((word) => word !== '5xx') ?? words[0]!}]\`.`
        : `\`retry\` takes it for another attempt only where it is named: \`on: [${code}]\`.`
  return {
    path: `${FOLDER}/${code}.md`,
    text: page([
      `# \`${code}\``,
      `${title}.`,
      meaning,
      '## What to do',
      remedy.map((line) => `- ${line}`).join('\n'),
      '## Elsewhere',
      [
        `- The caller of an endpoint gets ${reply}${STATUS_CODES[reply] === undefined ? '' : ` (${STATUS_CODES[reply]})`}, where nothing else was said (\`onError\` with \`respond\`).`,
        `- ${retried}`,
        `- \`try\` catches it with \`codes: [${code}]\`.`,
      ].join('\n'),
    ]),
  }
}
