// Reads and writes the variables files that wrangler reads, by the rules of the `dotenv` that is built into it.
// (Node's own `util.parseEnv` is not used: it differs in quoting, and from one Node to the next.)

import { Failure } from './process.mjs';

/** One `NAME=value`; the value bare, or in one of three kinds of quotes and then perhaps of several lines. */
const ASSIGNMENT = new RegExp(
  String.raw`^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)`
  + String.raw`(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*${'`'}(?:\\${'`'}|[^${'`'}])*${'`'}|[^#\r\n]+)?\s*(?:#.*)?$`,
  'gm',
);

/** The variables of a file's text. */
export function parse(text) {
  const variables = {};
  for (const [, name, raw = ''] of text.replace(/\r\n?/g, '\n').matchAll(ASSIGNMENT)) {
    const trimmed = raw.trim();
    const value = trimmed.replace(/^(['"`])([\s\S]*)\1$/gm, '$2');
    variables[name] = trimmed.startsWith('"') ? value.replace(/\\n/g, '\n').replace(/\\r/g, '\r') : value;
  }
  return variables;
}

/**
 * The text of a file that gives exactly these variables when wrangler reads it with `--env-file`. Unlike `.dev.vars`, such
 * a file has its `$NAME` replaced, hence the `\$`. Line ends become `\n`, as dotenv makes them anyway.
 */
export function serialise(variables) {
  return Object.entries(variables).map(([name, value]) => `${name}=${quote(name, value)}\n`).join('').replaceAll('$', '\\$');
}

/** dotenv knows no escape for a quote within quotes, so the value decides how it can be written. */
function quote(name, value) {
  const text = value.replace(/\r\n?/g, '\n');
  // A backslash at the end would hide the closing quote.
  const kinds = text.endsWith('\\') ? [] : ["'", '`', '"'];
  // In double quotes dotenv makes a line break of `\n`.
  const kind = kinds.find((kind) => !text.includes(kind) && !(kind === '"' && /\\[nr]/.test(text)));
  if (kind) return kind + text + kind;
  if (/^[^\s'"`#][^#\n]*$/.test(text) && text === text.trim()) return text;
  throw new Failure(`${name} cannot be handed to wrangler: no kind of quotes suits its value.`);
}
