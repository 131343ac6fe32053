import type { TProperties, TSchema } from '@sinclair/typebox'
import { prose, skeleton } from './skeleton.ts'

export interface CredentialSkeletonSetting {
  /** Comment on the first lines. */
  readonly about: string
  readonly kind: { readonly name: string; readonly options: TSchema }
  /** The whole schema of such a file. */
  readonly file: TSchema
  readonly given: Readonly<Record<string, unknown>>
}

/** A credential file in which every field stands, explained: those of its kind before the common ones. */
export function credentialSkeleton({ about, kind, file, given }: CredentialSkeletonSetting): string {
  const { type, ...common } = file['properties'] as TProperties
  const properties = { type: type!, ...(kind.options['properties'] as TProperties), ...common }
  const lines = [...prose(about), '', ...skeleton({ ...file, properties }, { type: kind.name, ...given })]
  return `${lines.join('\n')}\n`
}

/** The first field of a kind that holds a secret: the one that the kind is about. */
export function secretField(options: TSchema): string | undefined {
  return Object.entries(options['properties'] as TProperties)
    .find(([, field]) => isSecret(field))
    ?.at(0) as string | undefined
}

function isSecret(field: TSchema): boolean {
  return field['x-is'] === 'secret' || (field['item'] as TSchema | undefined)?.['x-is'] === 'secret'
}
