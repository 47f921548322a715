#!/bin/sh
':' //; EMPEROR_NOFILE=${EMPEROR_NOFILE:-$(ulimit -S -n)} exec node "$0" "$@" # To sh(1) this line is all: Node raises the limit of open files as it starts, and instances are to get what it was, unless somebody has said.
// Any node has to be able to read this file, also one that is too old for the rest: so no syntax newer than Node 12, and
// nothing is imported before the version was looked at.
const NEEDED = [22, 22];

const found = process.versions.node.split('.').map(Number);
if (found[0] > NEEDED[0] || (found[0] === NEEDED[0] && found[1] >= NEEDED[1])) {
  void import('node:fs').then((fs) => {
    const source = new URL('./main.ts', import.meta.url);
    return import(fs.existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href);
  });
} else {
  process.stderr.write(
    'emperor needs Node ' + NEEDED.join('.') + ' or newer, this is ' + process.version + ' at ' + process.execPath +
    '; in a checkout "npx emperor" brings its own\n'
  );
  process.exitCode = 1;
}
