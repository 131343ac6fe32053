import { credentials } from '../credentials/index.ts'
import { didYouMean } from '../core/problem.ts'
import { credentialSkeleton, secretField } from '../reference/credential-skeleton.ts'
import { isCredentialName, nameOf } from '../security/material-name.ts'
import { findMaterial } from '../security/material-files.ts'
import { frameSchema } from '../security/frame.ts'
import { newKnownCredential, nextSteps } from './known-credential.ts'
import { flagOf, Stop, UsageError, type CommandDefinition, type CommandIo } from './command.ts'
import { folderOptions, pathOf, refuseExisting, shownPath, told, writeChecked } from './new-file.ts'
import { settingsFor } from './project-setting.ts'
import { canAsk, Questions } from './questions.ts'
import { secretReference, secretStep } from './secret-reference.ts'
import { chooseService, findService, listServices, type Service } from './service-choice.ts'

const TYPES = credentials.map(({ name }) => name)
const AUTHENTICATIONS = ['header', 'body', 'none']

/** Fields that a flag says, with what is asked where it does not; the flag is the field's name with hyphens. */
const FIELDS: Readonly<Record<string, string | undefined>> = {
  tokenServiceUrl: 'Address of the token service',
  clientAuthentication: `Where client id and secret go: ${AUTHENTICATIONS.join(', ')}`,
  clientId: 'Client id',
  username: 'User name',
  contentType: undefined,
  scope: 'Scope; empty for none',
  baseUrl: 'Address that flows build on (baseUrl)',
}
/** Not asked for where there is a usual value. */
const PRESETS: Readonly<Record<string, string | undefined>> = {
  clientAuthentication: 'header',
  contentType: '',
  scope: '',
}

