import { readFile } from 'node:fs/promises'
import { finishRekeying, makeKey, rekey } from '../security/secret-changes.ts'
import { readSecretFile } from '../security/secret-file.ts'
import { findKeys, KEY_VARIABLE } from '../security/secret-keys.ts'
import { printProblems } from '../flow/print.ts'
import { movingSealed } from '../sealed-data.ts'
import { Stop, UsageError, type CommandDefinition } from './command.ts'
import { paint } from './paint.ts'
import { appSettingOf } from './project-setting.ts'
import { orStop, secretOptions, secretProject, type SecretProject } from './secret-files.ts'
import { toldKey } from './secret-set.ts'

export const secretKeyCommand: CommandDefinition = {
  name: 'secret key',
  summary: 'Shows the public parts of the keys: who can read the secrets, and which key is here.',
  options: [
    { flags: '--new', description: 'makes a key here, where there is none' },
    { flags: '--json', description: 'as JSON' },
    ...secretOptions,
  ],
  examples: ['sluice secret key', 'sluice secret key --new'],
  details: `To let another machine or person read the secrets, make a key there (--new), and give its public part, age1..., to
somebody who can read them: sluice secret rekey --add age1...
Exit code: 0 shown, 1 no key was made, 2 wrong usage, 3 a fault.`,
  async run(io, _args, options) {
    const project = await secretProject(io, options)
    if (options['new']) {
      const { keys } = await findKeys(project)
      if (keys.length > 0) throw new Stop(1, `there is a key already, ${keys[0]!.from}; none was made`)
      io.stdout(toldKey(project, await orStop(makeKey(project, Date.now()))))
      return 0
    }
    const { keys, problems } = await findKeys(project)
    const recipients = await recipientsOf(project)
    const colors = paint(io.color)
    const rows = [
      ...keys.map(({ recipient, from }) => ({ recipient, key: from, opens: recipients.includes(recipient) })),
      ...recipients
        .filter((recipient) => keys.every((key) => key.recipient !== recipient))
        .map((recipient) => ({ recipient, key: undefined, opens: true })),
    ]
    if (options['json']) io.stdout(`${JSON.stringify(rows, undefined, 2)}\n`)
    else if (rows.length === 0)
      io.stdout('there is no key yet; the first `sluice secret set` or --new makes one\n')
    else
      io.stdout(
        rows
          .map(({ recipient, key, opens }) => {
            const what = opens ? 'can read the secrets' : colors.yellow('the secrets are not for it')
            return `${recipient}\n  ${key ?? 'a key that is elsewhere'}; ${what}\n`
          })
          .join(''),
      )
    if (problems.length > 0) io.stderr(printProblems(problems, () => undefined, { color: io.colorErrors }))
    return 0
  },
}

export const secretRekeyCommand: CommandDefinition = {
  name: 'secret rekey',
  summary: 'Encrypts all secrets anew: with a new key, or for other recipients.',
  options: [
    { flags: '--add <recipient>', description: 'age1...: who may read them, too', repeatable: true },
    { flags: '--remove <recipient>', description: 'age1...: who may no longer', repeatable: true },
    { flags: '--finish', description: 'takes the old key out of the key file' },
    ...secretOptions,
  ],
  examples: [
    'sluice secret rekey',
    'sluice secret rekey --finish',
    'sluice secret rekey --add age1...',
    'sluice secret rekey --remove age1...',
  ],
  details: `Without --add and --remove a new key takes the place of the one that is here. The old key stays in the key file behind the
new one until --finish, so that nothing is lost whenever it is interrupted, and older versions of the file can be read.
--finish encrypts the tokens that are kept in the data folder for the new key as well; the engine has to be stopped for it.
It needs a key that can read all secrets. Whoever had a key can still read the versions of the file that were
encrypted for it: if it got into wrong hands, replace the secrets at their services as well.
Exit code: 0 done, 1 nothing was changed, 2 wrong usage, 3 a fault.`,
  async run(io, _args, options) {
    const add = (options['add'] as string[] | undefined) ?? []
    const remove = (options['remove'] as string[] | undefined) ?? []
    const changes = add.length + remove.length > 0
    if (options['finish'] && changes) throw new UsageError('--finish stands alone')
    const project = await secretProject(io, options)
    if (options['finish']) {
      const old = await orStop(
        finishRekeying(project, movingSealed(appSettingOf(project.settings, io, options))),
      )
      io.stdout(
        old.length === 0
          ? `there is no old key in ${project.shownKeyFile}\n`
          : `took ${old.length === 1 ? 'the old key' : `${old.length} old keys`} out of ${project.shownKeyFile}\n${old.map((one) => `  public: ${one}\n`).join('')}`,
      )
      return 0
    }
    const done = await orStop(rekey(project, { add, remove }, Date.now()))
    const count = done.secrets === 1 ? '1 secret' : `all ${done.secrets} secrets`
    const { shownFile, shownKeyFile } = project
    if (done.madeKey === undefined)
      io.stdout(
        `encrypted ${count} in ${shownFile} anew, for\n${done.recipients.map((one) => `  ${one}\n`).join('')}`,
      )
    else {
      io.stdout(`encrypted ${count} in ${shownFile} anew, with a new key\n`)
      io.stdout(`  public: ${done.madeKey}\n\nNext:\n${nextSteps(project, shownKeyFile)}`)
    }
    return 0
  },
}

function nextSteps({ environment }: SecretProject, shownKeyFile: string): string {
  const variable = environment[KEY_VARIABLE]
    ? `  ${KEY_VARIABLE} holds the old key: put the new one into it, from ${shownKeyFile}\n`
    : ''
  return `${variable}  give ${shownKeyFile} to every engine that uses these secrets, before the new file
  restart them: a minute later the tokens that they keep have the new key, too
  keep a copy of it in a safe place
  sluice secret rekey --finish   # then, with the engine here stopped: takes the old key out of ${shownKeyFile}
`
}

async function recipientsOf({ file, shownFile }: SecretProject): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  return text === undefined ? [] : (readSecretFile(shownFile, text).content?.recipients ?? [])
}
