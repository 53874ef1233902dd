//! Why a round trip brought no replies, and which errors of single commands mean the same.

use thiserror::Error;

/// A round trip to Redis that failed. No variant carries an address, a credential or an upstream body.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// No connection: nothing was sent.
    #[error("Redis is unreachable")]
    Unreachable,
    /// The connection broke after something was sent.
    #[error("The connection to Redis was lost")]
    Lost,
    /// No answer within the time that the request had.
    #[error("Redis did not answer in time")]
    Timeout,
    /// What came back is not what a Redis says.
    #[error("Redis answered nonsense: {0}")]
    Nonsense(&'static str),
    /// Our own credentials or database were refused.
    #[error("Redis refused our credentials")]
    Refused,
    /// Redis is there, and cannot serve now: loading, read-only, out of memory, over its quota.
    #[error("Redis cannot serve now")]
    Unavailable,
    /// A write was cut off: it may or may not have happened, and is not sent again.
    #[error("A write was cut off, its outcome is unknown")]
    OutcomeUnknown {
        /// Whether the time ran out (504), or the connection broke or spoke nonsense (502).
        timed_out: bool,
    },
}

/// What a server says before it hangs up on one connection too many, whatever was asked.
const MAX_CLIENTS: &str = "ERR max number of clients reached";

/// Before a login a server takes only short commands. It answers longer ones with this instead of `NOAUTH`, and hangs up.
const UNAUTHENTICATED: &str = "ERR Protocol error: unauthenticated";

/// What a server says before it hangs up because it could not read on.
const PROTOCOL_ERROR: &str = "ERR Protocol error";

impl Failure {
    /// What the error of a command says about the server as a whole, if anything. Source of the codes: `src/server.c`
    /// and `src/networking.c` of Redis 7.
    pub fn of_server(text: &str) -> Option<Self> {
        match text.split(' ').next().unwrap_or_default() {
            "NOAUTH" | "WRONGPASS" => Some(Self::Refused),
            "LOADING" | "READONLY" | "OOM" | "MISCONF" | "MASTERDOWN" | "NOREPLICAS" | "CLUSTERDOWN" | "TRYAGAIN"
            | "BUSY" => Some(Self::Unavailable),
            _ if Self::names_another_node(text) => Some(Self::Nonsense("it is one node of a cluster")),
            // Protected mode: the server takes no strangers at all.
            "DENIED" => Some(Self::Refused),
            _ if text == MAX_CLIENTS => Some(Self::Unavailable),
            _ if Self::is_unauthenticated(text) => Some(Self::Refused),
            _ if text.starts_with(PROTOCOL_ERROR) => Some(Self::Nonsense("it takes our commands for nonsense")),
            _ => None,
        }
    }

    /// Whether an error says that a command was too long for somebody who is not logged in, whatever it was.
    pub fn is_unauthenticated(text: &str) -> bool {
        text.starts_with(UNAUTHENTICATED)
    }

    /// Whether an error says where else a key is. It does so by an address, which is nobody's business.
    pub fn names_another_node(text: &str) -> bool {
        match text.split(' ').collect::<Vec<_>>().as_slice() {
            ["MOVED" | "ASK", slot, address] => slot.parse::<u16>().is_ok() && address.contains(':'),
            ["REDIRECT", address] => address.contains(':'),
            _ => false,
        }
    }

    /// What a server says before it hangs up on a stranger, without a look at what was asked.
    pub fn of_hang_up(text: &str) -> Option<Self> {
        if text == MAX_CLIENTS || text.starts_with("DENIED ") { Self::of_server(text) } else { None }
    }

    /// A script or command of our own that failed: either the server cannot serve, or we did not expect the error.
    pub fn from_error_text(text: &str) -> Self {
        if text.starts_with("NOPERM") {
            return Self::Refused;
        }
        Self::of_server(text).unwrap_or(Self::Nonsense("an unexpected error"))
    }
}
