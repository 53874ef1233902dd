use super::*;

fn verdict(rules: &str, command: &str) -> Result<Passed, Denied> {
    let words: Vec<&str> = command.split(' ').collect();
    Acl::parse(rules).unwrap().check(&words)
}

#[track_caller]
fn passes(rules: &str, commands: &[&str]) {
    for command in commands {
        assert_eq!(verdict(rules, command), Ok(Passed::Whole), "{rules}: {command}");
    }
}

fn command(name: &str) -> Denied {
    Denied::Command(name.to_owned())
}

#[track_caller]
fn is_denied(rules: &str, commands: &[(&str, Denied)]) {
    for (command, denied) in commands {
        assert_eq!(verdict(rules, command), Err(denied.clone()), "{rules}: {command}");
    }
}

#[test]
fn nothing_is_allowed_that_no_rule_allows() {
    is_denied("", &[("GET a", command("get")), ("PING", command("ping")), ("NOPE", command("nope"))]);
    is_denied("~* &*", &[("GET a", command("get"))]);
    is_denied("+@all", &[("GET a", Denied::Key), ("PUBLISH a b", Denied::Channel)]);
    passes("+@all", &["PING", "XINFO HELP"]);
}

#[test]
fn the_example_of_the_specification() {
    let rules = "~nextauth:* +@read +@write -@dangerous +ttl";
    passes(rules, &["GET nextauth:1", "set nextauth:1 x", "MSET nextauth:1 x nextauth:2 y", "ttl nextauth:1"]);
    is_denied(
        rules,
        &[
            ("GET other", Denied::Key),
            ("MSET nextauth:1 x other y", Denied::Key),
            ("RENAME nextauth:1 other", Denied::Key),
            ("FLUSHALL", command("flushall")),
            ("CONFIG SET a b", command("config|set")),
            ("GET", Denied::Arity("get".to_owned())),
        ],
    );
}

#[test]
fn refusals_are_redis_s_words() {
    for (rules, command, text) in [
        ("", "FLUSHALL", "NOPERM this user has no permissions to run the 'flushall' command"),
        ("", "CONFIG SET a b", "NOPERM this user has no permissions to run the 'config|set' command"),
        ("+get", "GET a", "NOPERM this user has no permissions to access one of the keys used as arguments"),
        (
            "+publish",
            "PUBLISH a b",
            "NOPERM this user has no permissions to access one of the channels used as arguments",
        ),
        ("", "CONFIG GET", "ERR wrong number of arguments for 'config|get' command"),
    ] {
        assert_eq!(verdict(rules, command).unwrap_err().to_string(), text);
    }
}

#[test]
fn the_last_rule_about_a_command_counts() {
    is_denied("~* +get -get", &[("GET a", command("get"))]);
    passes("~* -get +get", &["GET a"]);
    passes("~* -@all +@read", &["GET a"]);
    is_denied("~* +get -@read", &[("GET a", command("get"))]);
    is_denied("~* +get nocommands +set", &[("GET a", command("get"))]);
    passes("+@all -config +config|get", &["CONFIG GET a"]);
    is_denied("+@all -config +config|get", &[("CONFIG SET a b", command("config|set"))]);
    is_denied("+config|get -config", &[("CONFIG GET a", command("config|get"))]);
    passes("-config|get +config", &["CONFIG GET a"]);
    // A family is in @slow, and takes its subcommands along.
    passes("+@slow", &["CONFIG GET a"]);
}

#[test]
fn a_first_argument_may_be_told() {
    passes("+select|0 +Lolwut|Version", &["SELECT 0", "LOLWUT VERSION 5"]);
    is_denied("+select|0", &[("SELECT 1", command("select")), ("SELECT 0\0", command("select"))]);
    is_denied("+select|0 -select", &[("SELECT 0", command("select"))]);
    passes("+select|0 +select", &["SELECT 1"]);
}

#[test]
fn keys_are_to_read_or_to_write() {
    let rules = "+@all %R~r* %W~w* %RW~b*";
    passes(rules, &["GET r", "SET w 1", "COPY r w", "SET w 1", "TYPE w", "GETSET b 1", "SET b 1 GET"]);
    is_denied(
        rules,
        &[
            ("GET w", Denied::Key),
            ("SET r 1", Denied::Key),
            ("COPY w r", Denied::Key),
            ("SET w 1 GET", Denied::Key),
            ("GETSET w 1", Denied::Key),
        ],
    );
    passes("+@all %R~a %W~a", &["GETSET a 1"]);
    is_denied("+@all %R~a %W~*", &[("GETSET a 1", Denied::Key)]);
    is_denied("+@all ~a resetkeys ~b", &[("GET a", Denied::Key)]);
}

