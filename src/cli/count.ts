import { InvalidArgumentError } from 'commander';

/** Parser of an option that is a whole number from 0 to `most`. */
export function upTo(most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (!(number <= most)) throw new InvalidArgumentError(`a whole number from 0 to ${most}`);
    return number;
  };
}
