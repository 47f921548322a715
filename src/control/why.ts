import type { Now } from '../core/event.ts';
import { generationsOf } from '../core/generation.ts';
import type { EmperorState, Vassal } from '../core/state.ts';
import { unreachable } from '../errors.ts';
import type { StoredEntry } from '../store/store.ts';
import { rfc3339 } from '../world/rfc3339.ts';
import { vassalsByName } from './names.ts';
import type { VassalDocument, WhyDocument } from './protocol.ts';
import { stateWord, vassalDocument } from './snapshot.ts';

/** Entries of the history in which the last change of state is looked for. */
export const HISTORY_LOOKED_AT = 500;

/** Why a vassal does what it does. Pure. @param past the end of the history of its name, oldest first */
export function whyDocument(vassal: Vassal, state: EmperorState, past: readonly StoredEntry[], now: Now): WhyDocument {
  const document = vassalDocument(vassal, now);
  const { name, file, state: word, revision, failure, nextStartAt } = document;
  const named = document.waitsFor.length === 0 ? null : vassalsByName(state);
  const waitsFor = document.waitsFor.map((other) => {
    const found = named?.get(other);
    return { name: other, state: found === undefined ? null : stateWord(found) };
  });
  const turn = past.findLast((entry) => entry.vassal === vassal.id && entry.to === vassal.state.phase && entry.from !== entry.to);
  return {
    name, file, state: word,
    since: since(vassal, turn),
    cause: turn?.why ?? null,
    actor: turn?.actor ?? null,
    revision, failure, nextStartAt, waitsFor,
    advice: advice(vassal, document, state.sources.some(({ listing }) => listing?.get(vassal.id)?.awaitsCommand === true)),
  };
}

/** What serves does so since its instances are ready: that may be longer than this emperor has been there. */
function since(vassal: Vassal, turn: StoredEntry | undefined): string | null {
  const ready = vassal.state.phase !== 'ready' ? [] : generationsOf(vassal).flatMap(({ places }) => places).flatMap((place) => (
    place.phase === 'ready' && place.instance.readyAt !== null ? [place.instance.readyAt] : []
  ));
  const at = ready.length > 0 ? Math.min(...ready) : turn?.at;
  return at === undefined ? null : rfc3339(at);
}

/** @param awaitsCommand its file alone does not start it */
function advice(vassal: Vassal, document: VassalDocument, awaitsCommand: boolean): readonly string[] {
  const { state, newest, pinned, failure } = vassal;
  const { name } = document;
  const see = (...verbs: readonly string[]): string => verbs.map((verb) => `"emperor ${verb} ${name}"`).join(' and ');
  switch (state.phase) {
    case 'idle':
      return [`it is started by the first connection to ${document.listen.join(', ')}; ${see('start')} starts it now`];
    case 'waiting':
      return state.cycle === null ? ['it starts when they are ready'] : [`take one of them out of "after": ${state.cycle.join(' → ')}`];
    case 'starting':
      return [document.state === 'waiting' ? 'its turn comes: only so many start at one time' : `${see('events -f')} shows how it goes on`];
    case 'refreshing':
    case 'stopping':
      return [`${see('events -f')} shows how it goes on`];
    case 'reloading':
      return [`the old instances serve until the new ones have proved themselves; ${see('events -f')} shows how it goes on`];
    case 'ready':
      if (pinned !== null) return [`an operator went back to revision ${pinned.number}: it stays there until its file changes`];
      if (failure === null) return [];
      return [newest?.outcome.ok === false ? 'mend its file: what it said before runs on' : `mend what failed, then ${see('reload')}; ${see('diff')} shows what was changed`];
    case 'backoff':
      return [`${see('logs')} shows all that it printed; ${see('start')} does not wait; ${see('rollback')} goes back to an older revision`];
    case 'paused':
      return [`${see('resume')} starts it again`];
    case 'stopped':
      return [awaitsCommand ? `${see('start')} starts it, or "spawn" on the command socket; its file alone does not` : `${see('start')} starts it again, and so does a touch of its file`];
    case 'exited':
      return [`its restart policy leaves it; ${see('start')} starts it again`];
    case 'invalid':
      return newest?.outcome.ok === false ? ['mend its file: it is looked at again as soon as it is written'] : [`mend what failed, then ${see('start')}`];
    default:
      return unreachable(state);
  }
}
