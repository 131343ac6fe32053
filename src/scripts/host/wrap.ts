import type { Compiled } from '../protocol.ts'

let parameters = ''

/** The names that every script sees, in the order in which the sandbox hands them over. */
export function setParameters(names: string): void {
  parameters = names
}

/**
 * What stands before and after a script's own text. Names are parameters, because looking up a global in a context
 * of its own costs four hundred times as much; the block lets a script declare the same names itself.
 */
export function wrap({ form, async, entry }: Pick<Compiled, 'form' | 'async' | 'entry'>): {
  prefix: string
  suffix: string
} {
  const shared = `(function(${parameters}){"use strict";let trigger,response,param,run;return[function(a,b,c,d){trigger=a;response=b;param=c;run=d},`
  return form === 'module'
    ? { prefix: `${shared}function(){`, suffix: `\n;return ${entry}}]})` }
    : { prefix: `${shared}${async ? 'async ' : ''}function(message){{`, suffix: '\n}}]})' }
}
