//! The Lua scripts; the comment at the head of each file says what it takes and what it returns.

use crate::{redis::Script, social::scripts::lua};

const SCANNING: &str = lua!("scanning.lua");
const PREFIXES: &str = lua!("prefixes.lua");

/// Counts the keys of namespaces in a slice of all keys.
pub static COUNT: Script = Script::new(&[SCANNING, PREFIXES, lua!("count_keys.lua")]);
/// Lists keys of a namespace.
pub static LIST: Script = Script::new(&[SCANNING, lua!("list_keys.lua")]);
/// Lists keys that are of no namespace.
pub static FIND_STRAYS: Script = Script::new(&[SCANNING, PREFIXES, lua!("find_strays.lua")]);
/// Renames keys into a namespace. Refused by a server that is out of memory.
pub static ADOPT: Script = Script::new(&["#!lua\n", SCANNING, lua!("adopt.lua")]);
/// Deletes the keys of a namespace that match, in a slice of all keys. Makes room, so memory is no reason to refuse it.
pub static UNLINK_MATCHING: Script = Script::new(&["#!lua flags=allow-oom\n", SCANNING, lua!("unlink_matching.lua")]);
/// Deletes keys. The same holds for it.
pub static UNLINK_LISTED: Script = Script::new(&["#!lua flags=allow-oom\n", SCANNING, lua!("unlink_listed.lua")]);
