const text = { type: 'string', minLength: 1 }
const message = object({ text }, { markdown: text })
const position = { type: 'integer', minimum: 1 }
const physicalLocation = object({
  artifactLocation: object({
    uri: { type: 'string', pattern: "^(?!/)([A-Za-z0-9._~!'()*-]|%[0-9A-F]{2}|/)+$" },
    uriBaseId: { const: '%SRCROOT%' },
  }),
  region: object({ startLine: position, startColumn: position }, { endLine: position, endColumn: position }),
})

/** The part of SARIF 2.1.0 that we write, after the sections 3.14 to 3.49 of the standard; nothing beside it. */
export const SARIF_SHAPE = object({
  $schema: { type: 'string', pattern: '^https://.*sarif.*2\\.1\\.0' },
  version: { const: '2.1.0' },
  runs: list(
    object({
      tool: object({
        driver: object({
          name: text,
          semanticVersion: { type: 'string', pattern: '^\\d+\\.\\d+\\.\\d+' },
          rules: {
            ...list(object({ id: text, shortDescription: message, fullDescription: message, help: message })),
            uniqueItems: true,
          },
        }),
      }),
      columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
      results: list(
        object(
          {
            ruleId: text,
            ruleIndex: { type: 'integer', minimum: 0 },
            level: { enum: ['none', 'note', 'warning', 'error'] },
            message,
            locations: list({
              anyOf: [
                object({ physicalLocation }),
                object({ logicalLocations: list(object({ name: text })) }),
              ],
            }),
          },
          {
            relatedLocations: list(
              object({ id: { type: 'integer', minimum: 0 }, message, physicalLocation }),
            ),
          },
        ),
      ),
    }),
  ),
})

function object(required: Record<string, object>, optional: Record<string, object> = {}) {
  return {
    type: 'object',
    properties: { ...required, ...optional },
    required: Object.keys(required),
    additionalProperties: false,
  }
}

function list(items: object) {
  return { type: 'array', items }
}
