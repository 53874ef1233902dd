// Hashes, lists, sets and all that holds more than one value through @upstash/redis, against the built Worker: each command as
// the SDK's own documentation shows it, and the value that its users get to see.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { startGateways } from './support/gateways.mjs';
import { everyWay, fully } from './support/sdk.mjs';

everyWay(await startGateways(), (redis) => {
  beforeEach(async () => assert.equal(await redis.flushdb(), 'OK'));

  describe('hashes', () => hashes(redis));
  describe('lists', () => lists(redis));
  describe('sets', () => sets(redis));
  describe('sorted sets', () => sortedSets(redis));
  describe('streams', () => streams(redis));
  describe('other types', () => otherTypes(redis));
});

function hashes(redis) {
  const ada = { name: 'Ada', year: 1815, tags: ['maths', 'engine'], address: { city: 'London' } };

  test('an object is written and read as one', async () => {
    assert.equal(await redis.hset('ada', ada), 4);
    assert.deepEqual(await redis.hgetall('ada'), ada);
    assert.equal(await redis.hgetall('nothing'), null);
    assert.deepEqual(await redis.hmget('ada', 'name', 'nothing'), { name: 'Ada', nothing: null });
    assert.equal(await redis.hmset('ada', { year: 1816 }), 'OK');
    assert.equal(await redis.hget('ada', 'year'), 1816);
    assert.deepEqual(await redis.hget('ada', 'tags'), ada.tags);
    assert.equal(await redis.hget('ada', 'nothing'), null);
  });

  test('fields are listed, counted and deleted', async () => {
    await redis.hset('ada', ada);
    assert.deepEqual((await redis.hkeys('ada')).sort(), ['address', 'name', 'tags', 'year']);
    assert.deepEqual(await redis.hvals('ada'), Object.values(ada));
    assert.equal(await redis.hlen('ada'), 4);
    assert.equal(await redis.hexists('ada', 'name'), 1);
    assert.equal(await redis.hstrlen('ada', 'name'), 3);
    assert.equal(await redis.hsetnx('ada', 'name', 'Eve'), 0);
    assert.equal(await redis.hdel('ada', 'tags', 'address', 'nothing'), 2);
    assert.equal(await redis.hincrby('ada', 'year', -15), 1800);
    assert.equal(await redis.hincrbyfloat('ada', 'year', 0.5), 1800.5);
  });

  test('fields are drawn and scanned', async () => {
    await redis.hset('one', { field: 'value' });
    assert.equal(await redis.hrandfield('one'), 'field');
    assert.deepEqual(await redis.hrandfield('one', 2, true), { field: 'value' });
    await redis.hset('many', Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, n])));
    const [cursor, items] = await redis.hscan('many', 0, { match: 'f1*', count: 100 });
    assert.equal(cursor, '0');
    assert.equal(items.length, 2 * 11);
    assert.equal(items[items.indexOf('f13') + 1], 13);
  });
}

function lists(redis) {
  test('items go in and out at both ends, with their types', async () => {
    assert.equal(await redis.rpush('list', 'b', { c: 1 }, 4), 3);
    assert.equal(await redis.lpush('list', 'a'), 4);
    assert.deepEqual(await redis.lrange('list', 0, -1), ['a', 'b', { c: 1 }, 4]);
    assert.equal(await redis.llen('list'), 4);
    assert.equal(await redis.lpop('list'), 'a');
    assert.deepEqual(await redis.rpop('list', 2), [4, { c: 1 }]);
    assert.equal(await redis.lpushx('nothing', 'x'), 0);
    assert.equal(await redis.rpushx('list', 'x'), 2);
    assert.equal(await redis.lpop('nothing'), null);
    assert.deepEqual(await redis.lrange('nothing', 0, -1), []);
  });

  test('items are found, moved and changed in place', async () => {
    await redis.rpush('list', 'a', 'b', 'c', 'b');
    assert.equal(await redis.lindex('list', 1), 'b');
    assert.equal(await redis.lpos('list', 'b'), 1);
    assert.deepEqual(await redis.lpos('list', 'b', { count: 2 }), [1, 3]);
    assert.equal(await redis.linsert('list', 'before', 'c', 'x'), 5);
    assert.equal(await redis.lset('list', 0, 'A'), 'OK');
    assert.equal(await redis.lrem('list', -1, 'b'), 1);
    assert.equal(await redis.lmove('list', 'other', 'left', 'right'), 'A');
    assert.equal(await redis.ltrim('list', 0, 1), 'OK');
    assert.deepEqual(await redis.lrange('list', 0, -1), ['b', 'x']);
    assert.deepEqual(await redis.lmpop(2, ['nothing', 'list'], 'LEFT', 2), ['list', ['b', 'x']]);
  });
}

