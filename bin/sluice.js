#!/usr/bin/env node
// Starts Sluice on its own Node: src/main.ts in a checkout, dist/main.js in an installed package.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..')
const source = join(folder, 'src', 'main.ts')
const main = existsSync(source) ? source : join(folder, 'dist', 'main.js')
const required = 26

function nodeToUse() {
  if (Number(process.versions.node.split('.')[0]) >= required) return process.execPath
  try {
    const packageFile = createRequire(import.meta.url).resolve('node/package.json')
    const binary = join(dirname(packageFile), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
    if (existsSync(binary)) return binary
  } catch {}
  process.stderr.write(
    `sluice needs Node ${required}; this is ${process.version}, and the Node that comes with Sluice is not installed.\n` +
      'Run `npm ci` (or `npm install`) again, with install scripts allowed for the package "node".\n',
  )
  process.exit(3)
}

// --disable-sigusr1: nobody opens the engine's debugger from outside.
const node = nodeToUse()
const command = ['--disable-sigusr1', main, ...process.argv.slice(2)]
if (process.execve) {
  process.execve(node, [node, ...command], process.env)
} else {
  const child = spawn(node, command, { stdio: 'inherit' })
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1
    if (!signal) return
    for (const name of signals) process.removeAllListeners(name)
    process.kill(process.pid, signal)
  })
}