#[test]
fn a_selector_stands_for_itself() {
    let rules = "~a* +get (~b* +set) (%R~c* +@read)";
    passes(rules, &["GET a", "SET b 1", "MGET c c"]);
    is_denied(rules, &[("SET a 1", Denied::Key), ("GET b", Denied::Key), ("SET c 1", Denied::Key)]);
    is_denied(rules, &[("DEL a", command("del"))]);
    is_denied("~a +get ( ~b +set ) clearselectors", &[("SET b 1", command("set"))]);
    // What got furthest is told.
    is_denied("+publish (+publish ~*)", &[("PUBLISH a b", Denied::Channel)]);
}

#[test]
fn channels_match_patterns_and_patterns_are_channels() {
    let rules = "+@pubsub &chat:* &news";
    passes(rules, &["PUBLISH chat:1 x", "SUBSCRIBE news chat:1", "PSUBSCRIBE chat:* news", "UNSUBSCRIBE other"]);
    is_denied(
        rules,
        &[
            ("PUBLISH other x", Denied::Channel),
            ("SUBSCRIBE news other", Denied::Channel),
            ("PSUBSCRIBE chat:1*", Denied::Channel),
            ("PSUBSCRIBE chat:*\0*", Denied::Channel),
            ("SSUBSCRIBE other", Denied::Channel),
        ],
    );
}

#[test]
fn what_names_no_keys_needs_all() {
    let commands = [
        "EVAL x 0",
        "EVALSHA x 1 app:1",
        "FCALL_RO f 1 app:1",
        "SCRIPT LOAD x",
        "FUNCTION LIST",
        "SORT app:1 BY x",
        "SORT_RO app:1 GET #",
        "KEYS app:*",
        "RANDOMKEY",
        "DBSIZE",
        "FLUSHALL",
        "FLUSHDB",
        "MONITOR",
        "SLOWLOG GET",
        "DEBUG OBJECT app:1",
        "ZUNION 2 app:1",
    ];
    for all in ["~*", "allkeys", "%RW~*", "%R~* %W~*"] {
        let rules = format!("+@all {all}");
        passes(&rules, &commands[..commands.len() - 1]);
    }
    for command in commands {
        is_denied("+@all ~app:*", &[(command, Denied::Key)]);
        is_denied("+@all %R~*", &[(command, Denied::Key)]);
        // All keys of another selector do not help.
        is_denied("+@all ~app:* (~* +get)", &[(command, Denied::Key)]);
    }
    passes("+@all ~app:*", &["SORT app:1 STORE app:2", "XADD app:1 * a b"]);
}

#[test]
fn events_of_keys_need_all_keys() {
    let channels = [
        "SUBSCRIBE __keyspace@0__:a",
        "PSUBSCRIBE __keyevent@0__:*",
        "PSUBSCRIBE *",
        "PSUBSCRIBE ?_key*",
        "PUBLISH __keyevent@0__:set a",
    ];
    for command in channels {
        is_denied("+@all &* ~app:*", &[(command, Denied::Channel)]);
    }
    passes("+@all &* ~*", &channels);
    passes("+@all &* ~app:*", &["PSUBSCRIBE chat:*", "SUBSCRIBE __key", "SUBSCRIBE *"]);
}

#[test]
fn a_scan_is_filtered() {
    assert_eq!(verdict("+@all ~app:*", "SCAN 0"), Ok(Passed::Filtered));
    assert_eq!(verdict("+@all ~*", "SCAN 0"), Ok(Passed::Whole));
    let acl = Acl::parse("~a* %W~w* +scan (~b* +get)").unwrap();
    assert!(acl.may_list_key(b"a1") && !acl.may_list_key(b"b1") && !acl.may_list_key(b"w1"));
    assert!(!Acl::parse("~*").unwrap().may_list_key(b"a"));
}

