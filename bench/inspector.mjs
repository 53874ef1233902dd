// A client of V8's inspector protocol, as much of it as asking for a profile takes.
import { Failure } from '../scripts/process.mjs';

export class Inspector {
  #socket;
  #answers = new Map();
  #last = 0;

  /** Connects to the first Worker behind workerd's inspector port. */
  static async connect(port) {
    if (typeof WebSocket === 'undefined')
      throw new Failure('This needs the Node that npm installed: npx node bench/profile.mjs …');
    const targets = await (await fetch(`http://127.0.0.1:${port}/json`)).json();
    const inspector = new Inspector();
    inspector.#socket = new WebSocket(targets[0].webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      inspector.#socket.onopen = resolve;
      inspector.#socket.onerror = () => reject(new Failure("workerd's inspector cannot be reached"));
    });
    inspector.#socket.onmessage = ({ data }) => inspector.#receive(JSON.parse(data));
    return inspector;
  }

  call(method, params = {}) {
    const id = ++this.#last;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  close() {
    this.#socket.close();
  }

  #receive({ id, result, error }) {
    const answer = this.#answers.get(id); // events have no id, and nobody waits for them
    this.#answers.delete(id);
    if (error) answer?.reject(new Failure(error.message));
    else answer?.resolve(result);
  }
}
