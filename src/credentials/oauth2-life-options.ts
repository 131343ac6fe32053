import { Duration, Flag, Optional } from '../core/schema.ts'

const SECOND = 1000
const HOUR = 60 * 60 * SECOND

/** How long a token is kept, and where. */
export const lifeOptions = {
  lifetime: Optional(
    Duration({
      description: 'Of a token whose answer does not say how long it lives.',
      default: '1h',
      minimum: SECOND,
      maximum: 366 * 24 * HOUR,
    }),
  ),
  maxLifetime: Optional(
    Duration({
      description: 'No token is kept longer, whatever its answer says.',
      default: '24h',
      minimum: SECOND,
      maximum: 366 * 24 * HOUR,
    }),
  ),
  refreshBefore: Optional(
    Duration({
      description: 'So long before its end a token is no longer handed out (at most half of its life).',
      default: '60s',
      minimum: 0,
      maximum: HOUR,
    }),
  ),
  exclusive: Optional(
    Flag({
      description:
        'A new token ends the one before it: the token is kept in the data folder, encrypted, and the next engine takes it over instead of asking for another.',
      default: false,
    }),
  ),
}
