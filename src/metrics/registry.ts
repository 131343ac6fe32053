import { collectDefaultMetrics, Registry, type Metric } from 'prom-client'
import type { Family } from './family.ts'

/** Of the process: what watches its event loop and its memory is never let go of, so there is one. */
const ofProcess = new Registry()
collectDefaultMetrics({ register: ofProcess, prefix: 'sluice_' })

/** Seconds: what Node tells of the event loop where it has measured nothing since it was asked last is more than that. */
const NOT_MEASURED = 1e9

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

export interface Exposition {
  /** @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
  text(): Promise<string>
  names(): readonly string[]
}

/** The text for Prometheus: these families and those of the process. */
export function createExposition(families: readonly Family[]): Exposition {
  const registry = new Registry()
  for (const { samples, ...family } of families) {
    const get = () => Promise.resolve({ ...family, values: samples() })
    registry.registerMetric({ ...family, get } as unknown as Metric)
  }
  for (const metric of ofProcess.getMetricsAsArray() as unknown as Readable[])
    registry.registerMetric(measuredOnly(metric) as unknown as Metric)
  return {
    text: () => registry.metrics(),
    names: () => registry.getMetricsAsArray().map(({ name }) => name),
  }
}

interface Readable {
  readonly name: string
  get(): Promise<{ readonly values: readonly { readonly value: number }[] }>
}

/** Without the values that are none. */
function measuredOnly(metric: Readable): Readable {
  const { name } = metric
  const most = name.includes('eventloop') ? NOT_MEASURED : Infinity
  return {
    name,
    async get() {
      const data = await metric.get()
      return { ...data, values: data.values.filter(({ value }) => Number.isFinite(value) && value < most) }
    },
  }
}
