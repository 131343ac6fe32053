import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contains, formsOf, isWithin, readIpAddress, readNetwork } from '../../src/net/ip-address.ts'

const addresses: [text: string, family: number, value: bigint][] = [
  ['0.0.0.0', 4, 0n],
  ['127.0.0.1', 4, 0x7f000001n],
  ['255.255.255.255', 4, 0xffffffffn],
  ['::', 6, 0n],
  ['::1', 6, 1n],
  ['1::', 6, 1n << 112n],
  ['fe80::1%eth0', 6, (0xfe80n << 112n) | 1n],
  ['2001:db8:0:0:1::2', 6, (0x20010db8n << 96n) | (1n << 48n) | 2n],
  ['1:2:3:4:5:6:7:8', 6, 0x00010002000300040005000600070008n],
  ['64:ff9b::10.0.0.1', 6, (0x64ff9bn << 96n) | 0x0a000001n],
  ['::ffff:127.0.0.1', 4, 0x7f000001n],
  ['::FFFF:7f00:1', 4, 0x7f000001n],
  ['0:0:0:0:0:ffff:127.0.0.1', 4, 0x7f000001n],
]
for (const [text, family, value] of addresses)
  test(`an address: ${text}`, () => assert.deepEqual(readIpAddress(text), { family, value }))

test('what is no address', () => {
  for (const text of ['', 'a', '127.1', '256.0.0.1', '1:2', '::1::', '[::1]', '1.2.3.4/8', '0x7f.0.0.1'])
    assert.equal(readIpAddress(text), undefined, text)
  for (const text of ['', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/', '10/8', '::ffff:10.0.0.0/8', 'a/8'])
    assert.equal(readNetwork(text), undefined, text)
})

const networks: [network: string, inside: string[], outside: string[]][] = [
  ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['9.255.255.255', '11.0.0.0', 'a00::']],
  ['172.16.0.0/12', ['172.16.0.0', '172.31.255.255'], ['172.15.255.255', '172.32.0.0']],
  ['0.0.0.0/0', ['0.0.0.0', '255.255.255.255'], ['::', '::2']],
  ['10.0.0.1', ['10.0.0.1'], ['10.0.0.0', '10.0.0.2']],
  ['fe80::/10', ['fe80::', 'febf:ffff::1'], ['fec0::', 'fe7f::1']],
  ['::ffff:10.0.0.0/104', ['10.1.2.3'], ['11.0.0.0']],
  ['::/0', ['::', 'ffff::1'], ['10.0.0.1']],
]
for (const [network, inside, outside] of networks)
  test(`a network: ${network}`, () => {
    const read = readNetwork(network)!
    for (const text of inside) assert.ok(contains(read, readIpAddress(text)!), text)
    for (const text of outside) assert.ok(!contains(read, readIpAddress(text)!), text)
  })

test('a network lies in another one only as a whole', () => {
  const within = (inner: string, outer: string) => isWithin(readNetwork(inner)!, readNetwork(outer)!)
  assert.ok(within('169.254.169.254', '169.254.0.0/16'))
  assert.ok(within('169.254.0.0/16', '169.254.0.0/16'))
  assert.ok(!within('0.0.0.0/0', '169.254.0.0/16'))
  assert.ok(!within('169.254.0.0/15', '169.254.0.0/16'))
  assert.ok(!within('10.0.0.1', '169.254.0.0/16'))
})

test('an IPv6 address that packets leave towards IPv4 is that one, too', () => {
  const forms = (text: string) => formsOf(readIpAddress(text)!)
  const metadata = readIpAddress('169.254.169.254')
  for (const text of [
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::a9fe:a9fe',
    '::ffff:0:169.254.169.254',
    '::169.254.169.254',
    '2002:a9fe:a9fe::1',
  ])
    assert.deepEqual(forms(text)[1], metadata, text)
  for (const text of ['::1', '::', '2001:db8::1', '169.254.169.254', '::ffff:169.254.169.254'])
    assert.equal(forms(text).length, 1, text)
})
