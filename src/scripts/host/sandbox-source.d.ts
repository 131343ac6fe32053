/** The code of `sandbox/`, bundled; put in by `bundle.ts`. */
declare module 'sluice:sandbox' {
  const source: string
  export default source
}
