//! Namespaces: a name for a prefix, and how long keys with it live that were given no expiry.
//!
//! No key is ever rewritten. A namespace claims the keys that begin with its prefix, byte by byte; what keeps an API key
//! within one is an ACL. Prefixes do not overlap, so a key is of one namespace at most. Who writes a key, and how the expiry
//! gets to Redis, is not known here.

use serde_json::{Map, Value};

use super::glob;

/// The longest that a rule lets a key live, in seconds: a hundred years. `EXPIRE` itself would take far more.
const LONGEST: u64 = 100 * 365 * 24 * 60 * 60;

/// The longest name of a namespace.
const LONGEST_NAME: usize = 64;

/// All configured namespaces.
#[derive(Clone, Debug, Default)]
pub struct Namespaces {
    namespaces: Vec<Namespace>,
    has_rules: bool,
}

/// One namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// The name by which routes know it.
    pub name: String,
    /// What its keys begin with. A text and no pattern: a `*` in it is one.
    pub prefix: String,
    rules: Vec<Rule>,
}

/// How long keys of a pattern live.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: String,
    seconds: u64,
}

impl Namespaces {
    /// Reads `NAMESPACES`, a JSON list of `{name, prefix, ttl: [[pattern, seconds], …]}`.
    ///
    /// # Errors
    /// A sentence that names the entry and the field.
    pub fn parse(json: &str) -> Result<Self, String> {
        let entries: Vec<Value> =
            serde_json::from_str(json).map_err(|_| "must be a JSON list of objects".to_owned())?;
        let mut all = Self::default();
        for (index, entry) in entries.into_iter().enumerate() {
            let add = |namespace| all.add(namespace);
            Namespace::read(entry).and_then(add).map_err(|problem| format!("entry {index}: {problem}"))?;
        }
        Ok(all)
    }

    fn add(&mut self, namespace: Namespace) -> Result<(), String> {
        for other in &self.namespaces {
            if other.name == namespace.name {
                return Err(format!("name: '{}' is used twice", namespace.name));
            }
            let (one, two) = (&other.prefix, &namespace.prefix);
            if one.starts_with(two) || two.starts_with(one) {
                return Err(format!("prefix: overlaps with that of '{}'", other.name));
            }
        }
        self.has_rules |= !namespace.rules.is_empty();
        self.namespaces.push(namespace);
        Ok(())
    }

    /// Whether there is any key that [`Namespaces::expiry_of`] knows an expiry for.
    pub fn has_rules(&self) -> bool {
        self.has_rules
    }

    /// How many seconds a key is to live if nobody has said so: those of the first rule that it matches.
    pub fn expiry_of(&self, key: &[u8]) -> Option<u64> {
        if !self.has_rules {
            return None;
        }
        let namespace = self.iter().find(|namespace| namespace.has(key))?;
        let rule = namespace.rules.iter().find(|rule| glob::matches(rule.pattern.as_bytes(), key))?;
        Some(rule.seconds)
    }

    /// The namespace of a name.
    pub fn find(&self, name: &str) -> Option<&Namespace> {
        self.iter().find(|namespace| namespace.name == name)
    }

    /// All of them, in the order of the configuration.
    pub fn iter(&self) -> std::slice::Iter<'_, Namespace> {
        self.namespaces.iter()
    }
}

impl<'a> IntoIterator for &'a Namespaces {
    type Item = &'a Namespace;
    type IntoIter = std::slice::Iter<'a, Namespace>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Namespace {
    /// Whether a key is one of its keys.
    pub fn has(&self, key: &[u8]) -> bool {
        key.starts_with(self.prefix.as_bytes())
    }

    /// The pattern that all of its keys match, and no others.
    pub fn pattern(&self) -> String {
        format!("{}*", glob::escape(&self.prefix))
    }

    fn read(entry: Value) -> Result<Self, String> {
        let Value::Object(mut fields) = entry else { return Err("must be an object".to_owned()) };
        let name = text(&mut fields, "name")?;
        let prefix = text(&mut fields, "prefix")?;
        if !is_name(&name) {
            return Err(format!("name: must be 1 to {LONGEST_NAME} characters of A-Z a-z 0-9 _ . -, not . or .."));
        }
        if prefix.is_empty() {
            return Err("prefix: is empty".to_owned());
        }
        let rules = match fields.remove("ttl") {
            None => Vec::new(),
            Some(Value::Array(rules)) => Rule::read_all(rules, &prefix)?,
            Some(_) => return Err("ttl: must be a list of [pattern, seconds]".to_owned()),
        };
        match fields.keys().next() {
            Some(unknown) => Err(format!("there is no field '{unknown}', only name, prefix and ttl")),
            None => Ok(Self { name, prefix, rules }),
        }
    }
}

