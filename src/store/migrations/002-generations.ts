/**
 * What operators ask for, and what went wrong, outlives the emperor; instances belong to generations.
 *
 * - vassals: `want` knows `up` and `down` only; a paused vassal is `down` and `paused`. `pinned` is a revision number.
 *   `failure` and `exited` are JSON: they are shown again, and never looked for.
 * - instances of before were each alone: a generation of one.
 */
export const generations: string = `
ALTER TABLE vassals ADD COLUMN paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1));
ALTER TABLE vassals ADD COLUMN scale INTEGER;
ALTER TABLE vassals ADD COLUMN pinned INTEGER;
ALTER TABLE vassals ADD COLUMN rejected INTEGER NOT NULL DEFAULT 0 CHECK (rejected IN (0, 1));
ALTER TABLE vassals ADD COLUMN failure TEXT;
ALTER TABLE vassals ADD COLUMN exited TEXT;
ALTER TABLE instances ADD COLUMN generation INTEGER NOT NULL DEFAULT 1;
`;
