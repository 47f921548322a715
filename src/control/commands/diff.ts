import type { Vassal } from '../../core/state.ts';
import { EmperorError } from '../../errors.ts';
import type { StoredRevision } from '../../store/store.ts';
import { rfc3339 } from '../../world/rfc3339.ts';
import type { ControlCommand } from '../command.ts';
import { fileNamed } from '../names.ts';
import type { DiffDocument, RevisionText } from '../protocol.ts';
import { nameOf, queryOf, revisionNumber } from '../request.ts';
import { unknownRevision } from '../rollback.ts';
import { servingRevision } from '../snapshot.ts';

/**
 * `GET /v1/diff/NAME?from=A&to=B`: two revisions with their texts. `to` is the newest unless it is given; `from` is what serves
 * or, if that is the same, the one before `to`. The values of their environments are hidden. E_VALUE if there is no such revision.
 */
export const diff: ControlCommand = {
  method: 'GET',
  path: '/diff/:name',
  run({ params, query }, ports) {
    const { from, to } = queryOf(query, ['from', 'to']);
    const name = nameOf(params);
    const [a, b] = [revisionNumber(from, 'from'), revisionNumber(to, 'to')];
    const file = fileNamed(name, ports);
    const known = ports.revisions(file);
    const newer = b === null ? known.at(-1) : known.find(({ number }) => number === b);
    if (newer === undefined) throw new EmperorError('E_VALUE', b === null ? `no revision of ${JSON.stringify(name)} is kept` : unknownRevision(b, known));
    const older = a === null ? olderThan(newer, known, ports.emperor.snapshot().vassals.get(file)) : known.find(({ number }) => number === a);
    if (older === undefined) throw new EmperorError('E_VALUE', a === null ? `there is no revision before ${newer.number} to compare with` : unknownRevision(a, known));
    const shown = ports.hideEnvironment(file, older.text, newer.text);
    const document: DiffDocument = { name, file, from: textOf(older, shown.older), to: textOf(newer, shown.newer) };
    return { kind: 'document', document };
  },
};

function olderThan(newer: StoredRevision, known: readonly StoredRevision[], vassal: Vassal | undefined): StoredRevision | undefined {
  const serving = vassal === undefined ? null : servingRevision(vassal);
  const found = serving === newer.number ? undefined : known.find(({ number }) => number === serving);
  return found ?? known.findLast(({ number }) => number < newer.number);
}

function textOf({ number, at, hash }: StoredRevision, text: string): RevisionText {
  return { number, at: rfc3339(at), hash, text };
}
