import assert from 'node:assert/strict'
import { test } from 'node:test'
import { multipartBody, type Part } from '../../src/net/multipart.ts'

function sent(parts: (Partial<Part> & { content: unknown })[], id = 'id'): string {
  const body = multipartBody(
    parts.map((part) => ({ name: 'a', contentType: undefined, filename: undefined, ...part })),
    id,
  )
  const boundary = /^multipart\/form-data; boundary=(.*)$/.exec(body.contentType!)![1]!
  return body.bytes().toString('latin1').replaceAll(boundary, 'B')
}

test('parts exactly as they go over the wire', () => {
  assert.equal(
    sent([
      { name: 'note', content: 'hellö' },
      { name: 'count', content: 5 },
      { name: 'flag', content: true },
      { name: 'meta', content: { a: [1] } },
      {
        name: 'file',
        content: Buffer.from([0, 255, 13, 10]),
        contentType: 'application/pdf',
        filename: 'a.pdf',
      },
    ]),
    [
      '--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhell\u00c3\u00b6\r\n',
      '--B\r\nContent-Disposition: form-data; name="count"\r\n\r\n5\r\n',
      '--B\r\nContent-Disposition: form-data; name="flag"\r\n\r\ntrue\r\n',
      '--B\r\nContent-Disposition: form-data; name="meta"\r\nContent-Type: application/json\r\n\r\n{"a":[1]}\r\n',
      '--B\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\nContent-Type: application/pdf\r\n\r\n\u0000\u00ff\r\n\r\n',
      '--B--\r\n',
    ].join(''),
  )
})

test('what a part is called where it does not say: files, bytes, text', () => {
  const types = [
    [{ content: 'a', filename: 'a.txt' }, 'text/plain; charset=utf-8'],
    [{ content: Buffer.from('a') }, 'application/octet-stream'],
    [{ content: [1] }, 'application/json'],
    [{ content: 'a', contentType: 'text/csv' }, 'text/csv'],
    [{ content: { a: 1 }, contentType: 'application/vnd.x+json' }, 'application/vnd.x+json'],
    [{ content: 'a' }, undefined],
  ] as const
  for (const [part, type] of types)
    assert.equal(/Content-Type: (.*)\r/.exec(sent([part]))?.[1], type, JSON.stringify(part))
})

test('a part is written in the charset that its content type names', () => {
  assert.match(sent([{ content: 'ä', contentType: 'text/plain; charset=iso-8859-1' }]), /\r\n\r\n\u00e4\r\n/)
})

test('names and filenames are encoded as browsers do: no quote and no line end gets out', () => {
  const head = (part: Partial<Part>) => /form-data; (.*?)\r\n/.exec(sent([{ content: '', ...part }]))![1]
  assert.equal(head({ name: 'a"b\\c;d' }), 'name="a%22b\\c;d"')
  assert.equal(head({ name: 'a\nb\rc\r\nd' }), 'name="a%0D%0Ab%0D%0Ac%0D%0Ad"')
  assert.equal(
    head({ filename: 'x"\r\nContent-Type: y' })!.split('; ')[1],
    'filename="x%22%0D%0AContent-Type: y"',
  )
  assert.equal(head({ filename: 'ä.pdf' })!.split('; ')[1], 'filename="\u00c3\u00a4.pdf"')
  assert.equal(head({ name: '\ud800' }), 'name="\u00ef\u00bf\u00bd"')
})

test('a content that holds the boundary gets another one', () => {
  const body = multipartBody(
    [{ name: 'a', content: 'x sluice-id y sluice-id-1 z', contentType: undefined, filename: undefined }],
    'id',
  )
  assert.equal(body.contentType, 'multipart/form-data; boundary=sluice-id-2')
})

test('no parts are an end alone', () => {
  assert.equal(sent([]), '--B--\r\n')
})
