import { join } from 'node:path';
import type { LogReader } from '../control/command.ts';
import { follow } from '../logs/follow.ts';
import { logFileName } from '../logs/log-name.ts';
import { tail } from '../logs/tail.ts';

/** The logs of the vassals, by name. @param folder absolute */
export function logReader(folder: string): LogReader {
  const pathOf = (name: string): string => join(folder, logFileName(name));
  return {
    tail: (name, lines) => tail(pathOf(name), lines),
    follow: (name, signal, lines) => follow(pathOf(name), signal, lines),
  };
}
