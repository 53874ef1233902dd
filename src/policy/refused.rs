//! The commands that the gateway runs for nobody, and why.
//!
//! A request over HTTP has no connection of its own: what waits, listens, spans several requests or changes the connection
//! cannot work there. And whoever may use the data does not administer the server that keeps it. Everything else is for the
//! ACL to decide.
//!
//! | refused | because |
//! |---|---|
//! | `BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF`, `XREAD` and `XREADGROUP` with `BLOCK` | they wait, and would hold the connection |
//! | `SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR` | they listen: they have paths of their own |
//! | `MULTI EXEC DISCARD WATCH UNWATCH` | a transaction is one request to `/multi-exec` |
//! | `AUTH HELLO QUIT RESET SELECT CLIENT READONLY READWRITE ASKING`, `SCRIPT DEBUG` | they change the connection; `CLIENT SETINFO` is answered `OK` |
//! | `POST HOST:` | Redis takes them for HTTP that went astray, and hangs up |
//! | `CLUSTER REPLICAOF SLAVEOF REPLCONF ROLE SYNC PSYNC FAILOVER RESTORE-ASKING MIGRATE` | cluster and replication |
//! | `CONFIG DEBUG MODULE SHUTDOWN SAVE BGSAVE BGREWRITEAOF LASTSAVE SWAPDB LATENCY SLOWLOG COMMANDLOG PFDEBUG PFSELFTEST`, `MEMORY` but for `USAGE`, `ACL` but for what tells of commands, oneself and names (no digests of passwords, no addresses) | the server is not theirs to run |
//! | `MOVE`, and `COPY` with `DB` | there is one database |
//! | a name with a NUL in it | Redis compares names as C strings, so it may take `CONFIG\0…` for `CONFIG` |

use super::{
    command_options::is_option,
    command_table::{CONTAINER, Entry, find},
};

/// Why a command is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It waits.
    Blocks,
    /// It has a path of its own.
    OwnPath,
    /// It changes the connection, or what the next requests on it mean.
    Connection,
    /// It administers the server, the cluster or the replication.
    Administration,
    /// It reaches into another database, where no rule holds.
    Database,
    /// Its name has a NUL in it, so nobody knows which command Redis takes it for.
    Nul,
}

use Reason::{Administration, Blocks, Connection, Database, Nul, OwnPath};

/// In order, for the search.
const REFUSED: &[(&str, Reason)] = &[
    ("ASKING", Connection),
    ("AUTH", Connection),
    ("BGREWRITEAOF", Administration),
    ("BGSAVE", Administration),
    ("BLMOVE", Blocks),
    ("BLMPOP", Blocks),
    ("BLPOP", Blocks),
    ("BRPOP", Blocks),
    ("BRPOPLPUSH", Blocks),
    ("BZMPOP", Blocks),
    ("BZPOPMAX", Blocks),
    ("BZPOPMIN", Blocks),
    ("CLIENT", Connection),
    ("CLUSTER", Administration),
    ("COMMANDLOG", Administration),
    ("CONFIG", Administration),
    ("DEBUG", Administration),
    ("DISCARD", OwnPath),
    ("EXEC", OwnPath),
    ("FAILOVER", Administration),
    ("HELLO", Connection),
    ("HOST:", Connection),
    ("LASTSAVE", Administration),
    ("LATENCY", Administration),
    ("MIGRATE", Administration),
    ("MODULE", Administration),
    ("MONITOR", OwnPath),
    ("MOVE", Database),
    ("MULTI", OwnPath),
    ("PFDEBUG", Administration),
    ("PFSELFTEST", Administration),
    ("POST", Connection),
    ("PSUBSCRIBE", OwnPath),
    ("PSYNC", Administration),
    ("PUNSUBSCRIBE", OwnPath),
    ("QUIT", Connection),
    ("READONLY", Connection),
    ("READWRITE", Connection),
    ("REPLCONF", Administration),
    ("REPLICAOF", Administration),
    ("RESET", Connection),
    ("RESTORE-ASKING", Administration),
    ("ROLE", Administration),
    ("SAVE", Administration),
    ("SELECT", Connection),
    ("SHUTDOWN", Administration),
    ("SLAVEOF", Administration),
    ("SLOWLOG", Administration),
    ("SSUBSCRIBE", OwnPath),
    ("SUBSCRIBE", OwnPath),
    ("SUNSUBSCRIBE", OwnPath),
    ("SWAPDB", Administration),
    ("SYNC", Administration),
    ("UNSUBSCRIBE", OwnPath),
    ("UNWATCH", OwnPath),
    ("WAIT", Blocks),
    ("WAITAOF", Blocks),
    ("WATCH", OwnPath),
];

/// What may be called of a family that else is refused: what only reads, and no digests of passwords or addresses of clients.
const ACL_READS: &[&str] = &["CAT", "DRYRUN", "GENPASS", "HELP", "USERS", "WHOAMI"];
const MEMORY_READS: &[&str] = &["HELP", "USAGE"];

/// The longest name above is not that long.
const LONGEST: usize = 16;

