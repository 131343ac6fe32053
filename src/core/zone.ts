const known = new Set<string>()

/** Whether the platform knows this time zone. */
export function isTimeZone(zone: string): boolean {
  if (known.has(zone)) return true
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    known.add(zone)
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
  return at + offsetOf(zonedAt(zone, at))
}

/** A time, `from` on and before `to`, in which the clocks of a zone are not changed; epoch ms. */
export interface Stretch {
  readonly from: number
  readonly to: number
  /** ms that they are ahead of UTC. */
  readonly offset: number
}

/** The stretch from `at` until the clocks of `zone` are changed. */
export function stretchAt(zone: string, at: number): Stretch {
  const zoned = zonedAt(zone, at)
  const to = zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity
  return { from: at, to, offset: offsetOf(zoned) }
}

function zonedAt(zone: string, at: number): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
}

function offsetOf({ offsetNanoseconds }: Temporal.ZonedDateTime): number {
  return offsetNanoseconds / 1e6
}
