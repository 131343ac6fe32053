import type { Static } from '@sinclair/typebox'
import { Duration, Keys, Optional, Text } from './core/schema.ts'
import { isLoopback } from './net/proxy.ts'
import { isSettingReference } from './security/setting-reference.ts'

const PATH = '^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$'

/** Where HashiCorp Vault is, and how the engine logs in to it. */
export const vaultSchema = Keys(
  {
    address: Optional(
      Text({
        description: 'Of the server; https, or http on this machine. Left out: there is no Vault.',
        examples: ['https://vault.example.com:8200'],
      }),
    ),
    namespace: Optional(
      Text({
        description: 'Namespace of Vault Enterprise or HCP.',
        pattern: '^[A-Za-z0-9_./-]+$',
        examples: ['admin/integration'],
      }),
    ),
    mount: Text({
      description: 'Where the secrets engine KV, version 2, is mounted.',
      default: 'secret',
      pattern: PATH,
    }),
    refresh: Duration({
      description: 'How often it is looked whether a secret has a new version.',
      default: '5m',
      minimum: 1000,
      maximum: 24 * 60 * 60_000,
    }),
    auth: Keys(
      {
        token: Optional(
          Text({
            description: 'A token, as a reference: ${env:NAME} or ${file:/path}; a file is read again.',
            examples: ['${env:VAULT_TOKEN}'],
          }),
        ),
        appRole: Keys(
          {
            roleId: Optional(Text({ description: 'The role id; a reference or the id itself.' })),
            secretId: Optional(
              Text({
                description: 'The secret id, as a reference: ${env:NAME} or ${file:/path}.',
                examples: ['${file:/run/secrets/vault-secret-id}'],
              }),
            ),
            mount: Text({
              description: 'Where the method is mounted.',
              default: 'approle',
              pattern: PATH,
            }),
          },
          { description: 'Login with AppRole.' },
        ),
        kubernetes: Keys(
          {
            role: Optional(Text({ description: 'The role of Vault that the service account has.' })),
            jwtFile: Text({
              description: 'File of the token of the service account; read at each login.',
              default: '/var/run/secrets/kubernetes.io/serviceaccount/token',
            }),
            mount: Text({
              description: 'Where the method is mounted.',
              default: 'kubernetes',
              pattern: PATH,
            }),
          },
          { description: 'Login as a pod of Kubernetes.' },
        ),
      },
      { description: 'How the engine logs in: one of token, appRole and kubernetes.' },
    ),
  },
  { description: 'HashiCorp Vault, KV version 2: `${vault:PATH#FIELD}` in credentials.' },
)

export type VaultSetting = Static<typeof vaultSchema>

interface VaultMistake {
  /** Below `vault`. */
  readonly at: readonly string[]
  readonly message: string
  readonly hint: string
}

const WAYS = 'Give one of vault.auth.token, vault.auth.appRole and vault.auth.kubernetes.'

/** What the schema cannot say. No value is shown where a secret may stand. */
export function vaultMistake({ address, auth }: VaultSetting): VaultMistake | undefined {
  const { token, appRole, kubernetes } = auth
  const isAppRole = appRole.roleId !== undefined || appRole.secretId !== undefined
  const ways = [token !== undefined, isAppRole, kubernetes.role !== undefined].filter(Boolean).length
  if (address === undefined)
    return ways === 0
      ? undefined
      : {
          at: [],
          message: '"vault.auth" is there, but no "vault.address"',
          hint: 'Write address: https://vault.example.com:8200.',
        }
  const wrong = wrongAddress(address)
  if (wrong) return { at: ['address'], ...wrong }
  if (ways === 0) return { at: [], message: '"vault" does not say how to log in', hint: WAYS }
  if (ways > 1) return { at: ['auth'], message: '"vault.auth" has several ways to log in', hint: WAYS }
  if (isAppRole && (appRole.roleId === undefined || appRole.secretId === undefined))
    return {
      at: ['auth', 'appRole'],
      message: `"vault.auth.appRole" has no "${appRole.roleId === undefined ? 'roleId' : 'secretId'}"`,
      hint: 'Both are needed: roleId and secretId.',
    }
  for (const [at, text] of [
    [['auth', 'token'], token],
    [['auth', 'appRole', 'secretId'], appRole.secretId],
  ] as const)
    if (text !== undefined && !isSettingReference(text))
      return {
        at,
        message: `"vault.${at.join('.')}" is no reference to a secret`,
        hint: 'Write ${env:NAME} or ${file:/path}, and nothing around it.',
      }
  if (appRole.roleId?.includes('${') && !isSettingReference(appRole.roleId))
    return {
      at: ['auth', 'appRole', 'roleId'],
      message: '"vault.auth.appRole.roleId" is neither an id nor a reference',
      hint: 'Write the id, ${env:NAME} or ${file:/path}, and nothing around it.',
    }
  return undefined
}

function wrongAddress(address: string): Pick<VaultMistake, 'message' | 'hint'> | undefined {
  const hint = 'Write https://vault.example.com:8200.'
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol) || url.host === '')
    return { message: '"vault.address" is no address of a server', hint }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return { message: '"vault.address" has more than a host, a port and a path', hint }
  if (url.protocol === 'http:' && !isLoopback(url.hostname))
    return {
      message: '"vault.address" begins with "http:": secrets would travel in clear',
      hint: 'Write https; http is for a Vault on this machine (127.0.0.1, localhost).',
    }
  return undefined
}
