//! Who may listen to what, and what is answered to others: before a stream begins, and in most cases before Redis is asked.

use serde_json::json;

use crate::{
    door::{Backend, KEY, NO_CHANNEL, NO_KEY, key_list, no_command, refusal, refused_here},
    stream::Stream,
    support::{Redis, token},
};

over_both_backends![
    a_key_of_the_scope_is_needed,
    an_acl_says_which_channels,
    an_acl_says_which_patterns,
    who_sees_not_all_keys_is_not_told_what_happens_to_them,
    what_is_no_channel_is_400,
    other_methods_are_405,
    a_head_asks_nobody,
];

async fn a_key_of_the_scope_is_needed(backend: Backend) {
    let keys =
        key_list(&[json!({"name": "a", "key": KEY}), json!({"name": "b", "key": "other-scope", "scopes": ["rest"]})]);
    let door = backend.open_with(&[("API_KEYS", &keys)]).await;
    for path in ["/redis/subscribe/chat", "/redis/psubscribe/chat*", "/redis/monitor"] {
        let call = || door.gateway.get(path);
        let wrongpass = (401, "WRONGPASS invalid or missing auth token".to_owned());
        assert_eq!(refused_here(&call().send().await), wrongpass);
        assert_eq!(refused_here(&call().bearer("wrong").send().await), wrongpass);
        assert_eq!(refused_here(&call().bearer(&token::of("alice", "admin")).send().await).0, 403);
        assert_eq!(refused_here(&call().bearer("other-scope").send().await).0, 403);
        for call in
            [call().header("x-api-key", KEY), call().bearer(KEY), door.gateway.get(&format!("{path}?_token={KEY}"))]
        {
            Stream::open(call).await.until("\n\n").await;
        }
    }
}

async fn an_acl_says_which_channels(backend: Backend) {
    let door = backend.open_with_acl("+subscribe &chat:* &news").await;
    for channels in ["chat:1", "news", "news/chat:", "chat:%C3%BC"] {
        door.listen(&format!("/redis/subscribe/{channels}")).await.until("\n\n").await;
    }
    for channels in ["chat", "News", "news/other", "other/news", "news%00", "__keyspace@0__:a"] {
        let answer = door.get(&format!("/redis/subscribe/{channels}")).send().await;
        assert_eq!(refused_here(&answer), (400, NO_CHANNEL.to_owned()), "{channels}");
    }
    assert_eq!(refused_here(&door.get("/redis/psubscribe/news").send().await), (400, no_command("psubscribe")));
    assert_eq!(refused_here(&door.get("/redis/monitor").send().await), (400, no_command("monitor")));
    door.is_left_alone().await;
}

async fn an_acl_says_which_patterns(backend: Backend) {
    let door = backend.open_with_acl("+psubscribe &chat:* &news").await;
    for patterns in ["chat:*", "news", "news/chat:*"] {
        door.listen(&format!("/redis/psubscribe/{patterns}")).await.until("\n\n").await;
    }
    // Redis wants a pattern to be the very rule.
    for patterns in ["*", "chat:1", "chat:1*", "news*", "news/*"] {
        let answer = door.get(&format!("/redis/psubscribe/{patterns}")).send().await;
        assert_eq!(refused_here(&answer), (400, NO_CHANNEL.to_owned()), "{patterns}");
    }
    assert_eq!(refused_here(&door.get("/redis/subscribe/news").send().await), (400, no_command("subscribe")));
}

async fn who_sees_not_all_keys_is_not_told_what_happens_to_them(backend: Backend) {
    let some = backend.open_with_acl("+@all &* ~app:*").await;
    for path in ["subscribe/__keyspace@0__:app:1", "subscribe/__keyevent@0__:set", "psubscribe/*", "psubscribe/__key*"]
    {
        let answer = some.get(&format!("/redis/{path}")).send().await;
        assert_eq!(refused_here(&answer), (400, NO_CHANNEL.to_owned()), "{path}");
    }
    assert_eq!(refused_here(&some.get("/redis/monitor").send().await), (400, NO_KEY.to_owned()));
    some.listen("/redis/subscribe/app").await.until("\n\n").await;

    let all = backend.open_with_acl("+@all &* ~*").await;
    all.redis.run(&["CONFIG", "SET", "notify-keyspace-events", "KA"]);
    all.listen("/redis/monitor").await.until("\n\n").await;
    let mut stream = all.listen("/redis/psubscribe/__key*").await;
    stream.until("\n\n").await;
    assert_eq!(all.run(json!(["SET", "k", "v"])).await, "OK");
    stream.until("pmessage,__key*,__keyspace@0__:k,set\n\n").await;
}

async fn what_is_no_channel_is_400(backend: Backend) {
    let door = backend.open().await;
    let empty = (400, "ERR A channel is empty".to_owned());
    for path in ["subscribe/a/", "subscribe//a", "subscribe//", "psubscribe/a//b"] {
        assert_eq!(refused_here(&door.get(&format!("/redis/{path}")).send().await), empty, "{path}");
    }
    let cut_off = (400, "ERR A '?' in a channel or pattern is written %3F".to_owned());
    for path in ["psubscribe/h?llo", "subscribe/what?", "psubscribe/a?&b=c"] {
        assert_eq!(refused_here(&door.get(&format!("/redis/{path}")).send().await), cut_off, "{path}");
    }
    for path in ["subscribe", "subscribe/", "psubscribe", "monitor/", "monitor/x", "Subscribe/a"] {
        let (status, error) = refused_here(&door.get(&format!("/redis/{path}")).send().await);
        assert_eq!((status, error.contains("special context path")), (400, true), "{path}: {error}");
    }
}

async fn other_methods_are_405(backend: Backend) {
    let door = backend.open().await;
    for path in ["/redis/subscribe/chat", "/redis/psubscribe/chat", "/redis/monitor"] {
        for method in ["PUT", "DELETE", "PATCH"] {
            let answer = door.gateway.call(method, path).bearer(KEY).send().await;
            assert_eq!(refused_here(&answer).0, 405);
            assert_eq!(answer.header("allow"), "GET,HEAD,POST");
        }
    }
}

async fn a_head_asks_nobody(backend: Backend) {
    let door = backend.open_with_acl("+subscribe &chat").await;
    let answer = door.gateway.call("HEAD", "/redis/subscribe/chat").bearer(KEY).send().await;
    assert_eq!((answer.status, answer.text(), answer.header("content-type")), (200, "", "text/event-stream"));
    assert_eq!(answer.header("x-redis-round-trips"), "0");
    assert_eq!(door.gateway.call("HEAD", "/redis/subscribe/other").bearer(KEY).send().await.status, 400);
    assert_eq!(door.calls("subscribe"), 0);
}

#[tokio::test]
async fn what_redis_denies_is_400() {
    let redis = Redis::own();
    redis.run(&["ACL", "SETUSER", "edge", "on", ">pass", "~*", "&news", "+@all", "-monitor"]);
    let url = format!("redis://edge:pass@127.0.0.1:{}", redis.port());
    let door = Backend::Tcp.open_on(redis, &[("REDIS_URL", &url)]).await;
    door.listen("/redis/subscribe/news").await.until("\n\n").await;
    for (path, part) in [("subscribe/chat", "channels"), ("subscribe/news/chat", "channels"), ("monitor", "'monitor'")]
    {
        let (status, error) = refusal(&door.get(&format!("/redis/{path}")).send().await);
        assert_eq!((status, &error[..7], error.contains(part)), (400, "NOPERM ", true), "{error}");
    }
    door.is_left_alone().await;
}
