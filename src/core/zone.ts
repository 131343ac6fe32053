/** Whether the platform knows this time zone. */
export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

export function timeZones(): readonly string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')]
}

/** Epoch ms of a `Moment` of `core/schema.ts`; without an offset in it, as the clocks of `zone` show it. */
export function momentIn(zone: string, text: string): number {
  return /(Z|[+-]\d\d:\d\d)$/.test(text.slice(10))
    ? Temporal.Instant.from(text).epochMilliseconds
    : wallTimeIn(zone, Temporal.PlainDateTime.from(text))
}

/**
 * Epoch ms at which the clocks of `zone` show this time: the first of two, and where they skip it, the moment
 * they go on at.
 */
export function wallTimeIn(zone: string, wall: Temporal.PlainDateTime): number {
  const first = wall.toZonedDateTime(zone, { disambiguation: 'earlier' })
  if (first.toPlainDateTime().equals(wall)) return first.epochMilliseconds
  return first.getTimeZoneTransition('next')!.epochMilliseconds
}

/** What the clocks of `zone` show, as if it were UTC: epoch ms. */
export function wallClockIn(zone: string, at: number): number {
  const { offsetNanoseconds } = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
  return at + offsetNanoseconds / 1e6
}
