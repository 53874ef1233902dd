// RESP2, as much of it as our own tools need: commands out, replies in. Strings stay Buffers.

export class RedisError {
  constructor(message) {
    this.message = message;
  }
}

/** A command as text, or as bytes where a part is bytes. */
export function encodeCommand(parts) {
  const pieces = [`*${parts.length}\r\n`];
  for (const part of parts) {
    const argument = Buffer.isBuffer(part) ? part : String(part);
    pieces.push(`$${Buffer.byteLength(argument)}\r\n`, argument, '\r\n');
  }
  return parts.some(Buffer.isBuffer) ? Buffer.concat(pieces.map((piece) => Buffer.from(piece))) : pieces.join('');
}

/** Calls `onReply` for each complete reply; keeps what is not yet complete. */
export class ReplyReader {
  constructor(onReply) {
    this.onReply = onReply;
    this.buffer = Buffer.alloc(0);
    this.at = 0;
  }

  push(chunk) {
    this.buffer = this.buffer.length === 0 ? chunk : Buffer.concat([this.buffer, chunk]);
    let done = 0;
    this.at = 0;
    for (let reply = this.next(); reply !== undefined; reply = this.next()) {
      done = this.at;
      this.onReply(reply);
    }
    this.buffer = this.buffer.subarray(done);
  }

  /** The next reply, or undefined when the buffer ends inside it. Redis's nil is null. */
  next() {
    const end = this.buffer.indexOf('\r\n', this.at);
    if (end === -1) return undefined;
    const type = this.buffer[this.at];
    const line = this.buffer.latin1Slice(this.at + 1, end);
    const start = end + 2;
    this.at = start;
    switch (type) {
      case 0x2b: // +
        return Buffer.from(line, 'latin1');
      case 0x2d: // -
        return new RedisError(line);
      case 0x3a: // :
        return Number(line);
      case 0x24: // $
        return this.bulk(Number(line), start);
      case 0x2a: // *
        return this.array(Number(line));
      default:
        throw new Error(`not a RESP2 reply: ${line}`);
    }
  }

  bulk(length, start) {
    if (length === -1) return null;
    if (this.buffer.length < start + length + 2) return undefined;
    this.at = start + length + 2;
    return this.buffer.subarray(start, start + length);
  }

  array(length) {
    if (length === -1) return null;
    const items = [];
    for (let i = 0; i < length; i++) {
      const item = this.next();
      if (item === undefined) return undefined;
      items.push(item);
    }
    return items;
  }
}
