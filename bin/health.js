// For a container's health check: exit code 0 when the engine on this machine is ready, else 1.
const listen = process.env.SLUICE_LISTEN || '127.0.0.1:8080'
const [, host, port] = /^(?:(.*):)?(\d+)$/.exec(listen) ?? []
const anywhere = { undefined: '127.0.0.1', '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }
try {
  if (port === undefined) throw new Error(`SLUICE_LISTEN is "${listen}"; host:port is wanted`)
  const { status } = await fetch(`http://${anywhere[host] ?? host}:${port}/health/ready`, {
    signal: AbortSignal.timeout(4000),
  })
  if (status !== 200) throw new Error(`the engine answers with ${status}`)
} catch (error) {
  process.stderr.write(`not ready: ${error.cause?.message ?? error.message}\n`)
  process.exitCode = 1
}
