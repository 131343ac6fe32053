/** What is written for CPI's `{{name}}`: an expression where it reads like one, else a parameter of a possible name. */
export function forBraces(name: string): string {
  if (/^(body|headers?|property|properties|param|trigger|response|run)\./.test(name)) return name
  return `param.${name.replace(/[^\w]+(\w?)/g, (_, next: string) => next.toUpperCase())}`
}

/** How CPI's `{{name}}` is written. */
export function bracesHint(name: string): string {
  const meant = forBraces(name)
  const declare =
    meant.startsWith('param.') && meant !== name ? 'Declare it under "parameters" and write' : 'Write'
  return `${declare} "\${${meant}}", in quotes. Braces as such: \${"{{"}`
}
