import { lstatSync } from 'node:fs';
import { resolve } from 'node:path';
import { printableJson } from '../../world/printable.ts';
import { EXIT } from '../exit-codes.ts';
import { readConfig } from '../read-config.ts';
import { configFile } from '../resolve-settings.ts';
import { treatmentOf } from '../treatment.ts';
import type { DeclareVerb } from '../verb.ts';

/** `check FILE|DIR…`: finds the faults of vassal files, without an emperor. */
export const check: DeclareVerb = (program, cli) => {
  program.command('check').argument('<path...>', 'vassal files, or folders of them')
    .summary('find the faults of vassal files')
    .description(`Reads vassal files as the emperor would, on this host, and prints every fault. Exits ${EXIT.fault} if there is one.`)
    .option('--config <file>', 'configuration file of the emperor (environment: EMPEROR_CONFIG)')
    .option('--tyrant', 'as an emperor that runs each file as its owner')
    .option('--json', 'print the faults as a document')
    .action(async (paths: string[], options: { readonly json?: boolean; readonly config?: string; readonly tyrant?: boolean }) => {
      const missing = paths.filter((path) => !isThere(path));
      for (const path of missing) cli.terminal.err(`emperor: there is no ${JSON.stringify(path)} to check\n`);
      if (missing.length > 0) return cli.ends(EXIT.usage);
      const { checkPaths } = await import('../../emperor/check.ts');
      const { checkReport } = await import('../render/check.ts');
      const report = await checkPaths(paths.map((path) => resolve(path)), cli.environment, treatmentOf(readConfig(configFile(options, cli)), options).treatment);
      await cli.terminal.out(options.json === true ? `${printableJson(report, 2)}\n` : checkReport(report));
      cli.ends(report.files.some(({ faults }) => faults.length > 0) ? EXIT.fault : EXIT.done);
    });
};

/** A symlink that leads nowhere is there, too, and at fault. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
