// What the runtime calls. worker-build's own entry is a class behind proxies, made anew for each request; a plain object
// costs a tenth less CPU on a small request and brings a crashed instance back just as well.

import * as ridge from './index.js';

const state = ridge.__worker_init_state();

/** A trap leaves the instance's memory in an unknown state: nothing may run in it again. */
function note(error) {
  if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
}

addEventListener('error', ({ error }) => note(error));
addEventListener('unhandledrejection', ({ reason }) => note(reason));

function revive() {
  if (!state.criticalError) return;
  console.error(JSON.stringify({ level: 'error', error: 'crashed', cause: 'The instance crashed and was made anew' }));
  ridge.__wbg_reset_state();
  state.criticalError = false;
  state.instanceId++;
}

/** Lets the gateway work outside of a request. */
async function work(task) {
  revive();
  try {
    await task();
  } catch (error) {
    note(error);
    throw error;
  }
}

export default {
  async scheduled(_, env) {
    await work(() => ridge.tick(env));
  },

  async queue(_, env) {
    await work(() => ridge.runJobs(env));
  },

  fetch(request, env, context) {
    revive();
    const { promise, resolve } = Promise.withResolvers();
    try {
      ridge.fetch(request, env, resolve);
    } catch (error) {
      note(error);
      throw error;
    }
    // A client that leaves must not cut a write off, nor leave half a request behind in memory.
    context.waitUntil(promise);
    return promise;
  },
};
