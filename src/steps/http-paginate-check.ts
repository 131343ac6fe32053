import type { Path } from '../core/document.ts'
import { typeName } from '../core/json.ts'
import type { Deployment } from '../core/kinds.ts'
import { encodeName } from '../net/url-text.ts'
import { isMultipart } from '../net/request-body.ts'
import type { HttpOptions, PaginateOptions } from './http-options.ts'
import { methodOf } from './http-request.ts'

const FORMS = ['next', 'link', 'page', 'offset', 'cursor'] as const
const WAYS = '`next`, `link: true`, `page`, `offset` or `cursor`'

type Given = HttpOptions & { readonly paginate: PaginateOptions }

/** Reports what does not fit together in `paginate`, and between it and the request. */
export function checkPaginate(given: Given, deployment: Deployment): void {
  const problem = (message: string, hint: string, at: Path, on: 'key' | 'value' = 'key') =>
    deployment.problem({ code: 'flow/paginate', message, hint, at, on })
  const { paginate, into } = given
  const found = FORMS.filter((form) => paginate[form] !== undefined && paginate[form] !== false)
  if (found.length === 0)
    problem('nothing says how the next page is found', `Write one of ${WAYS} under \`paginate\`.`, [
      'paginate',
    ])
  if (found.length > 1)
    problem(
      `there are two ways to the next page, "${found[0]}" and "${found[1]}"`,
      `One of ${WAYS} is wanted.`,
      ['paginate', found[1]!],
    )
  if (into !== undefined)
    problem(
      '"into" does not go with "paginate": the items become the body',
      'Take `into` out; `forEach` behind the step takes the items one by one.',
      ['into'],
    )
  if (methodOf(given) === 'HEAD')
    problem('the answer to HEAD has no body that pages could be in', 'Use GET.', ['method'], 'value')
  for (const form of ['page', 'offset', 'cursor'] as const)
    if (paginate[form]) checkForm(form, given, problem)
}

type Problem = (message: string, hint: string, at: Path, on?: 'key' | 'value') => void

function checkForm(form: 'page' | 'offset' | 'cursor', given: Given, problem: Problem): void {
  const written = given.paginate[form]!
  const { param, in: place } = written
  const sizeParam = 'sizeParam' in written ? written.sizeParam : undefined
  const at = ['paginate', form]
  if (sizeParam !== undefined && 'sizeParam' in written && written.size === undefined)
    problem(`"sizeParam" has no "size" to carry`, 'Write `size`, such as `size: 100`.', [...at, 'sizeParam'])
  if (sizeParam === param)
    problem(`"${param}" would be there twice, as "param" and as "sizeParam"`, 'Give them two names.', [
      ...at,
      'sizeParam',
    ])
  if (place === 'body') return checkBody(given, [...at, 'in'], problem)
  const names = [
    ['param', param],
    ['sizeParam', sizeParam],
  ] as const
  for (const [key, name] of names)
    if (name !== undefined && isInQuery(name, given))
      problem(
        `"${name}" is in the query of the step already`,
        'Take it out there: `paginate` adds it to each page, also to the first.',
        [...at, key],
        'value',
      )
}

function checkBody({ body, contentType = '' }: Given, at: Path, problem: Problem): void {
  if (typeName(body) !== 'map')
    problem(
      'there is no map under "body" that the page could be written into',
      "Write the request's `body` as a map; `{}` will do.",
      at,
      'value',
    )
  else if (isMultipart(contentType))
    problem('pages cannot be asked for with a multipart body', 'Send JSON or form fields.', at, 'value')
}

function isInQuery(name: string, { query, url }: Given): boolean {
  if (Object.hasOwn(query ?? {}, name)) return true
  const [, written = ''] = /\?([^#]*)/.exec(url) ?? []
  return written.split('&').some((entry) => [name, encodeName(name)].includes(entry.split('=')[0]!))
}
