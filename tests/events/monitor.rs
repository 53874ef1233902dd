//! `/redis/monitor`: every command that the server runs, and nobody's address.

use serde_json::json;

use crate::door::Backend;

over_both_backends![commands_of_all_clients_are_shown, a_command_may_be_long];

/// The events behind the first that speak of `k`, without the time, which must be one.
fn shown(events: &[&str]) -> Vec<String> {
    let about = events.iter().skip(1).filter(|event| event.contains("\"k\""));
    about
        .map(|event| {
            let (time, rest) = event.split_once(' ').unwrap();
            assert!(time.parse::<f64>().unwrap() > 1.0e9, "{event}");
            rest.to_owned()
        })
        .collect()
}

async fn commands_of_all_clients_are_shown(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/monitor").await;
    stream.until("\n\n").await;
    assert_eq!(stream.text, "data: \"OK\"\n\n");
    door.redis.run(&["SET", "k", "a \"b\"\r\nc] \"d\" [0 1.2.3.4:5]"]);
    door.redis.run(&["EVAL", "return redis.call('DEL', KEYS[1])", "1", "k"]);
    assert_eq!(door.run(json!(["INCR", "k"])).await, 1);
    stream.until("\"INCR\" \"k\"\n\n").await;
    assert_eq!(
        shown(&stream.events()),
        [
            r#"[0 0.0.0.0:0] "SET" "k" "a \"b\"\r\nc] \"d\" [0 1.2.3.4:5]""#,
            r#"[0 0.0.0.0:0] "EVAL" "return redis.call('DEL', KEYS[1])" "1" "k""#,
            r#"[0 lua] "DEL" "k""#,
            r#"[0 0.0.0.0:0] "INCR" "k""#,
        ]
    );
    assert!(!stream.text.contains("127.0.0.1"));
}

async fn a_command_may_be_long(backend: Backend) {
    let door = backend.open().await;
    let mut stream = door.listen("/redis/monitor").await;
    stream.until("\n\n").await;
    let value = "v".repeat(1 << 20);
    for _ in 0..3 {
        door.redis.run(&["SET", "k", &value]);
    }
    door.redis.run(&["GET", "k"]);
    stream.until("\"GET\" \"k\"\n\n").await;
    let set = format!("[0 0.0.0.0:0] \"SET\" \"k\" \"{value}\"");
    assert!(shown(&stream.events()) == [set.clone(), set.clone(), set, "[0 0.0.0.0:0] \"GET\" \"k\"".to_owned()]);
}
