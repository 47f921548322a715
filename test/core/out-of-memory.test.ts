import { describe, expect, it } from 'vitest';
import { whyDocument } from '../../src/control/why.ts';
import type { ExitStatus } from '../../src/core/state.ts';
import { printSize } from '../../src/core/size.ts';
import { declare } from '../fakes/declaration.ts';
import { FakeEmperor } from '../fakes/emperor.ts';

describe('an instance that was killed for lack of memory', () => {
  it.each<[string, number | null, ExitStatus, string]>([
    ['its limit', 2 ** 26, { kind: 'killed', signal: 'SIGKILL' }, 'instance shop#1 was killed by SIGKILL, 3.0 s after its start: out of memory, limit 64M'],
    ['its limit, and a shell tells', 2 ** 26, { kind: 'exited', code: 137 }, 'instance shop#1 exited with code 137, 3.0 s after its start: out of memory, limit 64M'],
    ['that of the host', null, { kind: 'killed', signal: 'SIGKILL' }, 'instance shop#1 was killed by SIGKILL, 3.0 s after its start: out of memory'],
  ])('is told of as such: %s', (_what, memoryBytes, status, message) => {
    const emperor = new FakeEmperor();
    emperor.list(declare('shop', { limits: { memoryBytes, cpu: null, tasks: null, files: null } }));
    emperor.spawn('shop');
    emperor.wait(3_000);
    const [instance] = emperor.instances('shop');
    emperor.play({ type: 'exited', instance: instance!.id, status, outOfMemory: true });
    const vassal = emperor.vassal('shop')!;
    expect(vassal.failure).toMatchObject({ code: 'E_OUT_OF_MEMORY', message });
    const past = emperor.store.history({ name: 'shop', limit: 100, after: null });
    expect(past.filter(({ event }) => event === 'exited')).toMatchObject([{ why: message, status }]);
    expect(whyDocument(vassal, emperor.snapshot(), past, emperor.now()).failure).toMatchObject({ code: 'E_OUT_OF_MEMORY', message });
  });
});

it.each([[1, '1'], [1023, '1023'], [1024, '1K'], [67_108_864, '64M'], [1_610_612_736, '1.5G'], [2 ** 40, '1T'], [2 ** 52, '4096T']])('%i bytes are printed as %s', (bytes, text) => {
  expect(printSize(bytes)).toBe(text);
});
