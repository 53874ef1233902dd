//! SPEC 1: who is calling.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

mod support;

use support::{Gateway, Redis};

#[tokio::test]
async fn whoami_needs_a_caller() {
    let redis = Redis::shared();
    let gateway = Gateway::on(&redis);
    assert_eq!(gateway.get("/whoami").send().await.refusal(), (401, "Missing token".into()));
}
