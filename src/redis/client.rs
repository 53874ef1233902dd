//! The client: the deadline of a request, the one retry, the count of round trips, and scripts by text or by hash.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::{Either, select};

use super::{
    Ask, Backend, Command, Failure, Invocation, Pipeline, Port, Reply, Told,
    tcp::{Listening, Tcp},
    upstash::{Passed, Upstash},
};
use crate::host::{BoxFuture, Host, Outgoing};

/// How far one attempt got: whether the server may have seen the commands.
#[derive(Debug, Default)]
pub struct Progress(AtomicBool);

impl Progress {
    /// From here on the commands may be executed.
    pub fn sent(&self) {
        self.0.store(true, Relaxed);
    }

    /// Whether the commands may have been executed.
    pub fn was_sent(&self) -> bool {
        self.0.load(Relaxed)
    }
}

/// What happens if the same commands are executed twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Safety {
    /// Nothing: they only read.
    Read,
    /// Nothing more than once would have: they set what they set.
    IdempotentWrite,
    /// Nothing more than once would have, within this request: what they make has a name that only this request knows. A
    /// caller who asks again makes something else.
    RepeatableWrite,
    /// Something else: they count, append or depend on what they changed.
    Write,
}

/// A server and what this isolate knows about it. Made once, shared by all requests.
pub struct Client {
    port: Box<dyn Port>,
    host: Arc<dyn Host>,
    timeout: Duration,
    known_scripts: Mutex<HashSet<&'static str>>,
}

impl Client {
    /// A client that gives each request `timeout` for all of its round trips together.
    pub fn new(port: Box<dyn Port>, host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self { port, host, timeout, known_scripts: Mutex::default() }
    }

    /// The client for one request; `trips` counts its round trips.
    pub fn for_request(self: &Arc<Self>, trips: Arc<AtomicU32>) -> Redis {
        Redis { client: Arc::clone(self), deadline_ms: OnceLock::new(), trips }
    }

    fn knows(&self, sha: &str) -> bool {
        self.known_scripts.lock().unwrap_or_else(PoisonError::into_inner).contains(sha)
    }

    fn remember(&self, sha: &'static str) {
        self.known_scripts.lock().unwrap_or_else(PoisonError::into_inner).insert(sha);
    }
}

/// Redis for one request.
pub struct Redis {
    client: Arc<Client>,
    /// Set by the first round trip: a body that comes slowly is not Redis's fault.
    deadline_ms: OnceLock<u64>,
    trips: Arc<AtomicU32>,
}

impl Redis {
    /// Runs commands that only read. Sent once more if the first attempt broke.
    ///
    /// # Errors
    /// When there are no replies; see [`Failure`].
    pub async fn read(&self, pipeline: impl Into<Pipeline>) -> Result<Vec<Reply>, Failure> {
        self.run(&pipeline.into(), Safety::Read).await
    }

    /// Runs a script: by its hash if this isolate has sent the text before, else by its text. A server that has
    /// forgotten the script since (it was restarted) gets the text once more.
    ///
    /// # Errors
    /// When there is no reply, or the script as a whole failed; see [`Failure`].
    pub async fn call(&self, invocation: Invocation) -> Result<Reply, Failure> {
        let sha = invocation.script.sha();
        if self.client.knows(sha) {
            match self.one(invocation.by_sha(), invocation.safety).await? {
                Reply::Error(text) if text.starts_with("NOSCRIPT") => {}
                reply => return outcome(reply, invocation.safety),
            }
        }
        let reply = self.one(invocation.by_text(), invocation.safety).await?;
        self.client.remember(sha);
        outcome(reply, invocation.safety)
    }

    /// Runs many invocations in one round trip, in order, each of them atomic by itself and idempotent. Texts that this
    /// isolate has not sent before go at the head. If the server has forgotten others, everything from the first that it
    /// refused is sent again: those behind it must not have been the last to speak.
    ///
    /// # Errors
    /// When there are no replies; see [`Failure`]. An invocation that failed is a [`Reply::Error`] in its place.
    pub async fn call_all(&self, invocations: &[Invocation]) -> Result<Vec<Reply>, Failure> {
        let mut replies = self.batch(invocations, false).await?;
        let is_forgotten = |reply: &Reply| matches!(reply, Reply::Error(text) if text.starts_with("NOSCRIPT"));
        if let Some(first) = replies.iter().position(is_forgotten) {
            replies.truncate(first);
            replies.extend(self.batch(invocations.get(first..).unwrap_or_default(), true).await?);
        }
        Ok(replies)
    }

