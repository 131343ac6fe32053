import { findNoXml } from '../core/xml-characters.ts'

/** XML that was written here: every text in it is escaped. */
export type Xml = string & { readonly isXml: true }

const CONTENT: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#xD;' }
const VALUE: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '"': '&quot;',
  '\t': '&#x9;',
  '\n': '&#xA;',
  '\r': '&#xD;',
}

/**
 * An element, written as Canonical XML writes it as long as its attributes come in that order; attributes without a
 * value are left out.
 * @see https://www.w3.org/TR/xml-c14n11/#ProcessingModel
 */
export function xmlElement(
  name: string,
  attributes: Readonly<Record<string, string | undefined>>,
  ...content: readonly (Xml | undefined)[]
): Xml {
  const written = Object.entries(attributes).map(([key, value]) =>
    value === undefined ? '' : ` ${key}="${checked(value).replaceAll(/[&<"\t\n\r]/g, (one) => VALUE[one]!)}"`,
  )
  return `<${name}${written.join('')}>${content.map((part) => part ?? '').join('')}</${name}>` as Xml
}

/** A text between tags. */
export function xmlText(text: string): Xml {
  return checked(text).replaceAll(/[&<>\r]/g, (one) => CONTENT[one]!) as Xml
}

function checked(text: string): string {
  const found = findNoXml(text)
  if (found !== undefined) throw new Error(`XML cannot have the character ${found}`)
  return text
}
