import { ASSERTION_TYPE } from '../../access/client-keys.ts'
import { tokenAddress } from './files.ts'

/** What a client calls with. */
export type CallsBy = 'secret' | 'api-key' | 'public-key' | 'certificate'

/** The commands with which a client calls; curl asks for the secret, so that it stands in no history. */
export function howToCall(
  clientId: string,
  engine: string,
  by: CallsBy = 'secret',
  path = '/<path>',
): string {
  const address = `'${engine}/http${path}'`
  if (by === 'api-key')
    return `Call with the API key:
  curl -s -H "x-api-key: $API_KEY" -d '{}' \\
    ${address}
`
  const call = `  curl -s -H "authorization: Bearer $TOKEN" -d '{}' \\
    ${address}
`
  if (by === 'public-key')
    return `Sign a JWT with the private key, get a token with it, then call. The JWT has
"iss" and "sub": "${clientId}", "aud": the token URL, "exp": at most 10 minutes
ahead, and a new "jti" each time:
  curl -s -d grant_type=client_credentials \\
    -d client_assertion_type=${ASSERTION_TYPE} \\
    -d "client_assertion=$ASSERTION" \\
    ${tokenAddress(engine)}
${call}`
  if (by === 'certificate')
    return `Call with the certificate:
  curl -s --cert <file> --key <file> -d '{}' \\
    ${address}
Or get a token that is bound to it, and call with both:
  curl -s --cert <file> --key <file> -d client_id=${clientId} -d grant_type=client_credentials \\
    ${tokenAddress(engine)}
`
  return `Get a token, then call (curl asks for the secret):
  curl -s -u ${clientId} -d grant_type=client_credentials \\
    ${tokenAddress(engine)}
${call}`
}
