import { distance } from 'fastest-levenshtein';

/** Misspelt by so many letters it is still taken for what it was meant to be: such a file is at fault, and its text is shown all the same. */
const MOST_WRONG = 3;

/** True for a key whose values nobody is to see: `environment` however it is spelt, and `env` of uWSGI. The name of a file is no secret. */
export function isEnvironmentKey(key: string): boolean {
  const name = key.toLowerCase();
  return name !== 'environment-file' && (name.startsWith('env') || distance(name, 'environment') <= MOST_WRONG);
}
