import { request } from 'node:http'
import {
  buildHeadersForDestination,
  getAllDestinationsFromDestinationService,
  getDestination,
  type Destination,
} from '@sap-cloud-sdk/connectivity'

/**
 * A program as customers write it with the SAP Cloud SDK: finds the destinations that its arguments name, calls where
 * they lead, and prints what came of it. `VCAP_SERVICES` says where the destination service is.
 */
const told: Record<string, unknown> = {}
for (const destinationName of process.argv.slice(2)) {
  try {
    const destination = await getDestination({ destinationName, useCache: false })
    told[destinationName] = destination && {
      url: destination.url,
      authentication: destination.authentication,
      headers: destination.headers,
      answer: await call(destination),
    }
  } catch (error) {
    told[destinationName] = messages(error)
  }
}
const all = await getAllDestinationsFromDestinationService()
console.log(`told: ${JSON.stringify({ ...told, all: all.map(({ name }) => name) })}`)

async function call(destination: Destination): Promise<unknown> {
  const headers = { ...destination.headers, ...(await buildHeadersForDestination(destination)) }
  return new Promise((resolve, reject) => {
    request(destination.url!, { headers, agent: false }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('end', () => resolve({ status: answer.statusCode, text }))
    })
      .on('error', reject)
      .end()
  })
}

function messages(error: unknown): string {
  const { message, cause } = error as Error
  return cause === undefined ? message : `${message} ${messages(cause)}`
}
