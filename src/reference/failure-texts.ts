import type { FailureCode } from '../core/failure.ts'

export interface FailureText {
  /** What it means, and what usually leads to it. */
  readonly meaning: string
  /** What to do, the most likely thing first. */
  readonly remedy: readonly string[]
}

const OWN_TIME =
  'Give the step (`timeout`) or the flow (`timeout` at its top) more time, where the work needs it.'
const RETRY = (on: string) =>
  `Let the step try again: \`retry: { on: [${on}] }\`, where the request may be repeated.`
const TEST = 'Run `sluice credential test NAME`: it asks for a token, tells each step, and what to mend.'

/** What the pages of the failure codes say beside title and status. */
export const FAILURE_TEXTS: Readonly<Record<FailureCode, FailureText>> = {
  'receiver.status': {
    meaning:
      'The receiver answered with a status of 400 or more that the step does not take. Its answer is not repeated to the caller; the message log names host and status.',
    remedy: [
      'Read the hint: it tells what this status usually means (401 and 403: credential or role; 404: URL; 429: too many requests).',
      'Take statuses that are an answer to you, too: `acceptStatus: [404, 409]`, then look at `response.status`.',
      RETRY('429, 5xx'),
      'Handle it: `try` with `catch: [{ status: [404], steps: [...] }]`.',
    ],
  },
  'receiver.unreachable': {
    meaning:
      'There was no connection: the name is not known, the port is closed, or the certificate is not trusted. The request was not carried out.',
    remedy: [
      'Check host and port of `url` (or `baseUrl` of the credential), and the proxy (`http.proxy`).',
      'A certificate of your own authority: `http.ca` for all, `tls.ca` of a credential for one.',
      'Where the TLS handshake was refused: `tls.certificate` of the credential, `sluice credential show` tells the one it has.',
      RETRY('network'),
    ],
  },
  'receiver.broken': {
    meaning:
      'The connection ended in the middle of the request or the answer, or the answer is not what its headers say. Whether the receiver did what was asked is not known.',
    remedy: [
      RETRY('network'),
      'Where repeating is not safe, ask the receiver first whether it is done (a GET, or a key that it knows the request by).',
    ],
  },
  'receiver.timeout': {
    meaning:
      'The receiver did not answer within `timeout` of the step (60s where it says none), or stopped sending.',
    remedy: [RETRY('timeout'), OWN_TIME, 'Ask for less at once: pages (`paginate`) instead of everything.'],
  },
  'receiver.too-large': {
    meaning:
      'The answer is larger than `maxResponse` of the step: 40MB with `into` and for each page, no limit for what is only passed on.',
    remedy: [
      'Ask for less at once (`query`, `paginate`).',
      'Raise `maxResponse`, where there is the memory for it.',
    ],
  },
  'receiver.unauthorized': {
    meaning:
      'The receiver refused the token, a new one was fetched, and that was refused as well (or nothing can be renewed). The token is good for the token service, not for this receiver.',
    remedy: [
      'Check the roles and scopes of the client at the receiver; the hint tells the scope that was granted.',
      TEST,
      'Look whether `baseUrl` and the token service belong to the same tenant.',
    ],
  },
  'receiver.redirect': {
    meaning:
      'The receiver sent the request to another URL, and the step does not follow it, or not any more.',
    remedy: [
      'Call the final URL: a redirect to a login page means that no or a wrong credential went along.',
      'Follow it: `followRedirects: true`. The credential goes along only to hosts where it may go.',
      'Take it as the answer: `acceptStatus: [302]`.',
    ],
  },
  'receiver.pages': {
    meaning:
      'A list in pages does not come to its end: more pages than `maxPages`, the same page twice, or a page that is none. The step fails, because pages left out would go unnoticed.',
    remedy: [
      "Check `paginate` against the receiver's documentation.",
      'Raise `maxPages`, or ask for less (`query`).',
    ],
  },
  'request.type': {
    meaning: 'The caller sent a content type that the endpoint does not take (`body.contentTypes`).',
    remedy: [
      'The caller: send one of the content types that the answer names.',
      'The integrator: add the type to `body.contentTypes`.',
    ],
  },
  'request.rate': {
    meaning:
      'The endpoint has a `rateLimit`, and this caller has used it up. It is told with `Retry-After` when the next request is taken. The flow did not run, and the message log has nothing of it.',
    remedy: ['Wait as long as `Retry-After` says; where that is too long, raise `rate`.'],
  },
  'request.invalid': {
    meaning:
      'The request could not be built: a URL that is none, a header with a line end, a map for a content type that takes none.',
    remedy: [
      'Read the message: it names the value and its place.',
      'Check values before the request: `if`, `coalesce(...)`.',
    ],
  },
  'request.throttled': {
    meaning:
      'The request waited for its turn behind `throttle` until the time of the step was over. It was not sent.',
    remedy: [
      'Send fewer requests, or raise the limits of `throttle` where the receiver takes more.',
      OWN_TIME,
    ],
  },
  'credential.missing': {
    meaning:
      'The credential is not in the security material: its file was removed, renamed, or has mistakes.',
    remedy: ['Run `sluice check` and `sluice credential list`.', 'Write it: `sluice new credential NAME`.'],
  },
  'credential.incomplete': {
    meaning: 'A reference of the credential (`${env:X}`, `${file:...}`) has no value here.',
    remedy: [
      'Set the variable in the environment or in `.env` and start the engine again; files are read as soon as they are there.',
    ],
  },
  'credential.type': {
    meaning: 'The credential is of another type than the step insists on (`credential: { name, type }`).',
    remedy: ['Name another credential, or take `type` out of the step.'],
  },
  'credential.tenant': {
    meaning:
      'The step says a tenant that the credential does not list, or none where it has several. Nothing was sent: a name from a message never becomes a part of an address.',
    remedy: [
      'Check where `tenant` of the step comes from.',
      'Add the tenant to `tenants` of the credential, if it is one of yours.',
    ],
  },
  'credential.host': {
    meaning: 'The request went to a host where this credential may not go. Nothing was sent.',
    remedy: [
      'Check the URL: where a part of it comes from the message, the caller may have sent it elsewhere.',
      'Where the host is right, add it to `allowedHosts` of the credential.',
    ],
  },
  'credential.refused': {
    meaning:
      'The token service said no (401, 403 or another 4xx, or an `error` in its answer). It is not asked again for a while, so that a wrong secret cannot lock an account.',
    remedy: [
      TEST,
      'Check `clientId`, `clientSecret`, `scope`, `clientAuthentication` (header or body) and `contentType`; `--try` finds out which way the service takes.',
      'After mending the credential the next request asks at once.',
    ],
  },
  'credential.unreachable': {
    meaning: 'The token service could not be reached, or answered 429 or 5xx, in all attempts.',
    remedy: [
      'Check `tokenServiceUrl`, the network and the proxy.',
      TEST,
      'It is asked again by itself; nothing has to be started anew.',
    ],
  },
  'credential.answer': {
    meaning:
      'What answered is no token service, or answers in another way than OAuth says: no token in it, no JSON, too large.',
    remedy: [
      'Check `tokenServiceUrl`: a login page answers 200, too.',
      'Tell where the token stands: `response: { token: ..., expiresIn: ... }`.',
      TEST,
    ],
  },
  'credential.kept': {
    meaning:
      'A newer token is kept in `data/state.db`, encrypted, and cannot be read: the key is not here, is another one, or the file cannot be read. The token in the credential file is not used in its place: the newer one has ended it.',
    remedy: [
      'Put the key back: `data/age.key`, the file of `secret.keyFile`, or SLUICE_SECRET_KEY. It is tried again by itself.',
      'If the key is lost: let the user log in once more, and put the new refresh token where the old one came from; it counts at once.',
      'Look at it: `sluice credential show NAME`.',
    ],
  },
  'credential.timeout': {
    meaning: 'The token did not come in time.',
    remedy: [
      'Look whether the token service is slow: `sluice credential show NAME`.',
      'Raise `connectTimeout` or `readTimeout` of the credential.',
      OWN_TIME,
    ],
  },
  'egress.denied': {
    meaning:
      'The setting `egress` of the engine refuses this address: `egress.deny` names it, or there is an `egress.allow` that does not, or it is a link-local address or the metadata service of a cloud. The address that a name leads to counts, also after a redirect. Nothing was sent, and it is not tried again.',
    remedy: [
      'Read the message: it names the rule.',
      'Check where the URL comes from: a value of the message, a redirect of the receiver, or an answer of the DNS may lead somewhere else than you think.',
      'Where the address is meant, let the operator open it in `sluice.yaml`: [Security](../../guide/security.md) tells how.',
    ],
  },
  'script.error': {
    meaning: 'The script threw an error. The message log has its position in the file.',
    remedy: [
      'Mend the script at that place.',
      'What may be missing in a message: `message.body?.items ?? []`.',
    ],
  },
  'script.timeout': {
    meaning: 'The script did not end in time and was stopped; other scripts were not touched.',
    remedy: [
      'Look for a loop that does not end.',
      'Split the work: a `forEach` runs a script for each item.',
      'Raise `timeout` of the step, to 60s at most.',
    ],
  },
  'script.crashed': {
    meaning: 'The process of the script used up its memory or ended. Other messages went on in another one.',
    remedy: ['Look for what grows without end.', 'Split large messages first (`forEach`).'],
  },
  'script.input': {
    meaning: 'The message is too large to be handed to a script.',
    remedy: ['Split it first (`forEach`).', 'A script that does not mention the body does not get it.'],
  },
  'script.output': {
    meaning:
      'What the script left in the message cannot be taken: no JSON, too large, a header that is none.',
    remedy: [
      'Read the message: it names the value.',
      'Leave texts, numbers, booleans, lists and maps in the body.',
    ],
  },
  'script.disabled': {
    meaning:
      'The script hung or crashed too often in a row and is paused, so that it does not take the time of others. It is tried again by itself.',
    remedy: ['Mend the script; a changed script starts afresh.'],
  },
  'expression.failed': {
    meaning:
      'An expression could not be evaluated with this message: arithmetic on null, a text that is no number, a date that is none.',
    remedy: [
      'The message has the expression and its place.',
      'Say what stands for what is missing: `coalesce(body.qty, 0)`.',
      'Look first: `has(body.qty)`.',
    ],
  },
  'body.invalid': {
    meaning:
      'The body is not what its content type says: no JSON, a wrong charset. A caller gets 400; where the body is that of a receiver, 502.',
    remedy: [
      'The sender: send what the content type says.',
      'Where the content type is wrong, `set: { contentType: text/plain }` before the body is read.',
    ],
  },
  'body.schema': {
    meaning:
      'The endpoint has a JSON Schema (`body.schema`) that the body does not fit. The caller gets 400 with the place in `errors` (a JSON pointer) and what was wanted there; values of the body are told nowhere. The flow did not run.',
    remedy: ['Send what the schema says, or widen `body.schema` of the endpoint.'],
  },
  'body.too-large': {
    meaning:
      'The body is larger than the endpoint takes (`body.limit`), or than may be read into memory (`limits.body`, 40MB).',
    remedy: [
      'Pass it on as a stream: no step looks into it, then any size goes through.',
      'Raise the limit, where there is the memory for it.',
    ],
  },
  'body.consumed': {
    meaning:
      'The body was a stream, has gone out once, and was wanted again: by a retry, a renewal of the token, or a second step.',
    remedy: [
      'Let it be kept: an expression that reads the body before the request loads it.',
      'Take a `retry` on the step: such a step keeps its body.',
    ],
  },
  'body.cut-off': {
    meaning: 'The body ended before all of it was there.',
    remedy: ['The sender: send it again; look for a time-out between.'],
  },
  'flow.failed': {
    meaning:
      "A `fail` step ended the flow. Its `code` and `message` are the flow's own; codes that no page here names come from there.",
    remedy: [
      'Read the message; it was written for you.',
      'Look at the `fail` step that the message log names.',
    ],
  },
  'flow.timeout': {
    meaning: 'The run took longer than `timeout` of the flow (60s behind an endpoint, 24h behind a timer).',
    remedy: [
      'Look at the timings in `sluice log RUN`: which step took the time?',
      'Raise `timeout` at the top of the flow.',
    ],
  },
  'flow.overload': {
    meaning:
      'More messages came than the flow takes at once and lets wait (`concurrency`). The caller gets 503 with `Retry-After`; nothing was begun.',
    remedy: [
      'The caller: come again after `Retry-After`.',
      'Raise `concurrency`, or make the flow quicker: `sluice log --flow NAME` tells its timings.',
    ],
  },
  'flow.stopped': {
    meaning: 'The engine was shutting down and took no more messages.',
    remedy: [
      'The caller: send it again, to the next engine.',
      'Longer runs end in peace with a longer `shutdown.grace`.',
    ],
  },
  'flow.cancelled': {
    meaning:
      'The run was called off: its caller went away (with `onDisconnect: cancel`), or the engine ended before it did.',
    remedy: [
      'Let it go on without its caller: `onDisconnect: continue`.',
      'Give it longer at the end: `shutdown.grace`.',
    ],
  },
  'flow.unavailable': {
    meaning: 'The flow that was called is not running: it is disabled, has mistakes, or lacks a credential.',
    remedy: ['Run `sluice flow list` and `sluice check`.'],
  },
  'engine.fault': {
    meaning: 'Something happened that the engine does not expect. This is a mistake in Sluice.',
    remedy: ["Please report it, with the stack trace of the engine's log; it holds no secret."],
  },
}
