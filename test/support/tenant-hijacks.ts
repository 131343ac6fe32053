/** Each would change user, host, port, path, query or headers of the request whose address it gets into. */
export const HIJACKS: readonly string[] = [
  'evil.example/#',
  'a@evil.example',
  '..',
  'a?b=',
  '%2e%2e',
  '../../x',
  'a\r\nX-Y: z',
  'a.evil.example',
  'evil.example:443/',
  'a.b',
  '',
  'a'.repeat(64),
  '-a',
]
