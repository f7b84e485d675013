#!/usr/bin/env node
// Runs the program of this machine's package, and ends as it does.
'use strict';

const { spawn } = require('node:child_process');
const { isatty } = require('node:tty');

// As the program ends when it can't reach what it needs.
const UNREACHABLE = 3;

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(UNREACHABLE);
}

const name = `mcp-declare-${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`${name}/mcp-declare`);
} catch {
  const hint = process.platform === 'win32'
    ? 'it runs in WSL, the Linux in Windows'
    : 'where there is one, npm was told to leave out optional packages';
  fail(`there is no mcp-declare for ${process.platform} on ${process.arch}: the package ${name} is not installed (${hint})`);
}

let child;
// Whoever started us knows no other process: what it sends is passed on. A terminal sends its Ctrl-C to both, and the
// program would take a second one for impatience.
const terminal = [0, 1, 2].some((descriptor) => isatty(descriptor));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  const passed = !(terminal && signal === 'SIGINT');
  process.on(signal, () => passed && child.kill(signal));
}
child = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
child.on('error', (error) => fail(`can't start ${program}: ${error.message}`));
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
