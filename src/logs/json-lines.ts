import { rfc3339 } from '../world/rfc3339.ts';

const NEWLINE = 0x0a;
/** A longer line becomes several objects: an instance that never ends its line must not fill the memory. */
const LONGEST_LINE = 64 * 1024;

/** Wraps the output of one instance for logs of the format `json`: `{"time":"RFC 3339","instance":"shop#12","text":"…"}` for each line. */
export class JsonLines {
  readonly #instance: string;
  /** The beginning of a line whose end has not come yet. */
  #rest: Buffer = Buffer.alloc(0);

  constructor(instance: string) {
    this.#instance = instance;
  }

  /** Takes output. @returns the objects of all lines that ended. */
  push(data: Buffer, wallMs: number): Buffer {
    const all = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    const head = this.#head(wallMs);
    let objects = '';
    let start = 0;
    for (;;) {
      const newline = all.indexOf(NEWLINE, start);
      const end = newline < 0 ? all.length : newline;
      if (end - start > LONGEST_LINE) {
        objects += head + JSON.stringify(all.toString('utf8', start, start + LONGEST_LINE)) + '}\n';
        start += LONGEST_LINE;
      } else if (newline < 0) break;
      else {
        objects += head + JSON.stringify(all.toString('utf8', start, end)) + '}\n';
        start = newline + 1;
      }
    }
    this.#rest = Buffer.from(all.subarray(start));
    return Buffer.from(objects);
  }

  /** The instance is gone. @returns the object of a last line that was never ended; empty if there is none */
  end(wallMs: number): Buffer {
    if (this.#rest.length === 0) return this.#rest;
    const object = `${this.#head(wallMs)}${JSON.stringify(this.#rest.toString('utf8'))}}\n`;
    this.#rest = Buffer.alloc(0);
    return Buffer.from(object);
  }

  #head(wallMs: number): string {
    return `{"time":"${rfc3339(wallMs)}","instance":${JSON.stringify(this.#instance)},"text":`;
  }
}
