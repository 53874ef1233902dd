// The command line of a bench, and of profile.mjs.
import { parseArgs } from 'node:util';
import { Failure } from '../scripts/process.mjs';

/** `defaults`: a number is an option with a number, a list one with names from it, `''` one with any text. */
export function options(defaults) {
  const types = Object.fromEntries(Object.keys(defaults).map((name) => [name, { type: 'string' }]));
  let given;
  try {
    given = parseArgs({ options: types, allowPositionals: false }).values;
  } catch (error) {
    throw new Failure(error.message);
  }
  return Object.fromEntries(Object.entries(defaults).map(([name, usual]) => [name, value(name, given[name], usual)]));
}

function value(name, text, usual) {
  if (text === undefined) return usual;
  if (Array.isArray(usual)) return names(name, text, usual);
  if (typeof usual === 'string') return text;
  const number = Number(text);
  if (!(number > 0)) throw new Failure(`--${name} takes a number above 0, not '${text}'`);
  return number;
}

function names(option, text, known) {
  const wanted = text.split(',').filter(Boolean);
  const unknown = wanted.find((name) => !known.includes(name));
  if (wanted.length === 0 || unknown !== undefined)
    throw new Failure(`--${option} takes some of ${known.join(', ')}, not '${text}'`);
  return known.filter((name) => wanted.includes(name));
}