    /// One round trip of invocations, with the texts of the scripts that are unknown, or of all of them.
    async fn batch(&self, invocations: &[Invocation], all_texts: bool) -> Result<Vec<Reply>, Failure> {
        let (mut pipeline, mut loaded) = (Pipeline::new(), Vec::new());
        let mut safety = Safety::Read;
        for invocation in invocations {
            safety = safety.max(invocation.safety);
            let sha = invocation.script.sha();
            if !loaded.contains(&sha) && (all_texts || !self.client.knows(sha)) {
                pipeline.push(invocation.load());
                loaded.push(sha);
            }
        }
        for invocation in invocations {
            pipeline.push(invocation.by_sha());
        }
        let mut replies = self.run(&pipeline, safety).await?;
        for sha in &loaded {
            self.client.remember(sha);
        }
        Ok(replies.split_off(loaded.len()))
    }

    /// How the server is reached.
    pub fn backend(&self) -> Option<Backend<'_>> {
        self.client.port.backend()
    }

    /// Runs commands for the gateway. An error of a command stays in its place, unless all of them failed because the server
    /// cannot serve.
    ///
    /// # Errors
    /// When there are no replies; see [`Failure`].
    pub async fn ask(&self, ask: &Ask<'_>, safety: Safety) -> Result<Told, Failure> {
        if ask.pipeline.is_empty() {
            return Ok(Told { replies: Ok(Vec::new()), sync_token: None });
        }
        let progress = Progress::default();
        self.within(safety, &progress, || Box::pin(self.ask_once(ask, &progress))).await
    }

    async fn ask_once(&self, ask: &Ask<'_>, progress: &Progress) -> Result<Told, Failure> {
        let mut told = match self.backend() {
            Some(Backend::Tcp(tcp)) => tcp.ask(ask, progress).await?,
            Some(Backend::Rest(rest)) => {
                if rest.must_learn(ask) {
                    self.trips.fetch_add(1, Relaxed);
                    rest.learn().await?;
                }
                rest.ask(ask, progress).await?
            }
            None => return Err(Failure::Nonsense("it takes pipelines only")),
        };
        let failure = match &told.replies {
            Err(text) => Failure::of_server(text),
            Ok(replies) if replies.len() != ask.pipeline.len() => Some(WRONG_NUMBER),
            Ok(replies) => failure_of_all(replies),
        };
        told.replies.iter_mut().flatten().for_each(forget_address);
        failure.map_or(Ok(told), Err)
    }

    /// Passes a request on to the REST backend.
    ///
    /// # Errors
    /// When there is no answer; see [`Failure`].
    pub async fn pass(&self, rest: &Upstash, request: Outgoing, safety: Safety) -> Result<Passed, Failure> {
        let progress = Progress::default();
        self.within(safety, &progress, || Box::pin(rest.pass(request.clone(), &progress))).await
    }

    /// Sends a command whose replies never end, over TCP. The deadline holds for the first of them.
    ///
    /// # Errors
    /// When there is none; see [`Failure`].
    pub async fn listen(&self, tcp: &Tcp, command: &Command) -> Result<(Vec<Reply>, Listening), Failure> {
        let progress = Progress::default();
        let first = self.within(Safety::Read, &progress, || Box::pin(tcp.listen(command, &progress))).await?;
        first.0.first().and_then(failure_of).map_or(Ok(first), Err)
    }

    async fn one(&self, command: Command, safety: Safety) -> Result<Reply, Failure> {
        let replies = self.run(&command.into(), safety).await?;
        replies.into_iter().next().ok_or(Failure::Nonsense("no reply"))
    }

    /// Runs commands of our own: none of them may fail because the server cannot serve.
    async fn run(&self, pipeline: &Pipeline, safety: Safety) -> Result<Vec<Reply>, Failure> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        let progress = Progress::default();
        self.within(safety, &progress, || Box::pin(self.run_once(pipeline, &progress))).await
    }

    async fn run_once(&self, pipeline: &Pipeline, progress: &Progress) -> Result<Vec<Reply>, Failure> {
        let replies = self.client.port.send(pipeline, progress).await?;
        let failure =
            if replies.len() == pipeline.len() { replies.iter().find_map(failure_of) } else { Some(WRONG_NUMBER) };
        failure.map_or(Ok(replies), Err)
    }

    /// At most two attempts, within the time that the request has left.
    async fn within<'a, T>(
        &self,
        safety: Safety,
        progress: &Progress,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let work = std::pin::pin!(self.attempts(attempt, safety, progress));
        match select(work, self.client.host.sleep(self.time_left())).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(settle(Failure::Timeout, safety, progress)),
        }
    }

    async fn attempts<'a, T>(
        &self,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, Failure>>,
        safety: Safety,
        progress: &Progress,
    ) -> Result<T, Failure> {
        self.trips.fetch_add(1, Relaxed);
        match attempt().await {
            Err(failure) if may_retry(&failure, safety, progress) => {}
            result => return result.map_err(|failure| settle(failure, safety, progress)),
        }
        let may_be_done = progress.was_sent();
        self.trips.fetch_add(1, Relaxed);
        attempt().await.map_err(|failure| match safety {
            // Whatever became of the second attempt, the first may have done it.
            Safety::RepeatableWrite if may_be_done => Failure::OutcomeUnknown { timed_out: false },
            _ => settle(failure, safety, progress),
        })
    }

    fn time_left(&self) -> Duration {
        let now = self.client.host.now_ms();
        let timeout = u64::try_from(self.client.timeout.as_millis()).unwrap_or(u64::MAX);
        let deadline = *self.deadline_ms.get_or_init(|| now.saturating_add(timeout));
        Duration::from_millis(deadline.saturating_sub(now))
    }
}

