//! Bodies that are made while they are read: each piece crosses when the reader has asked for it, and when the reader leaves,
//! the body is dropped with all that it holds.

use std::pin::pin;

use axum::body::Body;
use futures_util::future::select;
use http_body_util::BodyExt as _;
use js_sys::Object;

use super::{glue, pending::Pending, task};

/// Makes the response, and feeds it from here on.
pub(super) fn respond(status: u16, id: &str, rest: &str, body: Body) -> web_sys::Response {
    let feed = glue::feed();
    let response = glue::respond_fed(status, id, rest, &feed);
    task::begin(async move {
        let left = Pending::begin(|ticket| glue::left(&feed, ticket));
        // Whether the reader has left is looked at first: then nothing more may be pushed.
        select(left, pin!(pump(&feed, body))).await;
    });
    response
}

async fn pump(feed: &Object, mut body: Body) {
    loop {
        let _ = Pending::begin(|ticket| glue::wanted(feed, ticket)).await;
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    glue::push(feed, &bytes);
                }
            }
            Some(Err(_)) | None => return glue::finish(feed),
        }
    }
}
