import type { Look } from '../core/listing.ts';

/** Where vassals come from. A monitor posts whole listings and never parses what it finds. */
export interface Monitor extends AsyncDisposable {
  /** As people name it, e.g. `dir:///etc/emperor/vassals`. */
  readonly source: string;
  /** Posts the first look before it resolves, then a look after every change. The same listing is not posted twice in a row. */
  start(post: (look: Look) => void): Promise<void>;
  /** Looks at everything again, without waiting for a hint. Resolves when the result was posted, or nothing had changed. */
  rescan(): Promise<void>;
}
