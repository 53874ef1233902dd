// The load generator, a process of its own so that its CPU is nobody's. Raw keep-alive sockets, one request at a time on
// each (no pipelining); the head is parsed for status and length only, and the body is counted and not kept.
//
// Started with fork(); takes {port, tours, connections, seconds} and sends back {count, seconds, latencies, errors, firstError}.
// A tour is a list of steps {request, status, length} that a connection goes through again and again (without `length` any will
// do); connection i has tour i, and then from the beginning. A run is over when the tours that are under way at its end are
// finished, so that the CPU read after it belongs to `count` requests exactly and what a tour does it has undone.
import { connect } from 'node:net';

const STALLED_MS = 15_000;

class Connection {
  constructor(run, tour) {
    this.run = run;
    this.tour = tour;
    this.at = 0;
    this.socket = connect({ port: run.port, host: '127.0.0.1', noDelay: true });
    this.socket.on('data', (chunk) => this.read(chunk));
    this.socket.on('error', (error) => this.fail(error.message));
    this.socket.on('close', () => this.fail('the connection was closed'));
    this.reset();
  }

  connected() {
    return new Promise((resolve, reject) => this.socket.once('connect', resolve).once('error', reject));
  }

  start() {
    return new Promise((resolve) => {
      this.finish = resolve;
      this.send();
    });
  }

  reset() {
    this.rest = null; // bytes of an incomplete head or chunk size
    this.status = 0; // 0: still in the head
    this.length = 0; // body bytes so far
    this.left = 0; // body bytes still to come, of this chunk if chunked
    this.chunked = false;
  }

  send() {
    this.sentAt = performance.now();
    this.socket.write(this.tour[this.at].request);
  }

  fail(reason) {
    if (!this.finish) return;
    this.run.error(reason);
    this.end();
  }

  end() {
    const finish = this.finish;
    this.finish = null;
    this.socket.destroy();
    finish();
  }

  read(chunk) {
    let data = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = null;
    if (this.status === 0) {
      const end = data.indexOf('\r\n\r\n');
      if (end === -1) {
        this.rest = data;
        return;
      }
      this.head(data.latin1Slice(0, end));
      data = data.subarray(end + 4);
    }
    if (this.chunked ? this.chunks(data) : this.plain(data)) this.answered();
  }

  head(text) {
    this.status = Number(text.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(text);
    this.chunked = !length && /\r\ntransfer-encoding: *chunked/i.test(text);
    this.left = length ? Number(length[1]) : 0;
  }

  plain(data) {
    this.length += data.length;
    return this.length >= this.left;
  }

  /** Steps over `<hex size>\r\n<bytes>\r\n` until the chunk of size 0; true when that was reached. */
  chunks(data) {
    let at = 0;
    for (;;) {
      if (this.left > 0) {
        const here = Math.min(this.left, data.length - at);
        at += here;
        this.left -= here;
        if (this.left > 0) return false;
      }
      const end = data.indexOf('\r\n', at);
      if (end === -1) {
        this.rest = data.subarray(at);
        return false;
      }
      if (end === at) {
        at += 2; // what closes a chunk, or the whole
        if (this.last) {
          this.last = false;
          return true;
        }
        continue;
      }
      const size = Number.parseInt(data.latin1Slice(at, end), 16);
      at = end + 2;
      this.length += size;
      this.left = size;
      this.last = size === 0;
    }
  }

  answered() {
    const now = performance.now();
    const { status, length = this.length } = this.tour[this.at];
    if (this.status !== status || this.length !== length) {
      this.run.error(`${this.status} with ${this.length} bytes where ${status} with ${length} was expected`);
    }
    this.run.done(now - this.sentAt);
    this.reset();
    this.at = (this.at + 1) % this.tour.length;
    if (now < this.run.until || this.at > 0) this.send();
    else this.end();
  }
}

class Run {
  constructor(job) {
    Object.assign(this, job);
    this.tours = job.tours.map((tour) =>
      tour.map((step) => ({ ...step, request: Buffer.from(step.request, 'latin1') })),
    );
    this.latencies = [];
    this.errors = 0;
  }

  done(ms) {
    this.latencies.push(ms);
  }

  error(reason) {
    this.errors += 1;
    this.firstError ??= reason;
  }

  async all() {
    const connections = Array.from(
      { length: this.connections },
      (_, i) => new Connection(this, this.tours[i % this.tours.length]),
    );
    await Promise.all(connections.map((connection) => connection.connected()));
    const start = performance.now();
    this.until = start + this.seconds * 1000;
    const stalled = setTimeout(
      () => connections.forEach((connection) => connection.fail(`no answer within ${STALLED_MS} ms`)),
      this.seconds * 1000 + STALLED_MS,
    );
    await Promise.all(connections.map((connection) => connection.start()));
    clearTimeout(stalled);
    const { latencies, errors, firstError } = this;
    return {
      count: latencies.length,
      seconds: (performance.now() - start) / 1000,
      latencies: Float64Array.from(latencies),
      errors,
      firstError,
    };
  }
}

process.on('message', async (job) => {
  try {
    process.send(await new Run(job).all());
  } catch (error) {
    process.send({ count: 0, seconds: 0, latencies: new Float64Array(), errors: 1, firstError: error.message });
  }
});
process.on('disconnect', () => process.exit(0));
