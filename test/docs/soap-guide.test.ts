import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { startService, type Asked, type Said } from '../support/credentials.ts'
import { call } from '../support/http.ts'
import { startProject } from '../support/project.ts'
import { elements, parseXml } from '../support/saml.ts'

const guide = await readFile(join(import.meta.dirname, '..', '..', 'docs', 'guide', 'soap.md'), 'utf8')
const blocks = Object.fromEntries(
  [...guide.matchAll(/^```yaml (\S+)\n([^]*?)^```$/gm)].map(([, file, text]) => [file!, text!]),
)
const SECRET = 'a-secret-of-the-soap-guide'
const TOKEN = 'Bearer a-token-of-the-soap-guide'

/** The flow of the page, its credential too, before a token service and a receiver that this test is. */
async function setUp(t: TestContext, flow: string, answer: (asked: Asked) => Said) {
  const service = await startService(t, (asked) => {
    if (!asked.url.endsWith('/token')) return answer(asked)
    assert.equal(asked.method, 'POST')
    return { body: { access_token: TOKEN.slice('Bearer '.length), expires_in: 3600 } }
  })
  const origin = `http://127.0.0.1:${service.port}`
  const files = Object.fromEntries(
    Object.entries(blocks)
      .filter(([file]) => file === `flows/${flow}.yaml` || file.startsWith('security-material/'))
      .map(([file, text]) => [file, text.replaceAll(/https:\/\/\w+\.example\.com/g, origin)]),
  )
  const shop = `type: oauth2\ntokenServiceUrl: ${origin}/token\nclientId: a\nclientSecret: \${env:S4_SECRET}\nbaseUrl: ${origin}/\n`
  const { url, app } = await startProject(
    t,
    { ...files, 'security-material/shop_graphql.yaml': shop },
    { environment: { HR_SOAP_SECRET: SECRET, S4_SECRET: SECRET } },
  )
  assert.deepEqual(
    app.project.problems.map(({ message }) => message),
    [],
  )
  const asked = () => service.asked.filter((one) => !one.url.endsWith('/token'))
  const post = (body: object) =>
    call(`${url}/http/${flow}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  return { url: `${url}/http/${flow}`, origin, asked, post }
}

const envelope = (content: string) =>
  `<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${content}</e:Body></e:Envelope>`
const XML = { 'content-type': 'text/xml; charset=utf-8' }

test('the flow for SOAP sends an envelope with a token, and reads the answer', async (t) => {
  const { asked, post } = await setUp(t, 'participants', () => ({
    headers: XML,
    body: envelope(
      '<r:CreateResponse xmlns:r="urn:participants"><r:ParticipantId>P&amp;1&#x21;</r:ParticipantId><r:Status kind="a">OPEN</r:Status></r:CreateResponse>',
    ),
  }))
  const name = `Ann "the <b>" O'Neil & ]]> é😀\nof Ghent`
  const reply = await post({ name, mail: '</p:Mail><p:Admin>true</p:Admin>' })
  assert.equal(reply.status, 200, reply.text)
  assert.deepEqual(reply.json(), { id: 'P&1!', status: 'OPEN' })

  const [{ url, method, headers, body }] = asked() as [Asked]
  assert.equal(`${method} ${url}`, 'POST /soap/ParticipantService')
  assert.equal(headers.authorization, TOKEN)
  assert.equal(headers['soapaction'], '"urn:participants/Create"')
  assert.equal(headers['content-type'], 'text/xml; charset=utf-8')
  const sent = parseXml(body)
  const textOf = (element: string) => elements(sent, element).map((one) => one.textContent)
  assert.deepEqual(textOf('Name'), [name])
  assert.deepEqual(textOf('Mail'), ['</p:Mail><p:Admin>true</p:Admin>'])
  assert.deepEqual(textOf('Admin'), [])
  assert.equal(elements(sent, 'RequestHeader')[0]!.getAttribute('company'), 'Smith & Sons')
  assert.match(textOf('MessageId')[0]!, /^[\w-]{20,}$/)
})

test('the flow for SOAP makes a failure of a fault, in its words', async (t) => {
  const { post } = await setUp(t, 'participants', () => ({
    status: 500,
    headers: XML,
    body: envelope(
      '<e:Fault><faultcode>e:Client</faultcode><faultstring>mail &lt;x&gt; is taken</faultstring></e:Fault>',
    ),
  }))
  const reply = await post({ name: 'Ann', mail: 'x' })
  assert.equal(reply.status, 502)
  assert.equal(reply.json().code, 'soap.fault')
  assert.equal(reply.json().detail, 'mail <x> is taken')
})

const failures: [title: string, status: number, answer: string, detail: string][] = [
  [
    'a fault of SOAP 1.2, whatever its status',
    200,
    envelope('<e:Fault><e:Reason><e:Text xml:lang="en">no</e:Text></e:Reason></e:Fault>'),
    'no',
  ],
  ['a status of 500 that is no SOAP', 500, '<html>broken</html>', 'no word of why'],
]
for (const [title, status, body, detail] of failures)
  test(`the flow for SOAP makes a failure of ${title}`, async (t) => {
    const { post } = await setUp(t, 'participants', () => ({ status, headers: XML, body }))
    const reply = await post({ name: 'Ann', mail: 'x' })
    assert.equal(reply.status, 502)
    assert.equal(reply.json().detail, detail)
  })

