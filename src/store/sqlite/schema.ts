import type { Views } from './database.ts'

/** Tables of `log.db`, one script a version. Add to the end; never change what was released. */
export const LOG_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE flows (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
  );
  CREATE TABLE versions (
    number INTEGER PRIMARY KEY,
    flow INTEGER NOT NULL,
    version TEXT NOT NULL,
    file TEXT,
    steps TEXT NOT NULL,            -- JSON: [{ id, kind, line, parent }]
    UNIQUE (flow, version)
  );
  CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    flow INTEGER NOT NULL,
    version INTEGER NOT NULL,
    status INTEGER NOT NULL,        -- index in STATUSES
    trigger TEXT NOT NULL,
    started INTEGER NOT NULL,       -- epoch ms
    duration INTEGER,               -- µs; null while it goes on and when nobody knows
    correlation TEXT,               -- null: its own id
    caller TEXT,
    failure TEXT,                   -- JSON of RunFailure
    credentials TEXT,               -- names, a line each
    hosts TEXT,                     -- a line each
    timings BLOB                    -- see timings.ts
  );
  CREATE INDEX runs_started ON runs (started);
  CREATE INDEX runs_flow ON runs (flow, started);
  CREATE INDEX runs_not_completed ON runs (status, started) WHERE status <> 1;
  CREATE INDEX runs_correlation ON runs (correlation) WHERE correlation IS NOT NULL;
  CREATE TABLE searchable (
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL
  );
  CREATE INDEX searchable_value ON searchable (name, value);
  CREATE INDEX searchable_run ON searchable (run);
  CREATE TABLE lines (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    at INTEGER NOT NULL,            -- epoch ms
    level INTEGER NOT NULL,         -- index in LEVELS
    step TEXT NOT NULL,
    text TEXT NOT NULL,
    fields TEXT                     -- JSON
  );
  CREATE INDEX lines_run ON lines (run);
  CREATE TABLE attachments (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    at INTEGER NOT NULL,
    step TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,          -- bytes
    content NOT NULL                -- TEXT or BLOB
  );
  CREATE INDEX attachments_run ON attachments (run);
  CREATE TABLE snapshots (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    at INTEGER NOT NULL,
    step TEXT NOT NULL,
    level TEXT NOT NULL,
    headers TEXT NOT NULL,          -- JSON
    properties TEXT NOT NULL,       -- JSON
    body TEXT,
    type TEXT
  );
  CREATE INDEX snapshots_run ON snapshots (run);
  `,
  `
  ALTER TABLE runs ADD COLUMN progress TEXT;  -- JSON of RunProgress
  `,
  `
  ALTER TABLE runs ADD COLUMN called_by TEXT; -- id of a run
  `,
  `
  CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,            -- epoch ms
    what TEXT NOT NULL,
    who TEXT NOT NULL,
    address TEXT,
    object TEXT,
    outcome TEXT NOT NULL,
    detail TEXT,
    count INTEGER NOT NULL          -- that are told by this one entry
  );
  CREATE INDEX audit_at ON audit (at);
  `,
]

/** What a reader, which cannot bring tables up to date, sets before those of an older version to read them as today's. */
export const LOG_VIEWS: Views = {
  1: 'CREATE TEMP VIEW runs AS SELECT *, NULL AS progress, NULL AS called_by FROM main.runs',
  2: 'CREATE TEMP VIEW runs AS SELECT *, NULL AS called_by FROM main.runs',
}

/** Tables of `state.db`. */
export const STATE_MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE ticks (
    timer TEXT NOT NULL,
    scheduled INTEGER NOT NULL,     -- epoch ms
    PRIMARY KEY (timer, scheduled)
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE tokens (
    credential TEXT NOT NULL,
    kind TEXT NOT NULL,             -- refresh, access, asked
    origin TEXT NOT NULL,
    at INTEGER NOT NULL,            -- epoch ms
    recipients TEXT NOT NULL,       -- age1..., a space between them
    sealed TEXT NOT NULL,           -- age, base64
    orphaned INTEGER,               -- epoch ms
    PRIMARY KEY (credential, kind)
  ) WITHOUT ROWID;
  `,
]
