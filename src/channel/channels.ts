import { createHash } from 'node:crypto';
import { closeSync, fstatSync, readSync, writeSync } from 'node:fs';
import type { InstanceEvent, Report, ReportEvent } from '../core/event.ts';
import type { SignalName } from '../core/spec.ts';
import type { Instance, InstanceId } from '../core/state.ts';
import { errnoOf, unreachable } from '../errors.ts';
import { openEpoll } from '../kernel/epoll.ts';
import type { Libc } from '../kernel/libc.ts';
import { openSocketPairs } from '../kernel/socket-pair.ts';
import { openTakeDescriptor } from '../kernel/take-descriptor.ts';
import type { Clock } from '../world/clock.ts';
import { fullAllowance, spend, type Allowance } from './allowance.ts';
import { isAttentive } from './attentive.ts';
import { BRUTAL_STOP, COMMANDS, type Command, type Word } from './bytes.ts';
import { ask, due, FIRST, hear, resumed, told, type Conversation, type Heard } from './conversation.ts';
import { isListeningStill } from './listening-still.ts';
import { takeBack } from './taken-back.ts';

/** What the channels of all instances are made of. */
export interface ChannelsOptions {
  readonly libc: Libc;
  readonly clock: Clock;
  /** The emperor's state folder, absolute: of two emperors each knows its own channels. */
  readonly state: string;
  readonly sink: (event: ReportEvent) => void;
  /** Whether all of an instance can hear what it is told; see attentive.ts, which it is if nothing is given. */
  readonly attentive?: (pid: number) => boolean;
  /** Whether it has not understood that it is to stop; see listening-still.ts, which it is if nothing is given. */
  readonly listeningStill?: (pid: number, inode: number) => boolean;
  /** An instance has said what means nothing. Told once of each instance. */
  readonly onStrange: (strange: { readonly instance: InstanceId; readonly bytes: number }) => void;
}

/**
 * The channels between the emperor and those instances that speak the uWSGI Emperor's protocol.
 *
 * A vassal stops when the other end of its channel is closed. So it carries a copy of our end as well, and lives on when the emperor dies; the next
 * one takes the end back from it, with what was said meanwhile.
 */
export interface Channels extends Disposable {
  /** A channel for an instance that is about to be launched. @returns the descriptors that it gets, in this order: its end, and a copy of ours. @throws E_KERNEL when out of descriptors */
  open(instance: InstanceId): readonly number[];
  /**
   * Takes over the channel of an instance that an earlier emperor started; it is heard from {@link Channels.listen} on.
   * @param fd the number that our end has there
   * @returns false: it has none, or we may not have it
   */
  adopt(instance: Instance, fd: number): boolean;
  /** Hears those who were adopted. */
  listen(): void;
  /** Follows what becomes of instances. */
  follow(event: InstanceEvent): void;
  /**
   * Tells an instance something, at once or as soon as it listens.
   * @returns null: nothing else is to be done. Otherwise the signal that it has to be sent: it has no channel, or cannot hear yet
   */
  ask(instance: InstanceId, command: Command): SignalName | null;
}

/** Bytes that are taken at a time. */
const MOST_BYTES = 512;
/** Between two looks whether one can hear what it is to be told. */
const LOOK_AGAIN_MS = 10;
/** One that seems not to hear for so long is told all the same: what it started may ignore signals for a reason of its own. */
const LONGEST_WAIT_MS = 10_000;
/** Who was told to stop and knows no such word, as uWSGI before 2.0.19, is told after this to stop at once, which all know. */
const STOP_AGAIN_MS = 2_000;
/** The least time between two reports of a kind, in ms. */
const GAPS_MS: Readonly<Partial<Record<Word, number>>> = { heartbeat: 250, sos: 60_000 };

interface Channel {
  readonly instance: InstanceId;
  readonly ours: number;
  /** Its own end, until it has it. */
  theirs: number | null;
  /** Of its end, fstat(2); null: nobody knows. */
  readonly inode: number | null;
  /** Of its first process, once it has one. */
  pid: number | null;
  conversation: Conversation;
  allowance: Allowance;
  /** Ends the pause of one that says too much. */
  cancel: () => void;
  /** It is not told to stop at once. */
  forgoStop: () => void;
  /** Ends the wait for what is to be told. */
  waits: { readonly untilMs: number; readonly cancel: () => void } | null;
  readonly reportedMs: Map<Word, number>;
}

