// The body of both proxies, from text to a list of commands whose arguments are strings.
import { ApiError } from './error.js';

const MAX_COMMANDS = 1000;

/** `[[cmd, arg…], …]`, one `[cmd, arg…]`, or (for reading) `{"commands": […]}`. */
export async function commandsOf(c) {
  let body;
  try {
    body = await c.req.json();
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw bad('The body is not JSON');
  }
  const list = Array.isArray(body) ? body : body?.commands;
  if (!Array.isArray(list) || list.length === 0) throw bad('The body must be a non-empty array of commands');
  const commands = typeof list[0] === 'string' ? [list] : list;
  if (commands.length > MAX_COMMANDS)
    throw new ApiError(413, 'too_many_commands', `More than ${MAX_COMMANDS} commands`);
  return commands.map(command);
}

function command(parts, index) {
  if (!Array.isArray(parts) || parts.length === 0) throw bad(`Command ${index} is not a non-empty array`);
  return parts.map((part) => {
    if (typeof part === 'string') return part;
    if (typeof part === 'number' || typeof part === 'boolean') return String(part);
    throw bad(`Command ${index} has an argument that is not a string, number or boolean`);
  });
}

const bad = (message) => new ApiError(400, 'bad_request', message);
