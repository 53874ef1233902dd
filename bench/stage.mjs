// Everything that runs during a bench: a Redis with data in it, the upstream, the load generator and a process for each
// competitor, which is a workerd if it does not `start` otherwise. A bench with several data sets has a stage for each.
import { join } from 'node:path';
import { STATE } from '../scripts/paths.mjs';
import { startRedis } from '../scripts/redis.mjs';
import { startUpstream } from '../scripts/children.mjs';
import { startLoad } from './children.mjs';
import { competitors } from './competitors.mjs';
import { fill } from './data.mjs';
import { secrets } from './secrets.mjs';
import { startWorker } from '../scripts/workerd.mjs';

/**
 * `close()` ends all of it; what could not be started leaves nothing behind. `folder` is where its Redis runs, `prepare` fills
 * it and says what the stage's `facts` are, `cast` says who the competitors of these names are.
 */
export async function openStage(
  names,
  { folder = 'redis', prepare = ({ upstream }) => fill(upstream), cast = competitors } = {},
) {
  const open = [];
  const close = async () => {
    for (const stop of open.splice(0).reverse()) await stop();
  };
  try {
    const redis = await startRedis({ dir: join(STATE, 'bench', folder) });
    open.push(redis.stop);
    const upstream = await startUpstream(redis.url, secrets.upstreamToken);
    open.push(upstream.stop);
    const facts = await prepare({ redis, upstream });
    const load = startLoad();
    open.push(load.stop);
    const chosen = cast(names, { redisUrl: redis.url, restUrl: upstream.url });
    const workers = {};
    const stopWorkers = async () => {
      for (const name of Object.keys(workers)) {
        await workers[name].stop();
        delete workers[name];
      }
    };
    open.push(stopWorkers);
    for (const one of chosen) workers[one.name] = await (one.start ?? startWorker)(one);
    return { redis, upstream, load, competitors: chosen, workers, facts, stopWorkers, close };
  } catch (error) {
    await close();
    throw error;
  }
}
