import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { catchSignals } from '../../src/cli/signals.ts';

/** An emperor that writes down what the signals make of it. */
function target(did: string[]): Parameters<ReturnType<typeof catchSignals>['deliverTo']>[0] {
  return {
    post: (event) => did.push(JSON.stringify(event)),
    reread: async () => void did.push('reread'),
    reopenLogs: async () => void did.push('reopen'),
    upgrade: async () => void did.push('upgrade'),
  };
}

const END = (signal: string): string => JSON.stringify({ type: 'shutdown', keep: false, actor: signal });

it.each([['SIGTERM', END('SIGTERM')], ['SIGINT', END('SIGINT')], ['SIGHUP', 'reread'], ['SIGUSR1', 'reopen'], ['SIGUSR2', 'upgrade']] as const)('%s makes the emperor do %s', (signal, deed) => {
  const source = new EventEmitter();
  const did: string[] = [];
  catchSignals(source, () => {}).deliverTo(target(did));
  source.emit(signal);
  source.emit(signal);
  expect(did).toEqual([deed, deed]);
});

it('delivers what came while the emperor was booting, in order', () => {
  const source = new EventEmitter();
  const did: string[] = [];
  const signals = catchSignals(source, () => {});
  source.emit('SIGHUP');
  source.emit('SIGTERM');
  signals.deliverTo(target(did));
  expect(did).toEqual(['reread', END('SIGTERM')]);
});

it('tells of a reread that fails', async () => {
  const source = new EventEmitter();
  const failure = await new Promise((resolve) => {
    catchSignals(source, (signal, reason) => resolve([signal, reason])).deliverTo({ ...target([]), reread: () => Promise.reject(new Error('EIO')) });
    source.emit('SIGHUP');
  });
  expect(failure).toEqual(['SIGHUP', new Error('EIO')]);
});

it('gives the signals back', () => {
  const source = new EventEmitter();
  catchSignals(source, () => {})[Symbol.dispose]();
  expect(source.eventNames()).toEqual([]);
});
