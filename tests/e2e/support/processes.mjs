// Which processes there are, and whose children they are.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** All that a process has started, and what that has started in turn: `{pid, name}` each. */
export function descendants(root) {
  const all = processes();
  const found = [];
  const parents = [root];
  while (parents.length) {
    const parent = parents.pop();
    for (const { pid, ppid, name } of all) {
      if (ppid !== parent) continue;
      found.push({ pid, name });
      parents.push(pid);
    }
  }
  return found;
}

/** Those of them that still run, under the same name. One that has ended and waits for its parent's attention does not. */
export function stillRunning(some) {
  const all = processes();
  return some.filter(({ pid, name }) => all.some((other) => other.pid === pid && other.name === name));
}

function processes() {
  return (existsSync('/proc/self/stat') ? fromProc() : fromPs()).filter(({ state }) => !state.startsWith('Z'));
}

function fromProc() {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      // The name may hold blanks and brackets.
      const [, name, state, ppid] = /^\d+ \((.*)\) (\S) (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      return [{ pid: Number(pid), ppid: Number(ppid), state, name }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

function fromPs() {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,comm='], { encoding: 'utf8' });
  return text.trim().split('\n').map((line) => {
    const [, pid, ppid, state, path] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    return { pid: Number(pid), ppid: Number(ppid), state, name: path.split('/').at(-1) };
  });
}
