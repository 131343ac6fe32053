import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { story } from './story.ts'

/** Seed 003: destinations of SAP BTP as they are exported, used by name. */
describe('story 003: a flow uses a destination', { concurrency: 2 }, () => {
  it('calls Jam and a service on Neo by their destinations, each token asked for once', async (t) => {
    const { start, partner, sluice, leaks } = await story(t, { trace: true })
    const engine = await start()
    for (let call = 0; call < 3; call++) {
      const reply = await fetch(`${engine.url}/http/groups`)
      assert.equal(reply.status, 200)
      assert.deepEqual(await reply.json(), {
        groups: ['Sales', 'Safety', 'Apprentices', 'Works council', 'Ghent'],
        subscriptions: ['learning', 'jam'],
      })
    }
    const once = { asked: 1, tokenRequests: 1, tokens: 1, calls: 3, refused: 0 }
    assert.deepEqual(partner.counts('jam-client'), once)
    assert.deepEqual(partner.counts('neo-client'), once)

    partner.control.revoke('jam-client')
    assert.equal((await fetch(`${engine.url}/http/groups`)).status, 200)
    assert.equal(partner.counts('jam-client').tokens, 2)

    const list = await sluice('credential', 'list')
    assert.match(list.stdout, /sap_jam_odata\s+oauth2\s+ready/)
    const show = await sluice('credential', 'show', 'sap_jam_odata')
    assert.match(show.stdout, /basicAuth\s+tokenserviceuser, \[secret\]/)
    assert.match(show.stdout, /apiHeaders\s+x-jam-client/)
    await engine.stop()
    assert.deepEqual(await leaks(), [])
  })

  it('tests a destination step by step, and tells what is wrong with one', async (t) => {
    const { sluice, changeCredential, leaks } = await story(t)
    const good = await sluice('credential', 'test', 'sapOAuthCC', '--call', 'subscriptions')
    assert.equal(good.code, 0, good.stdout)
    assert.match(good.stdout, /headers\s+authorization \(Basic\)/)

    await changeCredential('sap_jam_odata', (text) =>
      text.replace(
        'override:',
        'override:\n  TrustAll: true\n  tokenServiceURL: http://jam.example.com/token',
      ),
    )
    const check = await sluice('check')
    assert.equal(check.code, 1)
    assert.match(check.stdout, /"TrustAll" would let anybody on the way read the token/)
    assert.match(check.stdout, /"tokenServiceUrl" uses http to another machine/)
    assert.deepEqual(await leaks(), [])
  })

  it('writes a destination as a credential', async (t) => {
    const { sluice } = await story(t)
    const shown = await sluice(
      'import',
      'destination',
      'security-material/sap_jam_odata.properties',
      '--stdout',
    )
    assert.equal(shown.code, 0, shown.stderr)
    assert.match(shown.stdout, /^type: oauth2\ntokenServiceUrl: /)
    assert.match(shown.stdout, /^clientSecret: \$\{env:SAP_JAM_ODATA_CLIENT_SECRET\}$/m)
  })
})
