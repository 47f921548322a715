/**
 * What a text was read with is kept with it: the owner of its file, the defaults of its folder.
 *
 * - revisions: `basis` is JSON; NULL: nothing but the text.
 */
export const basis: string = `
ALTER TABLE revisions ADD COLUMN basis TEXT;
`;
