import { join } from 'node:path';
import { openChannels } from '../channel/channels.ts';
import { hideEnvironment } from '../config/hiding/hide-environment.ts';
import type { Address } from '../core/address.ts';
import type { Event, InstanceEvent } from '../core/event.ts';
import { holdsSockets } from '../core/generation.ts';
import { chosen, living } from '../core/lifecycle.ts';
import type { EmperorState } from '../core/state.ts';
import { firstState } from '../core/step.ts';
import { claim } from '../control/socket.ts';
import type { Identity } from '../control/command.ts';
import { EmperorError } from '../errors.ts';
import { keepInherited } from '../kernel/inherited.ts';
import { openJournal } from '../kernel/journal.ts';
import { openLibc } from '../kernel/libc.ts';
import { openPeerOf, peerNamer } from '../kernel/peer.ts';
import { openUserDatabase } from '../kernel/user.ts';
import { openCapture } from '../logs/capture.ts';
import { ownerOf } from '../notify/kinship.ts';
import { openNotify } from '../notify/notify.ts';
import { openProber } from '../probes/open-prober.ts';
import { openDirectRunner } from '../runner/direct.ts';
import { eitherRunner } from '../runner/either-runner.ts';
import { lentDescriptor } from '../runner/protocol-environment.ts';
import type { Successor } from '../runner/successor.ts';
import { openCage } from '../runner/open-cage.ts';
import { loadTools, openTool } from '../runner/tool.ts';
import { orphansOfThisProcess, reapOrphans } from '../runner/orphans.ts';
import { findInstances } from '../runner/strays.ts';
import { openUnitRunner } from '../runner/unit/units.ts';
import { openSockets } from '../sockets/open-sockets.ts';
import { openStore } from '../store/sqlite.ts';
import { printsToJournal } from '../systemd/journal-stream.ts';
import { openServiceManager } from '../systemd/under-systemd.ts';
import { systemClock } from '../world/clock.ts';
import { openLogger } from '../world/logger.ts';
import { monotonicUs } from '../world/monotonic.ts';
import { readVersion } from '../world/version.ts';
import { createDeclarer } from './declare.ts';
import { createEmperor, type Emperor } from './emperor.ts';
import { closeAll, untilEnd } from './ending.ts';
import { claimFolders } from './folders.ts';
import { HANDOVER_VARIABLE, readHandover } from './handover.ts';
import { judgeOf } from './host.ts';
import { logReader } from './log-reader.ts';
import { logChanges } from './observe.ts';
import { openPatience } from './patience.ts';
import { parseOnce } from './parse-once.ts';
import { performWith } from './perform.ts';
import { recall } from './recall.ts';
import { rememberIn } from './remember.ts';
import { sortPassed } from './passed.ts';
import type { Settings } from './settings.ts';
import { waysIn } from './way-in.ts';
import { openSources } from './sources.ts';
import { createSuccession } from './succession.ts';

/** An emperor at work. */
export interface RunningEmperor {
  /** Resolves when it has ended and given everything back. With a function: that turns this process into the next emperor, and is the last thing to do. Rejects on a bug. */
  readonly ended: Promise<(() => never) | null>;
  readonly post: (event: Event) => void;
  /** Opens the log files of the vassals anew: SIGUSR1. */
  readonly reopenLogs: () => Promise<void>;
  /** Lets the program on the disk take over, once it has proved that it can. Then this emperor ends. @throws E_UPGRADE */
  upgrade(actor: string): Promise<Successor>;
  /** Takes over what can be changed in these settings, tells what can not, and looks at all sources again: SIGHUP. */
  reread(settings: Settings): Promise<void>;
}

/**
 * Builds the parts, lets them meet, and reigns: remembered state, living instances, then the first look at every source.
 * @throws E_EMPEROR_RUNS if another emperor has the control socket or the state folder; E_SETTINGS, E_STORE, E_KERNEL
 */
