import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findNoXml } from '../../src/core/xml-characters.ts'
import { xmlElement, xmlText } from '../../src/security/xml.ts'
import { parseXml } from '../support/saml.ts'

const AWKWARD = `Müller & Söhne <"it's"> ]]> \t\n\r\n € 𝄞 &amp; <!-- --> {x}`

test('an element: attributes in the order given, those without a value left out', () => {
  const inner = xmlElement('b', {}, xmlText('x'))
  assert.equal(
    xmlElement('a', { one: '1', two: undefined, three: '' }, inner, undefined, inner),
    '<a one="1" three=""><b>x</b><b>x</b></a>',
  )
  assert.equal(xmlElement('a', {}), '<a></a>')
})

test('every character arrives as it was, in a text and in an attribute', () => {
  const xml = xmlElement('a', { b: AWKWARD }, xmlText(AWKWARD))
  const root = parseXml(xml)
  assert.equal(root.textContent, AWKWARD)
  assert.equal(root.getAttribute('b'), AWKWARD)
  assert.equal(root.childNodes.length, 1)
})

test('as Canonical XML writes it', () => {
  assert.equal(xmlText(`<&>"'\t\n\r`), `&lt;&amp;&gt;"'\t\n&#xD;`)
  assert.equal(xmlElement('a', { b: `<&>"'\t\n\r` }), `<a b="&lt;&amp;>&quot;'&#x9;&#xA;&#xD;"></a>`)
})

test('what XML cannot have is not written', () => {
  for (const [text, found] of [
    ['a\u0000b', 'U+0000'],
    ['\u001b', 'U+001B'],
    ['\ufffe', 'U+FFFE'],
    ['\ud834', 'U+D834'],
    ['\udd1e\ud834', 'U+DD1E'],
  ] as const) {
    assert.equal(findNoXml(text), found)
    assert.throws(() => xmlText(text), { message: `XML cannot have the character ${found}` })
    assert.throws(() => xmlElement('a', { b: text }), { message: `XML cannot have the character ${found}` })
  }
  for (const text of ['', '\t\n\r', 'ÿ€', '𝄞', '\u007f', '\ufffd']) assert.equal(findNoXml(text), undefined)
})
