import { Type, type Static } from '@sinclair/typebox'
import {
  Choice,
  CredentialName,
  Duration,
  Expression,
  Flag,
  Keys,
  ListOf,
  OneOrMore,
  Optional,
  Size,
  Template,
  Templates,
  Text,
  Value,
  Whole,
} from '../core/schema.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'MERGE', 'QUERY'] as const
export const MAX_REDIRECTS = 10
/** Pages that may be fetched ahead. */
const MAX_PREFETCH = 100

const param = Text({
  description: 'Name of the query entry (or of the field of the body) that says which page is wanted.',
  pattern: '^\\S+$',
  examples: ['page'],
})
const sizeParam = Optional(
  Text({
    description: 'Name of the query entry (or field) that carries `size`.',
    pattern: '^\\S+$',
    examples: ['per_page'],
  }),
)
const size = Optional(
  Whole({
    description:
      'Items of a full page: a shorter one is the last. Where even the first is shorter, another one is asked for, because the receiver may give less than was asked.',
    minimum: 1,
  }),
)
const total = Optional(
  Expression({ description: 'Number of all items.', examples: ['body.total', 'headers["x-total-count"]'] }),
)
const place = Optional(
  Choice(['query', 'body'], {
    description: 'Where these entries go: into the query, or into the map that the step has as `body`.',
    default: 'query',
  }),
)

const paginate = Keys(
  {
    items: Expression({
      description: "The list of a page, from the page's `body`, `headers` and `response`; null is none.",
      examples: ['body.value'],
    }),
    next: Optional(
      Expression({
        description: 'URL of the next page, absolute or relative to that of the page; null: there is none.',
        examples: ["body['@odata.nextLink']"],
      }),
    ),
    link: Optional(
      Flag({ description: 'The next page is the `Link` header with `rel="next"`.', default: false }),
    ),
    page: Optional(
      Keys(
        {
          param,
          start: Optional(Whole({ description: 'Number of the first page.', default: 1, minimum: 0 })),
          size,
          sizeParam,
          total,
          pages: Optional(
            Expression({
              description: 'Number of all pages.',
              examples: ['body.totalPages', 'headers["x-wp-totalpages"]'],
            }),
          ),
          in: place,
        },
        { description: 'Pages are numbered.' },
      ),
    ),
    offset: Optional(
      Keys(
        {
          param,
          start: Optional(Whole({ description: 'What the first page begins with.', default: 0, minimum: 0 })),
          size,
          sizeParam,
          total,
          in: place,
        },
        { description: 'A page begins after so many items.' },
      ),
    ),
    cursor: Optional(
      Keys(
        {
          param,
          value: Expression({
            description: 'What the next page is asked for with, from this one; null or empty: there is none.',
            examples: ['body.paging.next.after'],
          }),
          start: Optional(
            Value({ description: 'What the first page is asked for with; nothing when left out.' }),
          ),
          in: place,
        },
        { description: 'A page says what the next one is asked for with.' },
      ),
    ),
    more: Optional(Expression({ description: 'False on the last page.', examples: ['body.has_more'] })),
    maxPages: Optional(
      Whole({ description: 'More pages fail the step: nothing is cut off silently.', minimum: 1 }),
    ),
    prefetch: Optional(
      Whole({
        description: 'Pages that are fetched while the items of one are worked on.',
        default: 1,
        minimum: 0,
        maximum: MAX_PREFETCH,
      }),
    ),
  },
  {
    description:
      'The answer is a list in pages; the body becomes a stream of its items. Exactly one of `next`, `link`, `page`, `offset` and `cursor` says how the next page is found.',
  },
)

const throttle = Keys(
  {
    rate: Optional(
      Whole({ description: 'Requests that may begin within `per`.', minimum: 1, maximum: 100_000 }),
    ),
    per: Optional(Duration({ description: 'See `rate`.', default: '1s', minimum: 1 })),
    concurrency: Optional(
      Whole({
        description: 'Requests under way at once; a body that is handed on as a stream no longer counts.',
        minimum: 1,
        maximum: 100_000,
      }),
    ),
    by: Optional(
      Choice(['credential', 'host'], {
        description:
          "Whose requests count: those of all steps that have a throttle with the same credential, or to the same host. The credential's where the step has one.",
      }),
    ),
  },
  {
    description:
      'Requests wait for their turn, within the time of the step. Each keeps to the limits of its own step.',
  },
)

/** Options of the http step. */
export const options = Keys({
  url: Template({
    description:
      "Where to; absolute, or relative to the credential's `baseUrl`. Each `${}` is encoded as one path segment or query value, except one that the URL begins with.",
    examples: ['https://api.example.com/orders/${body.id}', 'orders'],
  }),
  method: Optional(
    Choice(METHODS, {
      description:
        "GET when left out, POST when there is a `body`. POST, PUT and PATCH without `body` send the message's.",
    }),
  ),
  query: Optional(
    Templates({
      description: 'Query entries by name; values are encoded, null leaves an entry out, a list repeats it.',
      examples: [{ $filter: "status eq 'OPEN'", $top: 100 }],
    }),
  ),
  headers: Optional(
    Templates({
      description:
        'Headers of the request by name; null leaves one out. No authorization: that is what `credential` is for; a cookie of an earlier answer may go along. `accept-encoding` is `identity` when left out (for pages: what is read); compressed answers are decoded.',
    }),
  ),
  body: Optional(
    Value({
      description:
        'Body of the request: a map or list is sent as JSON, text as it is. With a form content type a map gives the fields; with `multipart/form-data` the parts: a value, or `{ content, contentType, filename }`.',
    }),
  ),
  contentType: Optional(
    Template({
      description:
        'Content type of the request; made of the body when left out. Text is sent in its charset.',
      examples: ['application/x-www-form-urlencoded', 'multipart/form-data'],
    }),
  ),
  credential: Optional(
    CredentialName({
      description:
        'Name in the security material. The engine gets the token, renews it and puts it on the request.',
    }),
  ),
  tenant: Optional(
    Template({
      description:
        'Whose token goes along, where the credential has several tenants: one of those that it lists.',
      examples: ['acme', '${properties.tenant}'],
    }),
  ),
  acceptStatus: Optional(
    OneOrMore(
      Type.Union([
        Whole({ description: 'A status.', minimum: 300, maximum: 599 }),
        Text({ description: 'A class of them.', pattern: '^[345]xx$' }),
      ]),
      {
        description: 'Statuses that do not fail the step, beside those below 300.',
        examples: [[404, 409, '5xx']],
      },
    ),
  ),
  followRedirects: Optional(
    Flag({
      description: `Goes where the receiver points to, up to ${MAX_REDIRECTS} times; the credential only within its origin.`,
      default: false,
    }),
  ),
  maxResponse: Optional(
    Size({
      description:
        'A larger answer fails the step. 40MB with `into`, and of each page; no limit of its own for one that is only passed on.',
    }),
  ),
  into: Optional(
    Text({
      description:
        'Name of the property that takes the answer, one word; the body stays. The body takes it when left out.',
      examples: ['customer'],
    }),
  ),
  saveHeaders: Optional(
    ListOf(Text({ description: 'Name of a header.' }), {
      description: "Headers of the answer to keep among the message's.",
    }),
  ),
  paginate: Optional(paginate),
  throttle: Optional(throttle),
})

export type HttpOptions = Static<typeof options>
export type PaginateOptions = Static<typeof paginate>
export type ThrottleOptions = Static<typeof throttle>
