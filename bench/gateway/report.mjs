// From slices to a table and to targets.
import { ratio, requestsPerSecond, rounded, row, sizeTarget } from '../report.mjs';

const RIVALS = { toBare: 'bare', toRidge: 'ridge', toNpm: 'npm' };

export const COLUMNS = [
  'req/s',
  'p50 ms',
  'p99 ms',
  'CPU µs/req',
  '× bare',
  '× ridge',
  '× npm',
  'req/s × npm',
  'busy',
  'trips',
  'errors',
];

/** What a request may cost on the REST backend, by the pass-through's. */
const MOST_TO_BARE = {
  'get-path': 1.15,
  'get-body': 1.15,
  'get-sdk': 1.15,
  'get-1mb': 1.5,
  'get-1mb-sdk': 1.5,
  'set-1mb-path': 1.5,
  'set-1mb': 1.5,
};
const LEAST_SPEED = 3;

/** The rows of one case, by competitor. */
export function rows(slices, verified) {
  const names = Object.keys(slices);
  return Object.fromEntries(
    names.map((name) => {
      const measured = row(name, slices, verified[name].roundTrips, RIVALS);
      return [name, { ...measured, speedToNpm: ratio(requestsPerSecond, slices[name], slices.npm) }];
    }),
  );
}

/** What Ridge aims at. A target whose case or competitor did not run is left out. */
export function targets({ cases, size }) {
  const list = [];
  const add = (target, value, met) => {
    if (value !== undefined && value !== null) list.push({ target, value: rounded(value), unit: '', met });
  };
  for (const [name, most] of Object.entries(MOST_TO_BARE)) {
    const toBare = cases[name]?.rows.ridge?.toBare;
    add(`${name}: CPU at most ${most} of the pass-through's`, toBare, toBare <= most);
  }
  const speed = cases['pipeline-1000']?.rows['ridge-tcp']?.speedToNpm;
  add(`pipeline-1000: at least ${LEAST_SPEED} times the npm server's requests/s over TCP`, speed, speed >= LEAST_SPEED);
  const trips = Object.values(cases).flatMap(({ rows }) => rows.ridge?.roundTrips ?? []);
  if (trips.length > 0) add('one round trip to the upstream in every case', Math.max(...trips), Math.max(...trips) <= 1);
  return [...list, ...sizeTarget(size)];
}
