import type { Instance } from '../core/state.ts';
import type { UserDatabase } from '../kernel/user.ts';
import { OUTSIDE, type Entrance } from './cage.ts';
import { DEFAULT_PATH, instanceEnvironment } from './environment.ts';
import { readEnvironmentFile } from './environment-file.ts';
import { runsAs, type EmperorIdentity, type RunsAs } from './identity.ts';
import { channelEnvironment, notifyEnvironment, socketEnvironment } from './protocol-environment.ts';
import { launchPlan, type LaunchPlan } from './launch-plan.ts';
import { findProgram } from './program.ts';
import { cannotStart, type Refusal } from './refusal.ts';
import { directoryTrouble, vetProgram, type Complaint } from './vet.ts';

/** What is the same for every launch of one emperor. */
export interface LaunchHost {
  readonly users: UserDatabase;
  readonly own: EmperorIdentity;
  /** The emperor's own environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The emperor's state folder. */
  readonly state: string;
  /** Where instances say how they are, sd_notify(3). */
  readonly notifySocket: string;
  /** Files that an instance may have open if its file does not say; null: as many as the emperor. */
  readonly files: number | null;
  /** Whether whoever starts processes can start them in a cgroup. */
  readonly startsInCgroups: boolean;
}

/** The descriptors that an instance gets: how many sockets, and whether a channel after them. */
export interface Given {
  readonly sockets: number;
  readonly channel: boolean;
}

const NOTHING: Given = { sockets: 0, channel: false };

/** What a launch needs, as it was found on this host. */
export interface Survey {
  readonly person: RunsAs;
  readonly environment: Readonly<Record<string, string>>;
  /** Path of the program. */
  readonly program: string;
}

/**
 * Looks up what any launch needs on this host, at the moment of the launch. What is found wrong here, and still is, is lasting.
 * @param given what it gets beside its standard descriptors
 * @param named false: whoever starts it chooses its user, and tells it who that is
 */
export function surveyLaunch(vassalName: string, instance: Instance, host: LaunchHost, given: Given = NOTHING, named = true): Survey | Refusal {
  const { spec } = instance.runs;
  const { sockets, channel } = given;
  const refuse = ({ code, message }: Pick<Complaint, 'code' | 'message'>): Refusal => ({
    code,
    reason: cannotStart(spec.argv[0], vassalName, message),
    lasting: true,
  });

  const person = runsAs(spec, host.own, host.users);
  if ('refused' in person) return refuse({ code: 'E_USER', message: person.refused });
  const trouble = directoryTrouble(spec.directory, person.changes);
  if (trouble !== null) return refuse(trouble);
  const file = spec.environmentFile === null ? { environment: {}, mistakes: [] } : readEnvironmentFile(spec.environmentFile);
  if ('unreadable' in file) {
    return refuse({ code: 'E_ENVIRONMENT_FILE', message: `the environment file ${spec.environmentFile} cannot be read: ${file.unreadable}` });
  }
  const [mistake] = file.mistakes;
  if (mistake !== undefined) {
    return refuse({ code: 'E_ENVIRONMENT_FILE', message: `${mistake.message} at ${spec.environmentFile}:${mistake.line}` });
  }

  const environment = instanceEnvironment({
    emperor: host.environment,
    user: named ? person.user : null,
    file: file.environment,
    spec: spec.environment,
    sockets: socketEnvironment(vassalName, spec, sockets),
    notify: notifyEnvironment(spec, host.notifySocket),
    channel: channel ? channelEnvironment(sockets) : {},
    vassalName,
    instance: instance.id,
    state: host.state,
  });
  const place = { directory: spec.directory, path: environment['PATH'] ?? DEFAULT_PATH };
  const program = findProgram(spec.argv[0], place, person.changes);
  if (program.kind !== 'found') {
    const complaint = vetProgram(spec, place, person.changes, new Map());
    return complaint === null ? { ...refuse({ code: 'E_PROGRAM_MISSING', message: 'it has just appeared' }), lasting: false } : refuse(complaint);
  }
  return { person, environment, program: program.path };
}

/**
 * Plans a launch by the emperor itself.
 * @param given what it gets beside its standard descriptors
 * @param enter asked last, when nothing speaks against the launch
 */
export function prepareLaunch(vassalName: string, instance: Instance, host: LaunchHost, given: Given = NOTHING, enter: () => Entrance = () => OUTSIDE): LaunchPlan | Refusal {
  const survey = surveyLaunch(vassalName, instance, host, given);
  if ('code' in survey) return survey;
  const { person, environment, program } = survey;
  const setpriv = findProgram('setpriv', { directory: '/', path: host.environment['PATH'] ?? DEFAULT_PATH });
  return launchPlan(instance.runs.spec, {
    program,
    become: person.changes ? { uid: person.user.uid, gid: person.gid } : null,
    environment,
    sockets: given.sockets,
    entrance: enter(),
    startsInCgroups: host.startsInCgroups,
    files: host.files,
    setpriv: setpriv.kind === 'found' ? setpriv.path : '/usr/bin/setpriv',
  });
}
