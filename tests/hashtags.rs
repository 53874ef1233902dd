//! SPEC 5, hashtags: words of any script, from the content and from the body, in lower case and each once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod social;
mod support;

use serde_json::{Value, json};
use social::{World, id_of, unique_tag};
use support::{Answer, audit::audit};

async fn post(world: &World, author: &str, body: impl Into<Value>) -> Answer {
    world.post("/posts").user(author).json(body).send().await
}

/// Refused, and the sentence names the field.
fn assert_names(answer: &Answer, field: &str) {
    assert_eq!(answer.code(), (400, "bad_request".into()), "{}", answer.text());
    assert!(answer.refusal().1.contains(&format!("'{field}'")), "{}", answer.text());
}

#[tokio::test]
async fn hashtags_of_the_content_come_first_then_those_of_the_body_without_repeats() {
    let world = World::shared();
    let name = world.user("tags").await;
    let body =
        json!({"content": "#One, (#two)#three! ##four a#five #one #", "hashtags": ["#TWO", "six", " Seven ", "one"]});
    let post = world.draft(&name, body).await;
    assert_eq!(post["hashtags"], json!(["one", "two", "three", "four", "five", "six", "seven"]));
}

#[tokio::test]
async fn hashtags_are_words_of_any_script_and_found_in_any_case() {
    let world = World::shared();
    let name = world.user("scripts").await;
    for (content, tag, searched) in [
        ("#GRÜSSE aus Köln", "grüsse", "Gr%C3%BCsse"),
        ("#ПриветМир!", "приветмир", "%D0%9F%D0%A0%D0%98%D0%92%D0%95%D0%A2%D0%9C%D0%98%D0%A0"),
        ("今日は#日本語、です", "日本語", "%E6%97%A5%E6%9C%AC%E8%AA%9E"),
        ("#ΑΘΗΝΑ", "αθηνα", "%CE%91%CE%B8%CE%B7%CE%BD%CE%B1"),
        ("#a_1_ü", "a_1_ü", "%23A_1_%C3%9C"),
        ("#٣٤٥", "٣٤٥", "%D9%A3%D9%A4%D9%A5"),
        ("#İzmir", "izmir", "%C4%B0zmir"),
    ] {
        let post = world.draft(&name, json!({"content": content})).await;
        assert_eq!(post["hashtags"], json!([tag]), "{content}");
        for path in [format!("/feed/hashtag/{searched}"), format!("/feed/hashtag/{searched}/ranked")] {
            assert_eq!(world.ids(&name, &path).await, [id_of(&post)], "{path}");
        }
    }
}

#[tokio::test]
async fn the_first_thirty_hashtags_count() {
    let world = World::shared();
    let name = world.user("many").await;
    let stem = unique_tag("n");
    let tags = |from: usize, to: usize| (from..to).map(|n| format!("{stem}_{n}")).collect::<Vec<_>>();
    let content: String = tags(0, 20).iter().map(|tag| format!("#{tag} ")).collect();
    let post = world.draft(&name, json!({"content": content, "hashtags": tags(10, 40)})).await;
    assert_eq!(post["hashtags"], json!(tags(0, 30)));
    assert!(world.exists(&format!("hashtag:{stem}_29:posts")) && !world.exists(&format!("hashtag:{stem}_30:posts")));
}

#[tokio::test]
async fn a_hashtag_has_at_most_64_characters() {
    let world = World::shared();
    let name = world.user("long").await;
    let (longest, longer) = ("語".repeat(64), "é".repeat(65));
    let content = format!("#{longest} #{longer}");
    assert_eq!(world.draft(&name, json!({"content": content})).await["hashtags"], json!([longest]));
    assert_names(&post(&world, &name, json!({"content": "x", "hashtags": [longer]})).await, "hashtags");
}

#[tokio::test]
async fn a_listed_hashtag_that_is_none_is_named_by_its_place() {
    let world = World::shared();
    let name = world.user("listed").await;
    for tag in ["", "#", "##x", "a b", "a,b", "a-b", "a:posts", "*", "a*", "a\u{0}", "[a]", "a/b", "..", "😀"] {
        let answer = post(&world, &name, json!({"content": "x", "hashtags": ["good", tag]})).await;
        assert_names(&answer, "hashtags");
        assert!(answer.refusal().1.contains("item 1"), "{}", answer.text());
    }
    assert_eq!(world.user_seen_by(&name, "me").await["postCount"], 0);
}

#[tokio::test]
async fn no_hashtag_of_a_content_reaches_another_key() {
    let world = World::own();
    let name = world.user("keys").await;
    let content = "#a:posts #b* #c,d #e\u{0}f #g\nh #../i #k{l} #m?n #[o] #p%3Aq";
    let post = world.draft(&name, json!({"content": content})).await;
    assert_eq!(post["hashtags"], json!(["a", "b", "c", "e", "g", "k", "m", "p"]));
    assert_eq!(audit(&world.redis), [""; 0]);
}
