//! Over REST: what is asked of the backend, and that its answer goes through unread.

use serde_json::json;

use crate::{
    door::{Backend, KEY, key_list, refusal, refused_here},
    hostile::{Connection, Manner, Stranger},
    stream::Stream,
    support::Gateway,
};

/// Reads the head of a request, says this, and hangs up.
fn says(bytes: &'static str) -> Manner {
    Box::new(move |mut connection: Connection| {
        Box::pin(async move {
            connection.read_until(|request| request.windows(4).any(|four| four == b"\r\n\r\n")).await;
            connection.say(bytes.as_bytes()).await;
        })
    })
}

async fn in_front_of(says_this: &'static str) -> (Stranger, Gateway) {
    let stranger = Stranger::start(says(says_this), says("")).await;
    let url = format!("http://127.0.0.1:{}/base", stranger.port());
    let keys = key_list(&[
        json!({"name": "free", "key": KEY}),
        json!({"name": "bound", "key": "bound", "acl": "+@all ~* &*"}),
    ]);
    let variables = [
        ("UPSTASH_REDIS_REST_URL", url.as_str()),
        ("UPSTASH_REDIS_REST_TOKEN", "upstream-token"),
        ("API_KEYS", &keys),
        ("ENVIRONMENT", "development"),
    ];
    (stranger, Gateway::new(&variables))
}

#[tokio::test]
async fn the_stream_goes_through_as_it_is() {
    let (stranger, gateway) = in_front_of(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nupstash-sync-token: theirs\r\nconnection: close\r\n\r\n: odd\r\ndata:x\n\nevent: y",
    )
    .await;
    let call = gateway.get("/redis/subscribe/a%2Fb/c?_token=x&y=z").bearer(KEY);
    let call = call.header("upstash-sync-token", "mine").header("upstash-encoding", "base64").body("secret");
    let stream = Stream::open(call).await;
    assert_eq!(stream.headers["upstash-sync-token"], "theirs");
    assert_eq!(stream.into_text().await, ": odd\r\ndata:x\n\nevent: y");
    for (part, times) in [
        ("POST /base/subscribe/a%2Fb/c HTTP/1.1\r\n", 1),
        ("authorization: Bearer upstream-token\r\n", 1),
        ("accept: text/event-stream\r\n", 1),
        ("upstash-sync-token: mine\r\n", 1),
        ("secret", 0),
        ("upstash-encoding", 0),
        (KEY, 0),
    ] {
        assert_eq!(stranger.heard(part), times, "{part}");
    }
}

#[tokio::test]
async fn what_the_backend_refuses_is_answered() {
    for (says_this, status) in [
        ("HTTP/1.1 400 Bad Request\r\ncontent-length: 23\r\n\r\n{\"error\":\"NOPERM this\"}", 400),
        ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", 502),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", 502),
        ("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi", 502),
        ("HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", 503),
        ("", 503),
    ] {
        let (_stranger, gateway) = in_front_of(says_this).await;
        let answer = gateway.get("/redis/subscribe/chat").bearer(KEY).send().await;
        let (told, error) = refusal(&answer);
        assert_eq!(told, status, "{says_this:?}: {error}");
        assert!(status != 400 || error == "NOPERM this");
    }
}

/// Other servers might read another channel out of it than the ACL has seen.
#[tokio::test]
async fn a_bound_key_listens_to_nothing_ambiguous() {
    let (stranger, gateway) = in_front_of("").await;
    for channel in ["a%2Fb", "%2E%2E", "a%5Cb", "100%25", "h%3Fllo", "a%23", "a;b"] {
        for path in [format!("/redis/subscribe/{channel}"), format!("/redis/psubscribe/x/{channel}")] {
            let (status, error) = refused_here(&gateway.get(&path).bearer("bound").send().await);
            assert_eq!((status, error.starts_with("ERR Over REST")), (400, true), "{path}: {error}");
        }
    }
    assert_eq!(stranger.attempts(), 0);
    // Over TCP there is nobody between who could.
    let door = Backend::Tcp.open_with_acl("+@all ~* &*").await;
    let mut stream = door.listen("/redis/subscribe/a%2Fb").await;
    stream.until("subscribe,a/b,1\n\n").await;
}
