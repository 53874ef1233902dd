//! Servers that are not the usual one: with a password and a database, with rules of their own, with another's REST API.

use serde_json::{Value, json};

use crate::{
    door::{Door, KEY, key_list, once},
    rest_server::RestServer,
    support::{Gateway, Redis},
};

fn door(redis: Redis, variables: &[(&str, &str)]) -> Door {
    let keys = key_list(&[json!({"name": "tests", "key": KEY})]);
    let mut all = variables.to_vec();
    all.push(("API_KEYS", &keys));
    Door { gateway: Gateway::with(&redis, &all), redis, inner: None }
}

/// The first connection of all waits for its login, later ones do not.
#[tokio::test]
async fn a_login_stands_before_each_form() {
    for first in ["run", "pipeline", "multi-exec"] {
        let redis = Redis::options().password("p@ss/w:rd").start();
        let url = format!("redis://:p%40ss%2Fw%3Ard@127.0.0.1:{}/3", redis.port());
        let door = door(redis, &[("REDIS_URL", &url)]);
        for form in [first, "run", "pipeline", "multi-exec"] {
            let commands = json!([["INCR", "n"], ["NOSUCH"], ["DECR", "n"]]);
            match form {
                "run" => assert_eq!(door.run(json!(["INCRBY", "n", 0])).await, 0),
                "pipeline" => assert_eq!(door.pipeline(commands).await[2], json!({"result": 0})),
                _ => {
                    assert_eq!(door.multi_exec(json!([["INCR", "n"], ["DECR", "n"]])).await[1], json!({"result": 0}));
                    let discarded = door.post("/redis/multi-exec").json(commands).send().await;
                    assert_eq!(once(&discarded).status, 400);
                }
            }
        }
        let in_third = "redis.call('SELECT', 3) return redis.call('GET', 'n')";
        assert_eq!(door.redis.run(&["EVAL", in_third, "0"]), "0");
        assert_eq!(door.redis.run(&["DBSIZE"]), 0);
    }
}

/// What the server denies to Ridge itself is the command's error, not Ridge's.
#[tokio::test]
async fn a_denial_of_the_servers_is_a_commands_error() {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "ridge", "on", ">secret", "~app:*", "+@all", "-flushall", "&*"]);
    let url = format!("redis://ridge:secret@127.0.0.1:{}", redis.port());
    let door = door(redis, &[("REDIS_URL", &url)]);
    assert_eq!(door.run(json!(["SET", "app:a", "x"])).await, "OK");
    for command in [json!(["GET", "other"]), json!(["FLUSHALL"])] {
        let (status, error) = door.fail(command.clone()).await;
        assert_eq!((status, error.starts_with("NOPERM ")), (400, true), "{command}: {error}");
    }
    let results = door.pipeline(json!([["GET", "app:a"], ["GET", "other"], ["GET", "app:a"]])).await;
    assert_eq!((&results[0], &results[2]), (&json!({"result": "x"}), &json!({"result": "x"})));
    let discarded = door.post("/redis/multi-exec").json(json!([["SET", "app:a", "y"], ["GET", "other"]])).send().await;
    assert_eq!((discarded.status, discarded.refusal().1.starts_with("NOPERM ")), (400, true));
    assert_eq!(door.redis.run(&["GET", "app:a"]), "x");
}

/// Without its `MULTI` the commands of a transaction run one by one: that is not told as if none had.
#[tokio::test]
async fn a_user_without_transactions_gets_none() {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "ridge", "on", ">secret", "~*", "+@all", "-multi"]);
    let url = format!("redis://ridge:secret@127.0.0.1:{}", redis.port());
    let door = door(redis, &[("REDIS_URL", &url)]);
    let commands = json!([["INCR", "n"], ["INCR", "n"]]);
    let answer = door.post("/redis/multi-exec").json(commands).send().await;
    assert_eq!(answer.refusal(), (502, "ERR A write was cut off, its outcome is unknown".into()));
    let answer = door.post("/redis/multi-exec").json(json!([["GET", "n"]])).send().await;
    assert_eq!(answer.status, 502);
}

