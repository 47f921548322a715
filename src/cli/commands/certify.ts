import type { OrderResult } from '../../control/protocol.ts';
import type { Address } from '../../core/address.ts';
import { EmperorError } from '../../errors.ts';
import { printable, printableJson } from '../../world/printable.ts';
import { between } from '../count.ts';
import { EXIT, exitCodeOfResults } from '../exit-codes.ts';
import type { Load } from '../load.ts';
import { table } from '../render/table.ts';
import { resultLines } from '../render/results.ts';
import { connect, withControl, type ControlOption, type DeclareVerb } from '../verb.ts';

/** What one part of a certification saw. */
interface Lap {
  readonly title: string;
  readonly answered: number;
  readonly lost: number;
  readonly longestGapMs: number;
}

interface CertifyOptions extends ControlOption {
  readonly swaps: number;
  readonly connections: number;
  readonly path: string;
  readonly keepAlive: boolean;
  readonly json?: boolean;
}

/** Of swaps, and of connections. */
const MOST = 9_999;
/** Load before the first swap and after the last one, so that there is something to compare with, ms. */
const CALM_MS = 1_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Of one swap, ms. */
const SWAP_TIMEOUT_MS = 120_000;

/** `certify NAME`: reloads a live vassal under load, over its own address, and tells what its clients saw. */
export const certify: DeclareVerb = (program, cli) => {
  withControl(program.command('certify').argument('<name>', 'a vassal that listens on the loopback or on a unix socket'))
    .summary('reload a vassal under load, and count what its clients lose')
    .description('Asks the vassal over its own address without a pause, reloads it meanwhile, and prints requests answered, requests lost and the longest time without an answer. Ends with 0 if nothing was lost.')
    .option('--swaps <count>', 'reloads', between(1, MOST), 3)
    .option('--connections <count>', 'requests under way at one time', between(1, MOST), 8)
    .option('--path <path>', 'what is asked for; an answer of 500 or more is a lost request', '/')
    .option('--no-keep-alive', 'a new connection for each request')
    .option('--json', 'print the result as a document')
    .action(async (name: string, options: CertifyOptions) => {
      const client = await connect(options, cli);
      const [vassal] = (await client.status(name)).vassals;
      const address = addressOf(name, vassal?.listen ?? []);
      const { startLoad } = await import('../load.ts');
      const load = startLoad({ address, path: options.path, connections: options.connections, keepAlive: options.keepAlive, timeoutMs: REQUEST_TIMEOUT_MS }, () => performance.now());
      const laps: Lap[] = [];
      const refused: OrderResult[] = [];
      const lap = async (title: string, during: () => Promise<void>): Promise<void> => {
        const before = load.result();
        load.lap();
        await during();
        laps.push(lapOf(title, before, load));
      };
      await lap('before', () => pause(CALM_MS));
      for (let swap = 1; swap <= options.swaps && refused.length === 0; swap += 1) {
        await lap(`swap ${swap}`, async () => {
          const { results } = await client.order({ verb: 'reload' }, [name], SWAP_TIMEOUT_MS);
          refused.push(...results.filter(({ outcome }) => outcome !== 'done'));
        });
      }
      await lap('after', () => pause(CALM_MS));
      const { answered, lost, resent, slowestMs } = await load.end();
      const total = [...lost.values()].reduce((sum, each) => sum + each, 0);
      if (options.json === true) {
        await cli.terminal.out(`${printableJson({ name, swaps: options.swaps, answered, lost: Object.fromEntries(lost), resent, slowestMs, laps }, 2)}\n`);
      } else {
        await cli.terminal.out(picture(laps));
        const reasons = [...lost].map(([why, times]) => `${times} × ${printable(why)}`).join(', ');
        await cli.terminal.out(`${printable(name)}: ${answered} requests answered, ${total} lost${reasons === '' ? '' : ` (${reasons})`}; slowest answer ${slowestMs.toFixed(0)} ms\n`);
        if (resent > 0) await cli.terminal.out(`asked again, as browsers and proxies do, because the server closed a kept connection under the next request: ${resent}\n`);
      }
      for (const { text } of resultLines('reload', refused)) cli.terminal.err(text);
      if (refused.length > 0) cli.ends(exitCodeOfResults(refused));
      else cli.ends(total === 0 && answered > 0 ? EXIT.done : EXIT.failed);
    });
};

function lapOf(title: string, before: ReturnType<Load['result']>, load: Load): Lap {
  const after = load.result();
  const sum = (lost: ReadonlyMap<string, number>): number => [...lost.values()].reduce((all, each) => all + each, 0);
  return { title, answered: after.answered - before.answered, lost: sum(after.lost) - sum(before.lost), longestGapMs: Math.round(after.longestGapMs) };
}

function picture(laps: readonly Lap[]): string {
  return table(
    [{ title: '', align: 'left' }, { title: 'ANSWERED', align: 'right' }, { title: 'LOST', align: 'right' }, { title: 'LONGEST GAP', align: 'right' }],
    laps.map(({ title, answered, lost, longestGapMs }) => [title, String(answered), String(lost), `${longestGapMs} ms`]),
  );
}

/** Load goes to this host only. */
function addressOf(name: string, listen: readonly string[]): Address {
  const found = listen.map(parsePrinted).find((each) => each !== null);
  if (found === undefined || found === null) {
    throw new EmperorError('E_REQUEST', `vassal "${name}" has no address on the loopback or on a unix socket to be asked at: give it a "listen"`);
  }
  return found;
}

/** Reads what printAddress writes. null: it is not on this host alone. */
function parsePrinted(text: string): Address | null {
  if (text.startsWith('unix:')) return { kind: 'unix', path: text.slice('unix:'.length) };
  const [, host = '', port = ''] = /^\[?([^\]]*)\]?:(\d+)$/.exec(text) ?? [];
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return local === '::1' || local.startsWith('127.') ? { kind: 'tcp', host: local, port: Number(port), v6only: false } : null;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
