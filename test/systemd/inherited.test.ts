import { expect, it } from 'vitest';
import { passedTo } from '../../src/systemd/inherited.ts';

it.each([
  ['none, without systemd', {}, []],
  ['those that are for us, with their names', { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'control:log-7' }, [{ name: 'control', fd: 3 }, { name: 'log-7', fd: 4 }]],
  ['none that are for another process', { LISTEN_PID: '41', LISTEN_FDS: '2' }, []],
  ['none where nobody says for whom they are', { LISTEN_FDS: '2' }, []],
  ['those without a name as sd_listen_fds_with_names(3) does', { LISTEN_PID: '42', LISTEN_FDS: '2', LISTEN_FDNAMES: 'one' }, [{ name: 'one', fd: 3 }, { name: 'unknown', fd: 4 }]],
  ['none of a number that is no number', { LISTEN_PID: '42', LISTEN_FDS: '2x' }, []],
])('finds %s', (_what, environment, expected) => {
  expect(passedTo(environment, 42)).toEqual(expected);
});
