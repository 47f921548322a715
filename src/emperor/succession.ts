import { superiorDescriptors } from '../channel/superior.ts';
import type { EmperorState } from '../core/state.ts';
import { EmperorError, reasonOf } from '../errors.ts';
import { execute } from '../kernel/execute.ts';
import { openCopyHigh } from '../kernel/high-descriptor.ts';
import type { Libc } from '../kernel/libc.ts';
import { memoryFile } from '../kernel/memory-file.ts';
import { hear, type Successor } from '../runner/successor.ts';
import type { Handed } from '../sockets/sockets.ts';
import { LISTEN_VARIABLES } from '../systemd/inherited.ts';
import type { Logger } from '../world/logger.ts';
import { descriptorsOf, HANDOVER_VARIABLE, NO_HANDOVER, printHandover, type Handover } from './handover.ts';
import type { Settings } from './settings.ts';

/** How the program on the disk becomes the next emperor, in this process. */
export interface Succession {
  /** Lets it take over, once it has proved that it can. Then this emperor ends, and its instances stay. @throws E_UPGRADE */
  upgrade(actor: string): Promise<Successor>;
  /** To be called before the parts are closed. @returns what is to be done after that, as the last thing; null: nothing follows */
  bequeath(heirs: Heirlooms): (() => never) | null;
}

/** Who makes copies of what the next emperor gets. */
export interface Heirlooms {
  readonly sockets: {
    handOver(copy: (fd: number) => number): readonly Handed[];
    handOverLasting(copy: (fd: number) => number): readonly number[];
  };
  readonly notify: { handOver(copy: (fd: number) => number): number };
  readonly output: { handOver(copy: (fd: number) => number): Handover['fifos'] };
  /** The control socket, if a socket unit listens on it; null: it is opened anew. */
  readonly control: number | null;
}

/** What it needs to know, and to say. */
export interface SuccessionParts {
  readonly libc: Libc;
  readonly settings: Settings;
  readonly logger: Logger;
  readonly life: () => EmperorState['life'];
  /** Ends the emperor, and leaves the instances. */
  readonly leave: (actor: string) => void;
}

/** Nobody follows yet. */
export function createSuccession({ libc, settings, logger, life, leave }: SuccessionParts): Succession {
  const { program: { file, args, rehearsal } } = settings;
  // What these name is not there any more, or is handed over.
  const over: ReadonlySet<string> = new Set([HANDOVER_VARIABLE, ...LISTEN_VARIABLES]);
  const environment = Object.fromEntries(Object.entries(settings.environment).filter(([name]) => !over.has(name)));

  /** Out of descriptors: then the next emperor begins as after a crash. */
  function attempt<T>(handOver: () => T, otherwise: T, trouble: string): T {
    try {
      return handOver();
    } catch (error) {
      logger.error({ reason: reasonOf(error) }, trouble);
      return otherwise;
    }
  }

  let stage: 'none' | 'rehearsing' | 'certain' = 'none';
  return {
    async upgrade(actor) {
      if (stage !== 'none') throw new EmperorError('E_UPGRADE', 'an upgrade is under way already');
      stage = 'rehearsing';
      try {
        const successor = await hear(file, rehearsal, environment);
        if (life() !== 'running') throw new EmperorError('E_UPGRADE', 'the emperor is ending');
        stage = 'certain';
        logger.info({ version: successor.version, actor }, 'makes way for its successor, in the same process');
        leave(actor);
        return successor;
      } finally {
        if (stage === 'rehearsing') stage = 'none';
      }
    },
    bequeath({ sockets, notify, output, control }) {
      if (stage !== 'certain') return null;
      const copy = openCopyHigh(libc);
      const held = attempt(() => ({
        ...NO_HANDOVER, notify: notify.handOver(copy), lasting: sockets.handOverLasting(copy), control: control === null ? null : copy(control), addresses: sockets.handOver(copy),
      }), NO_HANDOVER, 'sockets cannot be handed over: those behind which nobody lives are closed, and an instance that ends during the upgrade refuses connections for a moment');
      const fifos = attempt(() => output.handOver(copy), [], 'what an instance prints last that ends during the upgrade is lost: the FIFOs cannot be handed over');
      const handover: Handover = { ...held, fifos };
      const note = memoryFile(libc, printHandover(handover));
      return () => execute(libc, file, [file, ...args], { ...environment, [HANDOVER_VARIABLE]: String(note) }, [note, ...descriptorsOf(handover), ...superiorDescriptors(environment)]);
    },
  };
}
