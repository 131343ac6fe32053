import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadSettings, parseListen, type Settings } from '../src/config.ts'
import { schemeOf } from '../src/tls-setting.ts'

export const CALLER = 'product-caller'
const CLIENT = 'product-client'
const projectFolder = join(import.meta.dirname, '..')
const main = join(projectFolder, 'src', 'main.ts')

/** What `sluice start` will find in flags, variables and sluice.yaml; it tells what is wrong with them. */
export async function engineSettings(flags: readonly string[]): Promise<Settings> {
  const { values } = parseArgs({
    args: [...flags],
    strict: false,
    options: {
      listen: { type: 'string' },
      data: { type: 'string' },
      flows: { type: 'string' },
      'security-material': { type: 'string' },
    },
  })
  const { 'security-material': securityMaterial, ...others } = values
  const given = Object.entries({ ...others, securityMaterial }).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  return (await loadSettings(projectFolder, process.env, Object.fromEntries(given))).settings
}

/** The address by which the engine calls itself, and the flags that keep it there: port 0 becomes a free one. */
export async function engineAddress(
  settings: Pick<Settings, 'listen' | 'tls'>,
): Promise<{ url: string; flags: string[] }> {
  const { host, port } = parseListen(settings.listen)!
  const chosen = port === 0 ? await freePort(host) : port
  const reached = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return {
    url: `${schemeOf(settings)}://${named(reached)}:${chosen}`,
    flags: port === 0 ? ['--listen', `${named(host)}:${chosen}`] : [],
  }
}

function named(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/**
 * Makes the client that the flow `product-caller` calls as, with the command that anybody would use. One that is there
 * with this secret stays as it is. Resolves to whether there is such a flow.
 */
export async function makeClient(
  { flows, securityMaterial }: Pick<Settings, 'flows' | 'securityMaterial'>,
  secret: string,
): Promise<boolean> {
  if (!(await isThere(join(flows, `${CALLER}.yaml`)))) return false
  const file = join(securityMaterial, `${CLIENT}.yaml`)
  const description = `Made by npm start for the flow ${CALLER} (fingerprint ${fingerprint(secret)})`
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  if (known.includes(description)) return true
  await rm(file, { force: true })
  const flags = ['--secret-stdin', '--description', description, '--security-material', securityMaterial]
  const command = spawn(process.execPath, [main, 'client', 'create', CLIENT, ...flags], {
    cwd: projectFolder,
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  let errors = ''
  command.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  command.stdin.on('error', () => {}).end(secret)
  const [code] = (await once(command, 'close')) as [number | null]
  if (code !== 0) throw new Error(`the client ${CLIENT} could not be made: ${errors.trim()}`)
  return true
}

async function isThere(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  )
}

/** Tells secrets apart and says nothing of them: they are random. */
function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 8)
}
