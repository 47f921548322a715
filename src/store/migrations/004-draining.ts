/** An instance that is to go may be serving first those who wait for it: then it has not been told to die yet. */
export const draining: string = `
ALTER TABLE instances ADD COLUMN draining INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0, 1));
`;
