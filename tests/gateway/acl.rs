//! SPEC 10 on the gateway: what a key may do there.

use serde_json::{Value, json};

use crate::door::{Backend, Door, NO_CHANNEL, NO_KEY, no_command, once, refused_here};

over_both_backends![
    what_is_not_allowed_is_noperm,
    keys_are_for_reading_for_writing_or_for_both,
    nothing_is_allowed_by_default,
    every_form_is_bound,
    a_denied_command_stands_in_its_place_and_is_not_sent,
    a_denied_command_discards_a_transaction,
    a_selector_is_a_rule_of_its_own,
    channels_are_bound,
    what_reaches_other_keys_needs_all_keys,
    with_all_keys_they_are_for_the_rules_to_say,
    what_is_in_no_table_is_for_those_who_may_do_everything,
    a_wrong_arity_is_told_before_a_denial,
    what_is_refused_to_all_is_refused_with_its_own_text,
    no_path_leads_around_the_rules,
    a_denial_is_one_line_of_resp,
];

impl Door {
    /// The error of a command that is not sent. It is the same in a body and in a path.
    async fn denied(&self, words: &[&str]) -> String {
        let in_body = refused_here(&self.post("/redis").json(json!(words)).send().await);
        let escape = |word: &&str| word.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let path: Vec<String> = words.iter().map(escape).collect();
        let in_path = refused_here(&self.get(&format!("/redis/{}", path.join("/"))).send().await);
        assert_eq!((in_body.0, &in_body), (400, &in_path), "{words:?}");
        in_body.1
    }
}

async fn what_is_not_allowed_is_noperm(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@read +set +object|encoding -hget").await;
    assert_eq!(door.run(json!(["SET", "app:a", "1"])).await, "OK");
    assert_eq!(door.run(json!(["GET", "app:a"])).await, "1");
    assert_eq!(door.run(json!(["OBJECT", "ENCODING", "app:a"])).await, "int");
    for (words, error) in [
        (&["DEL", "app:a"][..], no_command("del")),
        (&["dEl", "app:a"], no_command("del")),
        (&["FLUSHALL"], no_command("flushall")),
        (&["HGET", "app:a", "f"], no_command("hget")),
        (&["PING"], no_command("ping")),
        (&["XGROUP", "CREATE", "app:s", "g", "0"], no_command("xgroup|create")),
        (&["ACL", "WHOAMI"], no_command("acl|whoami")),
        (&["GET", "other"], NO_KEY.into()),
        (&["GET", "app"], NO_KEY.into()),
        (&["GET", " app:a"], NO_KEY.into()),
        (&["GET", "APP:a"], NO_KEY.into()),
        (&["GET", ""], NO_KEY.into()),
        (&["MGET", "app:a", "other"], NO_KEY.into()),
        (&["SET", "other", "1"], NO_KEY.into()),
    ] {
        assert_eq!(door.denied(words).await, error, "{words:?}");
    }
    assert_eq!(door.redis.run(&["DBSIZE"]), 1);
}

async fn keys_are_for_reading_for_writing_or_for_both(backend: Backend) {
    let door = backend.open_with_acl("+@all %R~read:* %W~write:* ~both:*").await;
    door.redis.run(&["MSET", "read:a", "r", "both:a", "b"]);
    assert_eq!(door.run(json!(["GET", "read:a"])).await, "r");
    assert_eq!(door.run(json!(["COPY", "read:a", "write:a"])).await, 1);
    assert_eq!(door.run(json!(["SET", "write:a", "x"])).await, "OK");
    assert_eq!(door.run(json!(["GETSET", "both:a", "x"])).await, "b");
    for words in [
        &["SET", "read:a", "x"][..],
        &["GET", "write:a"],
        &["GETSET", "write:a", "x"],
        &["SET", "write:a", "x", "GET"],
        &["COPY", "write:a", "read:a"],
        &["RENAME", "read:a", "both:b"],
        &["INCR", "write:n"],
        &["SUNIONSTORE", "read:x", "both:a"],
    ] {
        assert_eq!(door.denied(words).await, NO_KEY, "{words:?}");
    }
}

async fn nothing_is_allowed_by_default(backend: Backend) {
    let door = backend.open_with_acl("").await;
    for words in [&["GET", "a"][..], &["PING"], &["SCAN", "0"], &["PUBLISH", "c", "m"]] {
        assert_eq!(door.denied(words).await, no_command(&words[0].to_lowercase()), "{words:?}");
    }
    // What libraries say of themselves is not theirs to be denied.
    let set_info = door.post("/redis").json(json!(["CLIENT", "SETINFO", "LIB-NAME", "x"])).send().await;
    assert_eq!(set_info.ok(), json!({"result": "OK"}));
}

