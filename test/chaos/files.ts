import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Member } from './household.ts';
import type { Flaw } from './plan.ts';

/** The vassal files, and what is in them. */
export class Files {
  readonly #vassals: string;
  readonly #targets: string;
  readonly #flawed = new Set<string>();
  /** Of linked members: the target that the link leads to, 0 or 1. */
  readonly #turned = new Map<string, number>();
  #editions = 0;

  constructor(vassals: string, targets: string) {
    this.#vassals = vassals;
    this.#targets = targets;
    mkdirSync(targets);
  }

  /** Writes a new text: in place and by rename, in turn. Where the file was removed, it is there again. */
  write(member: Member, flaw: Flaw | null): void {
    this.#editions += 1;
    const path = member.linked ? this.#target(member) : join(this.#vassals, member.file);
    const text = member.text({ number: this.#editions, flaw });
    if (this.#editions % 2 === 0) writeFileSync(path, text);
    else {
      const aside = `${path}.tmp`;
      writeFileSync(aside, text);
      renameSync(aside, path);
    }
    if (member.linked) this.#link(member);
    if (flaw === null) this.#flawed.delete(member.name);
    else this.#flawed.add(member.name);
  }

  /** Moves the link to its other target, which has a good text. */
  flip(member: Member): void {
    this.#turned.set(member.name, 1 - (this.#turned.get(member.name) ?? 0));
    this.write(member, null);
  }

  /** Sets its times; a file that was removed stays away. */
  touch(member: Member): void {
    const path = join(this.#vassals, member.file);
    const now = new Date();
    if (existsSync(path)) utimesSync(path, now, now);
  }

  remove(member: Member): void {
    rmSync(join(this.#vassals, member.file), { force: true });
  }

  /** Writes a good text where there is none. */
  mend(member: Member): void {
    if (this.#flawed.has(member.name) || !existsSync(join(this.#vassals, member.file))) this.write(member, null);
  }

  #target(member: Member): string {
    return join(this.#targets, `${member.name}-${this.#turned.get(member.name) ?? 0}.toml`);
  }

  #link(member: Member): void {
    const path = join(this.#vassals, member.file);
    const aside = join(this.#vassals, `.${member.file}.link`);
    rmSync(aside, { force: true });
    symlinkSync(this.#target(member), aside);
    renameSync(aside, path);
  }
}
