import { ACCEPTING } from './accepting.ts';
import type { Preset } from './preset.ts';

/** What most servers have in common: TERM lets them finish their requests, and nothing but a new process gives them new code. */
export const ORDINARY: Pick<Preset, 'reload' | 'stopSignal' | 'stopTimeoutMs' | 'ready' | 'readyListening'> = {
  reload: { kind: 'restart' },
  stopSignal: 'SIGTERM',
  stopTimeoutMs: 30_000,
  ready: { kind: 'after', ms: 1000 },
  readyListening: ACCEPTING,
};
