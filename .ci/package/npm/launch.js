#!/usr/bin/env node
// Runs the program of this machine's package, and ends as it does.
'use strict';

const { spawn } = require('node:child_process');

const name = `mcp-declare-${process.platform}-${process.arch}`;
let program;
try {
  program = require.resolve(`${name}/mcp-declare`);
} catch {
  console.error(`error: there is no mcp-declare for ${process.platform} on ${process.arch} (the package ${name} is not installed)`);
  process.exit(3);
}

const child = spawn(program, process.argv.slice(2), { stdio: 'inherit' });
child.on('error', (error) => {
  console.error(`error: can't start ${program}: ${error.message}`);
  process.exit(3);
});
// Whoever started us knows no other process: what it sends is passed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal));
}
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
