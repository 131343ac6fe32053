import type { ProblemText } from './problem-text.ts'

/** What comes from outside of flows and credentials: settings, parameters, the environment. */
export const SETTING_PROBLEMS = {
  'environment/line': {
    title: 'A line of ".env" is skipped',
    meaning:
      'Lines are `NAME=value`, `NAME="value"` or `# comment`; quotes are closed. The variable of this line is not set.',
    wrong: `# .env
SHOP_KEY: abcdef
`,
    right: `# .env
SHOP_KEY=abcdef
`,
  },
  'environment/unreadable': {
    title: 'The file ".env" cannot be read',
    meaning:
      'It is there, but the user of the engine may not read it, or it is a folder. Its variables are not set.',
    wrong: `$ chmod 000 .env; sluice check
`,
    right: `$ chmod 600 .env; sluice check
`,
    onlyTold: 'it depends on the user',
  },
  'parameter/flag': {
    title: 'A parameter of the command line is of the wrong type',
    meaning: 'What `--param` gives does not fit to the type of the parameter in the flow.',
    wrong: `$ sluice check --param top=many
# flows/orders.yaml
parameters: { top: 100 }
steps:
  - log: \${param.top}
`,
    right: `$ sluice check --param top=50
# flows/orders.yaml
parameters: { top: 100 }
steps:
  - log: \${param.top}
`,
  },
  'parameter/missing': {
    title: 'A parameter has no value',
    meaning:
      'It has no default and is given by nothing: `parameters` of `sluice.yaml`, a variable `SLUICE_PARAM_<NAME>`, or `--param`. The flow does not start without it.',
    wrong: `# flows/orders.yaml
parameters: { company: { type: text } }
steps:
  - log: \${param.company}
`,
    right: `# flows/orders.yaml
parameters: { company: { type: text } }
steps:
  - log: \${param.company}
# sluice.yaml
parameters: { company: acme }
`,
  },
  'parameter/type': {
    title: 'The value of a parameter is of the wrong type',
    meaning:
      'What `sluice.yaml` or the environment gives does not fit to the type of the parameter in the flow.',
    wrong: `# flows/orders.yaml
parameters: { top: 100 }
steps:
  - log: \${param.top}
# sluice.yaml
parameters: { top: many }
`,
    right: `# flows/orders.yaml
parameters: { top: 100 }
steps:
  - log: \${param.top}
# sluice.yaml
parameters: { top: 50 }
`,
  },
  'parameter/unknown': {
    title: 'The settings give a parameter that nothing has',
    meaning:
      'A value of `parameters` in `sluice.yaml` goes to all flows that declare the parameter and to references `${param:name}` of credentials; one under the name of a flow goes to this flow only. This value has no effect.',
    wrong: `# flows/orders.yaml
parameters: { company: acme }
steps:
  - log: \${param.company}
# sluice.yaml
parameters: { orders: { compny: shop } }
`,
    right: `# flows/orders.yaml
parameters: { company: acme }
steps:
  - log: \${param.company}
# sluice.yaml
parameters: { orders: { company: shop } }
`,
  },
  'setting/certificate': {
    title: 'Certificates to trust cannot be read',
    meaning:
      'The setting `http.ca` names a file of certificates in PEM form, relative to the project folder. Without it connections would fail later, where it is harder to see why.',
    wrong: `# sluice.yaml
http: { ca: certificates/company.pem }
`,
    right: `# sluice.yaml
http: { connections: 128 }
`,
  },
  'setting/flag': {
    title: 'A setting of the command line has a value that is none',
    meaning: 'The value of this option is not one that the setting takes. The command ends with exit code 2.',
    wrong: `$ sluice start --log-level loud
`,
    right: `$ sluice start --log-level debug
`,
    onlyTold: 'it is told as wrong usage',
  },
  'setting/issuer': {
    title: 'Nobody has said which address callers use',
    meaning:
      'With `listen: 0.0.0.0:8080` (or `[::]:8080`) the engine takes calls at every address of its machine. Its tokens, the metadata of the token service and the OpenAPI description name one: `access.issuer`, the address that callers know, through a proxy or a host name. Without it they name this machine itself (127.0.0.1), which is of use for trying things out only. A warning.',
    wrong: `# sluice.yaml
listen: 0.0.0.0:8080
# flows/orders.yaml
steps:
  - log: hello
`,
    right: `# sluice.yaml
listen: 0.0.0.0:8080
access: { issuer: "https://flows.example.com" }
# flows/orders.yaml
steps:
  - log: hello
`,
  },
  'setting/proxy': {
    title: 'The proxy of the settings has no address',
    meaning:
      '`http.proxy` and `connectivityProxy.url` are `http://host:port`; the latter has no user in it, its token comes from `connectivityProxy.credential`. Settings hold no references; a proxy with a password is given by the variable `SLUICE_HTTP_PROXY`.',
    wrong: `# sluice.yaml
http: { proxy: "socks5://proxy.example.com:1080" }
`,
    right: `# sluice.yaml
http: { proxy: "http://proxy.example.com:3128" }
`,
  },
  'setting/tls': {
    title: 'Endpoints cannot be served by https with these settings',
    meaning:
      '`tls` has `certificate` and `key`, or `pkcs12`: files, relative to the project folder, that can be read and fit each other. `passphrase` is a reference, `${env:NAME}` or `${file:/path}`. An engine does not start without them; where they become broken while it runs, it goes on with those that it has. That a certificate has expired or ends within 30 days is a warning.',
    wrong: `# sluice.yaml
tls: { key: certificates/server.key }
# flows/orders.yaml
steps:
  - log: hello
`,
    right: `# sluice.yaml
tls: { clientCertificates: auto }
# flows/orders.yaml
steps:
  - log: hello
`,
  },
  'setting/trusted-proxy': {
    title: 'A trusted proxy is neither an address nor a network',
    meaning:
      '`access.trustedProxies` lists addresses (`10.0.3.7`) and networks (`10.20.0.0/16`) of the proxies that stand in front of the engine. What they say of a caller, its address and its certificate, is believed.',
    wrong: `# sluice.yaml
access: { trustedProxies: [proxy.example.com] }
# flows/orders.yaml
steps:
  - log: hello
`,
    right: `# sluice.yaml
access: { trustedProxies: [10.20.0.0/16] }
# flows/orders.yaml
steps:
  - log: hello
`,
  },
  'setting/unknown-variable': {
    title: 'A variable looks like a setting and is none',
    meaning:
      'Variables that begin with `SLUICE_` are settings; this one has probably a typing mistake, and no effect.',
    wrong: `$ SLUICE_LISTN=127.0.0.1:8081 sluice check
`,
    right: `$ SLUICE_LISTEN=127.0.0.1:8081 sluice check
`,
  },
  'setting/unreadable': {
    title: 'The settings cannot be read',
    meaning:
      '`sluice.yaml` is there, but the user of the engine may not read it, or it is a folder. Defaults would stand in for what it says, so nothing starts.',
    wrong: `$ chmod 000 sluice.yaml; sluice check
`,
    right: `$ chmod 600 sluice.yaml; sluice check
`,
    onlyTold: 'it depends on the user',
  },
  'setting/variable': {
    title: 'A setting of the environment has a value that is none',
    meaning:
      'The variable sets a setting, and its value is not one that the setting takes. The default stands in.',
    wrong: `$ SLUICE_LIMITS_BODY=lots sluice check
`,
    right: `$ SLUICE_LIMITS_BODY=40MB sluice check
`,
  },
  'setting/vault': {
    title: 'Vault cannot be asked with these settings',
    meaning:
      '`vault` has an `address` (https, or http on this machine) and one way to log in: `auth.token`, `auth.appRole` with `roleId` and `secretId`, or `auth.kubernetes` with `role`. Tokens and secret ids are references, `${env:NAME}` or `${file:/path}`. The egress rules hold for it, too.',
    wrong: `# sluice.yaml
vault:
  address: http://vault.example.com:8200
  auth: { token: "\${env:VAULT_TOKEN}" }
# flows/orders.yaml
steps:
  - log: hello
`,
    right: `# sluice.yaml
vault:
  address: https://vault.example.com:8200
  auth: { token: "\${env:VAULT_TOKEN}" }
# flows/orders.yaml
steps:
  - log: hello
`,
  },
  'setting/egress': {
    title: 'An entry of `egress` is not possible',
    meaning:
      '`egress` says where connections may lead to: hosts, domains, addresses, networks, and words for kinds of addresses.',
    wrong: `# sluice.yaml
egress: { deny: ['10.0.0.0/64'] }
# flows/orders.yaml
steps:
  - log: hello
`,
    right: `# sluice.yaml
egress: { deny: ['10.0.0.0/8'] }
# flows/orders.yaml
steps:
  - log: hello
`,
  },
} as const satisfies Record<string, ProblemText>
