//! What `npm run fuzz` begins with, and all that it has found: each seed must hold.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "../fuzz/src/lib.rs"]
mod checks;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

fn hold(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|seed| seed.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty());
    for seed in seeds {
        let input = fs::read(&seed).unwrap();
        let held = catch_unwind(AssertUnwindSafe(|| check(&input)));
        assert!(held.is_ok(), "{}: {:?}", seed.display(), String::from_utf8_lossy(&input));
    }
}

#[test]
fn path_forms() {
    hold("path_form", checks::path_form::check);
}

#[test]
fn bodies() {
    hold("body", checks::body::check);
}

#[test]
fn streams() {
    hold("resp", checks::resp::check);
}

#[test]
fn acls() {
    hold("acl", checks::acl::check);
}

#[test]
fn commands() {
    hold("commands", checks::commands::check);
}