async fn every_form_is_bound(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all").await;
    door.redis.run(&["SET", "other", "secret"]);
    let refusal = (400, NO_KEY.to_owned());
    for (path, body) in [
        ("/redis/get/other", ""),
        ("/redis/get/%6fther", ""),
        ("/redis/get", "other"),
        ("/redis/mget/app:a", "other"),
        ("/redis/mget/app:a?other", ""),
        ("/redis/mget?app:a=other", ""),
        ("/redis/mget/app:a?app:b=%6Fther", ""),
        ("/redis/set/app:a?x=y&GET&z", "other"),
    ] {
        let answer = door.post(path).body(body).send().await;
        if path.starts_with("/redis/set") {
            assert_eq!((answer.status, answer.json()), (400, json!({"error": "ERR syntax error"})), "{path}");
        } else {
            assert_eq!(refused_here(&answer), refusal, "{path}");
        }
    }
    // A store at the end of a query is a key as well.
    let store = door.get("/redis/georadius/app:g/1/1/1/m?STORE=other").send().await;
    assert_eq!(refused_here(&store), refusal);
    let store = door.get("/redis/sort/app:l?ALPHA&STORE=other").send().await;
    assert_eq!(refused_here(&store), refusal);
    assert_eq!(door.redis.run(&["GET", "other"]), "secret");
}

async fn a_denied_command_stands_in_its_place_and_is_not_sent(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all -flushall").await;
    let results = door
        .pipeline(json!([
            ["SET", "app:a", "1"],
            ["FLUSHALL"],
            ["GET", "other"],
            ["INCR", "app:a"],
            ["DBSIZE"],
            ["GET", "app:a"]
        ]))
        .await;
    let expected = json!([
        {"result": "OK"}, {"error": no_command("flushall")}, {"error": NO_KEY}, {"result": 2}, {"error": NO_KEY}, {"result": "2"}
    ]);
    assert_eq!(results, expected);
    assert_eq!((door.calls("flushall"), door.redis.run(&["EXISTS", "app:a"])), (0, json!(1)));
    let all = door.post("/redis/pipeline").json(json!([["GET", "other"], ["FLUSHALL"]])).send().await;
    assert_eq!(
        (all.ok(), all.header("x-redis-round-trips")),
        (json!([{"error": NO_KEY}, {"error": no_command("flushall")}]), "0")
    );
}

async fn a_denied_command_discards_a_transaction(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all -flushall").await;
    for denied in [json!(["FLUSHALL"]), json!(["GET", "other"])] {
        for commands in [json!([["SET", "app:a", "1"], denied]), json!([denied, ["SET", "app:a", "1"]])] {
            let (status, error) = refused_here(&door.post("/redis/multi-exec").json(commands).send().await);
            assert_eq!((status, error.starts_with("NOPERM ")), (400, true), "{error}");
        }
    }
    assert_eq!(door.redis.run(&["DBSIZE"]), 0);
}

async fn a_selector_is_a_rule_of_its_own(backend: Backend) {
    let door = backend.open_with_acl("~cache:* +get +set (~queue:* +lpush +rpop)").await;
    assert_eq!(door.run(json!(["SET", "cache:a", "1"])).await, "OK");
    assert_eq!(door.run(json!(["LPUSH", "queue:a", "1"])).await, 1);
    assert_eq!(door.denied(&["GET", "queue:a"]).await, NO_KEY);
    assert_eq!(door.denied(&["LPUSH", "cache:a", "1"]).await, NO_KEY);
    assert_eq!(door.denied(&["DEL", "cache:a"]).await, no_command("del"));
}

async fn channels_are_bound(backend: Backend) {
    let door = backend.open_with_acl("+@all ~app:* &chat:*").await;
    assert_eq!(door.run(json!(["PUBLISH", "chat:1", "x"])).await, 0);
    assert_eq!(door.denied(&["PUBLISH", "news", "x"]).await, NO_CHANNEL);
    let all = backend.open_with_acl("+@all ~app:* &*").await;
    assert_eq!(all.run(json!(["PUBLISH", "news", "x"])).await, 0);
    for channel in ["__keyspace@0__:other", "__keyevent@0__:set"] {
        assert_eq!(all.denied(&["PUBLISH", channel, "x"]).await, NO_CHANNEL);
    }
}

/// Words that Redis would take, so that nothing but the keys is in the way.
const REACH_OTHERS: &[&str] = &[
    "EVAL return~1 0",
    "EVAL_RO return~1 1 app:a",
    "EVALSHA e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
    "EVALSHA_RO e0e1f9fabfc9d4800c877a703b823ac0578ff8db 0",
    "SCRIPT LOAD return~1",
    "SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db",
    "SCRIPT FLUSH",
    "FCALL f 0",
    "FCALL_RO f 0",
    "FUNCTION LIST",
    "FUNCTION FLUSH",
    "FUNCTION DELETE l",
    "SORT app:list BY other:*",
    "SORT app:list GET other:*",
    "SORT_RO app:list GET #",
    "RANDOMKEY",
    "DBSIZE",
    "KEYS app:*",
    "KEYS *",
    "FLUSHDB",
    "FLUSHALL",
];

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(|word| word.replace('~', " ")).collect()
}

