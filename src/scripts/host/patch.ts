import vm from 'node:vm'

let last: vm.Context | undefined
const original = vm.createContext

/**
 * Contexts get a microtask queue of their own, so that promises of a script run when we say so and never after its
 * reply. vm2 offers no option for that. To be loaded before vm2.
 */
vm.createContext = ((object: vm.Context | undefined, options?: vm.CreateContextOptions) => {
  last = original(object, { ...options, microtaskMode: 'afterEvaluate' })
  return last
}) as typeof vm.createContext

/** The context that was made last. */
export function lastContext(): vm.Context {
  return last!
}
