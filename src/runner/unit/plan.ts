import type { Instance } from '../../core/state.ts';
import { DEFAULT_PATH } from '../environment.ts';
import { surveyLaunch, type LaunchHost } from '../prepare.ts';
import { findProgram } from '../program.ts';
import { cannotStart, type Refusal } from '../refusal.ts';
import type { Beginning } from './begin.ts';
import { choosesUser, unitProperties } from './properties.ts';
import { unitName } from './unit-name.ts';

/** Plans the unit of an instance, at the moment of its launch. */
export type PlanUnit = (vassalName: string, instance: Instance, sockets: readonly number[], channel: readonly number[]) => Omit<Beginning, 'output' | 'givenUp'> | Refusal;

/** Makes what plans. @param emperor the unit of the emperor itself; null: it is none */
export function unitPlanner(host: LaunchHost, emperor: string | null): PlanUnit {
  return (vassalName, instance, sockets, channel) => {
    const { spec } = instance.runs;
    const wanted = spec.unit ?? { properties: [] };
    const survey = surveyLaunch(vassalName, instance, host, { sockets: sockets.length, channel: channel.length > 0 }, !choosesUser(wanted));
    if ('code' in survey) return survey;
    const { person, environment, program } = survey;
    const perl = findProgram('perl', { directory: '/', path: host.environment['PATH'] ?? DEFAULT_PATH });
    if (perl.kind !== 'found') return { code: 'E_PROGRAM_MISSING', reason: cannotStart('perl', vassalName, 'units are begun with it, and it is not in PATH'), lasting: true };
    return {
      vassalName,
      instance,
      unit: unitName(vassalName, instance.id, host.state),
      properties: unitProperties(spec, wanted, { user: spec.user === null ? null : person.user.name, group: spec.group, emperor, ...(host.confinement === undefined ? {} : { confinement: host.confinement }) }),
      descriptors: [...sockets, ...channel],
      perl: perl.path,
      errand: { file: program, argv: spec.argv, environment, tellsPid: sockets.length > 0 && spec.passing === 'listen-fds' },
    };
  };
}
