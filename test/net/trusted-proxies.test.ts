import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { TrustedProxies } from '../../src/net/trusted-proxies.ts'

const request = (remoteAddress: string, forwarded?: string) =>
  ({ socket: { remoteAddress }, headers: { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage

describe('the address of a caller', () => {
  const proxies = new TrustedProxies(['10.0.3.7', '10.20.0.0/16', 'fd00::/8'])
  const rows: [string, string, string | undefined, string][] = [
    ['is that of the connection', '203.0.113.5', undefined, '203.0.113.5'],
    ['is not what a stranger says', '203.0.113.5', '198.51.100.1', '203.0.113.5'],
    ['is what a trusted proxy says', '10.0.3.7', '198.51.100.1', '198.51.100.1'],
    ['of an IPv4 proxy that an IPv6 socket sees', '::ffff:10.0.3.7', '198.51.100.1', '198.51.100.1'],
    ['is the last that is no proxy', '10.0.3.7', '6.6.6.6, 198.51.100.1, 10.20.4.4', '198.51.100.1'],
    ['comes with a port', '10.0.3.7', '198.51.100.1:4711', '198.51.100.1'],
    ['is of IPv6', 'fd00::1', '[2001:db8::5]:4711', '2001:db8::5'],
    ['is the nearest where there is nonsense', '10.0.3.7', '198.51.100.1, unknown', '10.0.3.7'],
    ['is the nearest behind nonsense', '10.0.3.7', 'unknown, 10.20.4.4', '10.20.4.4'],
    ['is the first where all are proxies', '10.0.3.7', '10.20.1.1, 10.20.4.4', '10.20.1.1'],
  ]
  for (const [what, remote, forwarded, address] of rows)
    it(what, () => assert.equal(proxies.addressOf(request(remote, forwarded)), address))

  it('is that of the connection where no proxy is trusted', () => {
    assert.equal(new TrustedProxies([]).addressOf(request('127.0.0.1', '198.51.100.1')), '127.0.0.1')
  })
})
