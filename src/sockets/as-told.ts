import { EmperorError } from '../errors.ts';

/**
 * Asks the kernel.
 * @param otherwise the answer where it cannot tell: a minimal one may lack sock_diag(7)
 */
export function asTold<T>(otherwise: T, ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof EmperorError && error.code === 'E_KERNEL') return otherwise;
    throw error;
  }
}