export const newCredentialCommand: CommandDefinition = {
  name: 'new credential',
  summary: 'Writes a new credential, with every field explained; its secret stays where it is.',
  arguments: [
    {
      name: 'name',
      optional: true,
      description: 'as flows name it; "erp/orders" is "orders" in a subfolder',
    },
  ],
  options: [
    { flags: '--type <type>', description: TYPES.join(', ') },
    {
      flags: '--like <service>',
      description: 'as it is known to fit a service, such as salesforce or zoom (docs/guide/providers.md)',
    },
    {
      flags: '--set <name=value>',
      description: 'with --like: what the service asks for, such as clientId=...',
      repeatable: true,
    },
    {
      flags: '--list-services [part]',
      description: 'lists the known services with a part in their names; of a single one what it asks for',
    },
    { flags: '--token-service-url <url>', description: 'oauth2: where tokens come from' },
    { flags: '--client-id <id>', description: 'oauth2: who asks' },
    {
      flags: '--client-authentication <way>',
      description: `oauth2: ${AUTHENTICATIONS.join(', ')} (default: header)`,
    },
    {
      flags: '--content-type <type>',
      description: 'oauth2: of the token request (default: application/x-www-form-urlencoded)',
    },
    { flags: '--scope <scope>', description: 'oauth2: what the token is for' },
    { flags: '--username <name>', description: 'basic: the user' },
    {
      flags: '--base-url <url>',
      description: 'where relative addresses of flows begin; the credential goes to this host only',
    },
    {
      flags: '--secret <reference>',
      description:
        'where the secret is kept: env:NAME, secret:NAME (encrypted) or file:/path; never the secret (default: env: and a name made of its own)',
    },
    { flags: '--description <text>', description: 'what it is for' },
    ...folderOptions,
  ],
  examples: [
    'sluice new credential',
    'sluice new credential --list-services sap',
    'sluice new credential crm --like salesforce \\\n    --set domain=acme --set clientId=3MVG9...',
    'sluice new credential im_read --type oauth2 --client-id sluice \\\n    --scope im.read --token-service-url https://api.example.com/oauth/token \\\n    --base-url https://api.example.com/im/',
    'sluice new credential weather --type apiKey --secret env:WEATHER_KEY \\\n    --base-url https://weather.example.com/v1/',
  ],
  details: `On a terminal it asks for what is missing: first which known service the credential is for, if any, then for what that one \
needs; never for a secret: the file refers to it, and you put it into the environment, the file .env, or with \`sluice secret set\` into \
the encrypted secrets. With --like, without --set and without a terminal, examples stay in the file, and are told. An existing file is \
never overwritten.
Exit code: 0 written, 1 not written, 2 wrong usage, 3 a fault.`,
  async run(io, [given], options) {
    const list = options['listServices'] as string | true | undefined
    if (list !== undefined) {
      io.stdout(await listServices(io, list === true ? undefined : list))
      return 0
    }
    const settings = await settingsFor(io, options)
    const questions = canAsk(io) ? new Questions(io) : undefined
    try {
      const secretsFile = settings.secret.file
      const named = given?.replace(/\.ya?ml$/, '')
      if (named !== undefined) await checkPath(io, settings.securityMaterial, named, secretsFile)
      const service = await serviceOf(io, options, questions)
      const like = options['like'] === undefined ? undefined : service?.key
      const path = named ?? like ?? (await askName(questions, service?.key))
      if (named === undefined) await checkPath(io, settings.securityMaterial, path, secretsFile)
      const name = nameIn(path)
      const file = pathOf(settings.securityMaterial, path)
      if (service) {
        const place = { path: file, name, secretsFile }
        io.stdout(await newKnownCredential(io, options, Object.keys(FIELDS), service, place, questions))
        return 0
      }
      const kind = await kindOf(options, questions)
      checkFlags(kind, options)
      const fields = await fieldsOf(kind, options, questions)
      const field = fields['clientAuthentication'] === 'none' ? undefined : secretField(kind.options)
      const store = kind.name === 'certificate' ? `certificates/${name}` : undefined
      const reference =
        field === undefined
          ? undefined
          : await secretReference(options, { name, field, file: secretsFile }, questions)
      const text = credentialSkeleton({
        about:
          'A credential: how requests to one receiver are authenticated; flows name it, and never see a token or secret. Fields with a # before them are off; what follows "# " explains.',
        kind,
        file: frameSchema(TYPES, kind.options),
        given: {
          description: options['description'] ?? `What "${name}" is for.`,
          ...fields,
          ...(field !== undefined && { [field]: `\${${reference}}` }),
          ...(store !== undefined && {
            tls: { certificate: `\${file:${store}.crt}`, key: `\${file:${store}.key}` },
          }),
        },
      })
      const shown = await writeChecked(io, options, file, 'credential', text)
      io.stdout(
        told(shown, [
          ...(await secretStep(reference, secretsFile, io)),
          ...(store === undefined
            ? []
            : [[`put the certificate into ${store}.crt`, `its key into ${store}.key`] as const]),
          ...nextSteps(name),
        ]),
      )
      return 0
    } finally {
      questions?.close()
    }
  },
}

/** The service of `--like`, or the one that a person chooses where no flag says what the credential is. */
async function serviceOf(
  io: CommandIo,
  options: Record<string, unknown>,
  questions: Questions | undefined,
): Promise<Service | undefined> {
  const like = options['like'] as string | undefined
  if (like !== undefined) return findService(like)
  if (options['set'] !== undefined) throw new UsageError('--set goes with --like SERVICE')
  const isSaid = ['type', ...Object.keys(FIELDS)].some((field) => options[field] !== undefined)
  return questions && !isSaid ? chooseService(io, questions) : undefined
}

type Kind = (typeof credentials)[number]

async function askName(questions: Questions | undefined, usual: string | undefined): Promise<string> {
  if (questions) return questions.ask('Name of the credential', usual, badName)
  throw new UsageError(
    'the name of the credential is missing: sluice new credential NAME --type TYPE --base-url URL',
  )
}

function nameIn(path: string): string {
  return path.split('/').at(-1)!
}

