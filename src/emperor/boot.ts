import { join } from 'node:path';
import { openChannels } from '../channel/channels.ts';
import { hideEnvironment } from '../config/hiding/hide-environment.ts';
import type { Event, InstanceEvent } from '../core/event.ts';
import { addressesOf, living } from '../core/lifecycle.ts';
import type { EmperorState } from '../core/state.ts';
import type { Look } from '../core/listing.ts';
import { firstState } from '../core/step.ts';
import { claim } from '../control/socket.ts';
import type { Identity } from '../control/command.ts';
import { keepInherited } from '../kernel/inherited.ts';
import { openJournal } from '../kernel/journal.ts';
import { openLibc } from '../kernel/libc.ts';
import { openCapture } from '../logs/capture.ts';
import { ownerOf } from '../notify/kinship.ts';
import { askUwsgi } from '../metrics/uwsgi-workers.ts';
import { openNotify } from '../notify/notify.ts';
import { openProber } from '../probes/open-prober.ts';
import { openDirectRunner } from '../runner/direct.ts';
import { placeless, rehearsalText } from '../presets/uwsgi-text.ts';
import { eitherRunner } from '../runner/either-runner.ts';
import { lentDescriptor } from '../runner/protocol-environment.ts';
import type { Successor } from '../runner/successor.ts';
import { openKeptTexts } from '../runner/kept-texts.ts';
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
import { openAsking } from './asking.ts';
import { prepareControls } from './controls.ts';
import { createDeclarer, isLong } from './declare.ts';
import { createEmperor, type Emperor } from './emperor.ts';
import { openHooks } from './hooks.ts';
import { closeAll, untilEnd } from './ending.ts';
import { claimFolders } from './folders.ts';
import { HANDOVER_VARIABLE, readHandover } from './handover.ts';
import { judgeOf } from './host.ts';
import { logReader } from './log-reader.ts';
import { logChanges } from './observe.ts';
import { openPatience } from './patience.ts';
import { parseOnce } from './parse-once.ts';
import { performWith } from './perform.ts';
import { recall, serialOf } from './recall.ts';
import { openReloader } from './reloader.ts';
import { regain } from './regain.ts';
import { rememberIn } from './remember.ts';
import { sortPassed } from './passed.ts';
import { changedForLife, confinementOf, type Settings } from './settings.ts';
import { waysIn } from './way-in.ts';
import { openStatistics } from './statistics.ts';
import { openSources } from './sources.ts';
import { createSuccession } from './succession.ts';

/** An emperor at work. */
export interface RunningEmperor {
  /** Resolves when it has ended and given everything back. With a function: that turns this process into the next emperor, and is the last thing to do. Rejects on a bug. */
  readonly ended: Promise<(() => never) | null>;
  readonly post: (event: Event) => void;
  readonly life: () => EmperorState['life'];
  /** Opens the log files of the vassals anew: SIGUSR1. */
  readonly reopenLogs: () => Promise<void>;
  /** Lets the program on the disk take over, once it has proved that it can. Then this emperor ends. @throws E_UPGRADE */
  upgrade(actor: string): Promise<Successor>;
  /** Takes over what can be changed in these settings, tells what can not, and looks at all sources again: SIGHUP. */
  reread(settings: Settings): Promise<void>;
}

/**
 * Builds the parts, lets them meet, and reigns: remembered state, living instances, then the first look at every source.
 * @param quicken called when there turn out to be many files
 * @throws E_EMPEROR_RUNS if another emperor has the control socket or the state folder; E_SETTINGS, E_STORE, E_KERNEL
 */