/** Opens the room. Disposing leaves all instances alone: each has the copy of our end. @throws E_KERNEL */
export function openChannels({ libc, clock, state, sink, onStrange, attentive = isAttentive, listeningStill = isListeningStill }: ChannelsOptions): Channels {
  const pairs = openSocketPairs(libc);
  const take = openTakeDescriptor(libc);
  const epoll = openEpoll(libc);
  const channels = new Map<InstanceId, Channel>();
  const unheard = new Set<Channel>();
  const bytes = Buffer.alloc(MOST_BYTES);

  const nameOf = (instance: InstanceId): string => `emperor-channel/${createHash('sha256').update(`${state}\0${instance}`).digest('hex').slice(0, 40)}`;
  const report = (instance: InstanceId, what: Report): void => sink({ type: 'reported', instance, report: what });

  function begin(instance: InstanceId, ours: number, theirs: number | null, pid: number | null, conversation: Conversation): Channel {
    const channel: Channel = { instance, ours, theirs, inode: theirs === null ? null : fstatSync(theirs).ino, pid, conversation, allowance: fullAllowance(clock.now().ms), cancel: () => {}, forgoStop: () => {}, waits: null, reportedMs: new Map() };
    channels.set(instance, channel);
    return channel;
  }

  function watch(channel: Channel): void {
    epoll.watchOnce(channel.ours, () => {
      if (!listenTo(channel)) return;
      const { allowance, waitMs } = spend(channel.allowance, clock.now().ms);
      channel.allowance = allowance;
      const again = (): void => epoll.again(channel.ours, 'readable');
      if (waitMs === 0) again();
      else channel.cancel = clock.after(waitMs, again);
    });
  }

  function end(channel: Channel): void {
    channels.delete(channel.instance);
    unheard.delete(channel);
    channel.cancel();
    channel.forgoStop();
    channel.waits?.cancel();
    epoll.unwatch(channel.ours);
    closeSync(channel.ours);
    giveAway(channel);
  }

  function giveAway(channel: Channel): void {
    if (channel.theirs !== null) closeSync(channel.theirs);
    channel.theirs = null;
  }

  /** Takes what was said, once. @returns false: the channel is over */
  function listenTo(channel: Channel): boolean {
    let length: number;
    try {
      length = readSync(channel.ours, bytes);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return true;
      if (errnoOf(error) === '') throw error;
      length = 0;
    }
    if (length === 0) {
      // That it has ended is for its process to tell.
      end(channel);
      return false;
    }
    return heed(channel, hear(channel.conversation, bytes.subarray(0, length)));
  }

  /** @returns false: the channel is over */
  function heed(channel: Channel, { conversation, news }: Heard): boolean {
    const { strange } = channel.conversation;
    channel.conversation = conversation;
    if (strange === 0 && conversation.strange > 0) onStrange({ instance: channel.instance, bytes: conversation.strange });
    const nowMs = clock.now().ms;
    for (const word of news) {
      const lastMs = channel.reportedMs.get(word) ?? -Infinity;
      if (nowMs - lastMs < (GAPS_MS[word] ?? 0)) continue;
      channel.reportedMs.set(word, nowMs);
      publish(channel, word);
    }
    return tell(channel);
  }

  /** Tells what is due, or looks again soon if not all of it can hear yet. @returns false: the channel is over */
  function tell(channel: Channel): boolean {
    const command = due(channel.conversation);
    const { waits } = channel;
    waits?.cancel();
    channel.waits = null;
    if (command === null) return true;
    const nowMs = clock.now().ms;
    const untilMs = waits?.untilMs ?? nowMs + LONGEST_WAIT_MS;
    if (channel.pid === null || untilMs <= nowMs || attentive(channel.pid)) {
      channel.conversation = told(channel.conversation, command);
      if (!write(channel, COMMANDS[command])) return false;
      if (command === 'stop') channel.forgoStop = clock.after(STOP_AGAIN_MS, () => insist(channel));
      return true;
    }
    channel.waits = { untilMs, cancel: clock.after(LOOK_AGAIN_MS, () => tell(channel)) };
    return true;
  }

  /** An older one has not understood. Of one that was adopted nobody knows: it is killed in the end. */
  function insist(channel: Channel): void {
    if (channel.pid !== null && channel.inode !== null && listeningStill(channel.pid, channel.inode)) write(channel, BRUTAL_STOP);
  }

  function publish({ instance, conversation }: Channel, word: Word): void {
    switch (word) {
      case 'started':
        // Its workers are not there yet: that says nothing that is of use.
        return;
      case 'sos':
        return report(instance, { kind: 'sos', times: conversation.cries });
      case 'accepting':
      case 'loyal':
      case 'idle':
      case 'heartbeat':
        return report(instance, { kind: word });
      default:
        return unreachable(word);
    }
  }

  /** @returns false: the channel is over */
  function want(channel: Channel, command: Command): boolean {
    channel.conversation = ask(channel.conversation, command);
    return tell(channel);
  }

  /** Never waits: one command is outstanding at most, and so there is room. @returns false: nobody is there to read it, and the channel is over */
  function write(channel: Channel, byte: number): boolean {
    try {
      writeSync(channel.ours, Uint8Array.of(byte));
      return true;
    } catch (error) {
      if (errnoOf(error) === '') throw error;
      end(channel);
      return false;
    }
  }

  return {
    open(instance) {
      const { ours, theirs } = pairs.open(nameOf(instance));
      watch(begin(instance, ours, theirs, null, FIRST));
      return [theirs, ours];
    },
    adopt(instance, fd) {
      const ours = instance.process === null ? null : takeBack(instance.process.pid, fd, nameOf(instance.id), take, pairs);
      if (ours === null) return false;
      unheard.add(begin(instance.id, ours, null, instance.process?.pid ?? null, resumed(instance.readyMs !== null)));
      return true;
    },
    listen() {
      for (const channel of unheard) watch(channel);
      unheard.clear();
    },
    follow(event) {
      const channel = channels.get(event.instance);
      if (channel === undefined) return;
      if (event.type === 'spawned') {
        channel.pid = event.process.pid;
        giveAway(channel);
      }
      if (event.type === 'exited' || event.type === 'unlaunchable') end(channel);
    },
    ask(instance, command) {
      const channel = channels.get(instance);
      // What it has said before it is told anything is no answer to it.
      if (channel !== undefined && listenTo(channel) && want(channel, command)) {
        // While it loads its app, this alone is heard: uWSGI ends, or its interpreter gives up the loading.
        return command === 'stop' && channel.conversation.phase === 'booting' ? 'SIGINT' : null;
      }
      if (command === 'stop') return 'SIGTERM';
      report(instance, { kind: 'deaf' });
      return null;
    },
    [Symbol.dispose]() {
      for (const channel of channels.values()) end(channel);
      epoll[Symbol.dispose]();
    },
  };
}
