export type Labels = Readonly<Record<string, string>>

export interface Sample {
  /** The family's, where it is left out. */
  readonly metricName?: string
  readonly labels: Labels
  /** Further ones, of an object that lasts: it is written out only once. */
  readonly sharedLabels?: Labels
  readonly value: number
}

/** All series of one name, read when somebody asks for them: nothing is prepared while messages pass. */
export interface Family {
  readonly name: string
  /** One sentence. */
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly samples: () => readonly Sample[]
}

export const NO_LABELS: Labels = {}
