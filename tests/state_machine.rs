//! Random histories: whatever users, administrators and backends do to each other's things, Ridge answers as a simple
//! model does, and afterwards Redis holds what the model says, key by key.
//!
//! `PROPTEST_CASES=5000 cargo test --release --test state_machine` looks longer; `HISTORY_LENGTH` makes the
//! histories longer than 400 operations. What fails is shrunk to the few operations that matter and printed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod machine;
mod support;

use machine::{Op, Player, history};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use support::{Gateway, Redis};

/// How many histories a plain run plays, and how long the longest of them is.
const CASES: u32 = 100;
const MOST: usize = 400;

async fn play(gateway: &Gateway, redis: &Redis, history: &[Op]) -> Result<(), String> {
    let mut player = Player::start(gateway, redis).await?;
    for (at, op) in history.iter().enumerate() {
        player.play(op).await.map_err(|difference| format!("operation {at}: {difference}"))?;
    }
    player.compare()
}

#[test]
fn ridge_does_what_the_model_does() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u32>().expect("a number"));
    let cases = number("PROPTEST_CASES").unwrap_or(CASES);
    let most = number("HISTORY_LENGTH").map_or(MOST, |most| usize::try_from(most).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let redis = Redis::own();
    let gateway = Gateway::on(&redis);
    let config = Config { cases, max_shrink_iters: 20_000, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config)
        .run(&history(most), |history| runtime.block_on(play(&gateway, &redis, &history)).map_err(TestCaseError::fail));
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}
