import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { UnixSocket } from '../../src/kernel/sock-diag.ts';
import { openNeighbours } from '../../src/sockets/neighbours.ts';

const socket = (inode: number, path: string | null): UnixSocket => ({ state: 'listen', inode, path, file: inode });
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('two thousand addresses of one turn share one look at the sockets of the host; the next turn looks again', async () => {
  let looks = 0;
  const neighbours = openNeighbours({
    unix: () => {
      looks += 1;
      return Array.from({ length: 2_000 }, (_, each) => socket(each, `/run/.${each}.sock.0`));
    },
  });
  for (let each = 0; each < 2_000; each += 1) expect(neighbours.listeningAt(`/run/${each}.sock`).map(({ inode }) => inode)).toEqual([each]);
  expect(looks).toBe(1);
  await nextTurn();
  expect(neighbours.listening(7)?.path).toBe('/run/.7.sock.0');
  expect(looks).toBe(2);
});

it('knows those at a path, and those at the hidden ones beside it, and no others', () => {
  const sockets = [socket(1, '/run/a.sock'), socket(2, '/run/.a.sock.0'), socket(3, '/run/.a.sock.999'), socket(4, '/run/.a.sock.x'), socket(5, '/run/.b.sock.0'), socket(6, null)];
  const neighbours = openNeighbours({ unix: () => sockets });
  expect(neighbours.listeningAt('/run//a.sock').map(({ inode }) => inode)).toEqual([2, 3]);
  expect(neighbours.listeningAt('/run/a.sock').map(({ inode }) => inode)).toEqual([1, 2, 3]);
  expect(neighbours.listening(6)).toBeUndefined();
});

it('sees a folder once a turn', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'emperor-neighbours-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const neighbours = openNeighbours({ unix: () => [] });
  const [path, hidden] = [join(folder, 'a.sock'), join(folder, '.a.sock.3')];
  expect(neighbours.hidden(path)).toEqual([]);
  writeFileSync(hidden, '');
  expect(neighbours.hidden(path)).toEqual([]);
  await nextTurn();
  expect(neighbours.hidden(path)).toEqual([hidden]);
});