export async function boot(settings: Settings, quicken: () => void): Promise<RunningEmperor> {
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
    const launching = { libc, environment: settings.environment, state: settings.state, notifySocket, files: settings.files, ...confinementOf(settings) };
    const channels = opened(openChannels({
      libc,
      clock,
      state: settings.state,
      sink: (event) => emperor.post(event),
      onStrange: (strange) => logger.warn({ ...strange }, 'an instance says on its channel what means nothing; that is ignored'),
    }));
    const judge = judgeOf(libc, settings.environment, settings.hooks, settings.treatment);
    const texts = openKeptTexts(join(settings.state, 'texts'), placeless, (spec) => judge.ownerOf(spec));
    const sink = (event: InstanceEvent): void => {
      channels.follow(event);
      if (event.type === 'exited' || event.type === 'unlaunchable') texts.forget(serialOf(event.instance));
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
    const readings = parseOnce(judge.parse);
    const { remembered, past, known, adopted, nextSerial } = recall(memory, {
      now: clock.now(),
      parse: readings.parse,
      adopt: (name, instance) => runner.adopt(name, instance),
      ended: (name, instance) => output.bury(name, instance),
      found: findInstances(settings.state),
      unknown: judge.unknown,
    });
    output.sweep();
    const left = remembered.flatMap(({ living, leaving, dismissed }) => [...living, ...leaving, ...dismissed]);
    texts.sweep(new Set(left.map(({ serial }) => serial)));
    cage.sweep(new Set(left.map(({ id }) => id)));

    const onTrouble = (message: string): void => logger.warn({}, message);
    const look = (source: string, seen: Look): void => {
      if (isLong(seen)) quicken();
      declarer.look(source, seen);
    };
    const sources = opened(openSources(settings, process.cwd(), { clock, libc, onTrouble, look }));
    const { asking } = opened(openAsking(libc, settings, clock));
    const declarer = opened(createDeclarer({ parse: readings.parse, vet: judge.vet, meaning: judge.meaning, awaitsCommand: judge.awaitsCommand, ...asking, trusted: new Set([0, process.geteuid?.() ?? 0]), awaitAppearance: sources.awaitAppearance }, clock, (event) => emperor.post(event)));
    const sockets = opened(openSockets(libc, { handed: inheritance.addresses, kept: passed.kept, lasting: [...passed.lasting, ...inheritance.lasting] }, manager.keeper));
    regain(remembered, { channels, sockets, lentDescriptor, ownerOf: judge.ownerOf, logger });
    const patience = opened(openPatience({ sockets, clock, post: (event) => emperor.post(event) }));
    const tool = openTool(launching);
    const hooks = opened(openHooks({ tool, clock, logger, post: (event) => emperor.post(event) }));
    const ways = waysIn(() => emperor.snapshot(), sockets);
    const prober = opened(openProber({
      clock,
      sink: (finding) => emperor.post(finding),
      door: (instance) => ways.door(instance),
      pending: (instance) => ways.pending(instance),
      watchLog: (instance, pattern, onSeen) => output.watchLog(instance, pattern, onSeen),
      run: (id, argv, signal) => ways.with(id, (vassal, instance) => tool(vassal.name, instance, argv, signal)),
    }));
    const reloader = opened(openReloader({
      clock, texts, tool, rehearsalText,
      find: (instance) => ways.find(instance),
      tell: (instance) => void channels.ask(instance, 'reload'),
      post: (event) => emperor.post(event),
    }));
    const performance = opened(performWith({
      runner, channels, reloader, texts, declarer, sockets, prober, patience, hooks,
      ownerOf: (whom) => judge.ownerOf(whom),
      quote: (instance, tell) => output.quote(instance, tell),
      post: (event) => emperor.post(event),
    }));
    const emperor: Emperor & Disposable = createEmperor(
      firstState(sources.names, remembered, past, nextSerial, settings.maxStarting),
      { clock, remember: (change) => recorder.record(change), perform: (effect) => performance.perform(effect) },
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
    const openControls = await prepareControls({ libc, settings, fd: controlFd });
    const identity: Identity = { version: readVersion(), pid: process.pid, startedAt: clock.now().at, kills: cage.kills, keeps: cage.keeps };
    const openOurControl = async (): Promise<void> => void opened(await openControls({
      emperor,
      clock,
      identity,
      logger,
      history: (query) => store.history(query),
      revisions: (vassal) => store.revisions(vassal),
      parse: (id, text, basis) => judge.parse({ id, text, ...(basis === undefined ? {} : { basis }) }),
      hideEnvironment,
      logs: logReader(settings.logs),
      usage: (instance) => units.usage(instance) ?? cage.usage(instance),
      uwsgi: (address) => askUwsgi(address, clock),
      rescan,
      upgrade: (actor) => succession.upgrade(actor),
    }));
    // Whoever asks on a socket that systemd holds waits until all is known.
    if (controlFd === null) await openOurControl();

    const { version, startedAt } = identity;
    opened(await openStatistics({ settings, emperor, clock, logger, version, startedAt, ownerOf: (whom) => judge.ownerOf(whom), hooks: () => hooks.counts() }));

    const ended = untilEnd(emperor).then(async () => {
      // Whoever was told of the end may have something to do.
      await Promise.race([hooks.settled(), new Promise<void>((resolve) => clock.after(LAST_HOOKS_MS, resolve))]);
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
    readings.forget();
    sockets.disinherit([...emperor.snapshot().vassals.values()].flatMap(addressesOf));
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
      life: () => emperor.snapshot().life,
      reopenLogs: () => output.reopenFiles(),
      reread: async (wanted) => {
        logger.setLevel(wanted.logLevel);
        const later = changedForLife(settings, wanted);
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

/** For the hooks that run when the emperor ends. */
const LAST_HOOKS_MS = 5_000;

/** Where the emperor itself logs to. */
const STDOUT = 1;
