import { InvalidArgumentError } from 'commander';

/** Parser of an option or argument that is a whole number in a range, both ends included. */
export function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number >= least && number <= most)) throw new InvalidArgumentError(`a whole number from ${least} to ${most}`);
    return number;
  };
}
