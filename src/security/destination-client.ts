import { clientAssertion, keyStore, refuseAssertion, UNCHECKED, type Proof } from './destination-proofs.ts'
import type { Translation } from './destination-translation.ts'

/**
 * Who asks, and how that is shown: the user of the token service goes first, then an assertion or a certificate, then the
 * body, then the header.
 */
export function client(destination: Translation): void {
  const user = destination.read('tokenServiceUser')
  const id = destination.need('clientId', 'a client asks for the token')
  const shows = keyStore(destination, 'tokenService.')
  const asserts = user === undefined ? clientAssertion(destination) : undefined
  if (user !== undefined) refuseAssertion(destination)
  if (shows) useForTarget(destination, shows)
  const inBody = destination.flag('tokenService.addClientCredentialsInBody', true)
  if (user !== undefined && (user === id || !inBody)) {
    destination.set(['clientAuthentication'], 'header', 'tokenServiceUser')
    destination.copy('tokenServiceUser', 'clientId')
    destination.read('clientSecret')
    if (destination.need('tokenServicePassword', 'it goes with tokenServiceUser') !== undefined)
      destination.copy('tokenServicePassword', 'clientSecret')
    return
  }
  destination.copy('clientId', 'clientId')
  const proof = user === undefined ? (asserts ?? shows) : undefined
  if (proof) {
    destination.read('clientSecret')
    destination.set(
      ['clientAuthentication'],
      proof === 'unusable' ? UNCHECKED : asserts ? 'privateKeyJwt' : 'certificate',
      asserts ? 'clientAssertion.destinationName' : 'tokenService.KeyStoreLocation',
    )
    return
  }
  destination.copy('clientSecret', 'clientSecret')
  if (user !== undefined) {
    destination.copy('tokenServiceUser', 'basicAuth', 'username')
    if (destination.need('tokenServicePassword', 'it goes with tokenServiceUser') !== undefined)
      destination.copy('tokenServicePassword', 'basicAuth', 'password')
    return
  }
  destination.set(
    ['clientAuthentication'],
    inBody ? 'body' : 'header',
    'tokenService.addClientCredentialsInBody',
  )
}

/** The key store of the target is the same one, or none: there is one certificate for both. */
function useForTarget(destination: Translation, proof: Proof): void {
  const store = destination.read('KeyStoreLocation')
  destination.read('KeyStorePassword')
  if (store === undefined) return
  if (store === destination.read('tokenService.KeyStoreLocation')) {
    if (proof === 'usable') destination.set(['tls', 'useForApi'], true, 'KeyStoreLocation')
  } else
    destination.mistake(
      'destination/unused',
      'KeyStoreLocation',
      '"KeyStoreLocation" is not used: a credential has one client certificate, the one for the token service',
      'Where the target takes the same one, name the same file.',
      'warning',
    )
}
