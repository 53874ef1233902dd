// Everything that runs during a bench: a Redis with data in it, the upstream, the load generator and a workerd for each
// competitor. A bench with several data sets has a stage for each.
import { join } from 'node:path';
import { STATE } from '../scripts/paths.mjs';
import { startRedis } from '../scripts/redis.mjs';
import { startUpstream } from '../scripts/children.mjs';
import { startLoad } from './children.mjs';
import { competitors as chosenOnes } from './competitors.mjs';
import { fill } from './data.mjs';
import { secrets } from './secrets.mjs';
import { startWorker } from '../scripts/workerd.mjs';

/**
 * `close()` ends all of it; what could not be started leaves nothing behind. `folder` is where its Redis runs, `prepare` fills
 * it and says what the stage's `facts` are.
 */
export async function openStage(names, { folder = 'redis', prepare = ({ upstream }) => fill(upstream) } = {}) {
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
    const competitors = chosenOnes(names, { redisUrl: redis.url, restUrl: upstream.url });
    const workers = {};
    const stopWorkers = async () => {
      for (const name of Object.keys(workers)) {
        await workers[name].stop();
        delete workers[name];
      }
    };
    open.push(stopWorkers);
    for (const competitor of competitors) workers[competitor.name] = await startWorker(competitor);
    return { redis, upstream, load, competitors, workers, facts, stopWorkers, close };
  } catch (error) {
    await close();
    throw error;
  }
}
