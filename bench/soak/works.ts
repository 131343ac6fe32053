// What callers ask for, and what they may get.
import type { Chance } from './chance.ts'
import { LARGE, LARGEST, PAGE, PAGES } from './large.ts'

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

export interface Sent {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string | Buffer
  /** ms after which the caller goes away. */
  readonly hangUp?: number
  /** What is wrong about a reply that has the usual status. */
  wrong?(reply: Reply): string | undefined
}

export interface Work {
  readonly name: string
  readonly weight: number
  /** While engines are killed, where that is another one. */
  readonly weightAtKills?: number
  /** Status of most replies; it must come until the end. Undefined: it need not. */
  readonly usual: number | undefined
  /** Other statuses that it may be, with the failure codes of each. */
  readonly others: Readonly<Record<number, RegExp>>
  /** The reply may break off in its body, because that of the receiver did. */
  readonly mayBreak?: true
  /** The status that a run has in the message log, where the reply does not tell. */
  readonly logged?: (status: number) => string | undefined
  /** Its runs may wait for their turn. */
  readonly waits?: true
  make(id: string, chance: Chance): Sent
}

const RECEIVER: Work['others'] = {
  502: /^(receiver\.(status|unreachable|broken|unauthorized)|credential\.(unreachable|answer|refused))$/,
  504: /^(receiver|credential)\.timeout$/,
}

export const WORKS: readonly Work[] = [
  { name: 'echo', weight: 20, usual: 200, others: {}, make: (id) => order('/echo', id) },
  {
    name: 'script',
    weight: 15,
    usual: 200,
    others: { 500: /^script\.error$/ },
    make: (id, chance) =>
      order(
        '/script',
        id,
        { amount: 41, bad: chance.percent(3), note: 'n'.repeat(chance.between(0, 3000)) },
        ({ amount }) => amount === 42,
      ),
  },
  {
    name: 'script-wild',
    weight: 0.3,
    usual: undefined,
    others: { 200: /^$/, 500: /^script\.crashed$/, 503: /^script\.disabled$/, 504: /^script\.timeout$/ },
    make: (id, chance) => {
      const { mode } = chance.pick([
        { mode: 'meek', weight: 6 },
        { mode: 'hang', weight: 2 },
        { mode: 'hog', weight: 2 },
      ])
      return order('/script-wild', id, { mode })
    },
  },
  { name: 'item', weight: 20, usual: 200, others: RECEIVER, make: (id) => order('/item', id) },
  {
    name: 'moody',
    weight: 2,
    usual: undefined,
    others: { ...RECEIVER, 200: /^$/ },
    make: (id) => order('/moody', id),
  },
  { name: 'each', weight: 5, usual: 200, others: {}, make: (id) => list('/each', id, isPart) },
  {
    name: 'each-count',
    weight: 3,
    usual: 200,
    others: {},
    make: (id) =>
      list('/each-count', id, (found, ids) => {
        const { count, failed } = found as { count: number; failed: number }
        return count === ids.length && failed >= 0 && failed <= count
      }),
  },
  {
    name: 'each-stop',
    weight: 3,
    usual: 200,
    others: RECEIVER,
    make: (id) => list('/each-stop', id, (found, ids) => String(found) === String(ids)),
  },
  {
    name: 'parallel',
    weight: 6,
    usual: 200,
    others: RECEIVER,
    make: (id) => ({
      ...order('/parallel', id),
      wrong: (reply) => {
        const { a, b, c } = jsonOf(reply) as Record<'a' | 'b' | 'c', { id: string }>
        return unless(a.id === `${id}-a` && b.id === `${id}-b` && c.id === `${id}-c`, reply)
      },
    }),
  },
  {
    name: 'first',
    weight: 3,
    usual: 200,
    others: RECEIVER,
    make: (id) => ({
      ...order('/first', id),
      wrong: (reply) => {
        const { one, two } = jsonOf(reply) as Partial<Record<'one' | 'two', { id: string }>>
        return unless((one ?? two)?.id === id, reply)
      },
    }),
  },
  { name: 'try', weight: 6, usual: 200, others: RECEIVER, make: (id) => order('/try', id) },
  { name: 'retry', weight: 6, usual: 200, others: RECEIVER, make: (id) => order('/retry', id) },
  { name: 'call', weight: 4, usual: 200, others: RECEIVER, make: (id) => order('/call', id) },
  {
    name: 'fallback',
    weight: 4,
    usual: 200,
    others: { 418: /^(receiver|credential)\./ },
    logged: (status) => (status === 418 ? 'FAILED' : undefined),
    make: (id) => order('/fallback', id),
  },
  {
    name: 'large',
    weight: 2,
    usual: 200,
    others: RECEIVER,
    mayBreak: true,
    make: (_, chance) => {
      const size = chance.between(1, LARGEST)
      return {
        method: 'GET',
        path: `/large/${size}`,
        wrong: ({ body }) =>
          body.equals(LARGE.subarray(0, size)) ? undefined : `${body.length} bytes, not the ${size} wanted`,
      }
    },
  },
  {
    name: 'drop',
    weight: 3,
    usual: 200,
    others: { ...RECEIVER, 409: /^order\.dropped$/ },
    make: (id, chance) => order('/drop', id, { bad: chance.percent(50) }),
  },
  {
    name: 'upload',
    weight: 2,
    usual: 200,
    others: RECEIVER,
    make: (_, chance) => {
      const size = chance.between(1, LARGEST / 2)
      return {
        method: 'POST',
        path: '/upload',
        body: LARGE.subarray(0, size),
        wrong: (reply) => unless((jsonOf(reply) as { bytes: number }).bytes === size, reply),
      }
    },
  },
  {
    name: 'pages',
    weight: 2,
    usual: 200,
    others: RECEIVER,
    mayBreak: true,
    make: () => ({
      method: 'GET',
      path: '/pages',
      wrong: (reply) => {
        const items = jsonOf(reply) as { id: number }[]
        return unless(items.length === PAGE * PAGES && items.every(({ id }, i) => id === i), reply)
      },
    }),
  },
  {
    name: 'wait',
    weight: 1,
    weightAtKills: 10,
    usual: 200,
    others: {},
    make: (id, chance) => order('/wait', id, { ms: chance.between(500, 5000) }),
  },
  {
    name: 'hang-up',
    weight: 2,
    usual: undefined,
    others: {},
    make: (id, chance) => ({
      ...order('/hang-up', id, { ms: chance.between(300, 2000) }),
      hangUp: chance.between(0, 250),
    }),
  },
  {
    name: 'narrow',
    weight: 6,
    usual: 200,
    others: { 503: /^flow\.overload$/ },
    waits: true,
    make: (id) => order('/narrow', id),
  },
  {
    name: 'no JSON',
    weight: 1,
    usual: 400,
    others: {},
    make: (id) => ({ method: 'POST', path: '/script', body: `{"id":"${id}",` }),
  },
  {
    name: 'too large',
    weight: 0.5,
    usual: 413,
    others: {},
    waits: true,
    make: () => ({ method: 'POST', path: '/echo', body: LARGE.subarray(0, 1_500_000) }),
  },
  {
    name: 'no such path',
    weight: 0.5,
    usual: 404,
    others: {},
    waits: true,
    make: () => ({ method: 'POST', path: '/nowhere', body: '{}' }),
  },
]

