import type { FailureDocument, StateWord, WhyDocument } from '../../control/protocol.ts';
import { printable } from '../../world/printable.ts';
import { age } from './age.ts';

const IS: Readonly<Record<StateWord, string>> = {
  idle: 'is idle', waiting: 'is waiting', starting: 'is starting', ready: 'is ready', reloading: 'is reloading', backoff: 'is in backoff',
  stopping: 'is stopping', paused: 'is paused', stopped: 'is stopped', exited: 'has exited', invalid: 'is invalid',
};

/** Why a vassal does what it does, as sentences; what it printed last is between them. Pure. */
export function whyText(why: WhyDocument, nowMs: number): string {
  const { failure, nextStartAt, waitsFor, advice } = why;
  const others = waitsFor.map(({ name, state }) => `${printable(name)} (${state ?? 'there is no such vassal'})`);
  const lines = [
    sentence(stateText(why, nowMs)),
    ...(failure === null ? [] : [sentence(failureText(failure, why.cause, nowMs)), ...failure.output.map((line) => `  | ${printable(line)}`)]),
    ...(others.length === 0 ? [] : [sentence(`it waits for ${others.join(', ')}`)]),
    ...(nextStartAt === null ? [] : [sentence(`its next start is due in ${age(Date.parse(nextStartAt) - nowMs)}`)]),
    ...advice.map((each) => sentence(printable(each))),
  ];
  return `${lines.join('\n')}\n`;
}

function stateText({ name, state, since, cause, actor, revision }: WhyDocument, nowMs: number): string {
  const what = revision === null ? '' : `, revision ${revision}`;
  const when = since === null ? '' : `, since ${since.replace('T', ' ').replace(/\.\d+/, '')} (${age(nowMs - Date.parse(since))} ago)`;
  const who = actor === null ? '' : ` (by ${printable(actor)})`;
  return `${printable(name)} ${IS[state]}${what}${when}${cause === null ? '' : `: ${lined(cause)}${who}`}`;
}

/** What the cause says already is not said again. */
function failureText({ revision, code, message, at }: FailureDocument, cause: string | null, nowMs: number): string {
  const what = cause !== null && cause.includes(message) ? '' : `: ${lined(message)}`;
  return `what went wrong last with revision ${revision}, ${age(nowMs - Date.parse(at))} ago, is ${code}${what}`;
}

function lined(text: string): string {
  return text.split('\n').map(printable).join('\n  ');
}

/** Names are left as they are, so a sentence that begins with one has no capital. */
function sentence(text: string): string {
  const begins = /^(?:it|its|what|mend|take|an|the) /.test(text) ? `${text.charAt(0).toUpperCase()}${text.slice(1)}` : text;
  return begins.endsWith('.') ? begins : `${begins}.`;
}
