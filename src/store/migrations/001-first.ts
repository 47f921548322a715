/** "EMPR" in ASCII: tells our databases from those of other programs. */
export const APPLICATION_ID = 0x45_4d_50_52;

/**
 * The first schema.
 *
 * - vassals: `newest` and `good` are revision numbers. `forgotten_at` is set while the file is gone; the row stays, so that
 *   a file that comes back numbers its revisions on.
 * - instances refer to no vassal by foreign key: one may have lived and died within one change, beside a vassal that was
 *   never written. The row with the highest serial is never pruned, nor the history entry with the highest sequence: the
 *   next ones count on from them (which is faster than AUTOINCREMENT).
 * - times are wall time in ms.
 */
export const first: string = `
PRAGMA application_id = ${APPLICATION_ID};

CREATE TABLE vassals (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  source TEXT NOT NULL,
  stamp TEXT NOT NULL,
  want TEXT NOT NULL CHECK (want IN ('up', 'down')),
  restarts INTEGER NOT NULL,
  newest INTEGER,
  good INTEGER,
  forgotten_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE revisions (
  vassal TEXT NOT NULL REFERENCES vassals (id) ON DELETE CASCADE,
  number INTEGER NOT NULL,
  hash TEXT NOT NULL,
  text TEXT NOT NULL,
  runnable INTEGER NOT NULL CHECK (runnable IN (0, 1)),
  at INTEGER NOT NULL,
  PRIMARY KEY (vassal, number)
) STRICT;

CREATE TABLE instances (
  serial INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  vassal TEXT,
  revision INTEGER,
  pid INTEGER,
  start_ticks INTEGER,
  boot_id TEXT,
  born_at INTEGER NOT NULL,
  ready_at INTEGER,
  leaving INTEGER NOT NULL DEFAULT 0 CHECK (leaving IN (0, 1)),
  ended_at INTEGER,
  exit_kind TEXT CHECK (exit_kind IN ('exited', 'killed', 'unknown')),
  exit_code INTEGER,
  exit_signal TEXT
) STRICT;

CREATE INDEX instances_alive ON instances (vassal) WHERE ended_at IS NULL;

CREATE TABLE history (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  vassal TEXT,
  name TEXT,
  instance TEXT,
  pid INTEGER,
  revision INTEGER,
  event TEXT NOT NULL,
  from_phase TEXT,
  to_phase TEXT,
  why TEXT NOT NULL,
  actor TEXT,
  exit_kind TEXT CHECK (exit_kind IN ('exited', 'killed', 'unknown')),
  exit_code INTEGER,
  exit_signal TEXT
) STRICT;

CREATE INDEX history_by_name ON history (name);
`;
