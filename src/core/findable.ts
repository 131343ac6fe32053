import type { Cancellation } from './context.ts'
import type { Secret } from './secret.ts'

/** Credentials whose files let other programs find them, as destinations of BTP. */
export interface FindableDestinations {
  /** In order. */
  names(): readonly string[]
  /** A text: why none of this name can be found, for the log. */
  find(name: string): FindableDestination | string
}

export interface FindableDestination {
  /** As BTP names them; no secret. */
  readonly properties: DestinationProperties
  /**
   * What has to go along with each call. Besides the sender this is the only way to a token.
   * @throws Failure `credential.*`
   */
  lend(until: Cancellation, tenant: string | undefined): Promise<readonly LentPart[]>
}

/** Properties of a destination of BTP. */
export type DestinationProperties = Readonly<Record<string, string>>

/** A header or a query parameter that holds a secret. */
export interface LentPart {
  readonly in: 'header' | 'query'
  readonly name: string
  readonly value: Secret
  /** ms that it is good; undefined: it does not end, or that is not known. */
  readonly left: number | undefined
  readonly scope: string | undefined
}
