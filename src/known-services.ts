import { readFile } from 'node:fs/promises'
import { isCollection, isPair, isScalar, parseDocument, stringify, visit } from 'yaml'

/** A credential that is known to fit a service, as `docs/guide/providers.md` shows it. */
export interface KnownService {
  readonly name: string
  /** What is special about it. */
  readonly special: string
  /** What has to be done elsewhere. */
  readonly limits?: string
  /** Where it is described. */
  readonly docs?: string
  /** What is everybody's own, by the name that stands for it in the credential. */
  readonly asks?: ServiceAsks
  /** Text of its file, with `{{domain}}` for what is asked for, and references for secrets. */
  readonly credential: string
}

export type ServiceAsks = Readonly<Record<string, ServiceAsk>>

export interface ServiceAsk {
  readonly question: string
  readonly example: string
  /** The example is right for most. */
  readonly usual?: true
}

/** All of them, by the word that `sluice new credential --like` takes. */
export async function readKnownServices(): Promise<ReadonlyMap<string, KnownService>> {
  const text = await readFile(new URL('../starter/services.json', import.meta.url), 'utf8')
  return new Map(Object.entries(JSON.parse(text) as Record<string, KnownService>))
}

/**
 * The text of a credential with its values in it, quoted where YAML wants that.
 * @param values of what is asked for, by name
 * @param references that take the place of others: `env:ZOOM_SECRET` -> `secret:zoom`
 */
export function fillIn(
  credential: string,
  values: Readonly<Record<string, string>>,
  references: ReadonlyMap<string, string> = new Map(),
): string {
  let text = credential
  for (const { value, inFlow, from, to } of textsOf(credential).toReversed()) {
    const filled = value
      .replaceAll(/\{\{(\w+)\}\}/g, (whole, name: string) =>
        Object.hasOwn(values, name) ? values[name]! : whole,
      )
      .replaceAll(/\$\{([^}]+)\}/g, (_, reference: string) => `\${${references.get(reference) ?? reference}}`)
    if (filled !== value) text = text.slice(0, from) + written(filled, inFlow) + text.slice(to)
  }
  return text
}

/** A text of one line as YAML. */
function written(value: string, inFlow: boolean): string {
  const options = { lineWidth: 0, singleQuote: true } as const
  if (!inFlow) return stringify(value, options).trimEnd()
  return stringify([value], { ...options, collectionStyle: 'flow' })
    .trim()
    .slice(1, -1)
    .trim()
}

/** `example` of everything that is asked for. */
export function examplesOf(asks: ServiceAsks = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(asks).map(([name, { example }]) => [name, example]))
}

/** Where a secret or key of a service is kept. */
export interface ServiceReference {
  /** Of the field that it stands in. */
  readonly field: string
  /** `env:ZOOM_SECRET` */
  readonly reference: string
}

/** Each of them once, in order. */
export function referencesOf(credential: string): ServiceReference[] {
  const found = new Map<string, ServiceReference>()
  for (const { field, value } of textsOf(credential))
    for (const [, reference] of value.matchAll(/\$\{([^}]+)\}/g))
      if (!found.has(reference!)) found.set(reference!, { field, reference: reference! })
  return [...found.values()]
}

interface Text {
  readonly value: string
  /** Key of the next map around it. */
  readonly field: string
  /** Between `{` or `[` and their ends. */
  readonly inFlow: boolean
  /** Where it stands, with its quotes. */
  readonly from: number
  readonly to: number
}

/** Those of the credential that are no keys. */
function textsOf(credential: string): Text[] {
  const texts: Text[] = []
  visit(parseDocument(credential), {
    Scalar(key, { value, range }, path) {
      if (key === 'key' || typeof value !== 'string') return
      const pair = path.findLast((node) => isPair(node))
      texts.push({
        value,
        field: pair && isScalar(pair.key) ? String(pair.key.value) : '',
        inFlow: path.some((node) => isCollection(node) && node.flow === true),
        from: range![0],
        to: range![1],
      })
    },
  })
  return texts
}
