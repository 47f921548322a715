import type { Code } from '../errors.ts';
import type { Failure, InstanceId } from './state.ts';

/** A failure of which nothing is quoted yet. @param at wall time, ms @param instance whose failure it is; null: that of the file */
export function failed(revision: number, code: Code, message: string, at: number, instance: InstanceId | null = null): Failure {
  return { revision, code, message, at, instance, output: [] };
}
