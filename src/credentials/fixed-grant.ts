import type { Authorizer, Grant } from '../core/kinds.ts'

/** An authorizer whose grant never changes: nothing is fetched, nothing can be renewed. */
export function createFixedAuthorizer(
  placed: { readonly headers: readonly string[]; readonly query: string },
  description: string,
  unregister: readonly (() => void)[],
): Authorizer {
  let uses = 0
  const grant: Grant = {
    ...placed,
    refusedBy: [],
    reject: () => false,
    describe: () => description,
  }
  return {
    authorize() {
      uses++
      return grant
    },
    state: () => ({ status: uses > 0 ? 'ready' : 'unused', details: { uses } }),
    stop() {
      for (const end of unregister) end()
    },
  }
}
