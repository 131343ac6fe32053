import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { installedFrom } from '../../src/origin.ts'
import { sluice } from '../support/command-line.ts'
import { startEngine } from '../support/process.ts'
import { projectFolder } from '../support/project.ts'

const FILES = [
  'package.json',
  'sluice.yaml',
  'flows/hello.yaml',
  'flows/order.yaml',
  'flows/price.yaml',
  'flows/heartbeat.yaml',
  'security-material/README.md',
  '.env.example',
  '.gitignore',
  'README.md',
]

test('the made project passes the check, and runs', async (t) => {
  const { code, stdout, stderr, folder } = await sluice(t, ['init', 'My Flows'])
  assert.deepEqual([code, stderr], [0, ''])
  assert.equal(
    stdout,
    `A project in My Flows/:\n\n${FILES.map((file) => `  ${file}\n`).join('')}\nNext:\n  cd 'My Flows'\n  npm install\n  npm start\n`,
  )
  const project = join(folder, 'My Flows')
  const checked = await sluice(t, ['check', '--secrets'], {}, { folder: project })
  assert.deepEqual([checked.code, checked.stdout], [0, '4 flows, no problems\n'])
  const manifest = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Record<string, never>
  assert.equal(manifest['name'], 'my-flows')
  assert.match(readFileSync(join(project, 'README.md'), 'utf8'), /^# my-flows\n/)

  for (const file of FILES.filter((file) => file.endsWith('.yaml')))
    assert.match(
      readFileSync(join(project, file), 'utf8'),
      /^# yaml-language-server: \$schema=[./]*node_modules\/sluice\/docs\//,
    )

  const { url, kill, ended } = await startEngine(t, project)
  const hello = await fetch(`${url}/http/hello?name=Ada`)
  assert.deepEqual(await hello.json(), { greeting: 'Hello, Ada!' })
  const order = (body: object) =>
    fetch(`${url}/http/orders`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const priced = await order({ item: 'book', quantity: 3 })
  assert.equal(priced.status, 201)
  assert.deepEqual(await priced.json(), { item: 'book', quantity: 3, total: 37.5, currency: 'EUR' })
  assert.equal((await order({ quantity: 3 })).status, 422)
  kill('SIGTERM')
  assert.equal((await ended).code, 0)
  const { stdout: log } = await sluice(t, ['log'], {}, { folder: project })
  for (const flow of ['hello', 'order', 'price', 'heartbeat'])
    assert.match(log, new RegExp(`COMPLETED +${flow} `))
})

test('in a checkout, the project depends on the checkout', async (t) => {
  const { folder } = await sluice(t, ['init', 'a/b'])
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'a/b/package.json'), 'utf8')) as {
    dependencies: { sluice: string }
  }
  const checkout = join(folder, 'a/b', dependencies.sluice.slice('file:'.length))
  assert.equal(checkout, join(import.meta.dirname, '../..'))
})

test('where npm has installed a package from: its file, or a registry', async (t) => {
  const folder = projectFolder(t, {
    'node_modules/.package-lock.json': JSON.stringify({
      packages: {
        'node_modules/a': { resolved: 'file:../tarballs/a-1.0.0.tgz' },
        'node_modules/b': { resolved: 'https://registry.example.com/b-1.0.0.tgz' },
      },
    }),
  })
  assert.equal(await installedFrom(join(folder, 'node_modules/a')), join(folder, '../tarballs/a-1.0.0.tgz'))
  for (const name of ['b', 'c'])
    assert.equal(await installedFrom(join(folder, 'node_modules', name)), undefined)
  assert.equal(await installedFrom(join(folder, 'elsewhere/a')), undefined)
})

test('a folder with files is refused, and told what is in the way', async (t) => {
  const files = { 'a.txt': '', 'b.txt': '', 'c.txt': '', 'd.txt': '', 'e.txt': '', 'f/g.txt': '' }
  for (const given of ['.', './']) {
    const { code, stdout, stderr, folder } = await sluice(t, ['init', given], files)
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /has files in it: "a.txt", "b.txt", "c.txt", "d.txt", "e.txt" and 1 more\n.*--add/)
    assert.equal(readdirSync(folder).length, 6)
  }
})

