import { statSync } from 'node:fs';
import { printAddress } from '../core/address.ts';
import { EmperorError, errnoOf } from '../errors.ts';
import { openStatsServer } from '../metrics/stats-server.ts';
import { uwsgiEmperorStats, type Surroundings } from '../metrics/uwsgi-emperor.ts';
import type { Clock } from '../world/clock.ts';
import type { Logger } from '../world/logger.ts';
import type { Emperor } from './emperor.ts';
import type { Settings } from './settings.ts';

/** What the statistics are made of. */
export interface StatisticsParts extends Pick<Surroundings, 'version' | 'startedAt' | 'ownerOf'> {
  readonly settings: Pick<Settings, 'stats' | 'statsHttp' | 'treatment'>;
  readonly emperor: Pick<Emperor, 'snapshot' | 'now'>;
  readonly clock: Clock;
  readonly logger: Pick<Logger, 'error'>;
  readonly hooks: () => object;
}

/** Tells the statistics of a uWSGI Emperor where the settings say so. An address that cannot be had is told in the log and costs no more: vassals do not wait for statistics. */
export async function openStatistics({ settings: { stats, statsHttp, treatment }, emperor, clock, logger, hooks, ...known }: StatisticsParts): Promise<AsyncDisposable> {
  const none: AsyncDisposable = { [Symbol.asyncDispose]: () => Promise.resolve() };
  if (stats === null) return none;
  const host = { pid: process.pid, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, cwd: process.cwd(), tyrant: treatment !== undefined && treatment.tyrant !== null };
  const document = (): object => uwsgiEmperorStats(emperor.snapshot(), emperor.now(), {
    ...known,
    ...host,
    hooks: hooks(),
    changedAt: ({ id }) => changedAt(id),
  });
  try {
    return await openStatsServer({ address: stats, http: statsHttp, clock, document });
  } catch (error) {
    if (!(error instanceof EmperorError)) throw error;
    logger.error({ code: error.code, stats: printAddress(stats), reason: error.message }, 'statistics are told nowhere');
    return none;
  }
}

/** When a file was last changed, wall time in ms; 0: nobody can tell, as it is gone, or a symlink that leads in a circle. */
function changedAt(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch (error) {
    if (errnoOf(error) === '') throw error;
    return 0;
  }
}