#[test]
fn a_prefix_is_reached_whole_or_in_part() {
    let unlink: &[&str] = &["UNLINK"];
    for (rules, lists_all, lists_some, unlinks) in [
        ("+@all ~*", true, true, true),
        ("+@all ~app:*", true, true, true),
        ("+@all ~a*", true, true, true),
        ("+@all ~app:x*", false, true, false),
        ("+@all ~app:[a-z]* ~app:[^a-z]*", false, true, false),
        ("+@all ~other:*", false, false, false),
        ("+@all %R~app:*", true, true, false),
        ("+@all %W~app:*", false, false, true),
        ("~app:* +scan", true, true, false),
        ("~app:* +unlink", false, false, true),
        ("~other:* +scan (~app:* +unlink)", false, false, true),
        ("", false, false, false),
    ] {
        let acl = Acl::parse(rules).unwrap();
        let verdicts = (acl.may_list_all(b"app:"), acl.may_list_some(b"app:"), acl.passes_with_all(unlink, b"app:"));
        assert_eq!(verdicts, (lists_all, lists_some, unlinks), "{rules}");
    }
    let acl = Acl::parse("~app:* +memory|usage +ttl -memory|doctor").unwrap();
    assert!(acl.passes_with_all(&["MEMORY", "USAGE"], b"app:") && acl.passes_with_all(&["TTL"], b"app:"));
    assert!(!acl.passes_with_all(&["MEMORY", "USAGE"], b"ap") && !acl.passes_with_all(&["NOPE"], b"app:"));
}

#[test]
fn a_command_of_a_newer_server_needs_everything() {
    passes("+@all ~* &*", &["JSON.GET a", "CONFIG NOPE"]);
    passes("-get +@all +get allchannels allkeys", &["JSON.GET a"]);
    for rules in
        ["+@all ~*", "+@all &* ~a*", "+@all ~* &* -flushall", "+@all -flushall +flushall ~* &*", "~* &* +@read"]
    {
        is_denied(rules, &[("JSON.GET a", command("json.get")), ("CONFIG Nope", command("config|nope"))]);
    }
    let long = verdict("", &"X".repeat(1000)).unwrap_err().to_string();
    assert!(long.len() < 200);
    let words: [&[u8]; 0] = [];
    assert_eq!(Acl::parse("+get").unwrap().check(&words), Err(command("")));
}

#[test]
fn a_wrong_rule_is_named() {
    for (rules, text) in [
        ("+get +nope", "rule 2 '+nope': there is no such command"),
        ("+@nope", "rule 1 '+@nope': there is no such category"),
        ("-get|a", "rule 1 '-get|a': there is no such command"),
        ("+config|nope", "rule 1 '+config|nope': there is no such command"),
        ("+config|", "rule 1 '+config|': needs a subcommand"),
        ("+config|get|a", "rule 1 '+config|get|a': needs a subcommand"),
        ("~* ~a", "rule 2 '~a': has no effect after a rule for all keys"),
        ("allchannels &a", "rule 2 '&a': has no effect"),
        ("%X~a", "rule 1 '%X~a': must be"),
        ("%R", "rule 1 '%R': must be"),
        ("%~a", "rule 1 '%~a': must be"),
        ("~a\x0bb", "rule 1 '~a\x0bb': a pattern cannot"),
        ("+get (+set", "rule 2: the parenthesis is not closed"),
        ("(+get (+set)", "rule 2: is not a rule"),
        ("(\"~a\")", "rule 1: a pattern in parentheses"),
        ("(on)", "rule 1: is about logging in"),
        ("(clearselectors)", "rule 1: is not a rule"),
        (")", "rule 1: is not a rule"),
        ("reset", "rule 1: is about logging in"),
    ] {
        let error = Acl::parse(rules).unwrap_err().to_string();
        assert!(error.starts_with(text), "{error}");
    }
}

#[test]
fn a_password_is_never_told() {
    for rule in [">s3cret", "<s3cret", "#s3cret", "!s3cret", "s3cret", "on", "OFF", "nopass", "(>s3cret)", "é3cret"] {
        let error = Acl::parse(&format!("+get {rule}")).unwrap_err();
        assert!(error.number == 2 && !error.to_string().contains("3cret"), "{error}");
    }
}

mod properties {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_panics(rules in "([+-]@?[a-z|]{0,8}|[~%&()RW]{0,3}[a-z*?\\[\\\\]{0,4}| ){0,8}", words in any::<Vec<Vec<u8>>>()) {
            if let Ok(acl) = Acl::parse(&rules) {
                let _ = acl.check(&words);
            }
        }

        #[test]
        fn a_rule_that_denies_never_allows(
            rules in "(\\+@all|\\+get|-get|\\+@read|~a|%R~b|~c\\*)( \\+@all| \\+get| -@write| \\+@read| ~a| %W~b){0,4}",
            command in "(GET|SET|DEL|MGET|TYPE) [a-c] [a-c]",
        ) {
            let words: Vec<&str> = command.split(' ').collect();
            let narrower = Acl::parse(&format!("{rules} -{}", words[0])).unwrap();
            prop_assert!(narrower.check(&words).is_err());
            let without_keys = Acl::parse(&format!("{rules} resetkeys")).unwrap();
            prop_assert!(without_keys.check(&words).is_err());
        }
    }
}
