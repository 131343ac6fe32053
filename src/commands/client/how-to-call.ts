import { tokenAddress } from './files.ts'

/** The two commands with which a client calls; curl asks for the secret, so that it stands in no history. */
export function howToCall(clientId: string, engine: string, path = '/<path>'): string {
  return `Get a token, then call (curl asks for the secret):
  curl -s -u ${clientId} -d grant_type=client_credentials \\
    ${tokenAddress(engine)}
  curl -s -H "authorization: Bearer $TOKEN" -d '{}' \\
    '${engine}/http${path}'
`
}