/** A body with an id, which the reply must have, too: whoever gets the reply of another caller finds out. */
function order(
  path: string,
  id: string,
  members: Readonly<Record<string, unknown>> = {},
  fits: (found: Record<string, unknown>) => boolean = () => true,
): Sent {
  return {
    method: 'POST',
    path,
    body: JSON.stringify({ id, ...members }),
    wrong: (reply) => {
      const found = jsonOf(reply) as Record<string, unknown>
      return unless(found['id'] === id && fits(found), reply)
    },
  }
}

function list(path: string, id: string, fits: (found: unknown, ids: readonly string[]) => boolean): Sent {
  const ids = Array.from({ length: 20 }, (_, i) => `${id}-${i}`)
  return {
    method: 'POST',
    path,
    body: JSON.stringify({ items: ids.map((each) => ({ id: each })) }),
    wrong: (reply) => unless(fits(jsonOf(reply), ids), reply),
  }
}

/** Whether it is some of the ids, in their order. */
function isPart(found: unknown, ids: readonly string[]): boolean {
  let at = -1
  return Array.isArray(found) && found.every((id) => (at = ids.indexOf(String(id), at + 1)) >= 0)
}

function jsonOf({ body }: Reply): unknown {
  return JSON.parse(body.toString())
}

function unless(right: boolean, { body }: Reply): string | undefined {
  return right ? undefined : `a wrong reply: ${body.toString('utf8', 0, 200)}`
}
