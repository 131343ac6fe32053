import type { AppSetting, Ground } from './assembly.ts'
import type { TlsKeeper } from './tls-keeper.ts'
import { isTlsOn } from './tls-setting.ts'
import { realClock } from './world.ts'

/** The TLS of the listeners; undefined and not loaded where the settings want none. @throws Error `SLUICE_TLS` */
export async function keepTls(
  { settings, environment }: AppSetting,
  { log, redactor }: Ground,
  clients: { readonly certificates: { readonly some: boolean } },
): Promise<TlsKeeper | undefined> {
  if (!isTlsOn(settings.tls) && settings.tls.clientCa === undefined) return undefined
  const { TlsKeeper } = await import('./tls-keeper.ts')
  return TlsKeeper.open({
    settings,
    environment,
    clock: realClock,
    log,
    hide: (secret) => void redactor.add(secret),
    haveCertificates: () => clients.certificates.some,
  })
}
