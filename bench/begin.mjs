// How a bench begins: what was chosen on the command line, and what has to be built for it.
import { build } from '../scripts/build.mjs';
import { setup } from '../scripts/setup.mjs';
import { bundleScripts } from './competitors.mjs';
import { options } from './options.mjs';

/** The options, and of `cases` those that were chosen. `more` are defaults beside or instead of the usual ones. */
export async function begin(cases, competitors, more = {}) {
  const usual = { seconds: 1.5, rounds: 7, connections: 8, cases: cases.map(({ name }) => name), competitors };
  const chosen = options({ ...usual, ...more });
  await setup();
  if (chosen.competitors.some((name) => name.startsWith('ridge'))) await build();
  await bundleScripts();
  return { chosen, chosenCases: cases.filter(({ name }) => chosen.cases.includes(name)) };
}