/// A server that takes no more connections says so and hangs up.
#[tokio::test]
async fn a_server_with_too_many_clients_is_503() {
    full(door(Redis::own(), &[])).await;
    for path in ["", "/2"] {
        let redis = Redis::options().password("secret").start();
        let url = format!("redis://:secret@127.0.0.1:{}{path}", redis.port());
        full(door(redis, &[("REDIS_URL", &url)])).await;
    }
}

async fn full(door: Door) {
    // A login that has worked is not waited for.
    door.run(json!(["GET", "a"])).await;
    let mut others = Vec::new();
    door.redis.run(&["CONFIG", "SET", "maxclients", "1"]);
    others.push(std::net::TcpStream::connect(("127.0.0.1", door.redis.port())).unwrap());
    for (path, body) in [
        ("/redis", json!(["GET", "a"])),
        ("/redis", json!(["INCR", "n"])),
        ("/redis/pipeline", json!([["INCR", "n"], ["INCR", "n"]])),
        ("/redis/multi-exec", json!([["INCR", "n"], ["INCR", "n"]])),
    ] {
        let answer = door.post(path).json(body.clone()).send().await;
        assert_eq!((answer.status, answer.header("retry-after").is_empty()), (503, false), "{body}: {answer:?}");
        assert_eq!(answer.header("x-redis-round-trips"), "1", "{body}");
    }
}

/// Before a login Redis reads no long command to its end.
#[tokio::test]
async fn a_password_that_has_changed_refuses_long_commands_too() {
    let redis = Redis::options().password("first").start();
    let url = format!("redis://:first@127.0.0.1:{}", redis.port());
    let door = door(redis, &[("REDIS_URL", &url)]);
    door.run(json!(["GET", "a"])).await;
    door.redis.run(&["CONFIG", "SET", "requirepass", "second"]);
    let push = json!(["RPUSH", "l", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let answer = door.post("/redis/pipeline").json(json!([push, ["INCR", "n"]])).send().await;
    assert_eq!(answer.refusal(), (502, "ERR Redis refused our credentials".into()));
}

/// `@humanwhocodes/upstash-redis-server` shares nothing with Ridge. It has neither transactions nor base64, and
/// an error of a single command is a 500 there.
#[tokio::test]
async fn another_rest_server_does_as_well() {
    let redis = Redis::own();
    let rest = RestServer::start(&redis.url());
    let (url, token) = (rest.url(), RestServer::TOKEN);
    let variables = [("REDIS_URL", ""), ("UPSTASH_REDIS_REST_URL", &url), ("UPSTASH_REDIS_REST_TOKEN", token)];
    let door = door(redis, &variables);
    assert_eq!(door.run(json!(["SET", "foo", "ü\r\n", "EX", 100])).await, "OK");
    assert_eq!(door.run(json!(["GET", "foo"])).await, "ü\r\n");
    assert_eq!(door.run(json!(["MGET", "foo", "none"])).await, json!(["ü\r\n", null]));
    assert_eq!(door.run(json!(["INCRBY", "n", 7])).await, 7);
    assert_eq!(door.run_path("/redis/set/a%2Fb/c").await, "OK");
    assert_eq!(door.redis.run(&["GET", "a/b"]), "c");
    let results = door.pipeline(json!([["GET", "n"], ["LPUSH", "n", "x"], ["MONITOR"], ["INCR", "n"]])).await;
    assert_eq!((&results[0], &results[3]), (&json!({"result": "7"}), &json!({"result": 8})));
    assert!(results[1]["error"].as_str().unwrap().starts_with("WRONGTYPE"));
    assert!(results[2]["error"].as_str().unwrap().contains("MONITOR"));
    let unknown: Value = door.post("/redis/multi-exec").json(json!([["GET", "n"]])).send().await.json();
    assert!(unknown["error"].is_string());
}
