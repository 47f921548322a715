import { execFileSync } from 'node:child_process';

/** Before all tests: builds what the end-to-end tests start. */
export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: new URL('../..', import.meta.url).pathname, stdio: ['ignore', 'inherit', 'inherit'] });
}
