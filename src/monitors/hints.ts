/** `entry`: a name came or went. `content`: what is behind it was written, or its attributes changed. */
export type HintKind = 'entry' | 'content';

/** Something happened in a folder. Hints may be lost, late or wrong: they only say where to look. `name` null: anywhere in it, or to the folder itself. */
export interface Hint {
  readonly kind: HintKind;
  readonly name: string | null;
}

/** Where hints come from. */
export interface Hints extends AsyncDisposable {
  /** Tells of what happens to the entries of one folder (a real path), from the first {@link FolderWatch.renew} on. */
  watch(folder: string, onHint: (hint: Hint) => void): FolderWatch;
}

/** The watch over one folder. Its disposal ends the hints. */
export interface FolderWatch extends Disposable {
  /**
   * Makes sure that the folder that is there now is watched, and not one that had its path before.
   * `fresh`: it was not, but is from now on: hints were missed, so look at it again. `none`: it cannot be watched.
   */
  renew(): Promise<'fresh' | 'same' | 'none'>;
}
