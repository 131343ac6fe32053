import { Type } from '@sinclair/typebox'
import { defineCredential } from '../core/kinds.ts'
import { SecretText } from '../core/schema.ts'
import { createFixedAuthorizer } from './fixed-grant.ts'
import {
  checkPlacement,
  placeInWords,
  placementOf,
  placeSecret,
  tokenIn,
  type Placement,
} from './placed-secret.ts'
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
    tokenIn: tokenIn(DEFAULT),
  }),
  check({ key, tokenIn }, problem) {
    checkPlacement(tokenIn, DEFAULT, problem)
    if (placementOf(tokenIn, DEFAULT).in !== 'query') checkSendable('key', key, ['key'], problem)
  },
  prepare({ key, tokenIn }, frame, { redact }) {
    const placement = placementOf(tokenIn, DEFAULT)
    return createFixedAuthorizer(
      placeSecret(placement, key.reveal()),
      `credential "${frame.name}" sends a key in the ${placement.in} "${placement.name}"`,
      [redact(key.reveal())],
    )
  },
  explain: ({ tokenIn }) => `a key ${placeInWords(placementOf(tokenIn, DEFAULT))}`,
  describe({ tokenIn }) {
    const { in: where, name } = placementOf(tokenIn, DEFAULT)
    return { key: '[secret]', tokenIn: `${where} ${name}` }
  },
})
