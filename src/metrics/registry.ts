import { collectDefaultMetrics, Registry, type Metric } from 'prom-client'
import type { Family } from './family.ts'

/** Of the process: what watches its event loop and its memory is never let go of, so there is one. */
const ofProcess = new Registry()
collectDefaultMetrics({ register: ofProcess, prefix: 'sluice_' })

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** The text for Prometheus: these families and those of the process. @see https://prometheus.io/docs/instrumenting/exposition_formats/ */
export function createExposition(families: readonly Family[]): {
  text(): Promise<string>
  names(): string[]
} {
  const own = new Registry()
  for (const { samples, ...family } of families) {
    const get = () => Promise.resolve({ ...family, values: samples() })
    own.registerMetric({ ...family, get } as unknown as Metric)
  }
  const registry = Registry.merge([own, ofProcess])
  return {
    text: () => registry.metrics(),
    names: () => registry.getMetricsAsArray().map(({ name }) => name),
  }
}
