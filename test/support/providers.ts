import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { examplesOf, fillIn, type ServiceAsks } from '../../src/known-services.ts'

/** A service that hands out tokens (or takes keys): a credential for it, what is sent, what comes back, what is made of it. */
export interface ProviderFixture {
  /** Also the name of its credential. */
  readonly name: string
  /** What the guide says of it; left out of a fixture that shows an answer only. */
  readonly service?: {
    readonly name: string
    /** Where it is described. */
    readonly docs: string
    /** What is special about it. */
    readonly special: string
    /** What has to be done elsewhere, or cannot be said in this version. */
    readonly limits?: string
    /** What is everybody's own, by the name that stands for it in `template`. */
    readonly asks?: ServiceAsks
  }
  /** Of the classes of CLASSES, those that it shows. */
  readonly class: readonly string[]
  /** The file of the security material as it is written in the fixture: `{{domain}}` for what is asked for. */
  readonly template: string
  /** The same with the examples in it. */
  readonly credential: string
  /** Further files of the security material, by name. */
  readonly others?: Readonly<Record<string, string>>
  readonly environment?: Readonly<Record<string, string>>
  /** Requests that come first: those of other credentials. */
  readonly before?: readonly { readonly request: WantedRequest; readonly answer: CannedAnswer }[]
  /** Left out where no token is asked for. */
  readonly request?: WantedRequest
  /** What the JWT of the token request (or of the call, where there is none) says; `<jwt>` stands for it. */
  readonly jwt?: { readonly header: object; readonly claims: object; readonly key: 'rsa' | 'p256' | 'secret' }
  /** What the SAML assertion of the request says; `<saml>` stands for it in the body. */
  readonly saml?: {
    readonly issuer: string
    readonly subject: string
    readonly audience: string
    readonly recipient: string
    readonly attributes: Readonly<Record<string, string>>
  }
  readonly answer?: CannedAnswer
  /** To the token requests after the first, where it is another one. */
  readonly next?: CannedAnswer
  readonly outcome: WantedOutcome
  /** The same request once more, with another answer each. */
  readonly answers?: readonly {
    readonly title: string
    readonly class: readonly string[]
    readonly answer: CannedAnswer
    readonly outcome: WantedOutcome
  }[]
  /** What the step asks for. */
  readonly call?: { readonly url?: string; readonly tenant?: string }
  /** What the API answers, in turn, the last one again and again; 200 where nothing is said. */
  readonly api?: readonly CannedAnswer[]
  /** The next token request, when the token is over. */
  readonly renewal?: { readonly body: string }
}

export interface WantedRequest {
  /** `POST https://host/path?query` */
  readonly line: string
  /** All of them but those of the connection; `{a:b}` is written in base64. */
  readonly headers?: Readonly<Record<string, string>>
  /** All of it. */
  readonly body?: string
  /** Of the client, as the server saw it: `CN=sluice`. */
  readonly certificate?: string
}

export interface CannedAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown
}

export interface WantedOutcome {
  /** s */
  readonly lifetime?: number
  /** `GET https://host/path?query` of the call. */
  readonly line?: string
  /** All of the call but those of the connection. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of the client, as the API saw it: `CN=sluice`. */
  readonly certificate?: string
  /** Code of the failure. */
  readonly failure?: string
  /** Part of its message. */
  readonly message?: string
  /** Part of its hint. */
  readonly hint?: string
  /** Part of a line of the log. */
  readonly log?: string
  /** Who was asked, in turn; a token and one call where nothing is said. */
  readonly asked?: readonly ('token' | 'api')[]
}

const FOLDER = join(import.meta.dirname, '..', 'credentials', 'providers')

/** All of them, by name. */
export function readProviders(): ProviderFixture[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.yaml'))
    .toSorted()
    .map((file) => {
      const written = parse(readFileSync(join(FOLDER, file), 'utf8')) as Omit<
        ProviderFixture,
        'name' | 'template'
      >
      const { credential: template, service } = written
      const credential = service ? fillIn(template, examplesOf(service.asks)) : template
      return { ...written, name: file.replace(/\.yaml$/, ''), template, credential }
    })
}
