// From measurements to a table and to targets.
import { median } from '../numbers.mjs';
import { failures as failedRows, printColumns, rounded, row } from '../report.mjs';
import { FAN_IN, FULL, SMALL } from './sizes.mjs';

const RIVALS = { toPeer: 'peer' };
const MOST_GROWTH = 1.3;
const MOST_MICROS_FAN_IN = 10_000;
const AT_MOST_THE_PEERS = ['explore', 'like'];

/** `{[size]: {[competitor]: row}, growth: {[competitor]: ratio}}`, a row as report.mjs has it and what Redis did for it. */
export function caseResult(runners, slices) {
  const sizes = {};
  for (const { id, size, competitor, commands, inRedis, roundTrips } of runners) {
    const ofSize = runners.filter((runner) => runner.size === size);
    const all = Object.fromEntries(ofSize.map((runner) => [runner.competitor, slices[runner.id]]));
    const measured = row(competitor, all, roundTrips, RIVALS);
    const redisErrors = inRedis.reduce((sum, { errors }) => sum + errors, 0);
    (sizes[size] ??= {})[competitor] = {
      redisMicros: median(inRedis.map(({ micros }) => micros)),
      commands,
      ...measured,
      errors: measured.errors + redisErrors,
      firstError: measured.firstError ?? inRedis.find(({ firstError }) => firstError)?.firstError,
    };
  }
  return { sizes, growth: growth(runners) };
}

/** Time in Redis at full size by that at the small one: the median over rounds of the ratio within a round. */
function growth(runners) {
  const of = (size, competitor) => runners.find((runner) => runner.size === size && runner.competitor === competitor);
  const ratios = {};
  for (const { competitor, size, inRedis } of runners) {
    const small = of(SMALL, competitor);
    if (size !== FULL || !small) continue;
    ratios[competitor] = median(inRedis.map(({ micros }, round) => micros / small.inRedis[round].micros));
  }
  return ratios;
}

/** What Ridge aims at. A target whose case or competitor did not run is left out. */
export function targets(cases) {
  const list = [];
  const add = (target, value, met, unit = '') => {
    if (value !== undefined && value !== null) list.push({ target, value: rounded(value), unit, met });
  };
  const trips = [];
  for (const [name, { sizes, growth }] of Object.entries(cases)) {
    const target = `${name}: time in Redis at most ${MOST_GROWTH} of that in the small data set`;
    add(target, growth.ridge, growth.ridge <= MOST_GROWTH);
    trips.push(...Object.values(sizes).flatMap(({ ridge }) => (ridge ? [ridge.roundTrips] : [])));
  }
  for (const name of AT_MOST_THE_PEERS) {
    for (const size of [SMALL, FULL]) {
      const toPeer = cases[name]?.sizes[size]?.ridge?.toPeer;
      add(`${name}, ${size}: CPU at most 1.0 of the peer's`, toPeer, toPeer <= 1);
    }
  }
  const fanIn = cases['following-fan-in']?.sizes[FAN_IN]?.ridge?.redisMicros;
  add('following-fan-in: under 10 ms in Redis', fanIn && fanIn / 1000, fanIn < MOST_MICROS_FAN_IN, ' ms');
  if (trips.length > 0) add('one round trip to Redis in every case', Math.max(...trips), Math.max(...trips) <= 1);
  return list;
}

export function printTable(cases) {
  const time = ['in Redis µs', '× small', 'CPU µs/req', '× peer', 'req/s', 'p50 ms', 'p99 ms', 'busy'];
  const lines = [['case', '', '', ...time, 'trips', 'commands']];
  for (const [name, { sizes, growth }] of Object.entries(cases)) {
    let title = name;
    for (const [size, rows] of Object.entries(sizes)) {
      let ofSize = size;
      for (const [competitor, r] of Object.entries(rows)) {
        lines.push([
          title,
          ofSize,
          competitor,
          r.redisMicros.toFixed(1),
          size === FULL ? (growth[competitor]?.toFixed(2) ?? '') : '',
          r.cpuMicrosPerRequest.toFixed(0),
          r.toPeer?.toFixed(2) ?? '',
          Math.round(r.requestsPerSecond).toLocaleString('en'),
          r.p50Ms.toFixed(2),
          r.p99Ms.toFixed(2),
          `${Math.round(r.busy * 100)}%`,
          String(r.roundTrips),
          Object.values(r.commands).reduce((sum, times) => sum + times, 0).toFixed(0),
        ]);
        [title, ofSize] = ['', ''];
      }
    }
  }
  printColumns(lines, 3);
}

/** Fails if a request under load was answered otherwise than the verified one. */
export function failures(cases) {
  const flat = Object.entries(cases).flatMap(([name, { sizes }]) =>
    Object.entries(sizes).map(([size, rows]) => [`${name}, ${size}`, { rows }]),
  );
  failedRows(Object.fromEntries(flat));
}