function sets(redis) {
  const sorted = async (members) => (await members).sort();

  test('members are added, drawn and told apart', async () => {
    assert.equal(await redis.sadd('set', 'a', 'b', 1), 3);
    assert.equal(await redis.sadd('set', 'a'), 0);
    assert.equal(await redis.scard('set'), 3);
    assert.equal(await redis.sismember('set', 'a'), 1);
    assert.deepEqual(await redis.smismember('set', ['a', 'x']), [1, 0]);
    assert.deepEqual(new Set(await redis.smembers('set')), new Set(['a', 'b', 1]));
    assert.equal(await redis.smove('set', 'other', 'a'), 1);
    assert.equal(await redis.srem('set', 1, 'x'), 1);
    assert.equal(await redis.srandmember('set'), 'b');
    assert.deepEqual(await redis.srandmember('set', 5), ['b']);
    assert.equal(await redis.spop('other'), 'a');
    assert.deepEqual(await redis.spop('set', 2), ['b']);
  });

  test('sets are compared, and the outcome kept', async () => {
    await redis.sadd('left', 'a', 'b', 'c');
    await redis.sadd('right', 'b', 'c', 'd');
    assert.deepEqual(await sorted(redis.sinter('left', 'right')), ['b', 'c']);
    assert.deepEqual(await sorted(redis.sunion('left', 'right')), ['a', 'b', 'c', 'd']);
    assert.deepEqual(await redis.sdiff('left', 'right'), ['a']);
    assert.equal(await redis.sintercard(['left', 'right']), 2);
    assert.equal(await redis.sinterstore('kept', 'left', 'right'), 2);
    assert.equal(await redis.sunionstore('kept', 'left', 'right'), 4);
    assert.equal(await redis.sdiffstore('kept', 'left', 'right'), 1);
    assert.deepEqual(await redis.smembers('kept'), ['a']);
  });

  test('members are scanned', async () => {
    const members = Array.from({ length: 300 }, (_, n) => `member ${n}`);
    await redis.sadd('set', ...members);
    assert.deepEqual((await fully((cursor) => redis.sscan('set', cursor, { count: 20 }))).sort(), members.sort());
    assert.equal((await fully((cursor) => redis.sscan('set', cursor, { match: '* 1?' }))).length, 10);
  });
}

