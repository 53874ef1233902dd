// One case, all competitors, in turns: a slice of load for each, then the next round in another order. What disturbs the
// machine for a second hits one slice and not one competitor, and ratios are taken within a round.
import { cpuMicros } from './cpu.mjs';

/**
 * Returns `{[competitor]: slices}`, a slice being `{count, seconds, cpuMicros, latencies, errors, firstError}`.
 * `workers`: `{[name]: {pid, port}}`; `tours`: `{[name]: tours}`, as load.mjs has them.
 */
export async function measure({ workers, tours, load, seconds, warmUp, connections, rounds, onSlice }) {
  const names = Object.keys(workers);
  const slice = async (name, duration) => {
    const { pid, port } = workers[name];
    const before = cpuMicros(pid);
    const result = await load.drive({ port, tours: tours[name], connections, seconds: duration });
    return { ...result, cpuMicros: cpuMicros(pid) - before };
  };
  for (const name of names) {
    onSlice(`warming up ${name}`);
    await slice(name, warmUp);
  }
  const slices = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      onSlice(`round ${round + 1} of ${rounds}, ${name}`);
      slices[name].push(await slice(name, seconds));
    }
  }
  return slices;
}
