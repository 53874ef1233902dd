//! The TCP backend: any Redis, over a stream that the host opens.
//!
//! A Worker may not share a socket between requests, so each round trip opens its own and sends `AUTH`, `SELECT` and
//! the commands in one write. Only the first connection of an isolate waits for the answer to `AUTH` and `SELECT`
//! before it sends more: a server that refuses them would otherwise run the commands as another user, or in another
//! database.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Address, Ask, Backend, Command, Failure, Pipeline, Port, Progress, Reply, Told, resp};
use crate::host::{BoxFuture, Host, Stream};

/// A Redis at an address.
pub struct Tcp {
    address: Address,
    host: Arc<dyn Host>,
    login: Vec<Command>,
    login_works: AtomicBool,
}

impl Tcp {
    /// A backend that opens its streams through `host`.
    pub fn new(address: Address, host: Arc<dyn Host>) -> Self {
        let login = login(&address);
        Self { login_works: AtomicBool::new(login.is_empty()), login, address, host }
    }

    async fn exchange(&self, commands: &[&[Command]], progress: &Progress) -> Result<Vec<Reply>, Failure> {
        let mut connection = self.open(commands, progress).await?;
        let replies = connection.read(commands.iter().map(|part| part.len()).sum()).await?;
        connection.nothing_left(replies)
    }

    /// A fresh connection, on which the commands have been sent.
    async fn open(&self, commands: &[&[Command]], progress: &Progress) -> Result<Connection, Failure> {
        let stream = self.host.connect(&self.address).await.map_err(|_| Failure::Unreachable)?;
        let mut connection = Connection { stream, decoder: resp::Decoder::default(), received: 0 };
        if !self.login_works.load(Relaxed) {
            connection.write(&self.login, &[]).await?;
            connection.read_login(self.login.len()).await?;
            self.login_works.store(true, Relaxed);
            progress.sent();
            connection.write(&[], commands).await?;
        } else {
            progress.sent();
            connection.write(&self.login, commands).await?;
            match connection.read_login(self.login.len()).await {
                Ok(()) => {}
                Err(Outside::Gone(failure)) => return Err(failure),
                Err(Outside::Refused(failure)) => {
                    // Credentials that worked once may be taken back. The next connection waits for its answer again.
                    self.login_works.store(false, Relaxed);
                    // The commands came with them: another user may have run them, in another database.
                    let replies = pin!(connection.refuses(commands.iter().map(|part| part.len()).sum()));
                    let ran_nothing =
                        matches!(select(replies, self.host.sleep(SHORTLY)).await, Either::Left((true, _)));
                    return Err(if ran_nothing { failure } else { Failure::Lost });
                }
            }
        }
        Ok(connection)
    }

    /// Sends a command whose replies never end, on a connection of its own, and waits for the first of them.
    ///
    /// # Errors
    /// A [`Failure`] when there is none.
    pub async fn listen(&self, command: &Command, progress: &Progress) -> Result<(Vec<Reply>, Listening), Failure> {
        let mut connection = self.open(&[std::slice::from_ref(command)], progress).await?;
        connection.decoder.take_long_lines();
        let mut listening = Listening(connection);
        Ok((listening.next().await?, listening))
    }

    /// Runs commands for the gateway, in one round trip.
    ///
    /// # Errors
    /// A [`Failure`] when there are no replies to return.
    pub async fn ask(&self, ask: &Ask<'_>, progress: &Progress) -> Result<Told, Failure> {
        let commands = ask.pipeline.commands();
        let replies = if ask.atomic {
            let (multi, exec) = ([Command::new("MULTI")], [Command::new("EXEC")]);
            transaction(self.exchange(&[&multi, commands, &exec], progress).await?)?
        } else {
            Ok(self.exchange(&[commands], progress).await?)
        };
        Ok(Told { replies, sync_token: None })
    }
}

/// What came of `MULTI`, the commands and `EXEC`: their replies, or why Redis did not take one of them in.
fn transaction(replies: Vec<Reply>) -> Result<Result<Vec<Reply>, String>, Failure> {
    let mut refused = None;
    let mut last = None;
    let mut replies = replies.into_iter();
    // Without its beginning it is none: the commands have run one by one.
    if let Some(Reply::Error(text)) = replies.next() {
        return Err(Failure::of_server(&text).unwrap_or(Failure::Nonsense("it takes no transactions")));
    }
    for reply in replies {
        if let (Reply::Error(text), None) = (&reply, &refused) {
            refused = Some(text.clone());
        }
        last = Some(reply);
    }
    match (refused, last) {
        (Some(text), _) => Ok(Err(text)),
        (None, Some(Reply::Array(replies))) => Ok(Ok(replies)),
        (None, _) => Err(Failure::Nonsense("a transaction without its replies")),
    }
}

/// Why the server said one thing only, if it was a refusal to have us at all: then nothing was run.
fn turned_away(replies: &[Reply]) -> Option<Failure> {
    match replies {
        [Reply::Error(text)] => Failure::of_hang_up(text),
        _ => None,
    }
}

