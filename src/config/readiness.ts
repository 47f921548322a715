import type { Readiness } from '../core/spec.ts';
import { unreachable } from '../errors.ts';
import type { Preset } from '../presets/preset.ts';
import { lineOf, presentIn, tellConflict, type Asked } from './asked.ts';
import type { Listening } from './listening.ts';
import { probeOf, tellIdle, tellSeveral } from './probe.ts';
import { aimed } from './target.ts';

const PROOFS = ['after', 'http', 'tcp', 'command', 'log', 'notify'] as const;

const DEFAULT: Readiness = { kind: 'after', ms: 1000 };
const DEFAULT_INTERVAL_MS = 50;
const DEFAULT_TIMEOUT_MS = 5000;
const DEFAULT_START_TIMEOUT_MS = 60_000;

/** How an instance proves that it is ready: as the file says, else as the preset knows, else by staying alive. */
export function readinessOf(asked: Asked, preset: Preset | null, listening: Listening): Readiness {
  const { ready } = asked.given;
  const standard = standardOf(preset, listening);
  if (ready === undefined) return standard;
  const present = presentIn(asked, 'ready', PROOFS);
  const [proof, another] = present.filter((key) => ready[key] !== false);
  if (present.length === 0) {
    asked.report.tell('E_KEY_MISSING', '"ready" does not say what to wait for', { line: lineOf(asked, 'ready'), key: 'ready', hint: `with one of ${PROOFS.map((key) => `"${key}"`).join(', ')}` });
    return standard;
  }
  if (another !== undefined) tellSeveral(asked, 'ready', present.filter((key) => ready[key] !== false));
  else tellIdle(asked, 'ready', proof, ['interval', 'timeout']);
  return (proof === undefined ? undefined : provenBy(proof, asked, listening)) ?? standard;
}

function provenBy(proof: (typeof PROOFS)[number], asked: Asked, listening: Listening): Readiness | undefined {
  const { after, log, interval, timeout } = asked.given.ready ?? {};
  switch (proof) {
    case 'after':
      return after === undefined ? undefined : { kind: 'after', ms: after };
    case 'log':
      return log === undefined ? undefined : { kind: 'log', pattern: log };
    case 'notify':
      return { kind: 'notify' };
    case 'http':
    case 'tcp':
    case 'command': {
      const probe = probeOf(asked, 'ready', proof, listening);
      return probe === undefined ? undefined : { kind: 'probe', probe, intervalMs: interval ?? DEFAULT_INTERVAL_MS, timeoutMs: timeout ?? DEFAULT_TIMEOUT_MS };
    }
    default:
      return unreachable(proof);
  }
}

function standardOf(preset: Preset | null, listening: Listening): Readiness {
  if (preset === null) return DEFAULT;
  if (listening.sockets === 'none') return preset.ready;
  const { readyListening } = preset;
  return readyListening.kind === 'probe' ? { ...readyListening, probe: aimed(readyListening.probe, listening) } : readyListening;
}

/** From the spawn to readiness. A start that is given up before it can be ready never succeeds: that is told. */
export function startTimeoutOf(asked: Asked, ready: Readiness): number {
  const leastMs = ready.kind === 'after' ? ready.ms : 0;
  const givenMs = asked.given['start-timeout'];
  if (givenMs !== undefined && givenMs < leastMs) {
    tellConflict(asked, 'start-timeout', `"start-timeout" (${givenMs} ms) ends before an instance can be ready (${leastMs} ms)`, 'raise it, or lower "ready.after"');
  }
  return givenMs ?? Math.max(DEFAULT_START_TIMEOUT_MS, leastMs);
}
