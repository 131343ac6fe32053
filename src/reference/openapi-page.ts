export interface Link {
  readonly text: string
  readonly href: string
}
export function openApiPage(
  _document: string,
  _links: readonly Link[],
): { text: string; contentSecurityPolicy: string } {
  return { text: '', contentSecurityPolicy: '' }
}
