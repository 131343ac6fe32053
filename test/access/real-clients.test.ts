import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { OAuth2Client } from '@badgateway/oauth2-client'
import * as oauth from 'oauth4webapi'
import { makeSecretHash } from '../../src/access/secret-hash.ts'
import { discovered, door } from './fixture.ts'

/** What the two ways to read Basic make different things of. */
const ODD = 'pass+word%41/=&:-of-the-shop'

describe('libraries that get tokens', () => {
  it('oauth4webapi: discovery, Basic (form-encoded) and body, introspection, revocation', async (t) => {
    const at = await door(t, { shop: `secretHash: ${await makeSecretHash(ODD)}\n` })
    const { options, server } = await discovered(at.url)
    const client = { client_id: 'shop' }
    for (const proof of [oauth.ClientSecretBasic(ODD), oauth.ClientSecretPost(ODD)]) {
      const scope = new URLSearchParams({ scope: 'ESBMessaging.send' })
      const response = await oauth.clientCredentialsGrantRequest(server, client, proof, scope, options)
      const token = await oauth.processClientCredentialsResponse(server, client, response)
      assert.deepEqual([token.expires_in, token.scope], [3600, 'ESBMessaging.send'])
      assert.equal((await at.call(token.access_token)).status, 200)
      const looked = await oauth.introspectionRequest(server, client, proof, token.access_token, options)
      assert.equal((await oauth.processIntrospectionResponse(server, client, looked)).client_id, 'shop')
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(server, client, proof, token.access_token, options),
      )
      assert.equal((await at.call(token.access_token)).status, 401)
    }
    const wrong = oauth.ClientSecretBasic('wrong')
    const refused = await oauth.clientCredentialsGrantRequest(server, client, wrong, {}, options)
    await assert.rejects(
      oauth.processClientCredentialsResponse(server, client, refused),
      /invalid_client|WWW-Authenticate/i,
    )
  })

  for (const authenticationMethod of ['client_secret_basic', 'client_secret_post'] as const)
    it(`@badgateway/oauth2-client: ${authenticationMethod}`, async (t) => {
      const at = await door(t, { shop: `secretHash: ${await makeSecretHash(ODD)}\n` })
      const client = new OAuth2Client({
        clientId: 'shop',
        clientSecret: ODD,
        authenticationMethod,
        tokenEndpoint: `${at.url}/oauth2/api/v1/token`,
        introspectionEndpoint: `${at.url}/oauth2/introspect`,
        revocationEndpoint: `${at.url}/oauth2/revoke`,
      })
      const token = await client.clientCredentials({ scope: ['ESBMessaging.send'] })
      assert.equal((await at.call(token.accessToken)).status, 200)
      assert.equal((await client.introspect(token)).active, true)
      await client.revoke(token)
      assert.equal((await at.call(token.accessToken)).status, 401)
      await assert.rejects(
        client.clientCredentials({ scope: ['admin'] }),
        (error: { oauth2Code?: string }) => error.oauth2Code === 'invalid_scope',
      )
    })
})