impl Rule {
    fn read_all(rules: Vec<Value>, prefix: &str) -> Result<Vec<Self>, String> {
        let read = |(index, rule)| Self::read(rule, prefix).map_err(|problem| format!("ttl: rule {index}: {problem}"));
        rules.iter().enumerate().map(read).collect()
    }

    fn read(rule: &Value, prefix: &str) -> Result<Self, String> {
        let parts = rule.as_array().map(Vec::as_slice);
        let Some([Value::String(pattern), seconds]) = parts else {
            return Err("must be [pattern, seconds], such as [\"app:session:*\", 3600]".to_owned());
        };
        let beginning = glob::escape(prefix);
        if !pattern.starts_with(&beginning) {
            return Err(format!("the pattern must begin with '{beginning}': it is matched with whole keys"));
        }
        match seconds.as_u64() {
            Some(seconds @ 1..=LONGEST) => Ok(Self { pattern: pattern.clone(), seconds }),
            _ => Err(format!("the seconds must be a whole number from 1 to {LONGEST}")),
        }
    }
}

fn text(fields: &mut Map<String, Value>, name: &str) -> Result<String, String> {
    match fields.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("{name}: must be a string")),
        None => Err(format!("{name}: is missing")),
    }
}

/// A segment of a path, so neither `.` nor `..`, which paths lose on their way.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=LONGEST_NAME).contains(&text.len()) && text.bytes().all(is_plain) && !matches!(text, "." | "..")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expiry(namespaces: &Namespaces, key: &str) -> Option<u64> {
        namespaces.expiry_of(key.as_bytes())
    }

    #[test]
    fn the_first_rule_that_matches_counts() {
        let namespaces = Namespaces::parse(
            r#"[{"name":"a","prefix":"a:","ttl":[["a:x:keep",9],["a:x:*",5],["a:*",7]]},
                {"name":"b","prefix":"b:"},
                {"name":"c","prefix":"c:","ttl":[["c:[0-9]*",3]]}]"#,
        )
        .unwrap();
        for (key, seconds) in [
            ("a:x:keep", Some(9)),
            ("a:x:1", Some(5)),
            ("a:y", Some(7)),
            ("a:", Some(7)),
            ("a", None),
            ("xa:x:1", None),
            ("b:1", None),
            ("c:1", Some(3)),
            ("c:x", None),
            ("", None),
        ] {
            assert_eq!(expiry(&namespaces, key), seconds, "{key}");
        }
        assert_eq!(namespaces.expiry_of(b"a:x:\xff"), Some(5));
        assert!(namespaces.has_rules());
    }

    #[test]
    fn without_rules_nothing_expires() {
        for json in ["[]", r#"[{"name":"a","prefix":"a:"}]"#, r#"[{"name":"a","prefix":"a:","ttl":[]}]"#] {
            let namespaces = Namespaces::parse(json).unwrap();
            assert!(!namespaces.has_rules() && expiry(&namespaces, "a:1").is_none(), "{json}");
        }
        assert_eq!(Namespaces::parse("[]").unwrap().iter().count(), 0);
    }

    #[test]
    fn a_prefix_is_no_pattern() {
        let namespaces = Namespaces::parse(
            r#"[{"name":"star","prefix":"a*b:","ttl":[["a\\*b:*",5]]},{"name":"class","prefix":"[x]:","ttl":[["\\[x]:*",6]]}]"#,
        )
        .unwrap();
        for (key, seconds) in [("a*b:1", Some(5)), ("aab:1", None), ("[x]:1", Some(6)), ("x:1", None)] {
            assert_eq!(expiry(&namespaces, key), seconds, "{key}");
        }
        let patterns: Vec<String> = namespaces.iter().map(Namespace::pattern).collect();
        assert_eq!(patterns, ["a\\*b:*", "\\[x]:*"]);
    }

    #[test]
    fn a_wrong_entry_is_told_by_its_number_and_field() {
        let rule =
            |rule: &str| format!(r#"[{{"name":"a","prefix":"a:"}},{{"name":"b","prefix":"b*:","ttl":[{rule}]}}]"#);
        for (json, problem) in [
            ("{}", "must be a JSON list of objects"),
            ("[5]", "entry 0: must be an object"),
            (r#"[{"prefix":"a:"}]"#, "entry 0: name: is missing"),
            (r#"[{"name":5,"prefix":"a:"}]"#, "entry 0: name: must be a string"),
            (r#"[{"name":"","prefix":"a:"}]"#, "entry 0: name: must be 1 to 64 characters"),
            (r#"[{"name":"..","prefix":"a:"}]"#, "entry 0: name: must be 1 to 64 characters"),
            (r#"[{"name":"a b","prefix":"a:"}]"#, "entry 0: name: must be 1 to 64 characters"),
            (&format!(r#"[{{"name":"{}","prefix":"a:"}}]"#, "x".repeat(65)), "entry 0: name: must be 1 to 64"),
            (r#"[{"name":"a"}]"#, "entry 0: prefix: is missing"),
            (r#"[{"name":"a","prefix":""}]"#, "entry 0: prefix: is empty"),
            (r#"[{"name":"a","prefix":"a:","ttls":[]}]"#, "entry 0: there is no field 'ttls'"),
            (r#"[{"name":"a","prefix":"a:"},{"name":"a","prefix":"b:"}]"#, "entry 1: name: 'a' is used twice"),
            (
                r#"[{"name":"a","prefix":"a:"},{"name":"b","prefix":"a:"}]"#,
                "entry 1: prefix: overlaps with that of 'a'",
            ),
            (
                r#"[{"name":"a","prefix":"a:"},{"name":"b","prefix":"a:b:"}]"#,
                "entry 1: prefix: overlaps with that of 'a'",
            ),
            (
                r#"[{"name":"a","prefix":"a:b:"},{"name":"b","prefix":"a:"}]"#,
                "entry 1: prefix: overlaps with that of 'a'",
            ),
            (r#"[{"name":"a","prefix":"a:","ttl":{}}]"#, "entry 0: ttl: must be a list"),
            (&rule(r#"["b\\*:*",1],["b\\*:*"]"#), "entry 1: ttl: rule 1: must be [pattern, seconds]"),
            (&rule(r#"[1,"b\\*:*"]"#), "entry 1: ttl: rule 0: must be [pattern, seconds]"),
            (&rule(r#"["b*:x",1]"#), r"entry 1: ttl: rule 0: the pattern must begin with 'b\*:'"),
            (&rule(r#"["*",1]"#), r"entry 1: ttl: rule 0: the pattern must begin with 'b\*:'"),
            (&rule(r#"["b\\*:*",0]"#), "entry 1: ttl: rule 0: the seconds must be a whole number"),
            (&rule(r#"["b\\*:*",1.5]"#), "entry 1: ttl: rule 0: the seconds must be a whole number"),
            (&rule(r#"["b\\*:*","60"]"#), "entry 1: ttl: rule 0: the seconds must be a whole number"),
            (&rule(r#"["b\\*:*",3153600001]"#), "entry 1: ttl: rule 0: the seconds must be a whole number"),
        ] {
            let message = Namespaces::parse(json).unwrap_err();
            assert!(message.starts_with(problem), "{json}: {message}");
        }
        assert!(Namespaces::parse(&rule(r#"["b\\*:*",3153600000]"#)).is_ok());
    }

    proptest! {
        #[test]
        fn a_rule_reaches_no_key_of_others(
            prefix in "[a*?\\[\\]\\\\:]{1,4}",
            rest in "[a*?\\[\\]\\\\]{0,3}",
            key in "[a*?\\[\\]\\\\:]{0,6}",
        ) {
            let pattern = format!("{}{rest}", glob::escape(&prefix));
            let json = serde_json::json!([{"name": "n", "prefix": prefix, "ttl": [[pattern, 1]]}]);
            let namespaces = Namespaces::parse(&json.to_string()).unwrap();
            let namespace = namespaces.find("n").unwrap();
            if glob::matches(pattern.as_bytes(), key.as_bytes()) {
                prop_assert!(namespace.has(key.as_bytes()));
            }
            prop_assert_eq!(glob::matches(namespace.pattern().as_bytes(), key.as_bytes()), namespace.has(key.as_bytes()));
        }
    }
}
