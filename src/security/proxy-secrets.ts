type Environment = Readonly<Record<string, string | undefined>>

/** What is secret in the URLs of proxies, of the settings and the environment: the password, and the pair in base64. */
export function proxySecrets(proxy: string | undefined, environment: Environment): string[] {
  const urls = [
    proxy,
    ...['HTTP_PROXY', 'HTTPS_PROXY'].flatMap((name) => [environment[name], environment[name.toLowerCase()]]),
  ]
  return urls.flatMap((text = '') => {
    const rest = text.replace(/^[a-z][\w+.-]*:\/\//i, '')
    const [, user = '', password] = /^([^:@/]*):(.*)@/.exec(rest) ?? []
    if (password === undefined) return []
    return [
      password,
      decoded(password),
      Buffer.from(`${decoded(user)}:${decoded(password)}`).toString('base64'),
    ]
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