function sortedSets(redis) {
  const board = [{ score: 1, member: 'one' }, { score: 2.5, member: 'two' }, { score: -3, member: 'minus' }];
  const fill = () => redis.zadd('board', ...board);

  test('scores are numbers, whole or not', async () => {
    assert.equal(await fill(), 3);
    assert.deepEqual(await redis.zrange('board', 0, -1), ['minus', 'one', 'two']);
    assert.deepEqual(await redis.zrange('board', 0, -1, { withScores: true }), ['minus', -3, 'one', 1, 'two', 2.5]);
    assert.equal(await redis.zscore('board', 'two'), 2.5);
    assert.equal(await redis.zscore('board', 'nobody'), null);
    assert.deepEqual(await redis.zmscore('board', ['one', 'nobody']), [1, null]);
    assert.equal(await redis.zincrby('board', 0.25, 'two'), 2.75);
    assert.equal(await redis.zadd('board', { incr: true }, { score: 1, member: 'one' }), 2);
    await redis.zadd('times', { score: 1795197304987.123, member: 'now' }, { score: 1e21, member: 'late' });
    assert.equal(await redis.zscore('times', 'now'), 1795197304987.123);
    assert.equal(await redis.zscore('times', 'late'), 1e21);
  });

  test('ZADD has its conditions', async () => {
    await fill();
    assert.equal(await redis.zadd('board', { nx: true }, { score: 9, member: 'one' }), 0);
    assert.equal(await redis.zadd('board', { xx: true, ch: true }, { score: 9, member: 'one' }), 1);
    assert.equal(await redis.zadd('board', { gt: true, ch: true }, { score: 8, member: 'one' }), 0);
    assert.equal(await redis.zadd('board', { lt: true, ch: true }, { score: 8, member: 'one' }), 1);
  });

  test('ranges are by rank, by score and by letter', async () => {
    await fill();
    assert.deepEqual(await redis.zrange('board', 1, 3, { byScore: true }), ['one', 'two']);
    assert.deepEqual(await redis.zrange('board', '(1', '+inf', { byScore: true }), ['two']);
    assert.deepEqual(await redis.zrange('board', 0, 0, { rev: true }), ['two']);
    assert.deepEqual(await redis.zrange('board', '-inf', '+inf', { byScore: true, offset: 1, count: 1 }), ['one']);
    assert.equal(await redis.zcount('board', '-inf', 1), 2);
    assert.equal(await redis.zrank('board', 'one'), 1);
    assert.equal(await redis.zrevrank('board', 'one'), 1);
    assert.equal(await redis.zrank('board', 'nobody'), null);
    await redis.zadd('letters', ...['a', 'b', 'c', 'd'].map((member) => ({ score: 0, member })));
    assert.deepEqual(await redis.zrange('letters', '[b', '(d', { byLex: true }), ['b', 'c']);
    assert.equal(await redis.zlexcount('letters', '-', '+'), 4);
    assert.equal(await redis.zremrangebylex('letters', '[a', '[b'), 2);
  });

  test('members leave by name, rank, score or by being last', async () => {
    await fill();
    assert.deepEqual(await redis.zpopmax('board'), ['two', 2.5]);
    assert.deepEqual(await redis.zpopmin('board', 2), ['minus', -3, 'one', 1]);
    await fill();
    assert.equal(await redis.zrem('board', 'one', 'nobody'), 1);
    assert.equal(await redis.zremrangebyscore('board', '-inf', 0), 1);
    assert.equal(await redis.zremrangebyrank('board', 0, 0), 1);
    assert.equal(await redis.zcard('board'), 0);
  });

  test('sorted sets are joined, and scanned', async () => {
    await fill();
    await redis.zadd('other', { score: 10, member: 'one' });
    const union = await redis.zunion(2, ['board', 'other'], { withScores: true, weights: [1, 2] });
    assert.deepEqual(union, ['minus', -3, 'two', 2.5, 'one', 21]);
    assert.equal(await redis.zunionstore('kept', 2, ['board', 'other'], { aggregate: 'max' }), 3);
    assert.equal(await redis.zscore('kept', 'one'), 10);
    assert.equal(await redis.zinterstore('kept', 2, ['board', 'other']), 1);
    assert.equal(await redis.zscore('kept', 'one'), 11);
    assert.equal(await redis.zdiffstore('kept', 2, 'board', 'other'), 2);
    assert.deepEqual(await redis.zscan('board', 0, { match: 't*' }), ['0', ['two', 2.5]]);
  });
}

function streams(redis) {
  test('entries are added, read and trimmed', async () => {
    const id = await redis.xadd('stream', '*', { name: 'Ada', age: 36, tags: ['x'] });
    assert.match(id, /^\d+-\d+$/);
    assert.equal(await redis.xadd('stream', '99999999999999-1', { name: 'Bob' }), '99999999999999-1');
    assert.equal(await redis.xlen('stream'), 2);
    const all = { [id]: { name: 'Ada', age: 36, tags: ['x'] }, '99999999999999-1': { name: 'Bob' } };
    assert.deepEqual(await redis.xrange('stream', '-', '+'), all);
    assert.deepEqual(Object.keys(await redis.xrevrange('stream', '+', '-', 1)), ['99999999999999-1']);
    assert.deepEqual(await redis.xread('stream', id), [['stream', [['99999999999999-1', ['name', 'Bob']]]]]);
    assert.equal(await redis.xread('stream', '99999999999999-1'), null);
    assert.equal(await redis.xdel('stream', id), 1);
    assert.equal(await redis.xtrim('stream', { strategy: 'MAXLEN', exactness: '=', threshold: 0 }), 1);
    assert.deepEqual(await redis.xrange('stream', '-', '+'), {});
  });

  test('a group shares entries among its consumers', async () => {
    assert.equal(await redis.xgroup('stream', { type: 'CREATE', group: 'g', id: '$', options: { MKSTREAM: true } }), 'OK');
    assert.equal(await redis.xgroup('stream', { type: 'CREATECONSUMER', group: 'g', consumer: 'alice' }), 1);
    await redis.xadd('stream', '1-1', { n: 1 });
    await redis.xadd('stream', '1-2', { n: 2 });
    assert.deepEqual(await redis.xreadgroup('g', 'alice', 'stream', '>', { count: 1 }), [['stream', [['1-1', ['n', 1]]]]]);
    assert.deepEqual(await redis.xreadgroup('g', 'bob', 'stream', '>'), [['stream', [['1-2', ['n', 2]]]]]);
    const pending = (await redis.xpending('stream', 'g', '-', '+', 10)).map(([id, consumer, , times]) => [id, consumer, times]);
    assert.deepEqual(pending, [['1-1', 'alice', 1], ['1-2', 'bob', 1]]);
    assert.equal(await redis.xack('stream', 'g', '1-1'), 1);
    assert.deepEqual(await redis.xclaim('stream', 'g', 'alice', 0, '1-2', { justId: true }), ['1-2']);
    assert.deepEqual(await redis.xautoclaim('stream', 'g', 'bob', 0, '0-0', { justId: true }), ['0-0', ['1-2'], []]);
    assert.deepEqual(fieldsOf(await redis.xinfo('stream', { type: 'GROUPS' })), [{ name: 'g', consumers: 2, pending: 1 }]);
    assert.equal(await redis.xgroup('stream', { type: 'DESTROY', group: 'g' }), 1);
    await assert.rejects(redis.xreadgroup('g', 'alice', 'stream', '>'), /NOGROUP/);
  });
}

