import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Body } from '../../src/core/body.ts'
import { Failure } from '../../src/core/failure.ts'

const hex = (bytes: Buffer) => bytes.toString('hex')

function failing(action: () => unknown): Failure {
  try {
    action()
  } catch (error) {
    if (error instanceof Failure) return error
    throw error
  }
  throw new Error('it did not fail')
}

const received: [name: string, bytes: number[] | string, type: string | undefined, text: string][] = [
  ['UTF-8 is what nothing is said of', 'äé', 'text/plain', 'äé'],
  ['UTF-8 under its other name', 'äé', 'text/plain; charset=UTF8', 'äé'],
  ['a mark of UTF-8 is left out', '\ufeffä', 'text/plain; charset=utf-8', 'ä'],
  ['iso-8859-1', [0xe4, 0x20, 0xe9], 'text/plain; charset=iso-8859-1', 'ä é'],
  ['in capitals and quotes', [0xe4], 'text/plain; format=flowed; Charset="ISO-8859-1"', 'ä'],
  ['windows-1252', [0x80, 0x93], 'text/csv;charset=windows-1252', '€“'],
  ['iso-8859-15', [0xa4], 'text/plain; charset=iso-8859-15', '€'],
  ['a charset of several bytes', [0x83, 0x65], 'text/plain; charset=shift_jis', 'テ'],
  ['utf-16 with its mark, little end first', [0xff, 0xfe, 0xe4, 0x00], 'text/plain; charset=utf-16', 'ä'],
  ['utf-16 with its mark, big end first', [0xfe, 0xff, 0x00, 0xe4], 'text/plain; charset=utf-16', 'ä'],
  ['utf-16be without a mark', [0x00, 0xe4], 'text/plain; charset=utf-16be', 'ä'],
  ['utf-16le without a mark', [0xe4, 0x00], 'text/plain; charset=utf-16le', 'ä'],
  ['a mark says more than the charset', [0xff, 0xfe, 0xe4, 0x00], 'text/plain; charset=iso-8859-1', 'ä'],
  ['a mark of UTF-16 where nothing is said', [0xff, 0xfe, 0xe4, 0x00], 'text/plain', 'ä'],
  [
    'XML says it itself',
    [...Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>'), 0xe4],
    'text/xml',
    '<?xml version="1.0" encoding="ISO-8859-1"?><a>ä',
  ],
  [
    'XML of a name of its own, in single quotes',
    [...Buffer.from("<?xml version='1.0' encoding='windows-1252' standalone='yes'?><a>"), 0x80],
    'application/atom+xml',
    "<?xml version='1.0' encoding='windows-1252' standalone='yes'?><a>€",
  ],
  [
    'the charset of the type says more than the XML',
    '<?xml version="1.0" encoding="ISO-8859-1"?>ä',
    'text/xml; charset=utf-8',
    '<?xml version="1.0" encoding="ISO-8859-1"?>ä',
  ],
  [
    'XML that calls itself UTF-16 and is readable is UTF-8',
    '<?xml version="1.0" encoding="UTF-16"?>ä',
    'application/xml',
    '<?xml version="1.0" encoding="UTF-16"?>ä',
  ],
  [
    'only XML is looked into',
    '<?xml version="1.0" encoding="ISO-8859-1"?>ä',
    'text/plain',
    '<?xml version="1.0" encoding="ISO-8859-1"?>ä',
  ],
]

for (const [name, bytes, type, text] of received)
  test(`text that is received: ${name}`, () => {
    const body = Body.ofBytes(Buffer.from(bytes as string), type)
    assert.equal(body.value(), text)
    const content = body.content()
    const handedOn = typeof content === 'string' ? content : content.toString('utf8')
    assert.equal(handedOn.replace('\ufeff', ''), text, 'what is handed on is UTF-8 or text')
    assert.equal(hex(body.bytes()), hex(Buffer.from(bytes as string)), 'what was received goes on unchanged')
  })

const sent: [name: string, text: string, type: string, bytes: string][] = [
  ['UTF-8', 'ä', 'text/plain', 'c3a4'],
  ['iso-8859-1', 'äé', 'text/plain; charset=ISO-8859-1', 'e4e9'],
  ['us-ascii', 'a', 'text/plain; charset=us-ascii', '61'],
  ['windows-1252', '€ä', 'text/plain; charset=windows-1252', '80e4'],
  ['iso-8859-15', '€ä', 'text/plain; charset=iso-8859-15', 'a4e4'],
  ['koi8-r', 'ж', 'text/plain; charset=koi8-r', 'd6'],
  ['utf-16 with a mark', 'ä', 'text/plain; charset=utf-16', 'fffee400'],
  ['utf-16le without one', 'ä', 'text/plain; charset=utf-16le', 'e400'],
  ['utf-16be without one', 'ä', 'text/plain; charset=utf-16be', '00e4'],
  [
    'XML in what it says itself',
    '<?xml version="1.0" encoding="iso-8859-1"?>ä',
    'text/xml',
    `${Buffer.from('<?xml version="1.0" encoding="iso-8859-1"?>').toString('hex')}e4`,
  ],
]

for (const [name, text, type, bytes] of sent)
  test(`text that is sent: ${name}`, () => {
    assert.equal(hex(Body.ofText(text, type).bytes()), bytes)
    assert.equal(Body.ofBytes(Body.ofText(text, type).bytes(), type).text(), text, 'and back')
  })

test('JSON is sent in any charset: what it lacks is escaped', () => {
  const value = { name: 'ä 5 € 😀' }
  const body = Body.ofJson(value, 'application/json; charset=iso-8859-1')
  assert.equal(body.bytes().toString('latin1'), '{"name":"\\u00e4 5 \\u20ac \\ud83d\\ude00"}')
  assert.deepEqual(Body.ofBytes(body.bytes(), body.contentType).value(), value)
  const wide = Body.ofJson(value, 'application/json; charset=utf-16')
  assert.deepEqual(Body.ofBytes(wide.bytes(), wide.contentType).value(), value)
})

test('a character that the charset lacks fails, and is not replaced', () => {
  for (const [charset, text] of [
    ['iso-8859-1', 'a€'],
    ['us-ascii', 'aä'],
    ['windows-1252', 'aж'],
    ['iso-8859-15', 'a😀'],
  ]) {
    const failure = failing(() => Body.ofText(text!, `text/plain; charset=${charset}`).bytes())
    assert.equal(failure.code, 'body.invalid')
    assert.equal(failure.reply, 500)
    const point = text!.codePointAt(1)!.toString(16).toUpperCase().padStart(4, '0')
    assert.equal(failure.message, `the charset "${charset}" does not have the character U+${point}`)
  }
})

test('a charset that is not known, or cannot be written, fails by name', () => {
  const unread = failing(() => Body.ofBytes(Buffer.from('a'), 'text/plain; charset=utf-7').value())
  assert.equal(unread.code, 'body.invalid')
  assert.equal(unread.reply, 400)
  assert.match(unread.message, /the body has the charset "utf-7", which is not known/)
  const answered = failing(() =>
    Body.ofBytes(Buffer.from('a'), 'text/plain; charset=x-klingon').answeredBy('api.example.com').value(),
  )
  assert.equal(answered.code, 'receiver.broken')
  assert.match(answered.message, /the answer of "api.example.com" has the charset "x-klingon"/)
  assert.match(answered.hint!, /set: \{ contentType/)
  const unwritten = failing(() => Body.ofText('a', 'text/plain; charset=utf-7').bytes())
  assert.equal(unwritten.message, 'the charset "utf-7" is not known')
  const odd = failing(() => Body.ofText('a', 'text/plain; charset=shift_jis').bytes())
  assert.match(odd.message, /cannot be written in the charset "shift_jis"/)
})

test('JSON that is no UTF-8 fails instead of being changed; under its charset it is read', () => {
  const bytes = Buffer.from('{"name":"é"}', 'latin1')
  const failure = failing(() => Body.ofBytes(bytes, 'application/json').answeredBy('x').value())
  assert.equal(failure.code, 'receiver.broken')
  assert.match(
    failure.message,
    /is not UTF-8, though its content type "application\/json" names no other charset/,
  )
  assert.match(failure.hint!, /charset=iso-8859-1/)
  const body = Body.ofBytes(bytes, 'application/json').as('application/json; charset=iso-8859-1')
  assert.deepEqual(body.value(), { name: 'é' })
  assert.deepEqual(Body.ofBytes(Buffer.from('\ufeff{"a":1}', 'utf16le'), 'application/json').value(), {
    a: 1,
  })
})

test('another charset under `as`: bytes stay, and are read anew; text stays, and is written anew', () => {
  const bytes = Body.ofBytes(Buffer.from([0xe4]), 'text/plain; charset=iso-8859-1')
  assert.equal(bytes.text(), 'ä')
  const other = bytes.as('text/plain; charset=iso-8859-5')
  assert.equal(other.text(), 'ф')
  assert.equal(hex(other.bytes()), 'e4')
  const text = Body.ofText('ä', 'text/plain')
  assert.equal(hex(text.bytes()), 'c3a4')
  const written = text.as('text/plain; charset=iso-8859-1')
  assert.equal(written.text(), 'ä')
  assert.equal(hex(written.bytes()), 'e4')
})

test('recoded: the same text in another charset; what is no text, and what is in it already, stays', () => {
  const latin = Body.ofBytes(Buffer.from([0xe4]), 'text/plain; charset=iso-8859-1')
  assert.equal(hex(latin.recoded('text/plain; charset=utf-8').bytes()), 'c3a4')
  assert.equal(latin.recoded('text/plain; charset=iso-8859-1'), latin)
  const image = Body.ofBytes(Buffer.from([0xe4]), 'image/png')
  assert.equal(image.recoded('text/plain; charset=utf-16'), image)
  const json = Body.ofJson({ a: 'ä' })
  assert.equal(json.recoded('application/json; charset=iso-8859-1').bytes().toString(), '{"a":"\\u00e4"}')
})
