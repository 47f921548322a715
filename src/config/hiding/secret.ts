/** A part of the text of a vassal file that is shown to nobody. */
export interface Secret {
  /** What it belongs to, the same in another revision, e.g. `vassal.environment.PASSWORD`. */
  readonly path: string;
  /** Offsets in the text: UTF-16 units, the end not included. */
  readonly from: number;
  readonly to: number;
}

/** Finds the secrets of a text in one syntax; null: the text cannot be parsed, so nobody knows where they end. */
export type FindSecrets = (text: string) => readonly Secret[] | null;

/** What stands behind the name in `NAME=value`; all of it where there is no name. */
export function behindName(text: string, { path, from, to }: Secret): Secret {
  const [name = ''] = /^\s*["']{0,3}\s*[A-Za-z_]\w*\s*=/.exec(text.slice(from, to)) ?? [];
  return { path: `${path}.${name.replaceAll(/[^\w]/g, '')}`, from: from + name.length, to };
}
