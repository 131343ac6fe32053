import { tokenAddress } from './files.ts'

/** The commands with which a client calls; curl asks for the secret, so that it stands in no history. */
export function howToCall(clientId: string, engine: string, byKey = false, path = '/<path>'): string {
  if (byKey)
    return `Call with the API key:
  curl -s -H "x-api-key: $API_KEY" -d '{}' \\
    '${engine}/http${path}'
`
  return `Get a token, then call (curl asks for the secret):
  curl -s -u ${clientId} -d grant_type=client_credentials \\
    ${tokenAddress(engine)}
  curl -s -H "authorization: Bearer $TOKEN" -d '{}' \\
    '${engine}/http${path}'
`
}
