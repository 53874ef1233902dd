//! A real `redis-server` on a free port of this machine, and a client that shares no code with the crate.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use serde_json::Value;

/// How a server is started.
#[derive(Clone, Default)]
pub struct RedisOptions {
    password: Option<String>,
    tls: Option<(PathBuf, PathBuf)>,
    args: Vec<String>,
}

impl RedisOptions {
    /// `requirepass`.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Speaks TLS on [`Redis::tls_port`] with this certificate and key (PEM files), beside the plain port.
    pub fn tls(mut self, certificate: &Path, key: &Path) -> Self {
        self.tls = Some((certificate.to_owned(), key.to_owned()));
        self
    }

    /// More words for the command line, such as `["--maxmemory", "2mb"]`.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|arg| (*arg).to_owned()));
        self
    }

    /// Starts a server.
    pub fn start(self) -> Redis {
        // Between finding a port and using it someone else may take it.
        for _ in 0..10 {
            let redis = Redis {
                options: self.clone(),
                port: free_port(),
                tls_port: free_port(),
                folder: fresh_folder(),
                child: Mutex::default(),
            };
            if redis.try_start() {
                return redis;
            }
        }
        panic!("redis-server does not start: is it in the PATH?");
    }
}

/// A running server. It ends, and its folder goes, when this is dropped.
pub struct Redis {
    options: RedisOptions,
    port: u16,
    tls_port: u16,
    folder: PathBuf,
    child: Mutex<Option<Child>>,
}

impl Redis {
    /// The server that the tests of one binary share. It lives as long as one of them holds it.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Redis>> = Mutex::new(Weak::new());
        let mut shared = lock(&SHARED);
        shared.upgrade().unwrap_or_else(|| {
            let redis = Arc::new(Self::own());
            *shared = Arc::downgrade(&redis);
            redis
        })
    }

    /// An empty server for one test.
    pub fn own() -> Self {
        RedisOptions::default().start()
    }

    /// For servers with a password, TLS, or more arguments.
    pub fn options() -> RedisOptions {
        RedisOptions::default()
    }

    /// The plain port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The port for TLS, if the server was given a certificate.
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// `REDIS_URL` of the plain port, with the password if there is one.
    pub fn url(&self) -> String {
        let login = self.options.password.as_ref().map(|password| format!(":{password}@")).unwrap_or_default();
        format!("redis://{login}127.0.0.1:{}", self.port)
    }

    /// Ends the server at once. Its port is refused from here on.
    pub fn stop(&self) {
        if let Some(mut child) = lock(&self.child).take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts the server again on the same port: empty, or, once [`Redis::wait_until_loaded`], with what `--appendonly yes`
    /// has kept.
    pub fn restart(&self) {
        self.stop();
        assert!(self.try_start(), "redis-server does not start again");
    }

    /// Waits until everything that was kept is loaded.
    pub fn wait_until_loaded(&self) {
        while self.try_run(&["PING"]).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn try_start(&self) -> bool {
        *lock(&self.child) = Some(self.command().spawn().expect("redis-server is in the PATH"));
        for _ in 0..1000 {
            if self.is_ready() {
                return true;
            }
            let exited = lock(&self.child).as_mut().is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if exited {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// Another server that was quicker to take the port has another process id.
    fn is_ready(&self) -> bool {
        let Ok(Value::String(info)) = self.try_run(&["INFO", "server"]) else { return false };
        let pid = lock(&self.child).as_ref().map_or(0, Child::id);
        info.lines().any(|line| line == format!("process_id:{pid}"))
    }

    fn command(&self) -> Command {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &self.port.to_string()]);
        command.arg("--dir").arg(&self.folder);
        if let Some(password) = &self.options.password {
            command.args(["--requirepass", password]);
        }
        if let Some((certificate, key)) = &self.options.tls {
            command.args(["--tls-port", &self.tls_port.to_string(), "--tls-auth-clients", "no"]);
            command.arg("--tls-cert-file").arg(certificate).arg("--tls-key-file").arg(key);
            command.arg("--tls-ca-cert-file").arg(certificate);
        }
        command.args(&self.options.args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Runs one command past the gateway. Integers are numbers, strings are strings (lossy), nil is `null`.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> Value {
        self.try_run(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// Runs one command past the gateway.
    ///
    /// # Errors
    /// The error of Redis, or of the connection.
    pub fn try_run(&self, command: &[&str]) -> Result<Value, String> {
        let mut reader = self.connect()?;
        reader.get_mut().write_all(&encode(command)).map_err(|error| error.to_string())?;
        decode(&mut reader)
    }

    /// Runs commands past the gateway, in order and over one connection.
    #[track_caller]
    pub fn run_all(&self, commands: &[Vec<&str>]) -> Vec<Value> {
        let mut reader = self.connect().expect("redis-server accepts connections");
        let mut replies = Vec::with_capacity(commands.len());
        // A chunk's replies are read before the next is sent, so neither side waits for the other's buffer.
        for chunk in commands.chunks(500) {
            let bytes: Vec<u8> = chunk.iter().flat_map(|command| encode(command)).collect();
            reader.get_mut().write_all(&bytes).expect("redis-server reads");
            replies.extend(
                chunk.iter().map(|command| decode(&mut reader).unwrap_or_else(|error| panic!("{command:?}: {error}"))),
            );
        }
        replies
    }

    fn connect(&self) -> Result<BufReader<TcpStream>, String> {
        let text = |error: std::io::Error| error.to_string();
        let stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(text)?;
        let mut reader = BufReader::new(stream);
        if let Some(password) = &self.options.password {
            reader.get_mut().write_all(&encode(&["AUTH", password])).map_err(text)?;
            decode(&mut reader)?;
        }
        Ok(reader)
    }

    /// The fields of a hash, as an object of strings.
    #[track_caller]
    pub fn hash(&self, key: &str) -> Value {
        let flat = self.run(&["HGETALL", key]);
        let flat = flat.as_array().expect("HGETALL answers an array");
        flat.chunks(2)
            .map(|pair| (pair[0].as_str().expect("a field is a string").to_owned(), pair[1].clone()))
            .collect()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    listener.local_addr().expect("a listener has an address").port()
}

fn fresh_folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("ridge-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    folder
}

fn encode(command: &[&str]) -> Vec<u8> {
    let words = command.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", command.len(), words.collect::<String>()).into_bytes()
}

fn decode(reader: &mut BufReader<TcpStream>) -> Result<Value, String> {
    let mut line = String::new();
    reader.read_line(&mut line).map_err(|error| error.to_string())?;
    let (kind, rest) = line.trim_end().split_at_checked(1).ok_or("the connection was closed")?;
    let count = || rest.parse::<i64>().map_err(|error| error.to_string());
    match kind {
        "+" => Ok(rest.into()),
        "-" => Err(rest.to_owned()),
        ":" => Ok(count()?.into()),
        "$" | "*" if count()? < 0 => Ok(Value::Null),
        "$" => {
            let mut bytes = vec![0; usize::try_from(count()?).unwrap_or(0) + 2];
            reader.read_exact(&mut bytes).map_err(|error| error.to_string())?;
            Ok(String::from_utf8_lossy(&bytes[..bytes.len() - 2]).into_owned().into())
        }
        "*" => (0..count()?).map(|_| decode(reader)).collect(),
        _ => Err(format!("not RESP: {line:?}")),
    }
}
