import { Type } from '@sinclair/typebox'
import { isHeaderName, isHeaderValue } from '../core/header.ts'
import { defineCredential } from '../core/kinds.ts'
import { Choice, Keys, Optional, SecretText, Text } from '../core/schema.ts'
import { createFixedAuthorizer } from './fixed-grant.ts'
import { placeSecret, type Placement } from './placed-secret.ts'
import { checkSendable } from './sendable.ts'

const DEFAULT: Placement = { in: 'header', name: 'X-API-Key', prefix: '' }

export const apiKey = defineCredential({
  name: 'apiKey',
  summary: 'A key in a header, a query parameter or a cookie of each request.',
  description:
    'By default the key goes into the header `X-API-Key`. A query parameter ends up in the logs of receivers and proxies: choose it only where the receiver takes nothing else.',
  examples: [
    {
      title: 'A key in a header of its own',
      yaml: 'type: apiKey\nkey: ${env:WEATHER_KEY}\ntokenIn: { in: header, name: apikey }\nbaseUrl: https://api.weather.example.com/v1/\n',
    },
    {
      title: 'A key in the query',
      yaml: 'type: apiKey\nkey: ${file:/run/secrets/maps}\ntokenIn: { in: query, name: key }\nallowedHosts: [maps.example.com]\n',
    },
  ],
  options: Type.Object({
    key: SecretText({ description: 'The key.' }),
    tokenIn: Optional(
      Keys(
        {
          in: Optional(
            Choice(['header', 'query', 'cookie'], { description: 'Where the key goes.', default: 'header' }),
          ),
          name: Optional(
            Text({ description: 'Name of the header, parameter or cookie.', default: 'X-API-Key' }),
          ),
          prefix: Optional(
            Text({ description: 'What stands before the key, with its space: `Token `.', default: '' }),
          ),
        },
        { description: 'Where on the request the key goes.' },
      ),
    ),
  }),
  check({ key, tokenIn }, problem) {
    const { in: where, name, prefix } = { ...DEFAULT, ...tokenIn }
    if (where !== 'header' && tokenIn?.name === undefined)
      problem({
        code: 'credential/token-in',
        message: `"tokenIn" does not say the name of the ${where === 'query' ? 'query parameter' : 'cookie'}`,
        hint: `tokenIn: { in: ${where}, name: key }`,
        at: ['tokenIn'],
      })
    if (name === '' || (where !== 'query' && !isHeaderName(name)))
      problem({
        code: 'credential/token-in',
        message: `"${name}" cannot be the name of a ${where === 'query' ? 'query parameter' : where}`,
        hint: 'Letters, digits and hyphens are fine; no spaces, colons or quotes.',
        at: ['tokenIn', 'name'],
      })
    if (!isHeaderValue(prefix))
      problem({
        code: 'credential/token-in',
        message: '"prefix" holds a line end or another character that cannot be sent',
        hint: 'A word and a space are usual: `Token `.',
        at: ['tokenIn', 'prefix'],
      })
    if (where !== 'query') checkSendable('key', key, ['key'], problem)
  },
  prepare({ key, tokenIn }, frame, { redact }) {
    const placement = { ...DEFAULT, ...tokenIn }
    return createFixedAuthorizer(
      placeSecret(placement, key.reveal()),
      `credential "${frame.name}" sends a key in the ${placement.in} "${placement.name}"`,
      [redact(key.reveal())],
    )
  },
  describe({ tokenIn }) {
    const { in: where, name } = { ...DEFAULT, ...tokenIn }
    return { key: '[secret]', tokenIn: `${where} ${name}` }
  },
})
