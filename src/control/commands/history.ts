import type { Vassal } from '../../core/state.ts';
import { rfc3339 } from '../../world/rfc3339.ts';
import type { ControlCommand } from '../command.ts';
import { fileNamed } from '../names.ts';
import type { RevisionMark, RevisionsDocument } from '../protocol.ts';
import { nameOf, queryOf } from '../request.ts';
import { servingRevision } from '../snapshot.ts';

/** `GET /v1/history/NAME`: the revisions of a vassal, without their texts. */
export const history: ControlCommand = {
  method: 'GET',
  path: '/history/:name',
  run({ params, query }, ports) {
    queryOf(query, []);
    const name = nameOf(params);
    const file = fileNamed(name, ports);
    const vassal = ports.emperor.snapshot().vassals.get(file) ?? null;
    const document: RevisionsDocument = {
      name,
      file,
      revisions: ports.revisions(file).map(({ number, at, hash, runnable }) => ({ number, at: rfc3339(at), hash, runnable, marks: marksOf(number, vassal) })),
    };
    return { kind: 'document', document };
  },
};

function marksOf(number: number, vassal: Vassal | null): readonly RevisionMark[] {
  if (vassal === null) return [];
  const { newest, pinned, good, rejected, failure } = vassal;
  const refused = rejected ? failure?.revision ?? newest?.number : undefined;
  const marks: Readonly<Record<RevisionMark, number | null | undefined>> = {
    serving: servingRevision(vassal), newest: newest?.number, pinned: pinned?.number, good: good?.number, refused,
  };
  return MARKS.filter((mark) => marks[mark] === number);
}

const MARKS: readonly RevisionMark[] = ['serving', 'newest', 'pinned', 'good', 'refused'];
