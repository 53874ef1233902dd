//! Requests as tasks, polled where they stand: at once when they come, and as soon as what they waited for is settled.
//!
//! wasm-bindgen's executor polls from microtasks and hands results over through promises, with two functions of JavaScript
//! and several crossings for each request. It stays for what is no request.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Wake, Waker},
};

use wasm_bindgen_futures::spawn_local;
use worker::send::SendWrapper;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// One request on its way. The work is gone once it is done.
struct Task(SendWrapper<RefCell<Option<Work>>>);

thread_local! {
    static READY: RefCell<VecDeque<Arc<Task>>> = RefCell::default();
    static RUNNING: Cell<bool> = const { Cell::new(false) };
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        READY.with_borrow_mut(|ready| ready.push_back(self));
        // Whoever wakes may hold what the task needs, so it is not polled from here.
        if !RUNNING.get() {
            spawn_local(async { run() });
        }
    }
}

impl Task {
    fn poll(self: &Arc<Self>) {
        let Ok(mut work) = self.0.try_borrow_mut() else { return };
        let waker = Waker::from(Arc::clone(self));
        let is_done = work.as_mut().is_some_and(|work| work.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
        if is_done {
            *work = None;
        }
    }
}

/// Begins a request.
pub(super) fn begin(work: impl Future<Output = ()> + 'static) {
    let task = Arc::new(Task(SendWrapper::new(RefCell::new(Some(Box::pin(work))))));
    READY.with_borrow_mut(|ready| ready.push_back(task));
    run();
}

/// Wakes whoever waited, and polls it before this returns.
pub(super) fn wake(waker: Waker) {
    let was_running = RUNNING.replace(true);
    waker.wake();
    RUNNING.set(was_running);
    run();
}

/// Polls all that can go on, unless that is being done already.
fn run() {
    if RUNNING.replace(true) {
        return;
    }
    while let Some(task) = READY.with_borrow_mut(VecDeque::pop_front) {
        task.poll();
    }
    RUNNING.set(false);
}
