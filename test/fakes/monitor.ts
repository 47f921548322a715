import type { Look, SeenFile, VassalId } from '../../src/core/listing.ts';
import type { Monitor } from '../../src/monitors/monitor.ts';

/** A monitor that sees what a test puts before it. */
export class HandMonitor implements Monitor {
  readonly source: string;
  private readonly files = new Map<string, SeenFile>();
  private post: ((look: Look) => void) | null = null;
  private touches = 0;
  private blindness: string | null = null;

  constructor(source = 'hand://') {
    this.source = source;
  }

  start(post: (look: Look) => void): Promise<void> {
    this.post = post;
    this.tell();
    return Promise.resolve();
  }

  /** There is never more to be seen than was told. */
  rescan(): Promise<void> {
    return Promise.resolve();
  }

  /** Writes a file, or touches it if it has that text already. */
  put(name: string, text: string): void {
    this.touches += 1;
    const id = `/hand/${name}.toml` as VassalId;
    this.files.set(id, { id, name, stamp: String(this.touches), hash: text, content: { ok: true, text } });
    this.tell();
  }

  remove(name: string): void {
    if (this.files.delete(`/hand/${name}.toml`)) this.tell();
  }

  /** Sees nothing from now on, or sees again. */
  blind(reason: string | null): void {
    if (reason === this.blindness) return;
    this.blindness = reason;
    this.tell();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.post = null;
    return Promise.resolve();
  }

  private tell(): void {
    if (this.blindness !== null) this.post?.({ kind: 'blind', reason: this.blindness });
    else this.post?.({ kind: 'listing', files: [...this.files.values()] });
  }
}
