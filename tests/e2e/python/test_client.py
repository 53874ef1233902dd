"""upstash_redis.Redis against the built Worker: each command as its own documentation shows it, and the value that its users see.

The environment says where the gateway is, as it does for Redis.from_env(); CONFINED_TOKEN reaches the keys of app:* alone.
"""

import datetime
import os
import unittest

from upstash_redis import Redis
from upstash_redis.errors import UpstashError

URL = os.environ["UPSTASH_REDIS_REST_URL"]

LOCKING = "#!lua flags=allow-key-locking\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])\n"


class Client(unittest.TestCase):
    def setUp(self):
        self.redis = Redis.from_env()
        self.addCleanup(self.redis.close)
        self.assertIs(self.redis.flushdb(), True)


class Values(Client):
    def test_a_value_comes_back_as_text(self):
        self.assertIs(self.redis.set("a", "b"), True)
        self.assertEqual(self.redis.get("a"), "b")
        self.assertIsNone(self.redis.get("nothing"))
        for value, text in [(1, "1"), (1.5, "1.5"), (True, "true"), ({"name": "Ada", "tags": [1]}, '{"name": "Ada", "tags": [1]}'), ([1, None], "[1, null]")]:
            self.redis.set("a", value)
            self.assertEqual(self.redis.get("a"), text)

    def test_keys_and_values_hold_any_text(self):
        for text in ["grüße", "日本語", "👩‍👩‍👧 😀", "a b\tc\r\nd", "\x00\x01\x7f", "quote \" \\ '", "OK", "T0s=", "", "x" * 100_000]:
            self.assertIs(self.redis.set("key " + text, text), True)
            self.assertEqual(self.redis.get("key " + text), text)
            self.assertEqual(self.redis.mget("key " + text, "nothing"), [text, None])

    def test_integers_keep_their_digits(self):
        self.redis.set("large", 2**63 - 2)
        self.assertEqual(self.redis.incr("large"), 2**63 - 1)
        self.assertEqual(self.redis.get("large"), str(2**63 - 1))
        self.assertEqual(self.redis.decrby("large", 2**53 + 1), 2**63 - 2**53 - 2)
        self.assertEqual(self.redis.incrbyfloat("small", 0.5), 0.5)

    def test_set_has_its_options(self):
        tomorrow = datetime.datetime.now() + datetime.timedelta(days=1)
        self.assertIs(self.redis.set("a", "1", nx=True), True)
        self.assertIs(self.redis.set("a", "2", nx=True), False)
        self.assertIs(self.redis.set("a", "3", xx=True, ex=86_400), True)
        self.within_a_day(self.redis.ttl("a"))
        self.assertIs(self.redis.set("a", "4", keepttl=True), True)
        self.within_a_day(self.redis.ttl("a"))
        self.assertIs(self.redis.persist("a"), True)
        self.assertEqual(self.redis.ttl("a"), -1)
        self.assertIs(self.redis.expireat("a", tomorrow), True)
        self.within_a_day(self.redis.pttl("a") / 1000)
        self.assertIs(self.redis.expire("a", datetime.timedelta(hours=24)), True)
        self.assertEqual(self.redis.getex("a", persist=True), "4")
        self.assertEqual(self.redis.getdel("a"), "4")
        self.assertIs(self.redis.mset({"a": 1, "b": "2"}), True)
        self.assertIs(self.redis.msetnx({"b": 1, "c": 2}), False)

    def within_a_day(self, seconds):
        self.assertTrue(80_000 < seconds <= 86_400, seconds)

    def test_keys_are_found_and_scanned(self):
        self.redis.mset({f"user:{n}": n for n in range(50)})
        self.redis.sadd("user:set", "x")
        self.assertEqual(len(self.redis.keys("user:*")), 51)
        self.assertEqual(len(self.scanned(lambda cursor: self.redis.scan(cursor, match="user:1*", count=10))), 11)
        self.assertEqual(self.scanned(lambda cursor: self.redis.scan(cursor, type="set")), {"user:set"})
        self.assertEqual(self.redis.exists("user:1", "nothing"), 1)
        self.assertEqual(self.redis.type("user:set"), "set")
        self.assertIs(self.redis.rename("user:1", "user:one"), True)
        self.assertIs(self.redis.copy("user:one", "user:uno"), True)
        self.assertEqual(self.redis.delete("user:uno", "nothing"), 1)
        self.assertGreaterEqual(self.redis.dbsize(), 51)

    def scanned(self, page):
        found, cursor = set(), 0
        while True:
            cursor, keys = page(cursor)
            found.update(keys)
            if cursor == 0:
                return found


