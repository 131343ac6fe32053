import { Choice, ListOf, Optional, Text } from '../core/schema.ts'

/** Where the token service is. */
export const serviceOptions = {
  tokenServiceUrl: Optional(
    Text({
      description:
        'Address of the token service; its own query is kept. It is needed unless there is an `issuer`.',
      examples: ['https://acme.plateau.com/learning/oauth-api/rest/v1/token'],
    }),
  ),
  issuer: Optional(
    Text({
      description:
        'In place of `tokenServiceUrl`: the issuer, whose metadata (RFC 8414, or OpenID Connect) says where the token service is. It is compared exactly.',
      examples: ['https://login.example.com', 'https://login.example.com/realms/acme'],
    }),
  ),
  tokenServiceHosts: Optional(
    ListOf(Text({ description: 'host, host:port or *.domain' }), {
      description:
        'Where the metadata of the `issuer` may say that the token service is, beside the host of the issuer itself.',
      examples: [['oauth2.googleapis.com']],
    }),
  ),
  revocationUrl: Optional(
    Text({
      description:
        'Where the token service is told that a token is no longer wanted (RFC 7009): when the credential is removed, and by `sluice credential invalidate --revoke`. Left out with `issuer`: what its metadata says.',
      examples: ['https://login.example.com/oauth2/revoke'],
    }),
  ),
  tokenServiceUrlType: Optional(
    Choice(['dedicated', 'common'], {
      description:
        'common: one token service for several tenants. `{tenant}` in `tokenServiceUrl` is the place of the tenant that a step names; without it the tenant comes before the host.',
      default: 'dedicated',
    }),
  ),
  tenants: Optional(
    ListOf(Text({ description: 'Part of a host name.' }), {
      description:
        'Tenants that steps may name with `tenant`; no other one ever becomes a part of an address.',
      examples: [['acme', 'globex']],
    }),
  ),
}
