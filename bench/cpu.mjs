// How much CPU a process has used: user and system time of all its threads, as the operating system counts it.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const onLinux = process.platform === 'linux';
const ticksPerSecond = onLinux ? Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) : 0;

/** Microseconds since the process began. */
export function cpuMicros(pid) {
  if (!onLinux) return fromPs(pid);
  // The scheduler's count is exact but knows only threads that still run; the process's knows all, in steps of 10 ms. They
  // agree but for that, so whichever has seen more is right.
  return Math.max(fromStat(pid), fromSchedstat(pid));
}

function fromStat(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name, in parentheses, may hold blanks: count the fields from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  return ((user + system) * 1e6) / ticksPerSecond;
}

/** The first number of each thread's schedstat is nanoseconds on a CPU; a kernel may be built without the file. */
function fromSchedstat(pid) {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanos = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanos.reduce((total, time) => total + time, 0) / 1000;
  } catch {
    return 0;
  }
}

/** `[[d-]h:]m:s.cc`, as ps prints it on macOS. */
function fromPs(pid) {
  const text = execFileSync('ps', ['-o', 'time=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  const [clock, days = '0'] = text.split('-').reverse();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1e6;
}
