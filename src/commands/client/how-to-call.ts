import { tokenAddress } from './files.ts'

/** How a client shows who it is. */
export type Shows = 'secret' | 'apiKey' | 'certificate'

/** The commands with which a client calls; curl asks for the secret, so that it stands in no history. */
export function howToCall(
  clientId: string,
  engine: string,
  shows: Shows = 'secret',
  path = '/<path>',
): string {
  if (shows === 'apiKey')
    return `Call with the API key:
  curl -s -H "x-api-key: $API_KEY" -d '{}' \\
    '${engine}/http${path}'
`
  if (shows === 'certificate')
    return `Call with the certificate:
  curl -s --cert <file> --key <file> -d '{}' \\
    '${engine}/http${path}'
Or get a token that is bound to it, and call with both:
  curl -s --cert <file> --key <file> -d client_id=${clientId} -d grant_type=client_credentials \\
    ${tokenAddress(engine)}
`
  return `Get a token, then call (curl asks for the secret):
  curl -s -u ${clientId} -d grant_type=client_credentials \\
    ${tokenAddress(engine)}
  curl -s -H "authorization: Bearer $TOKEN" -d '{}' \\
    '${engine}/http${path}'
`
}
