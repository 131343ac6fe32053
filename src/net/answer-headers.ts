/** Headers of an answer as flows see them: repeated ones joined by `, ` (`set-cookie` by a line feed). In place. */
export function joinedHeaders(
  headers: Record<string, string | string[] | undefined>,
): Record<string, string> {
  for (const name in headers) {
    const value = headers[name]
    if (Array.isArray(value)) headers[name] = value.join(name === 'set-cookie' ? '\n' : ', ')
  }
  return headers as Record<string, string>
}
