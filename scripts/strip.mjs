// Takes the names of functions out of a WebAssembly module: they are a tenth of its size and serve profiles only.

import { readFileSync, writeFileSync } from 'node:fs';

/** Custom sections that nothing reads at run time. */
const DROPPED = new Set(['name', 'producers']);

/** Magic number and version. */
const HEADER = 8;
const CUSTOM = 0;

/** Rewrites the module in `file` without those sections. */
export function strip(file) {
  const wasm = readFileSync(file);
  const kept = [wasm.subarray(0, HEADER)];
  for (let at = HEADER; at < wasm.length; ) {
    const id = wasm[at];
    const size = readNumber(wasm, at + 1);
    const end = size.next + size.value;
    if (id !== CUSTOM || !DROPPED.has(nameOf(wasm, size.next))) kept.push(wasm.subarray(at, end));
    at = end;
  }
  writeFileSync(file, Buffer.concat(kept));
}

function nameOf(wasm, at) {
  const { value, next } = readNumber(wasm, at);
  return wasm.toString('utf8', next, next + value);
}

/** An unsigned LEB128 number and what follows it. */
function readNumber(wasm, at) {
  for (let value = 0, shift = 0; ; shift += 7) {
    const byte = wasm[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return { value, next: at };
  }
}