test('the flow for SOAP: an element without content is null', async (t) => {
  const answer = '<ParticipantId xmlns:i="urn:i" i:nil="true"/> <Status/>'
  const { post } = await setUp(t, 'participants', () => ({ headers: XML, body: envelope(answer) }))
  assert.deepEqual((await post({ name: 'Ann', mail: 'x' })).json(), { id: null, status: null })
})

test('the flow for OData reads all pages, with a quote in the filter', async (t) => {
  const { asked, post } = await setUp(t, 'orders-of-customer', ({ url, headers }) => {
    const row = (SalesOrder: string) => ({ SalesOrder, TotalNetAmount: '10.50' })
    if (url.includes('skiptoken')) return { body: { d: { results: [row('3')] } } }
    const next = `http://${headers.host}/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder?$skiptoken=2`
    return { body: { d: { results: [row('1'), row('2')], __next: next } } }
  })
  const reply = await post({ customer: "O'Neil & Co" })
  assert.equal(reply.status, 200, reply.text)
  assert.deepEqual(
    reply.json(),
    ['1', '2', '3'].map((id) => ({ id, amount: 10.5 })),
  )
  const { searchParams } = new URL(asked()[0]!.url, 'http://localhost')
  assert.deepEqual(Object.fromEntries(searchParams), {
    $filter: "PurchaseOrderByCustomer eq 'O''Neil & Co'",
    $select: 'SalesOrder,TotalNetAmount',
    $format: 'json',
  })
  assert.deepEqual(
    asked().map(({ headers }) => headers.authorization),
    [TOKEN, TOKEN],
  )
})

/** As SAP Gateway: a token is good in its session only. */
function gateway({ method, headers }: Asked): Said {
  if (method === 'GET' && headers['x-csrf-token'] === 'fetch')
    return {
      headers: {
        'x-csrf-token': 'CSRF-1==',
        'set-cookie': [
          'SAP_SESSIONID_S4H_100=s1%3d; path=/; secure; HttpOnly',
          'sap-usercontext=sap-client=100; path=/',
        ] as never,
      },
      body: { d: { EntitySets: ['A_SalesOrder'] } },
    }
  const session = headers.cookie === 'SAP_SESSIONID_S4H_100=s1%3d; sap-usercontext=sap-client=100'
  if (headers['x-csrf-token'] !== 'CSRF-1==' || !session)
    return { status: 403, headers: { 'x-csrf-token': 'Required' }, body: 'CSRF token validation failed' }
  return { status: 201, body: { d: { SalesOrder: '4711' } } }
}

test('the flow for S/4 fetches a CSRF token and a session, and writes with both', async (t) => {
  const { asked, post } = await setUp(t, 'new-order', gateway)
  const reply = await post({ customer: '17100001', number: 'N-1', lines: [{ sku: 'A', qty: 2 }] })
  assert.equal(reply.status, 200, reply.text)
  assert.deepEqual(reply.json(), { id: '4711' })
  assert.equal(reply.headers['x-csrf-token'], undefined)
  const [fetched, written] = asked() as [Asked, Asked]
  assert.equal(fetched.url, '/sap/opu/odata/sap/API_SALES_ORDER_SRV/?$format=json')
  assert.equal(`${written.method} ${written.url}`, 'POST /sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder')
  assert.deepEqual([fetched.headers.authorization, written.headers.authorization], [TOKEN, TOKEN])
  assert.deepEqual(JSON.parse(written.body), {
    SalesOrderType: 'OR',
    SoldToParty: '17100001',
    PurchaseOrderByCustomer: 'N-1',
    to_Item: [{ Material: 'A', RequestedQuantity: '2' }],
  })
})

test('the flow for GraphQL sends a query with variables, and takes the data', async (t) => {
  const { asked, url } = await setUp(t, 'open-orders', () => ({
    body: { data: { orders: [{ id: '1', customer: { name: 'Ann' } }] } },
  }))
  const reply = await call(url)
  assert.equal(reply.status, 200, reply.text)
  assert.deepEqual(reply.json(), [{ id: '1', customer: 'Ann' }])
  const [{ method, headers, body }] = asked() as [Asked]
  assert.deepEqual([method, headers.authorization], ['POST', TOKEN])
  const { query, variables } = JSON.parse(body)
  assert.match(query, /^query Open\(\$status: String!, \$first: Int!\) \{\n {2}orders\(/)
  assert.deepEqual(variables, { status: 'OPEN', first: 50 })
})

test('the flow for GraphQL makes a failure of errors that come with status 200', async (t) => {
  const { url } = await setUp(t, 'open-orders', () => ({
    body: { data: null, errors: [{ message: 'no field "orders"' }] },
  }))
  const reply = await call(url)
  assert.equal(reply.status, 502)
  assert.equal(reply.json().code, 'shop.error')
  assert.equal(reply.json().detail, 'the shop says: no field "orders"')
})

test('every flow of the page is run here', () => {
  const flows = Object.keys(blocks).filter((file) => file.startsWith('flows/'))
  assert.deepEqual(flows.toSorted(), [
    'flows/new-order.yaml',
    'flows/open-orders.yaml',
    'flows/orders-of-customer.yaml',
    'flows/participants.yaml',
  ])
  assert.equal(guide.match(/^steps:$/gm)!.length, flows.length)
})