async fn what_reaches_other_keys_needs_all_keys(backend: Backend) {
    let door = backend.open_with_acl("~app:* %R~* &* +@all").await;
    for text in REACH_OTHERS {
        let words = words(text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert_eq!(door.denied(&words).await, NO_KEY, "{text}");
    }
    assert_eq!(door.run(json!(["SORT", "app:list", "LIMIT", 0, 1])).await, json!([]));
}

async fn with_all_keys_they_are_for_the_rules_to_say(backend: Backend) {
    let all = backend.open_with_acl("~* +@all").await;
    let none = backend
        .open_with_acl("~* +@all -@scripting -sort -sort_ro -randomkey -dbsize -keys -flushall -flushdb -acl")
        .await;
    for text in REACH_OTHERS {
        let words = words(text);
        once(&all.post("/redis").json(json!(words)).send().await);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        assert!(none.denied(&words).await.starts_with("NOPERM this user has no permissions to run the "), "{text}");
    }
    assert_eq!(all.run(json!(["EVAL", "return 7", 0])).await, 7);
}

async fn what_is_in_no_table_is_for_those_who_may_do_everything(backend: Backend) {
    for (acl, may) in
        [("~* &* +@all", true), ("~* +@all", false), ("~* &* +@all -get", false), ("~app:* &* +@all", false)]
    {
        let door = backend.open_with_acl(acl).await;
        for (words, name) in [(["NOSUCH", "a"], "nosuch"), (["OBJECT", "NOSUCH"], "object|nosuch")] {
            if may {
                let (status, error) = door.fail(json!(words)).await;
                assert_eq!((status, error.starts_with("ERR unknown ")), (400, true), "{acl}: {error}");
            } else {
                assert_eq!(door.denied(&words).await, no_command(name), "{acl}");
            }
        }
    }
}

async fn a_wrong_arity_is_told_before_a_denial(backend: Backend) {
    let door = backend.open_with_acl("~app:* +get").await;
    for (words, name) in [(&["GET"][..], "get"), (&["SET", "other"], "set"), (&["GET", "app:a", "x"], "get")] {
        assert_eq!(door.denied(words).await, format!("ERR wrong number of arguments for '{name}' command"));
    }
}

async fn what_is_refused_to_all_is_refused_with_its_own_text(backend: Backend) {
    let (bound, free) = (backend.open_with_acl("").await, backend.open().await);
    for words in [&["MONITOR"][..], &["CONFIG", "GET", "*"], &["BLPOP", "a", "0"], &["SELECT", "1"]] {
        assert_eq!(bound.denied(words).await, free.denied(words).await);
    }
}

async fn no_path_leads_around_the_rules(backend: Backend) {
    let door = backend.open_with_acl("~app:* +@all").await;
    door.redis.run(&["MSET", "secret", "!!!", "a/secret", "!!!", "app:", "mine", "app:x", "mine"]);
    for path in [
        "/redis/get/app:%2F..%2Fsecret",
        "/redis/get/app:x/../secret",
        "/redis/get/app:x/%2e%2e/secret",
        "/redis/get/app:x%2F%2E%2E%2Fsecret",
        "/redis/get/app:x%5C..%5Csecret",
        "/redis/get/app:x%252f..%252fsecret",
        "/redis/get/app:%2F%2Fsecret",
        "/redis/get/app:x%3F/../secret",
        "/redis/get/app:x%23/../secret",
        "/redis/get/./secret",
        "/redis/get/%2e/secret",
        "/redis/get//secret",
        "/redis//get/secret",
        "/redis/get;x/secret",
        "/redis/get/app:x;/secret",
        "/redis/get/secret%00app:",
        "/redis/get/app:x%0D%0Asecret",
        "/redis/mget/app:x%2Fsecret",
        "/redis/mget/app:x%20secret",
        "/redis/mget/app:x%09secret",
        "/redis/mget/app:x?app:y=app:z%26secret",
        "/redis/mget/app:x?app:y=app:z%3Bsecret",
        "/redis/mget/app:x?app:y;secret",
        "/redis/mget/app:x?app:y%00=app:z",
        "/redis/mget/app:x?app:%2525=app:z",
        "/redis/pipeline/../get/secret",
        "/redis/get/app:x/../../pipeline",
    ] {
        for call in [door.get(path), door.call(http::Method::HEAD, path), door.post(path).body("app:x")] {
            let answer = call.send().await;
            assert!([200, 400].contains(&answer.status), "{path}: {answer:?}");
            assert!(!answer.text().contains("!!!"), "{path}: {}", answer.text());
        }
    }
}

async fn a_denial_is_one_line_of_resp(backend: Backend) {
    let door = backend.open_with_acl("~app:* +echo").await;
    let commands: Value = json!([["NO\r\n+SUCH\r\n", "x"], ["ECHO", "x"]]);
    let answer = door.post("/redis/pipeline").header("upstash-response-format", "resp2").json(commands).send().await;
    assert_eq!(answer.text(), format!("-{}\r\n$1\r\nx\r\n", no_command("no  +such  ")));
}