/// What a fresh connection says before anything else.
fn login(address: &Address) -> Vec<Command> {
    let mut commands = Vec::new();
    if let Some(credentials) = &address.credentials {
        let auth = Command::new("AUTH");
        let auth = match &credentials.username {
            Some(username) => auth.arg(username.clone()),
            None => auth,
        };
        commands.push(auth.arg(credentials.password.clone()));
    }
    if address.database != 0 {
        commands.push(Command::new("SELECT").arg(address.database.to_string()));
    }
    commands
}

impl Port for Tcp {
    fn send<'a>(
        &'a self,
        pipeline: &'a Pipeline,
        progress: &'a Progress,
    ) -> BoxFuture<'a, Result<Vec<Reply>, Failure>> {
        Box::pin(async move { self.exchange(&[pipeline.commands()], progress).await })
    }

    fn backend(&self) -> Option<Backend<'_>> {
        Some(Backend::Tcp(self))
    }
}

/// Why a login has failed.
enum Outside {
    /// The server said no to it, and goes on with what it was sent behind it.
    Refused(Failure),
    /// There is no server any more, or it has hung up without a look at anything.
    Gone(Failure),
}

impl From<Outside> for Failure {
    fn from(outside: Outside) -> Self {
        match outside {
            Outside::Refused(failure) | Outside::Gone(failure) => failure,
        }
    }
}

/// How long the replies to what was sent behind a refused login are waited for.
const SHORTLY: Duration = Duration::from_secs(1);

/// One stream and the place where its decoder stands. Dropped after one exchange, and with it whatever went wrong.
struct Connection {
    stream: Box<dyn Stream>,
    decoder: resp::Decoder,
    /// How many bytes have come in.
    received: usize,
}

impl Connection {
    async fn write(&mut self, first: &[Command], then: &[&[Command]]) -> Result<(), Failure> {
        let commands = || first.iter().chain(then.iter().copied().flatten());
        let mut bytes = Vec::with_capacity(commands().map(resp::most_bytes).sum());
        resp::encode(commands(), &mut bytes);
        self.stream.write_all(&bytes).await.map_err(|_| Failure::Lost)?;
        self.stream.flush().await.map_err(|_| Failure::Lost)
    }

    async fn read(&mut self, count: usize) -> Result<Vec<Reply>, Failure> {
        let mut replies = Vec::with_capacity(count);
        while replies.len() < count {
            match self.decoder.next_reply()? {
                Some(reply) => replies.push(reply),
                None => self.fill().await.map_err(|failure| turned_away(&replies).unwrap_or(failure))?,
            }
        }
        Ok(replies)
    }

    async fn read_login(&mut self, count: usize) -> Result<(), Outside> {
        for reply in self.read(count).await.map_err(Outside::Gone)? {
            if let Reply::Error(text) = reply {
                if let Some(failure) = Failure::of_hang_up(&text) {
                    return Err(Outside::Gone(failure));
                }
                return Err(Outside::Refused(match Failure::of_server(&text) {
                    Some(Failure::Unavailable) => Failure::Unavailable,
                    _ => Failure::Refused,
                }));
            }
        }
        Ok(())
    }

    /// Whether the next replies are errors, all of them, up to one that says that nobody is logged in.
    async fn refuses(&mut self, count: usize) -> bool {
        for _ in 0..count {
            match self.read(1).await.as_deref() {
                Ok([Reply::Error(text)]) if Failure::is_unauthenticated(text) => return true,
                Ok([Reply::Error(_)]) => {}
                _ => return false,
            }
        }
        true
    }

    /// Whatever follows the last reply shows that replies and commands are not in step.
    fn nothing_left(&mut self, replies: Vec<Reply>) -> Result<Vec<Reply>, Failure> {
        if self.decoder.buffer().is_empty() {
            Ok(replies)
        } else {
            Err(Failure::Nonsense("more replies than commands"))
        }
    }

    async fn fill(&mut self) -> Result<(), Failure> {
        let buffer = self.decoder.buffer();
        buffer.reserve(16 * 1024);
        let count = match self.stream.read_buf(buffer).await {
            Ok(0) | Err(_) => return Err(Failure::Lost),
            Ok(count) => count,
        };
        self.received = self.received.saturating_add(count);
        if self.received > resp::MAX_STRING { Err(Failure::Nonsense("replies without end")) } else { Ok(()) }
    }
}

/// A connection on which replies come unasked, for as long as it is held.
pub struct Listening(Connection);

impl Listening {
    /// The next replies: at least one, and what has come with it. May be given up while it waits; nothing is lost then.
    ///
    /// # Errors
    /// When no more will come.
    pub async fn next(&mut self) -> Result<Vec<Reply>, Failure> {
        let Self(connection) = self;
        let mut replies = Vec::new();
        loop {
            while let Some(reply) = connection.decoder.next_reply()? {
                replies.push(reply);
            }
            if !replies.is_empty() {
                // The bounds are those of one reply, not of all that ever come.
                connection.decoder.forget();
                connection.received = 0;
                return Ok(replies);
            }
            connection.fill().await?;
        }
    }

    /// Asks for a sign of life, which comes among the replies.
    ///
    /// # Errors
    /// When it cannot be sent.
    pub async fn ping(&mut self) -> Result<(), Failure> {
        self.0.write(&[Command::new("PING")], &[]).await
    }
}
