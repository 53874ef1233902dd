"""upstash_redis.asyncio.Redis against the built Worker. What its commands give is what test_client.py says; here it is awaited."""

import asyncio
import os
import unittest

from upstash_redis.asyncio import Redis
from upstash_redis.errors import UpstashError

URL = os.environ["UPSTASH_REDIS_REST_URL"]


class AsyncClient(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        self.redis = Redis.from_env()
        self.assertIs(await self.redis.flushdb(), True)

    async def asyncTearDown(self):
        await self.redis.close()

    async def test_a_value_comes_back(self):
        self.assertIs(await self.redis.set("a", "b"), True)
        self.assertEqual(await self.redis.get("a"), "b")
        self.assertIsNone(await self.redis.get("nothing"))

    async def test_many_ask_at_once_and_none_gets_what_is_anothers(self):
        await asyncio.gather(*[self.redis.set(f"key:{n}", n) for n in range(50)])
        values = await asyncio.gather(*[self.redis.get(f"key:{n}") for n in range(50)])
        self.assertEqual(values, [str(n) for n in range(50)])
        await asyncio.gather(*[self.redis.incr("n") for _ in range(50)])
        self.assertEqual(await self.redis.get("n"), "50")

    async def test_pipelines_and_transactions(self):
        for batch in [self.redis.pipeline(), self.redis.multi()]:
            self.assertEqual(await batch.set("foo", 1).incr("foo").get("foo").exec(), [True, 2, "2"])
            with self.assertRaisesRegex(UpstashError, "ERR value is not an integer or out of range"):
                await batch.set("text", "x").incr("text").exec()

    async def test_streams(self):
        await self.redis.xgroup_create("mystream", "processors", "$", mkstream=True)
        entry = await self.redis.xadd("mystream", "*", {"user": "alice", "action": "login"})
        expected = [["mystream", [[entry, ["user", "alice", "action", "login"]]]]]
        self.assertEqual(await self.redis.xread({"mystream": "0-0"}), expected)
        self.assertEqual(await self.redis.xreadgroup("processors", "worker1", {"mystream": ">"}), expected)

    async def test_scripts(self):
        sha1 = await self.redis.script_load("return redis.call('INCRBY', KEYS[1], ARGV[1])")
        self.assertEqual(await self.redis.evalsha(sha1, keys=["n"], args=["2"]), 2)
        self.assertEqual(await self.redis.eval("return ARGV", args=["a", "b"]), ["a", "b"])

    async def test_bitfields(self):
        field = self.redis.bitfield("test_key").incrby(encoding="i8", offset=100, increment=100).overflow("SAT")
        self.assertEqual(await field.incrby(encoding="i8", offset=100, increment=100).execute(), [100, 127])

    async def test_errors(self):
        async with Redis(url=URL, token="wrong") as stranger:
            with self.assertRaisesRegex(UpstashError, "^WRONGPASS invalid or missing auth token$"):
                await stranger.get("a")
        async with Redis(url=URL, token=os.environ["CONFINED_TOKEN"]) as confined:
            self.assertIs(await confined.set("app:a", 1), True)
            with self.assertRaisesRegex(UpstashError, "^NOPERM "):
                await confined.get("other:a")