class Collections(Client):
    def test_hashes(self):
        self.assertEqual(self.redis.hset("ada", values={"name": "Ada", "year": 1815, "tags": ["x"]}), 3)
        self.assertEqual(self.redis.hgetall("ada"), {"name": "Ada", "year": "1815", "tags": '["x"]'})
        self.assertEqual(self.redis.hgetall("nothing"), {})
        self.assertEqual(self.redis.hmget("ada", "name", "nothing"), ["Ada", None])
        self.assertEqual(self.redis.hincrby("ada", "year", 1), 1816)
        self.assertEqual(self.redis.hincrbyfloat("ada", "year", 0.5), 1816.5)
        self.assertIs(self.redis.hexists("ada", "name"), True)
        self.assertEqual(self.redis.hdel("ada", "tags"), 1)
        self.assertEqual(self.redis.hscan("ada", 0, match="n*"), (0, {"name": "Ada"}))
        self.assertEqual(self.redis.hrandfield("ada", 5, withvalues=True), {"name": "Ada", "year": "1816.5"})

    def test_lists(self):
        self.assertEqual(self.redis.rpush("list", "a", "b", 3), 3)
        self.assertEqual(self.redis.lpush("list", "first"), 4)
        self.assertEqual(self.redis.lrange("list", 0, -1), ["first", "a", "b", "3"])
        self.assertEqual(self.redis.lpos("list", "b"), 2)
        self.assertEqual(self.redis.linsert("list", "BEFORE", "b", "x"), 5)
        self.assertEqual(self.redis.lmove("list", "other", "LEFT", "RIGHT"), "first")
        self.assertEqual(self.redis.lpop("list", 2), ["a", "x"])
        self.assertEqual(self.redis.rpop("list"), "3")
        self.assertIs(self.redis.lset("list", 0, "B"), True)
        self.assertIsNone(self.redis.lpop("nothing"))

    def test_sets(self):
        self.redis.sadd("left", "a", "b", "c")
        self.redis.sadd("right", "b", "c", "d")
        self.assertEqual(set(self.redis.smembers("left")), {"a", "b", "c"})
        self.assertIs(self.redis.sismember("left", "a"), True)
        self.assertEqual(self.redis.smismember("left", "a", "x"), [True, False])
        self.assertEqual(set(self.redis.sinter("left", "right")), {"b", "c"})
        self.assertEqual(self.redis.sdiff("left", "right"), ["a"])
        self.assertEqual(self.redis.sunionstore("kept", "left", "right"), 4)
        self.assertEqual(self.redis.sscan("left", 0, match="a*"), (0, ["a"]))
        self.assertEqual(self.redis.srem("left", "a", "x"), 1)

    def test_sorted_sets(self):
        self.assertEqual(self.redis.zadd("board", {"one": 1, "two": 2.5, "minus": -3}), 3)
        self.assertEqual(self.redis.zrange("board", 0, -1, withscores=True), [("minus", -3), ("one", 1), ("two", 2.5)])
        self.assertEqual(self.redis.zrange("board", "-inf", "(2.5", sortby="BYSCORE", offset=1, count=5), ["one"])
        self.assertEqual(self.redis.zscore("board", "two"), 2.5)
        self.assertIsNone(self.redis.zscore("board", "nobody"))
        self.assertEqual(self.redis.zmscore("board", ["one", "nobody"]), [1, None])
        self.assertAlmostEqual(self.redis.zincrby("board", 0.1, "two"), 2.6)
        self.assertEqual(self.redis.zadd("board", {"one": 1}, incr=True), 2)
        self.assertEqual(self.redis.zrank("board", "minus"), 0)
        self.assertEqual(self.redis.zcount("board", "-inf", "+inf"), 3)
        self.assertEqual(self.redis.zscan("board", 0, match="m*"), (0, [("minus", -3)]))
        self.assertEqual(self.redis.zpopmin("board", 2), [("minus", -3), ("one", 2)])
        self.assertEqual(self.redis.zunion(["board"], weights=[2], withscores=True)[0][0], "two")

    def test_streams(self):
        entry = self.redis.xadd("mystream", "*", {"field1": "value1", "field2": 2})
        self.assertRegex(entry, r"^\d+-\d+$")
        self.assertEqual(self.redis.xread({"mystream": "0-0"}), [["mystream", [[entry, ["field1", "value1", "field2", "2"]]]]])
        self.assertEqual(self.redis.xgroup_create("mystream", "mygroup", "0"), "OK")
        messages = self.redis.xreadgroup("mygroup", "consumer1", {"mystream": ">"})
        self.assertEqual(self.redis.xpending("mystream", "mygroup"), [1, entry, entry, [["consumer1", "1"]]])
        self.assertEqual(self.redis.xack("mystream", "mygroup", *[message[0] for message in messages[0][1]]), 1)
        self.assertEqual(self.redis.xreadgroup("mygroup", "consumer1", {"mystream": ">"}), [])
        self.assertEqual(self.redis.xlen("mystream"), 1)
        self.assertEqual(self.redis.xrange("mystream"), [[entry, ["field1", "value1", "field2", "2"]]])
        self.assertEqual(self.redis.xtrim("mystream", maxlen=0, approximate=False), 1)

    def test_bits_places_and_counts(self):
        field = self.redis.bitfield("test_key").incrby(encoding="i8", offset=100, increment=100).overflow("SAT")
        self.assertEqual(field.incrby(encoding="i8", offset=100, increment=100).execute(), [100, 127])
        self.assertEqual(self.redis.bitfield_ro("test_key_2").get(encoding="u8", offset=0).get(encoding="u8", offset="#1").execute(), [0, 0])
        self.assertEqual(self.redis.setbit("bits", 7, 1), 0)
        self.assertEqual(self.redis.bitcount("bits"), 1)
        self.assertEqual(self.redis.geoadd("Sicily", (13.361389, 38.115556, "Palermo"), (15.087269, 37.502669, "Catania")), 2)
        self.assertAlmostEqual(self.redis.geodist("Sicily", "Palermo", "Catania", "KM"), 166.2742, places=3)
        (longitude, latitude), nowhere = self.redis.geopos("Sicily", "Palermo", "nowhere")
        self.assertAlmostEqual(longitude, 13.361389, places=4)
        self.assertAlmostEqual(latitude, 38.115556, places=4)
        self.assertIsNone(nowhere)
        nearest = self.redis.geosearch("Sicily", unit="KM", longitude=15, latitude=37, radius=200, count=1, withdist=True, withcoord=True, withhash=True)
        self.assertEqual((nearest[0].member, round(nearest[0].distance), nearest[0].hash), ("Catania", 56, 3479447370796909))
        self.assertIs(self.redis.pfadd("log", "a", "b", "a"), True)
        self.assertEqual(self.redis.pfcount("log"), 2)