function fieldsOf(groups) {
  const names = ['name', 'consumers', 'pending'];
  return groups.map((words) => Object.fromEntries(names.map((name) => [name, words[words.indexOf(name) + 1]])));
}

function otherTypes(redis) {
  test('bits are set, counted and joined', async () => {
    assert.equal(await redis.setbit('bits', 7, 1), 0);
    assert.equal(await redis.setbit('bits', 3, 1), 0);
    assert.equal(await redis.getbit('bits', 7), 1);
    assert.equal(await redis.bitcount('bits'), 2);
    assert.equal(await redis.bitpos('bits', 1), 3);
    assert.equal(await redis.bitop('not', 'other', 'bits'), 1);
    assert.equal(await redis.bitcount('other'), 6);
  });

  test('a bitfield is read and written in one command', async () => {
    const field = redis.pipeline().bitfield('field');
    field.set('u4', 0, 15).incrby('u4', '#1', 1).overflow('SAT').incrby('u4', 0, 1).get('u8', 0);
    assert.deepEqual(await field.exec().exec(), [[0, 1, 15, 241]]);
  });

  test('places are found again', async () => {
    const [catania, palermo] = [
      { longitude: 15.087269, latitude: 37.502669, member: 'Catania' },
      { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' },
    ];
    assert.equal(await redis.geoadd('Sicily', catania, palermo), 2);
    assert.equal(Math.round(await redis.geodist('Sicily', 'Palermo', 'Catania', 'KM')), 166);
    assert.equal(await redis.geodist('Sicily', 'Palermo', 'nowhere'), null);
    assert.deepEqual(await redis.geohash('Sicily', 'Palermo', 'Catania'), ['sqc8b49rny0', 'sqdtr74hyu0']);
    const [{ lng, lat }] = await redis.geopos('Sicily', 'Palermo');
    assert.ok(Math.abs(lng - palermo.longitude) < 1e-5 && Math.abs(lat - palermo.latitude) < 1e-5);
    const from = { type: 'FROMLONLAT', coordinate: { lon: 15, lat: 37 } };
    const within = { type: 'BYRADIUS', radius: 200, radiusType: 'KM' };
    assert.deepEqual(await redis.geosearch('Sicily', from, within, 'ASC'), [{ member: 'Catania' }, { member: 'Palermo' }]);
    const all = { withCoord: true, withDist: true, withHash: true, count: { limit: 1 } };
    const [nearest] = await redis.geosearch('Sicily', from, within, 'ASC', all);
    assert.equal(nearest.member, 'Catania');
    assert.equal(Math.round(nearest.dist), 56);
    assert.equal(nearest.hash, '3479447370796909');
    assert.ok(Math.abs(nearest.coord.long - catania.longitude) < 1e-5);
    assert.equal(await redis.geosearchstore('near', 'Sicily', from, within, 'ASC', { count: { limit: 1 } }), 1);
  });

  test('a HyperLogLog counts what is different', async () => {
    assert.equal(await redis.pfadd('log', 'a', 'b', 'c', 'a'), 1);
    assert.equal(await redis.pfadd('other', 'c', 'd'), 1);
    assert.equal(await redis.pfcount('log'), 3);
    assert.equal(await redis.pfcount('log', 'other'), 4);
    assert.equal(await redis.pfmerge('both', 'log', 'other'), 'OK');
    assert.equal(await redis.pfcount('both'), 4);
  });
}
