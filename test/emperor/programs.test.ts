import { expect, it } from 'vitest';
import type { SeenFile, VassalId } from '../../src/core/listing.ts';
import { askPrograms } from '../../src/emperor/programs.ts';
import { until } from '../until.ts';

function program(name: string, uid?: number): SeenFile {
  return { id: `/v/${name}.ini` as VassalId, name, stamp: '', hash: '', content: { ok: true, text: '#!' }, executable: true, ...(uid === undefined ? {} : { owner: { uid, gid: uid } }) };
}

/** Programs that answer when they are told to. */
function held(): { readonly asked: string[]; readonly answer: (name: string) => void; readonly programs: ReturnType<typeof askPrograms> } {
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  const programs = askPrograms(async ({ name }) => {
    asked.push(name);
    await new Promise<void>((resolve) => answers.set(name, resolve));
    return { ok: true, text: `says ${name}` };
  });
  return { asked, answer: (name) => answers.get(name)?.(), programs };
}

it('one that hangs holds up no other that is asked at the same time', async () => {
  const { programs, answer, asked } = held();
  const files = [program('hangs'), program('quick')];
  let more = 0;
  expect(programs.read(files, () => (more += 1))).toEqual({ files: [], missing: true });
  await until(() => expect(asked).toHaveLength(2));
  answer('quick');
  await until(() => expect(more).toBe(1));
  expect(programs.read(files, () => {}).files.map(({ content }) => content)).toEqual([{ ok: true, text: 'says quick' }]);
});

it('of one owner two are asked at a time, so that nobody takes all the room; the next follow when these have answered', async () => {
  const { programs, answer, asked } = held();
  const files = ['a', 'b', 'c', 'd'].map((name) => program(name, 5));
  programs.read([...files, program('other', 9)], () => {});
  await until(() => expect(asked.toSorted()).toEqual(['a', 'b', 'other']));
  answer('a');
  await until(() => expect(asked.toSorted()).toEqual(['a', 'b', 'c', 'other']));
});

it('without owners eight are asked at a time', async () => {
  const { programs, asked } = held();
  programs.read(Array.from({ length: 12 }, (_, at) => program(String(at))), () => {});
  await until(() => expect(asked).toHaveLength(8));
});

it('tells of each answer once, however often the same look is read meanwhile', async () => {
  const { programs, answer, asked } = held();
  const files = [program('a'), program('b'), program('c')];
  const told: number[] = [];
  const onMore = (): void => {
    told.push(programs.read(files, onMore).files.length);
  };
  programs.read(files, onMore);
  await until(() => expect(asked).toHaveLength(3));
  for (const name of ['a', 'b', 'c']) {
    answer(name);
    await until(() => expect(told.at(-1)).toBe(1 + 'abc'.indexOf(name)));
  }
  expect(told).toEqual([1, 2, 3]);
});
