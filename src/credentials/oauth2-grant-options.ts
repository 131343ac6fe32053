import { Flag, Optional, SecretText, Text } from '../core/schema.ts'
import { actorToken, assertion, subjectToken } from './assertion-options.ts'

/** What single grants want besides the client. */
export const grantOptions = {
  username: Optional(
    Text({ description: 'Name of the user that the token is for, with the grant `password`.' }),
  ),
  password: Optional(
    SecretText({ description: 'Password of that user.', examples: ['${env:USER_PASSWORD}'] }),
  ),
  refreshToken: Optional(
    SecretText({
      description:
        'With the grant `refresh_token`: the refresh token of one login. One that the service gives in its place is used from then on.',
      examples: ['${file:/run/secrets/refresh-token}'],
    }),
  ),
  assertion,
  subjectToken,
  actorToken,
  requestedTokenType: Optional(
    Text({
      description: 'With the grant token-exchange: what is wanted, as `type` of subjectToken says it.',
      examples: ['access_token'],
    }),
  ),
  allowSecretInUrl: Optional(
    Flag({
      description:
        'Secrets may go into the query of the token request. Addresses are written into logs on the way: only where the service takes them in no other place.',
      default: false,
    }),
  ),
}
