// The load generator, as a process of its own.
import { startChild } from '../scripts/children.mjs';

/** `drive(job)` as load.mjs has it. */
export function startLoad() {
  const child = startChild(new URL('load.mjs', import.meta.url));
  return { drive: child.ask, stop: child.stop };
}
