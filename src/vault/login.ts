import { readSecretFile, readText, type SecretText } from '../security/setting-reference.ts'

/** The ways to log in, of which one is given. */
export interface AuthSetting {
  readonly token?: string | undefined
  readonly appRole: {
    readonly roleId?: string | undefined
    readonly secretId?: string | undefined
    readonly mount: string
  }
  readonly kubernetes: {
    readonly role?: string | undefined
    readonly jwtFile: string
    readonly mount: string
  }
}

/** How the engine logs in, with what is secret in it. */
export type Login =
  | { readonly method: 'token'; readonly token: string }
  | {
      readonly method: 'appRole' | 'kubernetes'
      /** Below `/v1/`. */
      readonly path: string
      readonly data: Readonly<Record<string, string>>
      readonly secret: string
    }
  | { readonly why: string }

/** Reads what the login needs, as it is now. */
export async function readLogin(
  { token, appRole, kubernetes }: AuthSetting,
  from: SecretText,
): Promise<Login> {
  if (token !== undefined) {
    const read = await readText(token, from)
    return 'why' in read ? missing('token', read.why) : { method: 'token', token: read.value }
  }
  if (appRole.roleId !== undefined && appRole.secretId !== undefined) {
    const roleId = await readText(appRole.roleId, from)
    if ('why' in roleId) return missing('appRole.roleId', roleId.why)
    const secretId = await readText(appRole.secretId, from)
    if ('why' in secretId) return missing('appRole.secretId', secretId.why)
    return {
      method: 'appRole',
      path: `auth/${appRole.mount}/login`,
      data: { role_id: roleId.value, secret_id: secretId.value },
      secret: secretId.value,
    }
  }
  const jwt = await readSecretFile(kubernetes.jwtFile, kubernetes.jwtFile)
  if ('why' in jwt) return missing('kubernetes.jwtFile', jwt.why)
  return {
    method: 'kubernetes',
    path: `auth/${kubernetes.mount}/login`,
    data: { role: kubernetes.role ?? '', jwt: jwt.value },
    secret: jwt.value,
  }
}

function missing(setting: string, why: string): Login {
  return { why: `the setting "vault.auth.${setting}": ${why}` }
}
