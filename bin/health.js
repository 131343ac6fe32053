// For a container's health check: exit code 0 when the engine on this machine is ready, else 1.
import { request as plain } from 'node:http'
import { request as secure } from 'node:https'

const { SLUICE_TLS_CERTIFICATE: certificate, SLUICE_TLS_PKCS12: pkcs12 } = process.env
const listen = process.env.SLUICE_LISTEN || '127.0.0.1:8080'
const [, host, port] = /^(?:(.*):)?(\d+)$/.exec(listen) ?? []
const anywhere = { undefined: '127.0.0.1', '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }

/** No certificate is checked: it is this machine, and nothing is told to it. */
const ask = (scheme) =>
  new Promise((resolve, reject) => {
    const options = { rejectUnauthorized: false, signal: AbortSignal.timeout(4000) }
    const url = `${scheme}://${anywhere[host] ?? host}:${port}/health/ready`
    ;(scheme === 'https' ? secure : plain)(url, options, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode))
    })
      .once('error', reject)
      .end()
  })

try {
  if (port === undefined) throw new Error(`SLUICE_LISTEN is "${listen}"; host:port is wanted`)
  let status = certificate || pkcs12 ? 0 : await ask('http')
  // What the settings say of TLS may stand in sluice.yaml: a listener that wants it refuses plain http so.
  if (status === 0 || status === 400) status = await ask('https')
  if (status !== 200) throw new Error(`the engine answers with ${status}`)
} catch (error) {
  process.stderr.write(`not ready: ${error.cause?.message ?? error.message}\n`)
  process.exitCode = 1
}