const WRONG_NUMBER: Failure = Failure::Nonsense("another number of replies than of commands");

/// What a reply says about the server as a whole.
fn failure_of(reply: &Reply) -> Option<Failure> {
    match reply {
        Reply::Error(text) => Failure::of_server(text),
        _ => None,
    }
}

/// Takes the address out of an error that says where else a key is.
fn forget_address(reply: &mut Reply) {
    if let Reply::Error(text) = reply
        && Failure::names_another_node(text)
    {
        "ERR The key is on another node of a cluster".clone_into(text);
    }
}

/// What keeps the server from serving at all, if every command failed of it. Where some were carried out, each error stays
/// in its place.
fn failure_of_all(replies: &[Reply]) -> Option<Failure> {
    let (first, rest) = replies.split_first()?;
    let failure = failure_of(first)?;
    rest.iter().all(|reply| failure_of(reply).is_some()).then_some(failure)
}

/// The reply of a script. One that failed as a whole, where we expected no failure, may have written something before.
fn outcome(reply: Reply, safety: Safety) -> Result<Reply, Failure> {
    let Reply::Error(text) = reply else { return Ok(reply) };
    let progress = Progress::default();
    progress.sent();
    Err(settle(Failure::from_error_text(&text), safety, &progress))
}

/// The retry rule. What never reached the server may be sent again, and so may what does no harm twice.
fn may_retry(failure: &Failure, safety: Safety, progress: &Progress) -> bool {
    match (failure, safety) {
        (Failure::Unreachable | Failure::Lost, Safety::Read | Safety::IdempotentWrite | Safety::RepeatableWrite) => {
            true
        }
        (Failure::Unreachable | Failure::Lost, Safety::Write) => !progress.was_sent(),
        (
            Failure::Timeout
            | Failure::Nonsense(_)
            | Failure::Refused
            | Failure::Unavailable
            | Failure::OutcomeUnknown { .. },
            _,
        ) => false,
    }
}

/// What the caller is told: a write that may have happened, and may not be repeated blindly, says so.
fn settle(failure: Failure, safety: Safety, progress: &Progress) -> Failure {
    match (failure, safety) {
        (Failure::Timeout, Safety::Write | Safety::RepeatableWrite | Safety::IdempotentWrite)
            if progress.was_sent() =>
        {
            Failure::OutcomeUnknown { timed_out: true }
        }
        (Failure::Lost | Failure::Nonsense(_), Safety::Write | Safety::RepeatableWrite) if progress.was_sent() => {
            Failure::OutcomeUnknown { timed_out: false }
        }
        (failure, _) => failure,
    }
}
