import { Type } from '@sinclair/typebox'
import { CERTIFICATE_HEADERS } from './core/access.ts'
import {
  Choice,
  Duration,
  Flag,
  Keys,
  ListOf,
  MapOf,
  Optional,
  Size,
  Text,
  Value,
  Whole,
} from './core/schema.ts'
import { egressSchema } from './egress-setting.ts'
import { tlsSchema } from './tls-setting.ts'
import { vaultSchema } from './vault-setting.ts'

const ADDRESS = '((\\[[0-9a-fA-F:.]+\\]|[^:\\[\\]\\s]+):)?\\d{1,5}'

/** Every setting: `sluice.yaml` < `SLUICE_*` < flags. The only place where they are written down. */
export const settingsSchema = Keys({
  listen: Text({
    description: 'Host and port of the flow endpoints; port 0 takes a free one.',
    default: '127.0.0.1:8080',
    pattern: `^${ADDRESS}$`,
    examples: ['0.0.0.0:8080'],
  }),
  management: Type.Union(
    [
      Flag({ description: 'Whether it listens, on 127.0.0.1:9090.' }),
      Text({
        description: 'The same as `on` or `off`, or host and port.',
        pattern: `^(on|off|true|false|${ADDRESS})$`,
        examples: ['127.0.0.1:9090'],
      }),
      Whole({ description: 'A port of 127.0.0.1.', minimum: 0, maximum: 65_535 }),
    ],
    {
      description:
        'Where the management API, metrics and health are served: `off`, `on` (127.0.0.1:9090), or host and port. Callers need a role.',
      default: 'off',
    },
  ),
  tls: tlsSchema,
  managementAccess: Keys(
    {
      metrics: Choice(['closed', 'public'], {
        description:
          'Who may read `/metrics` and `/health`: callers with the role sluice.viewer (`closed`), or everybody who reaches the address (`public`).',
        default: 'closed',
      }),
      hosts: Optional(
        ListOf(
          Text({
            description: 'A name without a port.',
            pattern: '^\\w[\\w.-]*$',
          }),
          {
            description:
              'Names under which it is called, beside addresses, `localhost` and the host of `management`; others are refused.',
            examples: [['sluice.example.com']],
          },
        ),
      ),
    },
    { description: 'Who may use the listener `management`.' },
  ),
  flows: Text({ description: 'Folder of the flows.', default: './flows' }),
  securityMaterial: Text({ description: 'Folder of the credentials.', default: './security-material' }),
  data: Text({
    description: 'Folder of the message log and the state; one engine a folder.',
    default: './data',
  }),
  secret: Keys(
    {
      file: Optional(
        Text({
          description:
            'File of the encrypted secrets; secrets.yaml in the folder of the credentials when left out.',
        }),
      ),
      keyFile: Optional(
        Text({
          description:
            'File of the key that opens them; age.key in the folder "data" when left out. The variable SLUICE_SECRET_KEY may hold the key itself.',
        }),
      ),
    },
    { description: 'The encrypted secrets, `${secret:NAME}` in credentials.' },
  ),
  vault: vaultSchema,
  dev: Flag({
    description: 'Literal secrets are warnings instead of problems. Not for production.',
    default: false,
  }),
  strict: Flag({
    description: 'A broken flow at the start ends the engine with exit code 1; otherwise the others run.',
    default: false,
  }),
  watch: Flag({
    description:
      'Changed flows, scripts and parameters take effect by themselves; else with `sluice reload` or SIGHUP.',
    default: false,
  }),
  shutdown: Keys(
    {
      grace: Duration({
        description: 'How long runs may go on after SIGTERM before they are cancelled.',
        default: '30s',
      }),
    },
    { description: 'How it ends.' },
  ),
  http: Keys(
    {
      proxy: Optional(
        Text({
          description: "Proxy for requests to receivers and token services; the environment's when left out.",
        }),
      ),
      ca: Optional(Text({ description: "File of certificates (PEM) to trust beside the system's." })),
      connections: Whole({
        description: 'Connections to one receiver at once.',
        default: 128,
        minimum: 1,
        maximum: 65_535,
      }),
    },
    { description: 'Requests to receivers and token services.' },
  ),
  access: Keys(
    {
      issuer: Optional(
        Text({
          description:
            'The address under which clients reach this engine, as its tokens name it; the address of `listen` when left out.',
          pattern: '^https?://[^\\s?#]+$',
          examples: ['https://flows.example.com'],
        }),
      ),
      audience: Optional(
        Text({
          description: 'Whom its tokens are meant for; the issuer when left out.',
          examples: ['flows-production'],
        }),
      ),
      trustedProxies: Optional(
        ListOf(Text({ description: 'An address or a network.' }), {
          description:
            'Addresses of proxies in front of the engine. Only they are believed what `X-Forwarded-For` and `certificateHeader` say.',
          examples: [['10.0.3.7', '10.20.0.0/16']],
        }),
      ),
      certificateHeader: Optional(
        Choice(CERTIFICATE_HEADERS, {
          description:
            'Header in which the trusted proxies pass on the certificate of a caller: in the form of Envoy (XFCC), as PEM, or as DER in base64.',
        }),
      ),
    },
    { description: 'Tokens for those who call endpoints that are not public.' },
  ),
  connectivityProxy: Keys(
    {
      url: Optional(
        Text({
          description: "Address of SAP's connectivity proxy, `http://host:port`.",
          examples: ['http://connectivity-proxy.kyma-system.svc.cluster.local:20003'],
        }),
      ),
      credential: Optional(
        Text({
          description:
            'Name of the credential whose token the connectivity proxy wants: the OAuth client of the connectivity service. Left out: it wants none.',
          pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,149}$',
          examples: ['connectivity'],
        }),
      ),
    },
    {
      description:
        "SAP's connectivity proxy: the way of credentials with `cloudConnector` to virtual hosts of the Cloud Connector.",
    },
  ),
  egress: egressSchema,
  openapi: Flag({
    description:
      'Whether `/openapi.json` and the page `/openapi` of `listen` tell everybody what the endpoints take. The listener `management` tells those who may read there.',
    default: false,
  }),
  findDestination: Flag({
    description:
      "Whether other programs get destinations with their tokens at `/destination-configuration/v1` of `listen`, as from BTP's destination service: those whose files say `findable: true`, for callers with the role `destination.read`.",
    default: false,
  }),
  limits: Keys(
    {
      body: Size({ description: 'Largest body that is read into memory.', default: '40MB' }),
      header: Size({ description: 'Largest head of a request to an endpoint.', default: '16KB' }),
      bodyTime: Duration({
        description: 'How long the body of a request to an endpoint may take to arrive, all in all.',
        default: '5m',
        minimum: 1000,
      }),
    },
    { description: 'How large things may be, and how slow.' },
  ),
  log: Keys(
    {
      level: Choice(['debug', 'info', 'warn', 'error'], {
        description: "Of the engine's own log.",
        default: 'info',
      }),
      format: Choice(['auto', 'pretty', 'json'], {
        description: 'auto: pretty on a terminal, JSON else.',
        default: 'auto',
      }),
    },
    { description: "The engine's own log." },
  ),
  messageLog: Keys(
    {
      days: Whole({ description: 'Runs older than this are deleted.', default: 30, minimum: 1 }),
      size: Size({
        description: 'Beyond this the oldest runs are deleted. The audit log does not count.',
        default: '1GB',
      }),
      auditDays: Whole({
        description: 'Entries of the audit log (`sluice audit`) older than this are deleted.',
        default: 365,
        minimum: 1,
      }),
    },
    { description: 'The record of runs.' },
  ),
  parameters: Optional(
    MapOf(Value({ description: 'Text, number or boolean; or a map of them for the flow of this name.' }), {
      description: 'Values of parameters, for all flows or for one.',
    }),
  ),
})
