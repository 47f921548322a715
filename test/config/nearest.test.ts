import { expect, it } from 'vitest';
import { nearest } from '../../src/config/nearest.ts';

const NAMES = ['server', 'app', 'user', 'umask', 'stop-timeout', 'start-timeout', 'environment', 'environment-file'];

it.each([
  ['stop-timout', 'stop-timeout'],
  ['STOP-TIMEOUT', 'stop-timeout'],
  ['stoptimeout', 'stop-timeout'],
  ['enviroment', 'environment'],
  ['uesr', 'user'],
  ['ap', 'app'],
  ['colour', null],
  ['x', null],
  ['', null],
  ['s'.repeat(100_000), null],
])('%s was meant to be %s', (name, meant) => {
  expect(nearest(name, NAMES)).toBe(meant);
});
