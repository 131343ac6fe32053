import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK, type JWTPayload } from 'jose'

/** A token service of somebody else: its addresses on this machine, and its keys. */
export async function tokenService(t: TestContext) {
  const asked: string[] = []
  const answers = new Map<string, { status: number; text: string }>()
  const server = createServer((request, response) => {
    asked.push(request.url!)
    const { status, text } = answers.get(request.url!) ?? { status: 404, text: '' }
    response.writeHead(status, { 'content-type': 'application/json' }).end(text)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const answer = (path: string, value: unknown, status = 200) =>
    answers.set(path, { status, text: typeof value === 'string' ? value : JSON.stringify(value) })
  const publish = (...keys: JWK[]) => answer('/keys', { keys })
  return { url, asked, answer, publish, server }
}

export interface TestKey {
  readonly jwk: JWK
  readonly privateKey: CryptoKey
}

export async function testKey(kid: string, alg = 'ES256'): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

export function sign(
  { privateKey, jwk }: TestKey,
  claims: JWTPayload,
  header: Record<string, unknown> = {},
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg: jwk.alg!, kid: jwk.kid!, ...header }).sign(privateKey)
}
