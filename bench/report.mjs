// From slices to a table, to targets and to results.json.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../scripts/paths.mjs';
import { Failure } from '../scripts/process.mjs';
import { LARGEST_GZIP } from '../scripts/size.mjs';
import { median, percentile, sum } from './numbers.mjs';
import { compatibility } from '../scripts/workerd.mjs';

/** Whose CPU a row is compared with, and what it calls that. */
const RIVALS = { toPeer: 'peer', toBare: 'bare' };

/** One row: a competitor on a case. `all` holds every competitor's slices of that case, for the ratios. */
export function row(name, all, roundTrips, rivals = RIVALS) {
  const slices = all[name];
  const latencies = Float64Array.from(slices.flatMap((slice) => [...slice.latencies])).sort();
  const count = sum(slices.map((slice) => slice.count));
  return {
    requestsPerSecond: median(slices.map(requestsPerSecond)),
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMicrosPerRequest: median(slices.map(cpuPerRequest)),
    ...Object.fromEntries(Object.entries(rivals).map(([to, rival]) => [to, ratio(cpuPerRequest, slices, all[rival])])),
    busy: sum(slices.map((slice) => slice.cpuMicros)) / sum(slices.map((slice) => slice.seconds * 1e6)),
    roundTrips,
    requests: count,
    errors: sum(slices.map((slice) => slice.errors)),
    firstError: slices.find((slice) => slice.firstError)?.firstError,
  };
}

const cpuPerRequest = ({ cpuMicros, count }) => cpuMicros / count;

export const requestsPerSecond = ({ count, seconds }) => count / seconds;

/** The median over rounds of the ratio within the round; null where there is nothing to compare with. */
export function ratio(of, slices, others) {
  if (!others) return null;
  return median(slices.map((slice, round) => of(slice) / of(others[round])));
}

/** What Ridge aims at, each as `{target, value, met}`. A target whose case or competitor did not run is left out. */
export function targets({ cases, sizes }) {
  const list = [];
  const add = (target, value, met, unit = '') => {
    if (value !== undefined && value !== null) list.push({ target, value: rounded(value), unit, met });
  };
  for (const [name, { rows }] of Object.entries(cases)) {
    const toPeer = rows.ridge?.toPeer;
    add(`${name}: CPU at most 1.0 of the peer's`, toPeer, toPeer <= 1);
  }
  const toBare = cases['read-1']?.rows.ridge?.toBare;
  add("read-1: CPU at most 1.4 of the pass-through's", toBare, toBare <= 1.4);
  for (const backend of ['ridge', 'ridge-tcp']) {
    const micros = cases['write-1000x10']?.rows[backend]?.cpuMicrosPerRequest;
    add(`write-1000x10: ${backend} under 10 ms of CPU`, micros && micros / 1000, micros < 10_000, ' ms');
    const trips = Object.values(cases).flatMap(({ rows }) => (rows[backend] ? [rows[backend].roundTrips] : []));
    if (trips.length > 0) {
      const most = trips.includes(null) ? 'not said' : Math.max(...trips);
      list.push({
        target: `${backend}: at most one round trip to Redis in every case`,
        value: most,
        unit: '',
        met: most <= 1,
      });
    }
  }
  return [...list, ...sizeTarget(sizes.ridge)];
}

/** The size after gzip, if Ridge ran. */
export function sizeTarget(size) {
  if (size === undefined) return [];
  const target = `gzip size under ${LARGEST_GZIP.toLocaleString('en')} bytes`;
  return [{ target, value: size, unit: ' bytes', met: size < LARGEST_GZIP }];
}

/** What a table may show of a row, by its heading. */
const COLUMNS = {
  'req/s': (r) => Math.round(r.requestsPerSecond).toLocaleString('en'),
  'p50 ms': (r) => r.p50Ms.toFixed(2),
  'p99 ms': (r) => r.p99Ms.toFixed(2),
  'CPU µs/req': (r) => r.cpuMicrosPerRequest.toFixed(r.cpuMicrosPerRequest < 1000 ? 1 : 0),
  '× peer': (r) => r.toPeer?.toFixed(2),
  '× bare': (r) => r.toBare?.toFixed(2),
  '× ridge': (r) => r.toRidge?.toFixed(2),
  '× npm': (r) => r.toNpm?.toFixed(2),
  'req/s × npm': (r) => r.speedToNpm?.toFixed(2),
  busy: (r) => `${Math.round(r.busy * 100)}%`,
  trips: (r) => r.roundTrips,
  errors: (r) => r.errors || '',
};
const USUAL = ['req/s', 'p50 ms', 'p99 ms', 'CPU µs/req', '× peer', '× bare', 'busy', 'trips', 'errors'];

export function printTable(cases, columns = USUAL) {
  const lines = [['case', '', ...columns]];
  for (const [name, { rows }] of Object.entries(cases)) {
    Object.entries(rows).forEach(([competitor, r], i) => {
      const cells = columns.map((column) => String(COLUMNS[column](r) ?? ''));
      lines.push([i === 0 ? name : '', competitor, ...cells]);
    });
  }
  printColumns(lines, 2);
}

export function printStartUps(startUps, sizes) {
  const head = ['', 'first answer ms', 'CPU ms', 'gzip bytes'];
  const lines = Object.entries(sizes).map(([name, size]) => [
    name,
    startUps[name]?.ms.toFixed(0) ?? '',
    startUps[name]?.cpuMs.toFixed(0) ?? '',
    size.toLocaleString('en'),
  ]);
  printColumns([head, ...lines], 1);
}

export function printTargets(list) {
  for (const { target, value, unit, met } of list) {
    console.log(`target ${met ? 'met   ' : 'missed'}  ${target}: ${value.toLocaleString('en')}${unit}`);
  }
}

/** Columns as wide as their widest cell: the first `left` to the left, the others to the right. */
export function printColumns(lines, left) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const pad = (text, column) => (column < left ? text.padEnd(widths[column]) : text.padStart(widths[column]));
  console.log(`\n${lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')}\n`);
}

/** Fails if a request under load was answered otherwise than the verified one. */
export function failures(cases) {
  for (const [name, { rows }] of Object.entries(cases)) {
    for (const [competitor, { errors, requests, firstError }] of Object.entries(rows)) {
      if (errors > 0)
        throw new Failure(
          `${competitor} failed ${errors} of ${requests} requests of '${name}', the first with: ${firstError}`,
        );
    }
  }
}

/** The facts of a whole run, without anything that belongs to the machine but its number of cores. */
export function writeResults(file, settings, results) {
  const facts = {
    date: new Date().toISOString(),
    cores: availableParallelism(),
    versions: versions(),
    settings: { ...settings, compatibilityDate: compatibility().date },
    ...results,
  };
  writeFileSync(join(ROOT, 'bench', file), `${JSON.stringify(roundedAll(facts), null, 2)}\n`);
}

function versions() {
  const installed = (name) =>
    JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')).version;
  const packages = ['workerd', 'hono', 'jose', '@upstash/redis', '@humanwhocodes/upstash-redis-server'];
  return { node: process.versions.node, ...Object.fromEntries(packages.map((name) => [name, installed(name)])) };
}

/** Three significant digits are what such a measurement can bear; whole numbers stay whole. */
export function rounded(value) {
  return Number.isInteger(value) ? value : Number(value.toPrecision(3));
}

/** The same object with every number rounded, for results.json. */
function roundedAll(value) {
  if (typeof value === 'number') return rounded(value);
  if (Array.isArray(value)) return value.map(roundedAll);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, roundedAll(item)]));
}