class Batches(Client):
    def test_a_pipeline_gives_all_answers(self):
        pipeline = self.redis.pipeline()
        pipeline.set("foo", 1)
        pipeline.incr("foo")
        pipeline.get("foo")
        self.assertEqual(pipeline.exec(), [True, 2, "2"])
        self.assertEqual(self.redis.pipeline().set("foo", 1).incr("foo").get("foo").exec(), [True, 2, "2"])

    def test_a_transaction_gives_all_answers(self):
        pipeline = self.redis.multi()
        pipeline.set("foo", 1)
        pipeline.incr("foo")
        pipeline.get("foo")
        self.assertEqual(pipeline.exec(), [True, 2, "2"])

    def test_an_error_in_a_batch_is_raised_when_the_rest_is_done(self):
        for batch in [self.redis.pipeline(), self.redis.multi()]:
            self.redis.delete("after")
            with self.assertRaisesRegex(UpstashError, "ERR value is not an integer or out of range"):
                batch.set("text", "x").incr("text").set("after", 1).exec()
            self.assertEqual(self.redis.get("after"), "1")

    def test_a_transaction_that_cannot_be_is_discarded(self):
        # The client expects a list and trips over what it gets instead; what matters is that nothing was done.
        with self.assertRaises(Exception):
            self.redis.multi().set("before", 1).execute(["GET"]).set("after", 1).exec()
        self.assertEqual(self.redis.mget("before", "after"), [None, None])

    def test_scripts(self):
        self.assertEqual(self.redis.eval("return {KEYS[1], ARGV[1], 3}", keys=["a"], args=["b"]), ["a", "b", 3])
        sha1 = self.redis.script_load("return ARGV[1]")
        self.assertEqual(self.redis.script_exists(sha1, "0" * 40), [True, False])
        self.assertEqual(self.redis.evalsha(sha1, args=["hello"]), "hello")
        self.assertEqual(self.redis.evalsha_ro(sha1, args=["hello"]), "hello")
        self.assertIs(self.redis.script_flush(), True)
        with self.assertRaisesRegex(UpstashError, "NOSCRIPT"):
            self.redis.evalsha(sha1)

    def test_a_script_with_upstash_s_own_flag(self):
        self.assertEqual(self.redis.eval(LOCKING, keys=["n"], args=["2"]), 2)
        sha1 = self.redis.script_load(LOCKING)
        self.assertEqual(self.redis.evalsha(sha1, keys=["n"], args=["3"]), 5)


