import { defineCredential } from '../core/kinds.ts'
import { checkOAuth2 } from './oauth2-check.ts'
import { destinationOf } from './oauth2-destination.ts'
import { oauth2Options } from './oauth2-options.ts'
import { explainToken } from './oauth2-explain.ts'
import { createTokenManager, describeSettings } from './oauth2-settings.ts'
import { TenantTokens } from './tenant-tokens.ts'
import { tenantUrl } from './tenant-url.ts'

export type { OAuth2Options } from './oauth2-options.ts'

export const oauth2 = defineCredential({
  name: 'oauth2',
  summary: 'A token of an OAuth 2.0 token service, fetched, kept and renewed by the engine.',
  description:
    'The token is asked for when the first request needs it, kept for as long as it lives, renewed shortly before its end, and asked for once more when a receiver refuses it. No flow, script or log ever sees it.',
  examples: [
    {
      title: 'SAP SuccessFactors Learning: JSON request, object as scope',
      yaml: `type: oauth2
description: Perform LMS calls as admin.
tokenServiceUrl: https://acme.plateau.com/learning/oauth-api/rest/v1/token
clientId: acme
clientSecret: \${env:LMS_CLIENT_SECRET}
clientAuthentication: header
contentType: application/json
scope: { userId: svc, companyId: acme, userType: admin, resourceType: learning_public_api }
baseUrl: https://acme.plateau.com/learning/odatav4/
`,
    },
    {
      title: 'SAP SuccessFactors Incentive Management: credentials in a form, one scope',
      yaml: `type: oauth2
tokenServiceUrl: https://api.sap.com/oauth/token
clientId: client_abc123def456
clientSecret: \${env:IM_CLIENT_SECRET}
clientAuthentication: body
scope: im.write
baseUrl: https://api.sap.com/successfactors/im/
`,
    },
    {
      title: 'SAP BTP Neo: everything in the URL, empty body',
      yaml: `type: oauth2
tokenServiceUrl: https://api.example.com/oauth2/apitoken/v1?grant_type=client_credentials
clientId: b4f1
clientSecret: \${file:/run/secrets/neo}
contentType: none
allowedHosts: ['*.hana.example.com']
`,
    },
    {
      title: 'A user and a password beside the client',
      yaml: `type: oauth2
grantType: password
tokenServiceUrl: https://us.api.concursolutions.com/oauth2/v0/token
clientId: acme
clientSecret: \${env:CONCUR_SECRET}
clientAuthentication: body
username: integration@acme.example.com
password: \${env:CONCUR_PASSWORD}
baseUrl: https://us.api.concursolutions.com/
`,
    },
    {
      title: 'A private key in place of a secret',
      yaml: `type: oauth2
tokenServiceUrl: https://acme.okta.com/oauth2/v1/token
clientId: 0oa1
clientAssertion: { key: '\${file:/run/secrets/okta.pem}', keyId: key-2026 }
scope: okta.users.read
baseUrl: https://acme.okta.com/api/v1/
`,
    },
    {
      title: 'A client certificate in place of a secret; the service is found by its issuer',
      yaml: `type: oauth2
issuer: https://login.example.com
clientId: acme
clientAuthentication: certificate
tls: { certificate: '\${file:/run/secrets/acme.crt}', key: '\${file:/run/secrets/acme.key}', useForApi: true }
baseUrl: https://api.example.com/
`,
    },
    {
      title: 'SAP SuccessFactors (Employee Central): a SAML assertion for a technical user',
      yaml: `type: oauth2
grantType: saml2-bearer
tokenServiceUrl: https://api4.successfactors.com/oauth/token
clientId: API_KEY
assertion:
  key: \${file:/run/secrets/successfactors.pem}
  subject: sfapi
  audience: www.successfactors.com
  attributes: { api_key: API_KEY }
parameters: { body: { company_id: acme } }
baseUrl: https://api4.successfactors.com/odata/v2/
`,
    },
  ],
  options: oauth2Options,
  lends: true,
  asksService: true,
  check: checkOAuth2,
  prepare(given, { name }, setting) {
    if (given.tokenServiceUrlType !== 'common') return createTokenManager(given, name, setting)
    const { tenants = [], tokenServiceUrlType: _, revocationUrl, ...own } = given
    return new TenantTokens(name, tenants, (tenant) =>
      createTokenManager(
        {
          ...own,
          tokenServiceUrl: tenantUrl(given.tokenServiceUrl ?? '', tenant),
          ...(revocationUrl !== undefined && { revocationUrl: tenantUrl(revocationUrl, tenant) }),
        },
        `${name} (${tenant})`,
        setting,
      ),
    )
  },
  tenants: ({ tokenServiceUrlType, tenants }) => (tokenServiceUrlType === 'common' ? (tenants ?? []) : []),
  describe: describeSettings,
  explain: explainToken,
  asDestination: destinationOf,
})
