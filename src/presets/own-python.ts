/** `$0` is the server's program, a script for Python: its first line says for which. Without it the shell says so itself. */
const IN_ITS_PYTHON = 'program=$(command -v "$0") && read -r line < "$program" && exec ${line#??} -c "$@"';

/**
 * Runs a text in the Python that a server's program runs in. That may be the one of a virtual environment, or of the distribution, where
 * `python3` in PATH is another one that knows nothing of the server.
 * @param words what the text gets as its arguments
 */
export function inPythonOf(program: string, text: string, ...words: readonly string[]): readonly [string, ...string[]] {
  return ['/bin/sh', '-c', IN_ITS_PYTHON, program, text, ...words];
}
