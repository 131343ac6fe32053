/** What `apps/shop#password` says. */
export interface VaultReference {
  /** Below the mount, without `data/`. */
  readonly path: string
  readonly field: string
}

export const FORM = '${vault:path/of/secret#field}'
const MOST = 512

/** A text: what is wrong with it. */
export function readReference(name: string): VaultReference | string {
  const [path = '', field, ...more] = name.split('#')
  if (field === undefined) return 'names no field'
  if (field === '' || more.length > 0) return 'wants one "#" with the name of a field behind it'
  if (name.length > MOST) return `is longer than ${MOST} characters`
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'has a control character in it'
  if (path.split('/').some((part) => part === '' || part === '.' || part === '..'))
    return 'has an empty part or dots in its path'
  return { path, field }
}
