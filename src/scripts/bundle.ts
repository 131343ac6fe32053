import { mkdir, rename } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'

const HERE = dirname(fileURLToPath(import.meta.url))
const require = createRequire(import.meta.url)

/** What runs inside the sandbox, as a text for the process that makes sandboxes. */
const sandbox: Plugin = {
  name: 'sandbox',
  setup(builder) {
    builder.onResolve({ filter: /^sluice:sandbox$/ }, ({ path }) => ({ path, namespace: 'sandbox' }))
    builder.onLoad({ filter: /.*/, namespace: 'sandbox' }, async () => {
      const { outputFiles } = await build({
        entryPoints: [join(HERE, 'host/sandbox/main.ts')],
        bundle: true,
        write: false,
        format: 'iife',
        globalName: 'sandbox',
        target: 'es2022',
        minify: true,
        banner: { js: '(function(){"use strict";' },
        footer: { js: 'return sandbox.open()})()' },
      })
      return { contents: outputFiles[0]!.text, loader: 'text' }
    })
  },
}

/** Only the `VM` of vm2: no modules, no resolver, no command line. */
const vm2: Plugin = {
  name: 'vm2',
  setup(builder) {
    const folder = dirname(require.resolve('vm2/package.json'))
    builder.onResolve({ filter: /^vm2$/ }, ({ path }) => ({ path, namespace: 'vm2' }))
    builder.onLoad({ filter: /.*/, namespace: 'vm2' }, () => ({
      contents: `exports.VM = require('./lib/vm.js').VM; exports.VMScript = require('./lib/script.js').VMScript`,
      resolveDir: folder,
    }))
  },
}

/** Builds the one file that script processes run. Returns the files that it was made of. */
export async function buildBundle(file = join(HERE, '../../dist/script-host.cjs')): Promise<string[]> {
  await mkdir(dirname(file), { recursive: true })
  const unfinished = `${file}.${process.pid}`
  const { metafile } = await build({
    entryPoints: [join(HERE, 'host/main.ts')],
    outfile: unfinished,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node26',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    external: ['coffee-script', 'typescript'],
    banner: { js: '"use strict";{(() => {' },
    footer: { js: '})()}' },
    plugins: [sandbox, vm2],
    metafile: true,
    logLevel: 'error',
  })
  await rename(unfinished, file)
  return Object.keys(metafile.inputs)
}

if (import.meta.main) await buildBundle()
