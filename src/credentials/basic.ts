import { Type } from '@sinclair/typebox'
import { defineCredential } from '../core/kinds.ts'
import { SecretText, Text } from '../core/schema.ts'
import { createFixedAuthorizer } from './fixed-grant.ts'

export const basic = defineCredential({
  name: 'basic',
  summary: 'User name and password on each request.',
  description:
    'The pair goes as UTF-8 in an `Authorization: Basic` header. Prefer a token where the receiver offers one: a password goes over the wire with every request and does not end by itself.',
  examples: [
    {
      title: 'An API with a technical user',
      yaml: 'type: basic\nusername: SLUICE_USER\npassword: ${env:ERP_PASSWORD}\nbaseUrl: https://erp.example.com/api/\n',
    },
  ],
  options: Type.Object({
    username: Text({ description: 'Name of the user; no colon.' }),
    password: SecretText({ description: 'Password of the user.' }),
  }),
  check(options, problem) {
    const colon = options.username.indexOf(':')
    if (colon >= 0)
      problem({
        code: 'credential/username',
        message: '"username" holds a ":", where a Basic authorization ends the user name',
        hint: 'Such a user cannot log in this way; ask for another name.',
        at: ['username'],
        offset: colon,
        length: 1,
      })
  },
  prepare({ username, password }, frame, { redact }) {
    const pair = Buffer.from(`${username}:${password.reveal()}`, 'utf8').toString('base64')
    return createFixedAuthorizer(
      { headers: ['authorization', `Basic ${pair}`], query: '' },
      `credential "${frame.name}" sends the user "${username}" with its password`,
      [redact(password.reveal()), redact(pair)],
    )
  },
  explain: ({ username }) => `the user "${username}" with its password, in the header authorization`,
  describe: ({ username }) => ({ username, password: '[secret]' }),
  asDestination: ({ username }) => ({ Authentication: 'BasicAuthentication', User: username }),
})