function badName(path: string): string | undefined {
  const parts = path.split('/')
  if (isCredentialName(nameIn(path)) && parts.every((part) => /^[A-Za-z0-9_][\w.-]*$/.test(part)))
    return undefined
  return `"${path}" cannot be the name of a credential: a letter, then at most 149 letters, digits, "_", "." and "-", with "/" between folders`
}

/** Refuses what cannot be the name of a new credential. @param path below `folder`, without its ending */
async function checkPath(io: CommandIo, folder: string, path: string, secretsFile: string): Promise<void> {
  const complaint = badName(path)
  if (complaint !== undefined) throw new UsageError(complaint)
  if (`${pathOf(folder, path)}.yaml` === secretsFile)
    throw new Stop(
      1,
      `"${shownPath(io, secretsFile)}" is the file of the encrypted secrets; choose another name`,
    )
  await refuseName(io, folder, nameIn(path))
  await refuseExisting(io, pathOf(folder, path))
}

/** Names hold across folders. */
async function refuseName(io: CommandIo, folder: string, name: string): Promise<void> {
  const { files } = await findMaterial(folder)
  const other = files.find((file) => nameOf(file) === name)
  if (other !== undefined)
    throw new Stop(
      1,
      `there is a credential "${name}" already, in "${shownPath(io, other)}"; choose another name`,
    )
}

async function kindOf(options: Record<string, unknown>, questions: Questions | undefined): Promise<Kind> {
  const given = options['type'] as string | undefined
  if (given === undefined && !questions)
    throw new UsageError(`the type is missing: --type ${TYPES.join('|')}`)
  const complain = (type: string) =>
    TYPES.includes(type)
      ? undefined
      : `there is no type "${type}"${didYouMean(type, TYPES)}; there are: ${TYPES.join(', ')}`
  const type = given ?? (await questions!.ask(`Type: ${TYPES.join(', ')}`, 'oauth2', complain))
  const complaint = complain(type)
  if (complaint !== undefined) throw new UsageError(`--type: ${complaint}`)
  return credentials.find(({ name }) => name === type)!
}

function checkFlags(kind: Kind, options: Record<string, unknown>): void {
  const foreign = Object.keys(FIELDS).find((field) => options[field] !== undefined && !hasField(kind, field))
  if (foreign !== undefined)
    throw new UsageError(`${flagOf(foreign)}: a credential of the type ${kind.name} has none`)
  if (options['secret'] !== undefined && options['clientAuthentication'] === 'none')
    throw new UsageError('--secret: with --client-authentication none no secret is sent')
}

/** Of oauth2 a user belongs to single grants, which are written by hand. */
function hasField({ name, options }: Kind, field: string): boolean {
  if (field === 'username' && name === 'oauth2') return false
  return field === 'baseUrl' || Object.hasOwn(options['properties'] as object, field)
}

async function fieldsOf(
  kind: Kind,
  options: Record<string, unknown>,
  questions: Questions | undefined,
): Promise<Record<string, string>> {
  const presets = options['clientAuthentication'] === 'none' ? { ...PRESETS, clientId: '' } : PRESETS
  const wanted = Object.keys(FIELDS).filter((field) => hasField(kind, field))
  const missing = wanted.filter((field) => options[field] === undefined && presets[field] === undefined)
  if (missing.length > 0 && !questions) throw new UsageError(`missing: ${missing.map(flagOf).join(', ')}`)
  const fields: Record<string, string> = {}
  for (const field of wanted) {
    const given = options[field] as string | undefined
    const question = given === undefined && missing.length > 0 ? FIELDS[field] : undefined
    const value =
      question === undefined
        ? (given ?? presets[field] ?? '')
        : await questions!.ask(question, presets[field], (answer) => badAnswer(field, answer))
    if (value !== '') fields[field] = value
  }
  return fields
}

function badAnswer(field: string, answer: string): string | undefined {
  if (field === 'clientAuthentication' && !AUTHENTICATIONS.includes(answer))
    return `one of ${AUTHENTICATIONS.join(', ')}`
  if (/Url$/.test(field) && !answer.includes('${') && !URL.canParse(answer))
    return 'a URL is needed: https://...'
  return undefined
}
