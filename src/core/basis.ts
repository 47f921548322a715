/** Whose a vassal file is: of the file, or of the symlink that leads to it. Numbers, as stat(2) has them. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A file of defaults, as it was read. */
export interface Defaults {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
}

/** What a text means depends on these, too. They are kept with it, so that an old revision means what it meant. */
export interface Basis {
  /** In tyrant mode. */
  readonly owner?: Owner;
  /** What the folder of the file says for all that are in it. */
  readonly defaults?: Defaults;
  /** The file is a program, and has printed the text. */
  readonly printed?: true;
  /** Where a file of uWSGI waits for its first connection, as one of the three ways of uWSGI's Emperor says. */
  readonly address?: string;
}
