// How long `sluice check` takes over a project of many flows: the whole process, from its start to its end.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export interface CheckTime {
  readonly flows: number
  readonly seconds: number[]
  /** What the command says; without mistakes, how many flows there are. */
  readonly said: string
}

const COMMAND = join(import.meta.dirname, '..', 'bin', 'sluice.js')

/** @param rounds after one that fills caches and is not counted */
export async function measureCheck(flows: number, rounds: number): Promise<CheckTime> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-check-'))
  try {
    writeProject(folder, flows)
    await check(folder)
    const seconds: number[] = []
    let said = ''
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      said = await check(folder)
      seconds.push((performance.now() - start) / 1000)
    }
    return { flows, seconds, said }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function check(folder: string): Promise<string> {
  const child = spawn(process.execPath, [COMMAND, '-C', folder, 'check'], {
    env: { ...process.env, BENCH_SECRET: 'secret' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0
        ? resolve(said.trim())
        : reject(new Error(`sluice check ended with ${code}:\n${said.slice(0, 1000)}`)),
    )
  })
}

/** Of ten flows four are mappings between two systems, two run at night, two hold scripts, one calls another, one is long. */
function writeProject(folder: string, flows: number): void {
  const files: Record<string, string> = { 'sluice.yaml': 'parameters: { company: acme }\n' }
  for (let number = 0; number < 20; number++)
    files[`security-material/system_${number}.yaml`] =
      `type: oauth2\ntokenServiceUrl: https://auth.example.com/${number}/token\nclientId: bench\nclientSecret: \${env:BENCH_SECRET}\nbaseUrl: https://api.example.com/${number}/\n`
  files['scripts/map-order.js'] =
    'export default function mapOrder(message) {\n  message.body.total = message.body.qty * message.body.price\n}\n'
  for (let number = 0; number < flows; number++) {
    const area = `area-${number % 25}`
    files[`flows/${area}/flow-${number}.yaml`] = FLOWS[number % FLOWS.length]!(
      number,
      `system_${number % 20}`,
    )
  }
  for (const [file, text] of Object.entries(files)) {
    const path = join(folder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
}

type MakeFlow = (number: number, credential: string) => string

const mapping: MakeFlow = (number, credential) => `description: Orders of the shop number ${number}.
parameters: { company: acme }
steps:
  - endpoint: { path: /shop/${number}/orders, access: public }
  - log: order \${body.id} of \${param.company}
  - set:
      body:
        id: \${body.id}
        customer: '\${coalesce(body.customer.id, "none")}'
        lines: "\${body.items.map(i, {'sku': i.sku, 'qty': i.qty})}"
        total: \${round(body.total * 1.21, 2)}
  - http: { method: POST, url: "orders/\${body.id}", credential: ${credential}, headers: { x-company: "\${param.company}" } }
    retry: { attempts: 3, delay: 1s, on: [network, 429, 5xx] }
  - choose:
      cases:
        - if: response.status == 201
          steps:
            - respond: { status: 201, body: { id: "\${body.id}" } }
      else:
        - fail: { message: "status \${response.status}", status: 502 }
`

const nightly: MakeFlow = (number, credential) => `description: Nightly copy number ${number}.
steps:
  - timer: { cron: "${number % 60} 2 * * *", timezone: Europe/Brussels }
  - http:
      url: items
      credential: ${credential}
      query: { $filter: "changed gt \${formatDate(addDuration(now(), '-P1D'), 'yyyy-MM-dd')}" }
      paginate: { items: body.value, next: "body['@odata.nextLink']" }
  - forEach:
      concurrency: 16
      onItemError: continue
      steps:
        - http: { method: PUT, url: "copies/\${item.id}", credential: ${credential} }
  - log: copied \${body.count} items, \${body.failed} failed
onError:
  - log: { message: "failed: \${error.message}", level: error }
`

const inline: MakeFlow = (number) => `steps:
  - endpoint: { path: "/scripts/${number}/{id}", method: PUT, access: public }
  - script: |
      const { items = [] } = message.body
      message.body = items.map(({ sku, qty }) => ({ sku, qty, flow: ${number} }))
      log.info('mapped', { items: items.length })
`

const fromFile: MakeFlow = (number) => `steps:
  - endpoint: { path: /files/${number}, access: public }
  - script: { file: scripts/map-order.js }
  - respond: { body: { total: "\${body.total}" } }
`

const calling: MakeFlow = (number) => `steps:
  - endpoint: { path: /calls/${number}, access: public }
  - call: area-${(number + 1) % 25}/flow-${number + 1}
  - log: done
`

const long: MakeFlow = (number, credential) => `steps:
${Array.from(
  { length: 12 },
  (_, step) => `  - try:
      steps:
        - http: { url: "systems/${number}/${step}/\${properties.key}", credential: ${credential}, into: answer${step} }
      catch:
        - status: [404, 5xx]
          steps:
            - log: { message: "no answer ${step}: \${error.message}", level: warn }
      finally:
        - set: { headers: { x-step: "${step}" }, properties: { key: "\${lower(string(properties.answer${step}.key))}" } }
`,
).join('')}`

const FLOWS: readonly MakeFlow[] = [
  mapping,
  nightly,
  mapping,
  inline,
  mapping,
  nightly,
  mapping,
  fromFile,
  calling,
  long,
]
