import type { FailureCode } from '../../src/core/failure.ts'
import type { Script } from './raw-server.ts'

/** Stands in everything that a receiver says here; no message to people may hold it. */
export const MARK = 'KUCKUCK'

/** What people are told. The message begins so; `HOST` stands for the receiver's. */
export type Told = readonly [code: FailureCode, message: string, hint: RegExp]

export interface HostileAnswer {
  readonly name: string
  readonly says: Script
  /** GET where left out. */
  readonly method?: 'HEAD' | 'POST'
  readonly body?: Buffer
  /** The time of the request runs out. */
  readonly late?: true
  /** Status and body that the client gets. */
  readonly gets?: readonly [status: number, body: string]
  readonly fails?: Told
  /** What an http step makes of an answer that the client takes. */
  readonly step?: Told
  /** The connection is used again. */
  readonly keeps?: true
}

const OK = 'HTTP/1.1 200 OK\r\n'
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`
const LARGE = Buffer.alloc(3_000_000, MARK)
const OPERATOR = /ask the operator of the receiver/
const TIMEOUT = /raise `timeout` of the step/i

const broken = (message: string): Told => ['receiver.broken', message, OPERATOR]
const brokenOff = broken('"HOST" broke off in the middle of its answer')
const noHttp = (why: string) => broken(`the answer of "HOST" is no valid HTTP (${why})`)
const badHead = broken('the head of the answer of "HOST" is no valid HTTP')
const unanswered = (code: string): Told => [
  'receiver.unreachable',
  `"HOST" closed the connection without an answer${code}`,
  /may be overloaded or restarting.*perhaps TLS/,
]
const late = (message: string): Told => ['receiver.timeout', message, TIMEOUT]
/** An answer whose body is `ok`, with these lines in its head. */
const okWith = (lines: string) => `${OK}${lines}content-length: 2\r\n\r\nok`
const statusLine = (line: string) => `${line}\r\ncontent-length: 2\r\n\r\nok`

const slow: HostileAnswer[] = [
  {
    name: 'no answer at all',
    says: (peer) => peer.whenGone(),
    late: true,
    fails: late('no answer from "HOST" within '),
  },
  {
    name: 'a whole answer, byte by byte, in time',
    says: (peer) => peer.trickle(okWith(`x-a: ${MARK}\r\n`)),
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: 'a head that trickles beyond the time',
    says: async (peer) => {
      await peer.send(`${OK}x-a: `)
      await peer.repeat(MARK[0]!, 1000)
    },
    late: true,
    fails: late('no answer from "HOST" within '),
  },
  {
    name: 'a body that trickles beyond the time',
    says: async (peer) => {
      await peer.send(`${OK}content-length: 60000\r\n\r\n`)
      await peer.repeat(MARK[0]!, 1000)
    },
    late: true,
    fails: late('the answer of "HOST" was not complete within '),
  },
  {
    name: 'a chunked body that stops',
    says: async (peer) => {
      await peer.send(`${CHUNKED}7\r\n${MARK}\r\n`)
      await peer.whenGone()
    },
    late: true,
    fails: late('the answer of "HOST" was not complete within '),
  },
  {
    name: 'a chunk extension without end',
    says: async (peer) => {
      await peer.send(`${CHUNKED}2;a=`)
      await peer.repeat(MARK)
    },
    late: true,
    fails: late('the answer of "HOST" was not complete within '),
  },
]

const endless: HostileAnswer[] = [
  {
    name: 'header lines without end',
    says: async (peer) => {
      await peer.send(OK)
      await peer.repeat(`x-a: ${MARK}\r\n`)
    },
    fails: broken('the head of the answer of "HOST" is too large'),
  },
  {
    name: 'one header line without end',
    says: async (peer) => {
      await peer.send(`${OK}x-a: `)
      await peer.repeat(MARK.repeat(50))
    },
    fails: broken('the head of the answer of "HOST" is too large'),
  },
  {
    name: 'a reason without end',
    says: async (peer) => {
      await peer.send('HTTP/1.1 200 ')
      await peer.repeat(MARK.repeat(50))
    },
    late: true,
    fails: late('no answer from "HOST" within '),
  },
  {
    name: 'interim answers without end',
    says: (peer) => peer.repeat(`HTTP/1.1 103 Early Hints\r\nlink: ${MARK}\r\n\r\n`),
    late: true,
    fails: late('no answer from "HOST" within '),
  },
  {
    name: 'empty lines without end',
    says: (peer) => peer.repeat('\r\n\r\n'),
    late: true,
    fails: late('no answer from "HOST" within '),
  },
  {
    name: 'trailers without end',
    says: async (peer) => {
      await peer.send(`${CHUNKED}2\r\nok\r\n0\r\n`)
      await peer.repeat(`x-a: ${MARK}\r\n`)
    },
    fails: broken('the head of the answer of "HOST" is too large'),
  },
  {
    name: 'chunks without end',
    says: async (peer) => {
      await peer.send(CHUNKED)
      await peer.repeat(`7000\r\n${MARK.repeat(4096)}\r\n`)
    },
    fails: ['receiver.too-large', 'the answer of "HOST" is larger than 1000000 bytes', /[Rr]aise the limit/],
  },
  {
    name: 'a body without a length and without end',
    says: async (peer) => {
      await peer.send(`${OK}\r\n`)
      await peer.repeat(MARK.repeat(4096))
    },
    fails: ['receiver.too-large', 'the answer of "HOST" is larger than 1000000 bytes', /[Rr]aise the limit/],
  },
  {
    name: 'a length that is said to be too large',
    says: `${OK}content-length: 1000001\r\n\r\n${MARK}`,
    fails: ['receiver.too-large', 'the answer of "HOST" is larger than 1000000 bytes', /[Rr]aise the limit/],
  },
]

/** Sends that much, and then ends the connection in this way. */
const cut = (bytes: string, how: 'end' | 'reset'): Script => {
  return async (peer) => {
    await peer.send(bytes)
    peer[how]()
  }
}

const cutOff: HostileAnswer[] = [
  { name: 'an end before the first byte', says: cut('', 'end'), fails: unanswered('') },
  { name: 'a reset before the first byte', says: cut('', 'reset'), fails: unanswered(' (ECONNRESET)') },
  { name: 'an end in the status line', says: cut('HTTP/1.1 20', 'end'), fails: brokenOff },
  { name: 'an end in the head', says: cut(`${OK}x-a: ${MARK}`, 'end'), fails: brokenOff },
  { name: 'a reset in the head', says: cut(`${OK}x-a: ${MARK}`, 'reset'), fails: brokenOff },
  {
    name: 'an end in the body',
    says: cut(`${OK}content-length: 100\r\n\r\n${MARK}`, 'end'),
    fails: brokenOff,
  },
  {
    name: 'an end in the body of a connection that is to be closed',
    says: cut(`${OK}connection: close\r\ncontent-length: 100\r\n\r\n${MARK}`, 'end'),
    fails: broken('the answer of "HOST" ended before its content-length'),
  },
  {
    name: 'a reset in the body',
    says: cut(`${OK}content-length: 100\r\n\r\n${MARK}`, 'reset'),
    fails: broken('"HOST" broke off in the middle of its answer (ECONNRESET)'),
  },
  {
    name: 'a reset in a body without a length',
    says: cut(`${OK}\r\n${MARK}`, 'reset'),
    fails: broken('"HOST" broke off in the middle of its answer (ECONNRESET)'),
  },
  { name: 'an end of a body without a length', says: cut(`${OK}\r\nok`, 'end'), gets: [200, 'ok'] },
  { name: 'an end in a chunk size', says: cut(`${CHUNKED}1`, 'end'), fails: brokenOff },
  { name: 'an end in a chunk', says: cut(`${CHUNKED}64\r\n${MARK}`, 'end'), fails: brokenOff },
  { name: 'an end before the last chunk', says: cut(`${CHUNKED}2\r\nok\r\n`, 'end'), fails: brokenOff },
]

const lengths: HostileAnswer[] = [
  { name: 'more bytes than said', says: `${OK}content-length: 2\r\n\r\nok${MARK}`, gets: [200, 'ok'] },
  {
    name: 'a whole answer behind the one that was asked for',
    says: `${OK}content-length: 2\r\n\r\nok${okWith(`x-a: ${MARK}\r\n`)}`,
    gets: [200, 'ok'],
  },
  { name: 'the same length twice', says: okWith('content-length: 2\r\n'), fails: badHead },
  { name: 'two lengths', says: okWith('content-length: 3\r\n'), fails: badHead },
  { name: 'a list of lengths', says: `${OK}content-length: 2, 2\r\n\r\nok`, fails: badHead },
  {
    name: 'a length, and chunks',
    says: `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    fails: badHead,
  },
  {
    name: 'chunks, and a length',
    says: `${OK}transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
    fails: noHttp("Content-Length can't be present with Transfer-Encoding"),
  },
  {
    name: 'a negative length',
    says: `${OK}content-length: -2\r\n\r\nok`,
    fails: noHttp('Invalid character in Content-Length'),
  },
  {
    name: 'a length that is no number',
    says: `${OK}content-length: ${MARK}\r\n\r\nok`,
    fails: noHttp('Invalid character in Content-Length'),
  },
  {
    name: 'an empty length',
    says: `${OK}content-length:\r\n\r\nok`,
    fails: noHttp('Empty Content-Length'),
  },
  {
    name: 'a length beyond all numbers',
    says: `${OK}content-length: 9${'9'.repeat(30)}\r\n\r\n`,
    fails: badHead,
  },
]

const chunks: HostileAnswer[] = [
  {
    name: 'extensions of chunks',
    says: `${CHUNKED}2;a=${MARK};b="c"\r\nok\r\n0\r\n\r\n`,
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: 'trailers',
    says: `${CHUNKED}2\r\nok\r\n0\r\nx-a: ${MARK}\r\n\r\n`,
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: 'a chunk size that is no number',
    says: `${CHUNKED}${MARK}\r\nok\r\n0\r\n\r\n`,
    fails: noHttp('Invalid character in chunk size'),
  },
  {
    name: 'a negative chunk size',
    says: `${CHUNKED}-2\r\nok\r\n0\r\n\r\n`,
    fails: noHttp('Invalid character in chunk size'),
  },
  {
    name: 'a chunk size beyond all numbers',
    says: `${CHUNKED}${'f'.repeat(17)}\r\nok\r\n0\r\n\r\n`,
    fails: noHttp('Chunk size overflow'),
  },
  {
    name: 'a chunk that is longer than said',
    says: `${CHUNKED}2\r\nok${MARK}\r\n0\r\n\r\n`,
    fails: noHttp('Expected LF after chunk data'),
  },
  {
    name: 'chunks with bare line feeds',
    says: `${CHUNKED}2\nok\n0\n\n`,
    fails: noHttp('Missing expected CR after chunk size'),
  },
]

const heads: HostileAnswer[] = [
  {
    name: 'a header line of 200 KB',
    says: okWith(`x-a: ${MARK.repeat(30_000)}\r\n`),
    fails: broken('the head of the answer of "HOST" is too large'),
  },
  {
    name: 'ten thousand headers',
    says: okWith(`${MARK}: 1\r\n`.repeat(10_000)),
    fails: broken('the head of the answer of "HOST" is too large'),
  },
  { name: 'a thousand headers', says: okWith(`${MARK}: 1\r\n`.repeat(1000)), gets: [200, 'ok'], keeps: true },
  {
    name: 'names that objects have of their own',
    says: okWith(`__proto__: ${MARK}\r\nconstructor: ${MARK}\r\n`),
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: 'a value that is not ASCII',
    says: okWith(`x-a: \xfc\xff${MARK}\r\n`),
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: 'a control character in a value',
    says: okWith(`x-a: ${MARK}\x01\r\n`),
    fails: noHttp('Invalid header value char'),
  },
  {
    name: 'a NUL in a value',
    says: okWith(`x-a: ${MARK}\0\r\n`),
    fails: noHttp('Invalid header value char'),
  },
  { name: 'a line without a colon', says: okWith(`${MARK}\r\n`), fails: noHttp('Invalid header token') },
  {
    name: 'a space before the colon',
    says: okWith(`${MARK} : a\r\n`),
    fails: noHttp('Invalid header token'),
  },
  { name: 'a name that is empty', says: okWith(`: ${MARK}\r\n`), fails: noHttp('Invalid header token') },
  {
    name: 'a name that is not ASCII',
    says: okWith(`\xfc: ${MARK}\r\n`),
    fails: noHttp('Invalid header token'),
  },
  {
    name: 'a value on two lines',
    says: okWith(`x-a: a\r\n ${MARK}\r\n`),
    fails: noHttp('Unexpected whitespace after header value'),
  },
  {
    name: 'lines that end with bare line feeds',
    says: `HTTP/1.1 200 OK\ncontent-length: 2\n\nok`,
    fails: noHttp('Missing expected CR after response line'),
  },
]

const interim: HostileAnswer[] = [
  {
    name: '102 before the answer',
    says: `HTTP/1.1 102 Processing\r\n\r\n${okWith('')}`,
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: '103, twice, before the answer',
    says: `HTTP/1.1 103 A\r\nlink: ${MARK}\r\n\r\nHTTP/1.1 103 B\r\n\r\n${okWith('')}`,
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: '100 that nobody asked for',
    says: `HTTP/1.1 100 ${MARK}\r\n\r\n${okWith('')}`,
    fails: [
      'receiver.broken',
      '"HOST" answered 100 (Continue), which nobody asked for',
      /tell the operator of the receiver/,
    ],
  },
  {
    name: '101 to another protocol',
    says: `HTTP/1.1 101 ${MARK}\r\nupgrade: ${MARK}\r\nconnection: upgrade\r\n\r\n${MARK}`,
    fails: [
      'receiver.broken',
      '"HOST" answered 101 (Switching Protocols), which nobody asked for',
      /Check the URL/,
    ],
  },
  {
    name: '101 to nothing',
    says: `HTTP/1.1 101 ${MARK}\r\n\r\n${MARK}`,
    fails: [
      'receiver.broken',
      '"HOST" answered 101 (Switching Protocols), which nobody asked for',
      /Check the URL/,
    ],
  },
]

const bodiless: HostileAnswer[] = [
  {
    name: '204 with a body of known length',
    says: `HTTP/1.1 204 No\r\ncontent-length: 7\r\n\r\n${MARK}`,
    gets: [204, ''],
  },
  {
    name: '204 with chunks',
    says: `HTTP/1.1 204 No\r\ntransfer-encoding: chunked\r\n\r\n7\r\n${MARK}\r\n0\r\n\r\n`,
    gets: [204, ''],
  },
  { name: '204 with bytes behind it', says: `HTTP/1.1 204 No\r\n\r\n${MARK}`, gets: [204, ''] },
  { name: '304 with a body', says: `HTTP/1.1 304 No\r\ncontent-length: 7\r\n\r\n${MARK}`, gets: [304, ''] },
  {
    name: 'HEAD with a body',
    method: 'HEAD',
    says: `${OK}content-length: 7\r\n\r\n${MARK}`,
    gets: [200, ''],
  },
  {
    name: 'HEAD with another answer as its body',
    method: 'HEAD',
    says: `${OK}content-length: 7\r\n\r\n${okWith(`x-a: ${MARK}\r\n`)}`,
    gets: [200, ''],
  },
]

const statusOf = (status: number): Told => [
  'receiver.status',
  `GET "HOST" answered ${status}`,
  /The receiver failed; try again later, or ask its operator/,
]

const statuses: HostileAnswer[] = [
  {
    name: 'HTTP/0.9',
    says: cut(`<html>${MARK}</html>`, 'end'),
    fails: noHttp('Expected HTTP/, RTSP/ or ICE/'),
  },
  { name: 'HTTP/1.0', says: cut(`HTTP/1.0 200 OK\r\n\r\nok`, 'end'), gets: [200, 'ok'] },
  {
    name: 'HTTP/1.0 that keeps the connection',
    says: 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok',
    gets: [200, 'ok'],
    keeps: true,
  },
  { name: 'HTTP/1.0 with a length', says: statusLine('HTTP/1.0 200 OK'), gets: [200, 'ok'] },
  {
    name: 'a status line in lower case',
    says: statusLine('http/1.1 200 ok'),
    fails: noHttp('Expected HTTP/, RTSP/ or ICE/'),
  },
  {
    name: 'a version that is not there',
    says: statusLine('HTTP/1.2 200 OK'),
    fails: noHttp('Invalid HTTP version'),
  },
  {
    name: 'another protocol',
    says: `220 ${MARK} SMTP ready\r\n`,
    fails: noHttp('Expected HTTP/, RTSP/ or ICE/'),
  },
  { name: 'no reason', says: statusLine('HTTP/1.1 200'), gets: [200, 'ok'], keeps: true },
  {
    name: 'a reason with odd bytes',
    says: statusLine(`HTTP/1.1 200 \xff\x01\x7f${MARK}`),
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: 'a status of two digits',
    says: statusLine('HTTP/1.1 20 OK'),
    fails: noHttp('Invalid status code'),
  },
  {
    name: 'a status of four digits',
    says: statusLine('HTTP/1.1 2000 OK'),
    fails: noHttp('Invalid response status'),
  },
  {
    name: 'a status that is a word',
    says: statusLine(`HTTP/1.1 ${MARK} OK`),
    fails: noHttp('Invalid status code'),
  },
  { name: 'status 000', says: statusLine(`HTTP/1.1 000 ${MARK}`), fails: noHttp('status 000') },
  { name: 'status 099', says: statusLine(`HTTP/1.1 099 ${MARK}`), fails: noHttp('status 099') },
  {
    name: 'status 600',
    says: statusLine(`HTTP/1.1 600 ${MARK}`),
    gets: [600, 'ok'],
    step: statusOf(600),
    keeps: true,
  },
  {
    name: 'status 999',
    says: statusLine(`HTTP/1.1 999 ${MARK}`),
    gets: [999, 'ok'],
    step: statusOf(999),
    keeps: true,
  },
  {
    name: 'an alert of TLS',
    says: cut('\x15\x03\x01\x00\x02\x02\x46', 'end'),
    fails: [
      'receiver.unreachable',
      '"HOST" speaks TLS on this port, not plain HTTP',
      /URL begin with "https:"/,
    ],
  },
]

const tooLarge: Told = ['receiver.status', 'POST "HOST" answered 413', /body of this size/]

const connections: HostileAnswer[] = [
  { name: 'connection: close', says: okWith('connection: close\r\n'), gets: [200, 'ok'] },
  { name: 'connection: Close among others', says: okWith('connection: x, Close\r\n'), gets: [200, 'ok'] },
  {
    name: 'a connection that is kept for no time',
    says: okWith('keep-alive: timeout=0\r\n'),
    gets: [200, 'ok'],
  },
  {
    name: 'a connection that is kept for ever',
    says: okWith(`keep-alive: timeout=${'9'.repeat(30)}\r\n`),
    gets: [200, 'ok'],
    keeps: true,
  },
  {
    name: 'a connection that is kept for nobody knows how long',
    says: okWith(`keep-alive: timeout=-5, max=${MARK}\r\n`),
    gets: [200, 'ok'],
    keeps: true,
  },
  { name: 'an end right after the answer', says: cut(okWith(''), 'end'), gets: [200, 'ok'] },
  { name: 'a reset right after the answer', says: cut(okWith(''), 'reset'), gets: [200, 'ok'] },
  {
    name: 'an answer before the body has come, and an end',
    method: 'POST',
    body: LARGE,
    says: cut('HTTP/1.1 413 No\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok', 'end'),
    gets: [413, 'ok'],
    step: tooLarge,
  },
  {
    name: 'an answer before the body has come, and a reset',
    method: 'POST',
    body: LARGE,
    says: cut('HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\nok', 'reset'),
    gets: [413, 'ok'],
    step: tooLarge,
  },
  {
    name: 'an answer before the body has come, which is read all the same',
    method: 'POST',
    body: LARGE,
    says: 'HTTP/1.1 413 No\r\ncontent-length: 2\r\n\r\nok',
    gets: [413, 'ok'],
    step: tooLarge,
    keeps: true,
  },
  {
    name: 'a reset while the body is sent',
    method: 'POST',
    body: LARGE,
    says: cut('', 'reset'),
    fails: unanswered(''),
  },
]

export const hostileAnswers: readonly HostileAnswer[] = [
  ...slow,
  ...endless,
  ...cutOff,
  ...lengths,
  ...chunks,
  ...heads,
  ...interim,
  ...bodiless,
  ...statuses,
  ...connections,
]
