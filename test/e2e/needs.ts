import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Fails the test that needs a program which is not there, and says what to install. Nothing is skipped. */
export function needs(program: string, debianPackage: string): void {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return;
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  throw new Error(`this test needs ${program}: apt-get install ${debianPackage} (or run: sh test/all.sh)`);
}
