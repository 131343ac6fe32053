import { readFile } from 'node:fs/promises'
import { readCertificates } from './core/certificates.ts'
import type { Document } from './core/document.ts'
import type { ProblemCode } from './core/problem-codes.ts'
import { nearest, type Problem } from './core/problem.ts'
import { describe } from './core/shape-values.ts'
import { KEY_VARIABLE } from './security/secret-keys.ts'

/** What is wrong with a setting, wherever it comes from. */
export interface SettingMistake {
  readonly code: ProblemCode
  readonly message: string
  readonly hint?: string
}

const MOST_PORT = 65_535
const PREFIX = 'SLUICE_'

/** What the schema cannot say about a setting. */
export function mistakeOf(name: string, value: unknown): SettingMistake | undefined {
  if (typeof value !== 'string') return undefined
  if (name === 'listen') return wrongPort(value)
  if (name === 'connectivityProxy.url') return wrongConnectivityProxy(value)
  return name === 'http.proxy' ? wrongProxy(value) : undefined
}

function wrongPort(listen: string): SettingMistake | undefined {
  const port = Number(/\d+$/.exec(listen)?.[0])
  if (port <= MOST_PORT) return undefined
  return {
    code: 'value/range',
    message: `the port of "listen" is ${port}; 0 to ${MOST_PORT} is wanted`,
    hint: 'Port 0 takes a free one.',
  }
}

/** The address is not shown: it may hold a password. */
function wrongProxy(proxy: string): SettingMistake | undefined {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`)
  if (url && /^https?:$/.test(url.protocol) && url.host !== '' && !proxy.includes('${')) return undefined
  return {
    code: 'setting/proxy',
    message: '"http.proxy" is no address of a proxy',
    hint: proxy.includes('${')
      ? 'Settings hold no references: give it as SLUICE_HTTP_PROXY.'
      : 'Write http://host:port; one with a password belongs into SLUICE_HTTP_PROXY.',
  }
}

function wrongConnectivityProxy(proxy: string): SettingMistake | undefined {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`)
  const isAddress =
    url && /^https?:$/.test(url.protocol) && url.host !== '' && url.pathname + url.search + url.hash === '/'
  if (isAddress && url.username + url.password === '') return undefined
  return {
    code: 'setting/proxy',
    message: '"connectivityProxy.url" is no address of a proxy',
    hint: 'Write http://host:port, without a path; its token comes from the credential that "connectivityProxy.credential" names.',
  }
}

/** The file of the settings is there and cannot be read. */
export function unreadable(code = 'unknown error'): Problem {
  return {
    code: 'setting/unreadable',
    severity: 'error',
    message: `the settings cannot be read (${code})`,
    hint: 'Make it a file that the user of the engine can read.',
    file: 'sluice.yaml',
    line: 1,
    column: 1,
  }
}

/** Parameters belong to flows: the settings cannot use them. */
export function withoutParameters(problem: Problem): Problem {
  return problem.code === 'value/braces'
    ? { ...problem, hint: 'Write the value, or give it by a variable: SLUICE_LISTEN for "listen".' }
    : problem
}

/** @param file absolute */
export async function certificateMistake(file: string): Promise<SettingMistake | undefined> {
  try {
    const found = readCertificates(await readFile(file, 'utf8'))
    if (typeof found !== 'string') return undefined
    return { code: 'setting/certificate', message: `the file of "http.ca" ${found}` }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return {
      code: 'setting/certificate',
      message:
        code === 'ENOENT'
          ? 'the file of "http.ca" is not there'
          : `the file of "http.ca" cannot be read (${code})`,
      hint: 'The path is relative to the project folder.',
    }
  }
}

/** Values of parameters that no parameter can have. */
export function parameterMistakes(document: Document): Problem[] {
  const parameters = isMap(document.value) ? document.value['parameters'] : undefined
  if (!isMap(parameters)) return []
  return Object.entries(parameters).flatMap(([name, value]) => {
    if (!isMap(value)) return wrongParameter(document, ['parameters', name], value)
    return Object.entries(value).flatMap(([own, inner]) =>
      wrongParameter(document, ['parameters', name, own], inner),
    )
  })
}

function wrongParameter(document: Document, path: readonly string[], value: unknown): Problem[] {
  if (value === undefined || ['string', 'number', 'boolean'].includes(typeof value)) return []
  const forFlow = path.length === 2 ? ' (or a map of them, for the flow of this name)' : ''
  return [
    {
      code: value === null ? 'value/empty' : 'value/type',
      severity: 'error',
      message: `"${path.at(-1)}" is ${describe(value)}; a text, a number, true or false is wanted${forFlow}`,
      ...document.place(path),
    },
  ]
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Variables that look like a setting and are none. Parameters have their own. */
export function strayVariables(
  environment: Readonly<Record<string, string | undefined>>,
  known: readonly string[],
): Problem[] {
  return Object.keys(environment)
    .filter(
      (name) =>
        name.startsWith(PREFIX) &&
        name !== KEY_VARIABLE &&
        !/^SLUICE_PARAM(_|$)/.test(name) &&
        !known.includes(name),
    )
    .flatMap((name) => {
      const near = nearest(
        name.slice(PREFIX.length),
        known.map((other) => other.slice(PREFIX.length)),
      )
      if (near === undefined) return []
      return {
        code: 'setting/unknown-variable',
        severity: 'warning',
        message: `there is no setting for "${name}"; did you mean "${PREFIX}${near}"?`,
        file: `environment variable ${name}`,
        line: 0,
        column: 0,
      }
    })
}
