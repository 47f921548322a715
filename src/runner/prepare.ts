import type { Runnable } from '../core/state.ts';
import { canBeExported } from '../core/tyrant.ts';
import type { UserDatabase } from '../kernel/user.ts';
import { OUTSIDE, type Entrance } from './cage.ts';
import { DEFAULT_PATH, instanceEnvironment } from './environment.ts';
import { readEnvironmentFile } from './environment-file.ts';
import { runsAs, type EmperorIdentity, type RunsAs } from './identity.ts';
import { channelEnvironment, notifyEnvironment, socketEnvironment } from './protocol-environment.ts';
import { handedLater, launchPlan, type Confinement, type LaunchPlan } from './launch-plan.ts';
import { lostOwner } from './owned.ts';
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
  /** Absent: instances can do whatever the emperor can, or their user. */
  readonly confinement?: Confinement;
}

/** The descriptors that an instance gets: how many sockets, and whether a channel after them. */
export interface Given {
  readonly sockets: number;
  readonly channel: boolean;
}

const NOTHING: Given = { sockets: 0, channel: false };

/** As much of an instance as a launch needs to know. */
export interface ToLaunch {
  readonly id: string;
  readonly runs: Runnable;
}

/** What a launch needs, as it was found on this host. */
export interface Survey {
  readonly person: RunsAs;
  readonly environment: Readonly<Record<string, string>>;
  /** Path of the program. */
  readonly program: string;
  /** Variables that it gets only when it is who it has to become: see {@link handedLater}; null: it has all of them at once. */
  readonly later: readonly string[] | null;
}

/**
 * Looks up what any launch needs on this host, at the moment of the launch. What is found wrong here, and still is, is lasting.
 * @param given what it gets beside its standard descriptors
 * @param named false: whoever starts it chooses its user, and tells it who that is
 */
export function surveyLaunch(vassalName: string, instance: ToLaunch, host: LaunchHost, given: Given = NOTHING, named = true): Survey | Refusal {
  const { spec } = instance.runs;
  const { sockets, channel } = given;
  const refuse = ({ code, message }: Pick<Complaint, 'code' | 'message'>): Refusal => ({
    code,
    reason: cannotStart(spec.argv[0], vassalName, message),
    lasting: true,
  });

  const lost = spec.owned === undefined ? null : lostOwner(spec.owned);
  // What it says by now is on its way.
  if (lost !== null) return { ...refuse({ code: 'E_TYRANT', message: lost }), lasting: false };
  const person = runsAs(spec, host.own, host.users);
  if ('refused' in person) return refuse({ code: 'E_USER', message: person.refused });
  const trouble = directoryTrouble(spec.directory, person.changes);
  if (trouble !== null) return refuse(trouble);
  const file = spec.environmentFile === null ? { environment: {}, mistakes: [] } : readEnvironmentFile(spec.environmentFile, spec.owned?.owner.uid ?? null);
  if ('unreadable' in file) {
    return refuse({ code: 'E_ENVIRONMENT_FILE', message: `the environment file ${spec.environmentFile} cannot be read: ${file.unreadable}` });
  }
  const [mistake] = file.mistakes;
  if (mistake !== undefined) {
    return refuse({ code: 'E_ENVIRONMENT_FILE', message: `${mistake.message} at ${spec.environmentFile}:${mistake.line}` });
  }

  const sources = {
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
  };
  const environment = instanceEnvironment(sources);
  const own = spec.owned !== undefined && person.changes ? instanceEnvironment({ ...sources, file: {}, spec: {} }) : null;
  const later = own === null ? null : Object.keys(environment).filter((name) => environment[name] !== own[name]);
  const unfit = later?.find((name) => !canBeExported(name));
  if (unfit !== undefined) return refuse({ code: 'E_ENVIRONMENT_FILE', message: `the variable ${JSON.stringify(unfit)} cannot be handed on to another user` });
  const place = { directory: spec.directory, path: environment['PATH'] ?? DEFAULT_PATH };
  const program = findProgram(spec.argv[0], place, person.changes);
  if (program.kind !== 'found') {
    const complaint = vetProgram(spec, place, person.changes, new Map());
    return complaint === null ? { ...refuse({ code: 'E_PROGRAM_MISSING', message: 'it has just appeared' }), lasting: false } : refuse(complaint);
  }
  return { person, environment, program: program.path, later };
}

/**
 * Plans a launch by the emperor itself.
 * @param given what it gets beside its standard descriptors
 * @param enter asked last, when nothing speaks against the launch
 */
export function prepareLaunch(vassalName: string, instance: ToLaunch, host: LaunchHost, given: Given = NOTHING, enter: () => Entrance = () => OUTSIDE): LaunchPlan | Refusal {
  const survey = surveyLaunch(vassalName, instance, host, given);
  if ('code' in survey) return survey;
  const { person, environment, program, later } = survey;
  const setpriv = findProgram('setpriv', { directory: '/', path: host.environment['PATH'] ?? DEFAULT_PATH });
  return launchPlan(instance.runs.spec, {
    program,
    become: person.changes ? { uid: person.user.uid, gid: person.gid } : null,
    environment: later === null ? environment : handedLater(environment, later),
    later,
    ...(host.confinement === undefined ? {} : { confinement: { ...host.confinement, capabilities: host.own.user.uid === 0 ? host.confinement.capabilities : null } }),
    sockets: given.sockets,
    entrance: enter(),
    startsInCgroups: host.startsInCgroups,
    files: host.files,
    setpriv: setpriv.kind === 'found' ? setpriv.path : '/usr/bin/setpriv',
  });
}
