//! What JavaScript was asked to do and has not done yet.
//!
//! Each request for work carries a ticket; JavaScript settles it with one call of one function that lives as long as
//! the isolate. A `JsFuture` for each would make and collect two JavaScript functions every time.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use js_sys::{Error, Function, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, intern, prelude::Closure};

use super::{glue, task};

enum State {
    Waiting(Option<Waker>),
    Settled(JsValue),
}

thread_local! {
    static STATES: RefCell<HashMap<u32, State>> = RefCell::default();
    static NEXT: Cell<u32> = const { Cell::new(0) };
}

/// Tells JavaScript where tickets are settled.
pub(super) fn start() {
    let settle = Closure::<dyn Fn(u32, JsValue)>::new(settle).into_js_value();
    glue::settle_with(settle.unchecked_ref::<Function>());
}

/// A ticket that was given up is settled without effect.
fn settle(ticket: u32, value: JsValue) {
    let waker = STATES.with_borrow_mut(|states| {
        let state = states.get_mut(&ticket)?;
        match std::mem::replace(state, State::Settled(value)) {
            State::Waiting(waker) => waker,
            State::Settled(_) => None,
        }
    });
    if let Some(waker) = waker {
        task::wake(waker);
    }
}

/// The end that waits. Dropped, it gives its ticket up.
pub(super) struct Pending(u32);

impl Pending {
    /// Starts something under a new ticket.
    pub(super) fn begin(start: impl FnOnce(u32)) -> Self {
        let ticket = NEXT.replace(NEXT.get().wrapping_add(1));
        STATES.with_borrow_mut(|states| states.insert(ticket, State::Waiting(None)));
        start(ticket);
        Self(ticket)
    }
}

impl Future for Pending {
    type Output = Result<JsValue, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        STATES.with_borrow_mut(|states| match states.get_mut(&self.0) {
            Some(State::Waiting(waker)) => {
                *waker = Some(context.waker().clone());
                Poll::Pending
            }
            Some(State::Settled(value)) => {
                let value = std::mem::replace(value, JsValue::UNDEFINED);
                Poll::Ready(value.dyn_into::<Error>().map_or_else(Ok, Err))
            }
            None => Poll::Ready(Err(Error::new("settled before"))),
        })
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        STATES.with_borrow_mut(|states| states.remove(&self.0));
    }
}

/// The bytes of a stream's `{value, done}`, or `None` at its end.
pub(super) fn chunk(read: &JsValue) -> Option<Vec<u8>> {
    let value = Reflect::get(read, &JsValue::from_str(intern("value"))).ok()?;
    value.dyn_ref::<Uint8Array>().map(Uint8Array::to_vec)
}

/// Completes after `duration`.
pub(super) async fn sleep(duration: Duration) {
    let milliseconds = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    let _ = Pending::begin(|ticket| glue::sleep(milliseconds, ticket)).await;
}
