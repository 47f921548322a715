import { stripVTControlCharacters } from 'node:util';
import { printable } from '../world/printable.ts';
import { cutLastLines } from './last-lines.ts';

const MOST_BYTES = 4_096;
const MOST_LINES = 20;
const NEWLINE = 0x0a;

/** Keeps the end of what an instance prints, in memory: for the message when it fails. Costs one copy of at most 4 KiB for each read. */
export class LastWords {
  #bytes: Buffer | null = null;
  #length = 0;
  /** Something was printed before what is kept. */
  #more = false;

  /** Takes output. It may be changed afterwards. */
  add(data: Buffer): void {
    const bytes = (this.#bytes ??= Buffer.allocUnsafeSlow(MOST_BYTES));
    const news = data.subarray(Math.max(0, data.length - MOST_BYTES));
    const stays = Math.min(this.#length, MOST_BYTES - news.length);
    this.#more ||= this.#length + data.length > MOST_BYTES;
    bytes.copyWithin(0, this.#length - stays, this.#length);
    news.copy(bytes, stays);
    this.#length = stays + news.length;
  }

  /** The last 20 lines, of the last 4 KiB: text for people, without colours and with escapes for what controls a terminal. */
  lines(): readonly string[] {
    const all = this.#bytes?.subarray(0, this.#length) ?? Buffer.alloc(0);
    // What is left of a line whose beginning is lost would be misread; but it is better than nothing.
    const firstEnd = all.indexOf(NEWLINE) + 1;
    const whole = this.#more && firstEnd > 0 && firstEnd < all.length ? all.subarray(firstEnd) : all;
    const text = cutLastLines(whole, MOST_LINES).text.toString('utf8').replace(/\n$/, '');
    return text === '' ? [] : text.split('\n').map((line) => printable(stripVTControlCharacters(line.replace(/\r$/, ''))));
  }
}