test('--add adds what is missing, overwrites nothing, and tells what package.json lacks', async (t) => {
  const manifest = '{ "name": "mine", "scripts": { "start": "node mine.js" } }'
  const { code, stdout, folder } = await sluice(t, ['init', '.', '--add'], {
    'package.json': manifest,
    'flows/hello.yaml': 'steps:\n  - log: mine\n',
  })
  assert.equal(code, 0)
  assert.match(stdout, /^A project in this folder:\n/)
  assert.match(stdout, /^ {2}flows\/hello.yaml {2}\(was there, is as it was\)$/m)
  assert.match(
    stdout,
    /in scripts: "check": "sluice check"\n {2}in dependencies: "sluice": "file:.*"\n {2}in allowScripts: "node": true\n/,
  )
  assert.doesNotMatch(stdout, /in scripts: "start"|^ {2}cd /m)
  assert.equal(readFileSync(join(folder, 'package.json'), 'utf8'), manifest)
  assert.match(readFileSync(join(folder, 'flows/hello.yaml'), 'utf8'), /mine/)
  const again = await sluice(t, ['init', '.', '--add', '--json'], {}, { folder })
  assert.deepEqual(JSON.parse(again.stdout), { folder, written: [], kept: FILES })
})

test('an empty folder and one of git are taken; a file is not', async (t) => {
  const empty = projectFolder(t, {})
  mkdirSync(join(empty, '.git'))
  const here = await sluice(t, ['init', '.'], {}, { folder: empty })
  assert.equal(here.code, 0)
  const { name } = JSON.parse(readFileSync(join(empty, 'package.json'), 'utf8')) as { name: string }
  assert.equal(name, basename(empty).toLowerCase())
  const file = await sluice(t, ['init', 'a.txt'], { 'a.txt': '' })
  assert.deepEqual([file.code, file.stderr], [2, 'sluice: "a.txt" is no folder; choose another name\n'])
  const inFile = await sluice(t, ['init', 'a.txt/b'], { 'a.txt': '' })
  assert.equal(inFile.code, 2)
})

test('a name that npm would not take is another one', async (t) => {
  for (const [given, name] of [
    ['sluice', 'sluice-flows'],
    ['_Ä', 'sluice-flows'],
    ['.hidden', 'hidden'],
  ] as const) {
    const { folder } = await sluice(t, ['init', given])
    const manifest = JSON.parse(readFileSync(join(folder, given, 'package.json'), 'utf8')) as { name: string }
    assert.equal(manifest.name, name)
  }
})

test('where npm has just installed Sluice: the folder is taken, and package.json is told what it lacks', async (t) => {
  const { code, stdout, folder } = await sluice(t, ['init'], {
    'package.json': '{ "dependencies": { "sluice": "file:a.tgz" } }',
    'package-lock.json': '{}',
    'node_modules/sluice/package.json': '{}',
  })
  assert.equal(code, 0)
  assert.match(stdout, /Add to package\.json[^]*in scripts: "start": "sluice start --watch"/)
  assert.doesNotMatch(stdout, /in dependencies/)
  assert.ok(readdirSync(folder).includes('flows'))
})

test('a package.json that is no object is told what it lacks', async (t) => {
  const { code, stdout } = await sluice(t, ['init'], { 'package.json': 'null' })
  assert.equal(code, 0)
  assert.match(stdout, /in scripts: "start"/)
})

test('behind a symbolic link the way to the checkout is that of the folder itself', async (t) => {
  const folder = projectFolder(t, { 'deep/er/a.txt': '' })
  symlinkSync('deep/er', join(folder, 'link'))
  await sluice(t, ['init', 'link/project'], {}, { folder })
  const real = join(folder, 'deep/er/project')
  const { dependencies } = JSON.parse(readFileSync(join(real, 'package.json'), 'utf8')) as {
    dependencies: { sluice: string }
  }
  assert.equal(join(real, dependencies.sluice.slice('file:'.length)), join(import.meta.dirname, '../..'))
})

test('what cannot be written is told, with why', async (t) => {
  const { code, stderr } = await sluice(t, ['init', '--add'], { flows: 'a file' })
  assert.equal(code, 1)
  assert.match(stderr, /^sluice: ".*hello\.yaml" cannot be written: a file of this name is there\n$/)
})