class Requests(Client):
    def test_what_fails_says_why(self):
        self.redis.set("text", "x")
        for call, error in [
            (lambda: self.redis.incr("text"), "ERR value is not an integer or out of range"),
            (lambda: self.redis.lpush("text", "x"), "WRONGTYPE Operation against a key holding the wrong kind of value"),
            (lambda: self.redis.execute(["BLPOP", "list", 0]), "^ERR "),
            (lambda: self.redis.execute(["GET"]), "ERR wrong number of arguments for 'get' command"),
        ]:
            with self.assertRaisesRegex(UpstashError, error):
                call()

    def test_a_wrong_token_is_told_so(self):
        with Redis(url=URL, token="wrong") as stranger:
            with self.assertRaisesRegex(UpstashError, "^WRONGPASS invalid or missing auth token$"):
                stranger.get("a")

    def test_a_confined_key_hears_noperm(self):
        with Redis(url=URL, token=os.environ["CONFINED_TOKEN"]) as confined:
            self.assertIs(confined.set("app:a", 1), True)
            with self.assertRaisesRegex(UpstashError, "NOPERM this user has no permissions to access one of the keys used as arguments"):
                confined.get("other:a")
            with self.assertRaisesRegex(UpstashError, "NOPERM this user has no permissions to run the 'publish' command"):
                confined.publish("channel", "x")

    def test_custom_commands(self):
        self.redis.xadd("test_stream", "*", {"a": 1})
        self.assertEqual(self.redis.execute(command=["XLEN", "test_stream"]), 1)
        self.assertEqual(self.redis.ping(), "PONG")
        self.assertEqual(self.redis.echo("hello"), "hello")
        self.assertEqual(self.redis.client_setinfo("LIB-NAME", "mine"), "OK")
        self.assertGreater(self.redis.time()[0], 1_700_000_000)
        self.assertEqual(self.redis.publish("channel", "nobody hears it"), 0)

    def test_each_answer_brings_a_sync_token(self):
        redis, seen = self.redis, set()
        for call in [lambda: redis.set("a", 1), lambda: redis.get("a"), redis.pipeline().get("a").exec, redis.multi().get("a").exec]:
            call()
            seen.add(redis._sync_token)
        self.assertEqual(len(seen - {""}), 4)

    def test_without_base64(self):
        with Redis.from_env(rest_encoding=None) as redis:
            self.assertIs(redis.set("a", "grüße 😀"), True)
            self.assertEqual(redis.get("a"), "grüße 😀")
            self.assertEqual(redis.pipeline().get("a").hset("h", "f", "v").hgetall("h").exec(), ["grüße 😀", 1, {"f": "v"}])
