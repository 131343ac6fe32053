import { trustsAnyCertificate } from '../exposure.ts'
import { Stop, type CommandIo } from './command.ts'

/**
 * Before anything is sent: ends the command where certificates would not be verified, and warns of what lets others
 * read the secrets of this process.
 * @throws Stop
 */
export function checkProcess({ environment, exposed = [], stderr }: CommandIo): void {
  if (trustsAnyCertificate(environment))
    throw new Stop(
      1,
      'not started: NODE_TLS_REJECT_UNAUTHORIZED=0 is set, so that anybody between here and a receiver could take part and read tokens.\n  Take the variable out of the environment. To trust an authority of your own name its certificate: the setting `http.ca` for all receivers, `tls.ca` of a credential for one.',
    )
  for (const what of exposed) stderr(`warning: ${what}\n`)
}
