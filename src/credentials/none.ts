import { Keys } from '../core/schema.ts'
import { defineCredential } from '../core/kinds.ts'
import { createFixedAuthorizer } from './fixed-grant.ts'

export const none = defineCredential({
  name: 'none',
  summary: 'No authentication: an address that flows build on, with what goes along with each request.',
  description:
    'For receivers that take everybody, or that tell callers apart by the network. `apiHeaders` and `apiQuery` go along, and requests keep to its hosts, as with any credential.',
  examples: [
    {
      title: 'A receiver inside the network',
      yaml: 'type: none\nbaseUrl: https://stock.example.com/api/\napiHeaders: { x-client: sluice }\n',
    },
  ],
  options: Keys({}),
  prepare: (_options, { name }) =>
    createFixedAuthorizer({ headers: [], query: '' }, `credential "${name}" sends no authentication`, []),
  describe: () => ({}),
})
