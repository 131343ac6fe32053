import type { TestContext } from 'node:test'
import { call } from '../support/http.ts'
import { startService, type TestService } from '../support/credentials.ts'
import { startProject } from '../support/project.ts'
import { HASH, SECRET } from './fixture.ts'

export const BASE = '/destination-configuration/v1'
export const CLIENT_SECRET = 'secret-of-jam-0123456789'
export const USER_PASSWORD = 'password-of-the-user-0123'
const BASIC = `Basic ${Buffer.from(`reader:${SECRET}`).toString('base64')}`

/** A destination as BTP exports it, with its secrets in the file of the credential. */
const jam = (service: TestService) => ({
  'security-material/sap_jam_odata.yaml':
    'type: destination\nfile: jam.properties\nfindable: true\noverride: { clientSecret: "${env:JAM_SECRET}", tokenServicePassword: "${env:JAM_PASSWORD}" }\n',
  'security-material/jam.properties': `URL=https://demo.sapjam.com/OData/OData.svc
Name=jam_in_btp
ProxyType=Internet
Type=HTTP
Authentication=OAuth2ClientCredentials
tokenServiceURL=${service.url}?grant_type=client_credentials
tokenServiceUser=tokenserviceuser
clientId=clientId
scope=jam.read
URL.headers.x-jam-client=sluice
tokenServiceURL.headers.x-of-the-token-request=1
HTML5.DynamicDestination=true
sap-client=100
`,
})

const client = (...roles: string[]) =>
  `type: client\nsecretHash: ${HASH}\nroles: [${roles.map((role) => `"${role}"`).join(', ')}]\n`

/** An engine with the find-destination API; `reader` may find everything, `narrow` only `sap_jam_odata`, `other` nothing. */
export async function findingEngine(
  t: TestContext,
  answer: TestService['answer'],
  credentials: (service: TestService) => Record<string, string> = () => ({}),
  settings = 'findDestination: true\n',
) {
  const service = await startService(t, answer)
  const own = Object.entries(credentials(service)).map(([name, text]) => [
    `security-material/${name}.yaml`,
    text,
  ])
  const engine = await startProject(
    t,
    {
      'sluice.yaml': settings,
      'security-material/reader.yaml': client('destination.read'),
      'security-material/narrow.yaml': client('destination.read:sap_jam_odata', 'orders.write'),
      'security-material/other.yaml': client('ESBMessaging.send'),
      ...jam(service),
      ...(Object.fromEntries(own) as Record<string, string>),
    },
    { environment: { JAM_SECRET: CLIENT_SECRET, JAM_PASSWORD: USER_PASSWORD, SLUICE_LOG_LEVEL: 'debug' } },
  )
  const basic = (id: string) => `Basic ${Buffer.from(`${id}:${SECRET}`).toString('base64')}`
  return {
    ...engine,
    service,
    basic,
    ask: (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      call(engine.url + BASE + path, { method, headers: { authorization: BASIC, ...headers } }),
  }
}

/** Tokens that are numbered, each for an hour. */
export const tokens: TestService['answer'] = (_asked, count) => ({
  body: {
    access_token: `token-for-others-${count}`,
    token_type: 'bearer',
    expires_in: 3600,
    scope: 'jam.read',
  },
})
