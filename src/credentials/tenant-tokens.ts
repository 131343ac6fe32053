import type { Cancellation } from '../core/context.ts'
import { Failure } from '../core/failure.ts'
import type { CredentialState, TokenNumbers } from '../core/credential-state.ts'
import type { CredentialTestStep } from '../core/credential-test.ts'
import type { Authorizer, Grant, LentToken, Revocation } from '../core/kinds.ts'
import { didYouMean } from '../core/problem.ts'
import type { TokenManager } from './token-manager.ts'

/** From the worst on: what the credential as a whole is. */
const WORST = ['locked', 'refused', 'unreachable', 'renewal fails', 'renewing', 'unused', 'ready']

/** The tokens of a credential whose token service has several tenants: each has a keeper of its own. */
export class TenantTokens implements Authorizer {
  declare readonly keepsTokens?: true
  declare readonly revoke?: (until: Cancellation) => Promise<Revocation>
  readonly #name: string
  readonly #keepers: ReadonlyMap<string, TokenManager>

  /** @param keep makes the keeper of one tenant's token */
  constructor(name: string, tenants: readonly string[], keep: (tenant: string) => TokenManager) {
    this.#name = name
    this.#keepers = new Map(tenants.map((tenant) => [tenant, keep(tenant)]))
    if (this.#keepers.values().some(({ keepsTokens }) => keepsTokens)) this.keepsTokens = true
    if (this.#keepers.values().some(({ revoke }) => revoke)) this.revoke = (until) => this.#revoke(until)
  }

  /** @throws Failure `credential.tenant` */
  authorize(until: Cancellation, tenant?: string): Grant | Promise<Grant> {
    const keeper = tenant === undefined ? this.#only() : this.#keepers.get(tenant)
    if (keeper) return keeper.authorize(until)
    const tenants = [...this.#keepers.keys()]
    if (tenant === undefined)
      throw new Failure(
        'credential.tenant',
        `the step says no tenant, and credential "${this.#name}" has ${tenants.length}`,
        {
          hint: `Write tenant: ${tenants[0]!}, or an expression.`,
          reply: 500,
        },
      )
    throw new Failure(
      'credential.tenant',
      `credential "${this.#name}" has no such tenant${tenant.length > 63 ? '' : didYouMean(tenant, tenants)}`,
      {
        hint: 'Only tenants that its file lists get a token; add it to "tenants" there, or check the message.',
      },
    )
  }

  /** Of its one tenant; links to one with several are refused at load. @throws Failure `credential.tenant` */
  async lend(until: Cancellation): Promise<LentToken> {
    const keeper = this.#only()
    if (keeper) return keeper.lend(until)
    throw new Failure(
      'credential.tenant',
      `credential "${this.#name}" has ${this.#keepers.size} tenants, and another credential is made with the token of one`,
      {
        hint: 'Give that tenant a credential of its own, and name it there.',
        reply: 500,
      },
    )
  }

  state(): CredentialState {
    const states = [...this.#keepers].map(([tenant, keeper]) => [tenant, keeper.state()] as const)
    const status = WORST.find((word) => states.some(([, state]) => state.status === word)) ?? 'unused'
    return {
      status,
      details: Object.fromEntries(
        states.flatMap(([tenant, state]) => [
          [tenant, state.status],
          ...Object.entries(state.details).map(([name, value]) => [`${tenant}: ${name}`, value] as const),
        ]),
      ),
      token: summed(states.flatMap(([, { token }]) => token ?? [])),
    }
  }

  /** Tenants that are in both keep their tokens. */
  inherit(former: Authorizer): void {
    if (!(former instanceof TenantTokens)) return
    for (const [tenant, keeper] of this.#keepers) {
      const before = former.#keepers.get(tenant)
      if (before) keeper.inherit(before)
    }
  }

  warm(): void {
    for (const keeper of this.#keepers.values()) keeper.warm()
  }

  invalidate(): void {
    for (const keeper of this.#keepers.values()) keeper.invalidate()
  }

  /** One tenant after the other, until one fails: a service that says no to one says no to all, more often than not. */
  async test(
    until: Cancellation,
    options: { readonly tryOthers: boolean },
  ): Promise<readonly CredentialTestStep[]> {
    const told: CredentialTestStep[] = []
    for (const [tenant, keeper] of this.#keepers) {
      const steps = await keeper.test(until, options)
      told.push(...steps.map((step) => ({ ...step, title: `${tenant}: ${step.title}` })))
      if (steps.some(({ ok }) => !ok)) break
    }
    return told
  }

  stop(): void {
    for (const keeper of this.#keepers.values()) keeper.stop()
  }

  leave(): void {
    for (const keeper of this.#keepers.values()) keeper.leave()
  }

  remove(): void {
    for (const keeper of this.#keepers.values()) keeper.remove()
  }

  /** Of all tenants; the first failure is told. */
  async #revoke(until: Cancellation): Promise<Revocation> {
    const all = await Promise.all(
      [...this.#keepers.values()].flatMap((keeper) => keeper.revoke?.(until) ?? []),
    )
    const told = (wanted: Revocation['outcome']) => all.find(({ outcome }) => outcome === wanted)
    return told('failed') ?? told('revoked') ?? { outcome: 'nothing' }
  }

  #only(): TokenManager | undefined {
    return this.#keepers.size === 1 ? [...this.#keepers.values()][0] : undefined
  }
}

/** Of all tenants together; the token that ends first says when. */
function summed(numbers: readonly TokenNumbers[]): TokenNumbers {
  const sum = (name: 'requests' | 'failures' | 'renewals' | 'uses') =>
    numbers.reduce((total, one) => total + one[name], 0)
  const ends = numbers.flatMap(({ expiresIn }) => expiresIn ?? [])
  return {
    requests: sum('requests'),
    failures: sum('failures'),
    renewals: sum('renewals'),
    uses: sum('uses'),
    failing: numbers.some(({ failing }) => failing),
    expiresIn: ends.length === 0 ? undefined : Math.min(...ends),
  }
}
