import { Keys } from '../core/schema.ts'
import { defineCredential } from '../core/kinds.ts'
import type { ReachOptions } from '../security/reach.ts'
import { createFixedAuthorizer } from './fixed-grant.ts'

export const certificate = defineCredential({
  name: 'certificate',
  summary: 'A client certificate: the receiver knows the caller by it, and there is no token.',
  description:
    'The certificate and its key stand under `tls`, as PEM or PKCS#12, and are shown in the TLS handshake when the receiver asks for one. A changed file takes effect with the next request. Where a token service wants the certificate, use `oauth2` with `clientAuthentication: certificate`.',
  examples: [
    {
      title: 'Certificate and key in PEM',
      yaml: "type: certificate\nbaseUrl: https://erp.example.com/api/\ntls:\n  certificate: '${file:/run/secrets/client.crt}'\n  key: '${file:/run/secrets/client.key}'\n",
    },
    {
      title: 'A PKCS#12 file',
      yaml: "type: certificate\nbaseUrl: https://erp.example.com/api/\ntls: { pkcs12: '${file:/run/secrets/client.p12}', passphrase: '${env:P12_PASSPHRASE}' }\n",
    },
  ],
  options: Keys({}),
  check(options, problem) {
    const { tls = {} } = options as ReachOptions
    if (tls.certificate !== undefined || tls.key !== undefined || tls.pkcs12 !== undefined) return
    problem({
      code: 'credential/missing-field',
      message: '"tls" has no client certificate, which this type is about',
      hint: 'Add tls: { certificate: "${file:...}", key: "${file:...}" }, or tls: { pkcs12: "${file:...}", passphrase: "${env:NAME}" }.',
      at: (options as ReachOptions).tls === undefined ? [] : ['tls'],
      on: 'key',
    })
  },
  prepare: (_options, { name }) =>
    createFixedAuthorizer(
      { headers: [], query: '' },
      `credential "${name}" shows a client certificate and sends nothing else`,
      [],
    ),
  explain: () => 'a client certificate, in the TLS handshake',
  describe: () => ({}),
  asDestination: () => ({ Authentication: 'ClientCertificateAuthentication' }),
})
