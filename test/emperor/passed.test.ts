import { fstatSync, openSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sortPassed } from '../../src/emperor/passed.ts';

it('sorts what systemd has passed by its names', () => {
  const twice = openSync('/dev/null', 'r');
  const passed = ['control', 'socket-12', 'log-7', 'shop.socket', 'log-x', 'socket-13'].map((name, index) => ({ name, fd: 100 + index }));
  expect(sortPassed([...passed, { name: 'log-7', fd: twice }])).toEqual({ control: 100, kept: [101, 105], fifos: new Map([[7, 102]]), lasting: [103, 104] });
  expect(() => fstatSync(twice)).toThrow('EBADF');
});
