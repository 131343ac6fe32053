/** Pages of which origins may call an endpoint. @see https://fetch.spec.whatwg.org/#http-cors-protocol */
export interface Cors {
  /** `https://shop.example.com`; `*`: of every one. */
  readonly origins: readonly string[] | '*'
  /** Headers that requests may have, beside the usual ones. */
  readonly headers: readonly string[]
  /** Headers of a reply that pages may read, beside the usual ones. */
  readonly exposed: readonly string[]
  /** ms that a browser may remember the answer. */
  readonly maxAge: number
  /** Whether requests with the cookies and certificates of the browser are taken. */
  readonly credentials: boolean
}

/** Headers for a reply to a page; flat. */
export function corsHeaders(cors: Cors, origin: string | undefined): string[] {
  const vary = cors.origins === '*' ? [] : ['vary', 'Origin']
  if (origin === undefined) return vary
  if (cors.origins !== '*' && !cors.origins.includes(origin)) return vary
  return [
    'access-control-allow-origin',
    cors.origins === '*' ? '*' : origin,
    ...vary,
    ...(cors.credentials ? ['access-control-allow-credentials', 'true'] : []),
    ...(cors.exposed.length > 0 ? ['access-control-expose-headers', cors.exposed.join(', ')] : []),
  ]
}

/** Headers for the question that a browser asks before; flat. Who may not call learns nothing. */
export function preflightHeaders(cors: Cors, origin: string, methods: readonly string[]): string[] {
  const vary = ['vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers']
  if (cors.origins !== '*' && !cors.origins.includes(origin)) return vary
  return [
    ...vary,
    'access-control-allow-origin',
    cors.origins === '*' ? '*' : origin,
    'access-control-allow-methods',
    methods.join(', '),
    ...(cors.headers.length > 0 ? ['access-control-allow-headers', cors.headers.join(', ')] : []),
    ...(cors.credentials ? ['access-control-allow-credentials', 'true'] : []),
    'access-control-max-age',
    String(Math.floor(cors.maxAge / 1000)),
  ]
}
