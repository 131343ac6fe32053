import { defineStep, type Run } from '../core/kinds.ts'
import { codeInWords } from '../core/plain-words.ts'
import { Choice, Expression, Keys, Optional, Steps, Whole } from '../core/schema.ts'
import { Body } from '../core/body.ts'
import { letGo } from '../net/answer-stream.ts'
import { Loop, type LoopSetting } from './loop.ts'

export const forEach = defineStep({
  name: 'forEach',
  summary: 'Runs steps for each item of a list, or of a stream of items.',
  description:
    'Every item has a message of its own: its body is the item, its headers and properties are those of the message; nothing of it leaves but what `collect` gives. Items of an http step with `paginate` are fetched as they are taken, so that any number of them needs the same memory. Afterwards the body is the list that `collect` made, or `{ count, failed }`. The first item that fails ends the others and fails the step, unless `onItemError` says otherwise.',
  composite: true,
  options: Keys({
    items: Optional(
      Expression({ description: 'The list; the body when left out.', examples: ['body.value'] }),
    ),
    key: Optional(
      Expression({
        description: 'What an item is called in failures and the message log.',
        examples: ['item.id'],
      }),
    ),
    concurrency: Optional(Whole({ description: 'Items at once.', default: 1, minimum: 1, maximum: 1000 })),
    steps: Steps({ description: 'What to do with each item; `item` and `index` tell which one it is.' }),
    collect: Optional(
      Expression({
        description: "What of an item's message goes into the list that is the body afterwards.",
        examples: ['body', '{"id": item.id, "status": response.status}'],
      }),
    ),
    onItemError: Optional(
      Choice(['stop', 'continue'], {
        description:
          'stop: the first failure ends the step; continue: failures are counted, the first 100 are in the message log.',
        default: 'stop',
      }),
    ),
  }),
  examples: [
    {
      title: 'Copy every item, 16 at once, and go on after failures',
      yaml: 'steps:\n  - timer: { cron: "0 2 * * *" }\n  - http: { url: "https://api.example.com/items" }\n  - forEach:\n      items: body.value\n      key: item.id\n      concurrency: 16\n      onItemError: continue\n      steps:\n        - http: { method: PUT, url: "https://store.example.com/items/${body.id}" }\n  - log: ${body.count} items, ${body.failed} failed\n',
    },
    {
      title: 'Collect something of each',
      yaml: 'steps:\n  - endpoint: { path: /prices, access: public }\n  - forEach:\n      steps:\n        - http: { url: "https://api.example.com/prices/${item.sku}" }\n      collect: \'{"sku": item.sku, "price": body.price}\'\n',
    },
  ],
  explain: ({ items, key, concurrency = 1, steps, collect, onItemError = 'stop' }) => ({
    text: `for each item of ${items === undefined ? 'the body' : codeInWords(items)}, ${concurrency === 1 ? 'one after the other' : `${concurrency} at once`}`,
    details: [
      'Each item has a message of its own, whose body is the item.',
      ...(key === undefined ? [] : [`An item is called ${codeInWords(key)} in the message log.`]),
      onItemError === 'continue'
        ? 'An item that fails is counted and logged (the first 100 of them); the others go on.'
        : 'The first item that fails ends the others and fails the step.',
      collect === undefined
        ? 'Afterwards the body is { count, failed }.'
        : `Afterwards the body is the list of ${codeInWords(collect)} of every item.`,
    ],
    parts: [{ steps }],
  }),
  async prepare(given, deployment) {
    const items = given.items === undefined ? undefined : deployment.expression(given.items, ['items'])
    const key = given.key === undefined ? undefined : deployment.expression(given.key, ['key'], true)
    const collect =
      given.collect === undefined ? undefined : deployment.expression(given.collect, ['collect'], true)
    const steps: Run = await deployment.steps(given.steps)
    const setting: LoopSetting = {
      steps,
      key,
      collect,
      concurrency: given.concurrency ?? 1,
      goesOn: given.onItemError === 'continue',
      bodyLimit: deployment.services.limits.body,
      clock: deployment.world.clock,
    }
    return {
      readsBody: items === undefined,
      takesItems: items === undefined,
      leaves: 'body',
      ownMessages: true,
      async run(message, context) {
        const source = items
          ? items.evaluate(message, context)
          : message.body.isItems
            ? message.body.takeItems()
            : message.body.value()
        const result = await new Loop(setting, message, context, source).run()
        if (items !== undefined) letGo(message.body)
        message.body = Body.ofJson(result)
      },
    }
  },
})
