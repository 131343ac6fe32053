// Builds dist/, what an installed package runs: Node strips no types below node_modules.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { build } from 'esbuild'
import { buildBundle } from '../src/scripts/bundle.ts'

const FOLDER = join(import.meta.dirname, '..')
const NOTICES = 'third-party-licenses.txt'

/** `require` for the dependencies that are CommonJS. */
const REQUIRE = `import { createRequire as createRequireOfBundle } from 'node:module'
const require = createRequireOfBundle(import.meta.url)`

/** Builds everything into a folder, in place of what was built there before. */
export async function buildPackage(dist = join(FOLDER, 'dist')): Promise<void> {
  await removeBuilt(dist)
  const { metafile } = await build({
    absWorkingDir: FOLDER,
    entryPoints: {
      main: 'src/main.ts',
      'sqlite/worker': 'src/store/sqlite/worker.ts',
      'sqlite/reading-worker': 'src/store/sqlite/reading-worker.ts',
    },
    outdir: dist,
    bundle: true,
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node26',
    banner: { js: REQUIRE },
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
  })
  const ofScripts = await buildBundle(join(dist, 'script-host.cjs'))
  await writeFile(join(dist, NOTICES), await notices([...Object.keys(metafile.inputs), ...ofScripts]))
}

/** Chunks have hashes in their names: those of an earlier build would stay. */
async function removeBuilt(dist: string): Promise<void> {
  await mkdir(dist, { recursive: true })
  for (const name of await readdir(dist))
    if (name !== 'script-host.cjs') await rm(join(dist, name), { recursive: true, force: true })
}

/** The licenses of all packages whose code is in the bundles. */
async function notices(inputs: readonly string[]): Promise<string> {
  const folders = new Set(
    inputs.flatMap((input) => /^(?:.*:)?(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1] ?? []),
  )
  const texts = await Promise.all(
    [...folders].toSorted().map(async (folder) => {
      const path = join(FOLDER, folder)
      const { name, version, license } = JSON.parse(
        await readFile(join(path, 'package.json'), 'utf8'),
      ) as Record<'name' | 'version' | 'license', string>
      const file = (await readdir(path)).find((entry) => /^(licen[cs]e|copying)/i.test(entry))
      const text =
        file === undefined ? `License: ${license}` : (await readFile(join(path, file), 'utf8')).trim()
      return `${name} ${version}\n\n${text}\n`
    }),
  )
  return `Code of these packages is in the bundles of Sluice.\n\n${texts.join(`\n${'-'.repeat(72)}\n\n`)}`
}

if (import.meta.main) {
  const started = performance.now()
  await buildPackage()
  process.stderr.write(
    `built ${relative(process.cwd(), join(FOLDER, 'dist')) || '.'} in ${Math.round(performance.now() - started)} ms\n`,
  )
}
