import { Type } from '@sinclair/typebox'
import { defineCredential } from '../core/kinds.ts'
import { SecretText } from '../core/schema.ts'
import { createFixedAuthorizer } from './fixed-grant.ts'
import { checkSendable } from './sendable.ts'

export const bearer = defineCredential({
  name: 'bearer',
  summary: 'A token that was handed out by hand and does not change.',
  description:
    'It goes as `Authorization: Bearer ...`. Nothing renews it; use `oauth2` where there is a token service.',
  examples: [
    {
      title: 'A personal access token',
      yaml: 'type: bearer\ntoken: ${env:REPORTS_TOKEN}\nallowedHosts: [api.reports.example.com]\n',
    },
  ],
  options: Type.Object({
    token: SecretText({ description: 'The token, without the word "Bearer".' }),
  }),
  check({ token }, problem) {
    if (/^bearer\s/i.test(token.reveal()))
      problem({
        code: 'credential/token',
        message: '"token" begins with "Bearer"',
        hint: 'Give the token alone; the word is put before it.',
        at: ['token'],
      })
    else checkSendable('token', token, ['token'], problem)
  },
  prepare({ token }, frame, { redact }) {
    return createFixedAuthorizer(
      { headers: ['authorization', `Bearer ${token.reveal()}`], query: '' },
      `credential "${frame.name}" sends a fixed token`,
      [redact(token.reveal())],
    )
  },
  explain: () => 'a fixed token, in the header authorization',
  describe: () => ({ token: '[secret]' }),
  asDestination: () => ({ Authentication: 'OAuth2ClientCredentials' }),
})
