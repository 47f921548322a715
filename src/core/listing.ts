import type { Basis, Owner } from './basis.ts';
import type { Fault } from './fault.ts';
import type { VassalSpec } from './spec.ts';

declare const vassalId: unique symbol;
/** Identity of a vassal: the absolute path of its file, links not resolved. Its name is for people and may clash. */
export type VassalId = string & { readonly [vassalId]: true };

/** A file as a monitor saw it. The same object stands for the same look: an unchanged file keeps its object. */
export interface SeenFile {
  readonly id: VassalId;
  /** File name without its extension. */
  readonly name: string;
  /** Changes whenever the file was touched, edited or replaced, in either direction of time; compare, do not parse. */
  readonly stamp: string;
  /** SHA-256 of the content, hex; empty if it could not be read. */
  readonly hash: string;
  readonly content: { readonly ok: true; readonly text: string } | { readonly ok: false; readonly fault: Fault };
  /** In tyrant mode, read together with the content. */
  readonly owner?: Owner;
  /** It is a program: what it prints is what counts, and the text is its own. */
  readonly executable?: true;
  /** What one of uWSGI's three ways to be on demand says of it: an address, as it was said. Absent: nothing. */
  readonly address?: string;
}

/** What a monitor has to say: all that it sees, or that it cannot see. A blind monitor is not an empty listing. */
export type Look =
  | { readonly kind: 'listing'; readonly files: readonly SeenFile[] }
  | { readonly kind: 'blind'; readonly reason: string };

/** A file that was read, parsed and checked against this host. */
export interface Declaration {
  readonly id: VassalId;
  readonly name: string;
  readonly stamp: string;
  readonly hash: string;
  /** The content; empty if it could not be read. */
  readonly text: string;
  /** What the text was read with; absent: nothing but itself. */
  readonly basis?: Basis;
  /** Only an order starts it: neither that its file appears does, nor a touch or an edit. Absent: all of them do. */
  readonly awaitsCommand?: true;
  readonly outcome: Outcome;
}

export type Outcome =
  | { readonly ok: true; readonly spec: VassalSpec }
  | { readonly ok: false; readonly faults: readonly Fault[] };