/// Why the command that these words call is refused, if it is.
pub fn reason<W: AsRef<[u8]>>(words: &[W]) -> Option<Reason> {
    let name = words.first()?.as_ref();
    let second = words.get(1).map_or(&[][..], AsRef::as_ref);
    if name.contains(&0) || (second.contains(&0) && find(name).is_some_and(|entry| entry.is(CONTAINER))) {
        return Some(Nul);
    }
    let mut buffer = [0; LONGEST];
    let capitals = buffer.get_mut(..name.len())?;
    capitals.copy_from_slice(name);
    capitals.make_ascii_uppercase();
    let capitals: &[u8] = capitals;
    let is_one_of = |names: &[&str]| names.iter().any(|name| second.eq_ignore_ascii_case(name.as_bytes()));
    match capitals {
        b"ACL" if !is_one_of(ACL_READS) => Some(Administration),
        b"COPY" if words.iter().skip(3).any(|word| is_option(word.as_ref(), "DB")) => Some(Database),
        b"MEMORY" if !is_one_of(MEMORY_READS) => Some(Administration),
        b"SCRIPT" if is_one_of(&["DEBUG"]) => Some(Connection),
        b"XREAD" | b"XREADGROUP" if blocks(words) => Some(Blocks),
        _ => {
            let place = REFUSED.binary_search_by(|(refused, _)| refused.as_bytes().cmp(capitals)).ok()?;
            REFUSED.get(place).map(|(_, reason)| *reason)
        }
    }
}

/// Whether a read of streams is told to wait. What follows `STREAMS` are keys, and a group or consumer may be called
/// `BLOCK`: those two words are not looked at.
fn blocks<W: AsRef<[u8]>>(words: &[W]) -> bool {
    let mut rest = words.iter().skip(1);
    while let Some(word) = rest.next() {
        let word = word.as_ref();
        if is_option(word, "STREAMS") {
            return false;
        }
        if is_option(word, "BLOCK") {
            return true;
        }
        if is_option(word, "GROUP") {
            rest.nth(1);
        }
    }
    false
}

/// What stands in the place of a refused command.
pub fn text<W: AsRef<[u8]>>(words: &[W], reason: Reason) -> String {
    let name = words.first().map_or(&[][..], AsRef::as_ref).to_ascii_uppercase();
    let name = String::from_utf8_lossy(&name);
    match reason {
        OwnPath => format!("ERR Command \"{name}\" is not allowed in REST or it has a special context path"),
        Blocks => format!("ERR Command is not available: '{name}'. A request cannot wait"),
        Connection => format!("ERR Command is not available: '{name}'. A request has no connection of its own"),
        Administration => format!("ERR Command is not available: '{name}'. The server is not administered from here"),
        Database => format!("ERR Command is not available: '{name}'. There is one database"),
        Nul => "ERR A command's name has no NUL in it".to_owned(),
    }
}

/// Whether this is `CLIENT SETINFO`, by which libraries tell their names. There is no connection that could keep them.
pub fn is_set_info<W: AsRef<[u8]>>(entry: Option<&Entry>, words: &[W]) -> bool {
    let word = |place: usize| words.get(place).map_or(&[][..], AsRef::as_ref);
    let is_client =
        entry.map_or_else(|| find(word(0)), |entry| entry.parent()).is_some_and(|family| family.name == "CLIENT");
    is_client && words.len() == 4 && word(1).eq_ignore_ascii_case(b"SETINFO")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_fits() {
        assert!(REFUSED.is_sorted_by(|(one, _), (next, _)| one < next));
        for (name, reason_of_it) in REFUSED {
            assert!(name.len() < LONGEST, "{name}");
            assert_eq!(reason(&[name.to_lowercase()]), Some(*reason_of_it), "{name}");
        }
    }

    #[test]
    fn a_nul_in_a_name_is_refused_and_one_in_an_argument_is_not() {
        for words in
            [&["CONFIG\0x", "GET"][..], &["\0"], &["GET\0", "a"], &["SCRIPT", "DEBUG\0"], &["object", "\0HELP"]]
        {
            assert_eq!(reason(words), Some(Nul), "{words:?}");
        }
        for words in [&["GET", "\0"][..], &["SET", "a", "\0"], &["OBJECT", "ENCODING", "\0"]] {
            assert_eq!(reason(words), None, "{words:?}");
        }
    }

    #[test]
    fn a_copy_stays_in_its_database() {
        assert_eq!(reason(&["COPY", "a", "b", "REPLACE", "db", "5"]), Some(Database));
        assert_eq!(reason(&["COPY", "DB", "DB", "REPLACE"]), None);
    }

    #[test]
    fn an_option_waits_and_a_name_does_not() {
        assert_eq!(reason(&["XREAD", "COUNT", "1", "block", "0", "STREAMS", "a", "$"]), Some(Blocks));
        assert_eq!(reason(&["XREADGROUP", "GROUP", "BLOCK", "BLOCK", "STREAMS", "BLOCK", ">"]), None);
    }
}