export async function boot(settings: Settings): Promise<RunningEmperor> {
  const clock = systemClock();
  const libc = openLibc();
  const journal = openJournal(libc);
  const logger = await openLogger({ level: settings.logLevel, readable: settings.readable, journal: printsToJournal(settings.environment, STDOUT) ? journal : null });
  const parts: (Disposable | AsyncDisposable)[] = [];
  const opened = <T extends Disposable | AsyncDisposable>(part: T): T => {
    parts.push(part);
    return part;
  };
  try {
    return await build();
  } catch (error) {
    await closeAll(parts);
    throw error;
  }

  async function build(): Promise<RunningEmperor> {
    keepInherited(libc);
    const inheritance = readHandover(settings.environment[HANDOVER_VARIABLE]);
    const manager = opened(openServiceManager({ libc, clock, monotonicUs, environment: settings.environment, pid: process.pid, onTrouble: (message) => logger.warn({}, message) }));
    const passed = sortPassed(manager.passed);
    const controlFd = passed.control ?? inheritance.control;
    // Before anything of an earlier emperor is touched: it may be there still.
    if (controlFd === null) await claim(settings.control);
    opened(claimFolders(settings, libc, clock));

    const store = opened(openStore(settings.state, { now: () => clock.now().at, onTrouble: (code, message) => logger.error({ code }, message) }));
    const memory = store.load();
    const recorder = opened(rememberIn(store, clock, (trouble) => {
      if (trouble.kind === 'failing') logger.error({ code: trouble.error.code, err: trouble.error }, 'the state cannot be stored; supervision goes on from memory');
      else logger.warn({ lostEntries: trouble.lostEntries }, 'the state can be stored again');
    }));
    // It ends when all that tells it anything has ended, and before what it writes to.
    let reigning: Disposable | null = null;
    opened({ [Symbol.dispose]: () => reigning?.[Symbol.dispose]() });
    const output = opened(openCapture({
      libc,
      clock,
      fifoFolder: join(settings.state, 'fifos'),
      logFolder: settings.logs,
      journal,
      onLost: (vassal, loss) => logger.error({ code: 'E_LOG', vassal, ...loss }, 'output was lost'),
      keeper: manager.keeper,
      kept: new Map([...inheritance.fifos, ...passed.fifos]),
    }));
    const notifySocket = join(settings.state, 'notify');
    const cage = opened(openCage({ libc, clock, state: settings.state, cgroup: settings.cgroup, onTrouble: (message) => logger.error({}, message) }));
    const launching = { libc, environment: settings.environment, state: settings.state, notifySocket, files: settings.files };
    const channels = opened(openChannels({
      libc,
      clock,
      state: settings.state,
      sink: (event) => emperor.post(event),
      onStrange: (strange) => logger.warn({ ...strange }, 'an instance says on its channel what means nothing; that is ignored'),
    }));
    const sink = (event: InstanceEvent): void => {
      channels.follow(event);
      emperor.post(event);
    };
    const units = openUnitRunner({ ...launching, clock, output, sink, onTrouble: (message) => logger.warn({}, message) });
    const runner = opened(eitherRunner(openDirectRunner({ ...launching, output, cage, sink }), units));
    const notify = opened(openNotify({
      libc,
      path: notifySocket,
      sink: (event) => emperor.post(event),
      ownerOf: (pid) => ownerOf(pid, (each) => runner.instanceOf(each)),
      onIgnored: (ignored) => logger.warn({ ...ignored }, 'a notification of no instance was ignored'),
      inherited: inheritance.notify,
    }));
    if (process.pid === 1) opened(reapOrphans({ clock, signals: process, ...orphansOfThisProcess(libc) }));
    const judge = judgeOf(libc, settings.environment);
    const texts = parseOnce(judge.parse);
    const { remembered, past, known, adopted, nextSerial } = recall(memory, {
      now: clock.now(),
      parse: texts.parse,
      adopt: (name, instance) => runner.adopt(name, instance),
      ended: (name, instance) => output.bury(name, instance),
      found: findInstances(settings.state),
      unknown: judge.unknown,
    });
    output.sweep();
    cage.sweep(new Set(remembered.flatMap(({ living, leaving }) => [...living, ...leaving].map(({ id }) => id))));

    const onTrouble = (message: string): void => logger.warn({}, message);
    const sources = opened(openSources(settings, process.cwd(), { clock, libc, onTrouble, look: (source, look) => declarer.look(source, look) }));
    const declarer = opened(createDeclarer({ parse: texts.parse, vet: judge.vet, awaitAppearance: sources.awaitAppearance }, clock, (event) => emperor.post(event)));
    const sockets = opened(openSockets(libc, { handed: inheritance.sockets, kept: passed.kept, lasting: [...passed.lasting, ...inheritance.lasting] }, manager.keeper));
    for (const { id, name, living, leaving } of remembered) {
      for (const instance of [...living, ...leaving]) {
        const { spec } = instance.runs;
        const lent = lentDescriptor(holdsSockets(instance.runs) ? spec.listen.length : 0);
        if (spec.channel && !channels.adopt(instance, lent)) logger.warn({ vassal: name, instance: instance.id }, 'the channel of this instance could not be taken back; it cannot be told to reload');
      }
      const [first] = living;
      if (first === undefined || !holdsSockets(first.runs)) continue;
      const { spec } = first.runs;
      const pids = [...living, ...leaving].flatMap(({ generation, process }) => (process === null ? [] : [{ generation, pid: process.pid }]));
      const lost = sockets.takeBack(id, name, spec.listen, judge.ownerOf(spec), pids);
      if (lost.length > 0) logger.warn({ vassal: name, listen: lost }, 'these addresses could not be taken back from the instances; they cannot be held again while those live');
    }
    const patience = opened(openPatience({ sockets, clock, post: (event) => emperor.post(event) }));
    const tool = openTool(launching);
    const ways = waysIn(() => emperor.snapshot(), sockets);
    const prober = opened(openProber({
      clock,
      sink: (finding) => emperor.post(finding),
      door: (instance) => ways.door(instance),
      pending: (instance) => ways.pending(instance),
      watchLog: (instance, pattern, onSeen) => output.watchLog(instance, pattern, onSeen),
      run: (id, argv, signal) => ways.with(id, (vassal, instance) => tool(vassal.name, instance, argv, signal)),
    }));
    const perform = performWith({
      runner, channels, declarer, sockets, prober, patience,
      ownerOf: (whom) => judge.ownerOf(whom),
      quote: (instance, tell) => output.quote(instance, tell),
      post: (event) => emperor.post(event),
    });
    const emperor: Emperor & Disposable = createEmperor(
      firstState(sources.names, remembered, past, nextSerial, settings.maxStarting),
      { clock, remember: (change) => recorder.record(change), perform },
    );
    reigning = emperor;
    emperor.subscribe(logChanges(logger));
    emperor.subscribe((_, state) => manager.observe(state));

    const succession = createSuccession({
      libc, settings, logger,
      life: () => emperor.snapshot().life,
      leave: (actor) => {
        manager.upgrading();
        emperor.post({ type: 'shutdown', keep: true, actor });
      },
    });
    const { openControl } = await import('../control/server.ts');
    const identity: Identity = { version: readVersion(), pid: process.pid, startedAt: clock.now().at, kills: cage.kills, keeps: cage.keeps };
    const users = openUserDatabase(libc);
    const gid = settings.controlGroup === null ? null : users.group(settings.controlGroup);
    if (settings.controlGroup !== null && gid === null) throw new EmperorError('E_SETTINGS', `there is no group "${settings.controlGroup}" for the control socket`);
    const openOurControl = async (): Promise<void> => void opened(await openControl({ path: settings.control, gid, fd: controlFd }, {
      emperor,
      clock,
      identity,
      logger,
      nameOfPeer: peerNamer(openPeerOf(libc), users),
      history: (query) => store.history(query),
      revisions: (vassal) => store.revisions(vassal),
      parse: (id, text) => judge.parse({ id, text }),
      hideEnvironment,
      logs: logReader(settings.logs),
      usage: (instance) => units.usage(instance) ?? cage.usage(instance),
      rescan,
      upgrade: (actor) => succession.upgrade(actor),
    }));
    // Whoever asks on a socket that systemd holds waits until all is known.
    if (controlFd === null) await openOurControl();

    const ended = untilEnd(emperor).then(async () => {
      const become = succession.bequeath({ sockets, notify, output, control: controlFd });
      await closeAll(parts);
      logger.info({}, 'has ended');
      // A log that nobody reads holds up no upgrade.
      if (become !== null) await Promise.race([logger.written(), new Promise<void>((resolve) => clock.after(LAST_WORDS_MS, resolve))]);
      return become;
    });
    await sources.start();
    await governed();
    channels.listen();
    if (controlFd !== null) await openOurControl();
    texts.forget();
    sockets.disinherit(addressesIn(emperor.snapshot()));
    const started = [...emperor.snapshot().vassals.values()].flatMap(living).filter((each) => !each.adopted).length;
    if (known > 0) logger.info({ known, adopted, started }, `${adopted} of ${known} adopted, ${started} started`);
    logger.info({ pid: process.pid, sources: sources.names, control: settings.control, adopted }, 'reigns');
    await loadTools();
    manager.observe(emperor.snapshot());
    manager.ready();
    return {
      ended,
      upgrade: (actor) => succession.upgrade(actor),
      post: (event) => emperor.post(event),
      reopenLogs: () => output.reopenFiles(),
      reread: async (wanted) => {
        logger.setLevel(wanted.logLevel);
        const later = FIXED.filter((key) => JSON.stringify(wanted[key]) !== JSON.stringify(settings[key]));
        if (later.length > 0) logger.warn({ settings: later }, 'what changed in these settings takes effect at the next start');
        await manager.reloading(rescan);
      },
    };

    /** What was seen is told, and acted upon. */
    async function governed(): Promise<void> {
      await declarer.told();
      await new Promise<void>((resolve) => clock.soon(resolve));
    }

    async function rescan(): Promise<void> {
      await sources.rescan();
      await governed();
    }
  }
}

/** For the last lines of the log, before it is another program's. */
const LAST_WORDS_MS = 1_000;

/** Where the emperor itself logs to. */
const STDOUT = 1;

/** Settings that an emperor has for life. */
const FIXED = ['sources', 'allowWritable', 'state', 'control', 'controlGroup', 'logs', 'rescanMs', 'maxStarting', 'cgroup'] as const;

/** Every address that some vassal may ask for. */
function addressesIn({ vassals }: EmperorState): readonly Address[] {
  return [...vassals.values()].flatMap((vassal) => chosen(vassal)?.spec.listen ?? []).map(({ address }) => address);
}
