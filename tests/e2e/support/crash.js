// Stands in front of the Worker and reports a crash of its instance when a request asks for one, as the runtime does.

import ridge from './index.js';

export default {
  fetch(request, env, context) {
    if (request.headers.has('x-crash')) {
      dispatchEvent(new ErrorEvent('error', { error: new WebAssembly.RuntimeError('unreachable') }));
    }
    return ridge.fetch(request, env, context);
  },
};
