//! `GET /namespaces`: how much is in each.

use axum::extract::State;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;

use super::{reach::Reach, scripts, walk::Walk};
use crate::{
    app::App,
    auth::AdminCaller,
    edge::{Json, Query},
    error::ApiError,
    policy::namespaces::Namespace,
    redis::{Elements, Failure, Redis, Reply, Safety},
};

/// What is known so far of all namespaces that the caller may know of.
#[derive(Serialize)]
pub struct Usage {
    namespaces: Vec<Row>,
    /// Whether all keys were looked at, and so everything was counted.
    complete: bool,
    /// Where to go on, with what was counted so far; `null` at the end.
    cursor: Option<String>,
}

/// One namespace. What the ACL does not allow to count, or the server does not tell, is `null`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    prefix: String,
    keys: Option<u64>,
    keys_without_expiry: Option<u64>,
    /// An estimate from the keys that were weighed.
    bytes: Option<u64>,
    /// How many those are.
    weighed_keys: Option<u64>,
}

/// Counts on from where the cursor says. Where there are more keys than a request looks at, the answer says so, and its
/// cursor carries what was counted.
pub async fn usage(
    AdminCaller(caller): AdminCaller,
    query: Query,
    redis: Redis,
    State(app): State<App>,
) -> Result<Json<Usage>, ApiError> {
    let reach = Reach::of(&caller)?;
    let known: Vec<&Namespace> =
        app.config.namespaces.iter().filter(|namespace| reach.lists_some(&namespace.prefix)).collect();
    let counted: Vec<&Namespace> =
        known.iter().copied().filter(|namespace| reach.lists_all(&namespace.prefix)).collect();
    let (mut walk, mut tallies) = start(query.get("cursor").as_deref(), &counted)?;
    while !counted.is_empty()
        && let Some(cursor) = walk.next()
    {
        let mut call = scripts::COUNT.invoke(Safety::Read);
        call.arg(cursor);
        for namespace in &counted {
            call.arg(namespace.prefix.clone());
        }
        let mut reply = walk.arrive(redis.call(call).await?)?;
        for tally in &mut tallies {
            tally.add(reply.reply()?)?;
        }
    }
    let cursor = if counted.is_empty() { None } else { walk.cursor() };
    let tally_of = |namespace: &Namespace| {
        counted.iter().zip(&tallies).find_map(|(other, tally)| (*other == namespace).then_some(*tally))
    };
    Ok(Json(Usage {
        namespaces: known.iter().map(|namespace| Row::new(namespace, tally_of(namespace), reach)).collect(),
        complete: cursor.is_none(),
        cursor: cursor.map(|cursor| write_cursor(&cursor, &counted, &tallies)),
    }))
}

impl Row {
    fn new(namespace: &Namespace, tally: Option<Tally>, reach: Reach<'_>) -> Self {
        let may = |command: &[&str]| reach.passes_with_all(command, &namespace.prefix);
        let weight = tally.filter(|tally| may(&["MEMORY", "USAGE"]) && (tally.weighed > 0 || tally.keys == 0));
        Self {
            name: namespace.name.clone(),
            prefix: namespace.prefix.clone(),
            keys: tally.map(|tally| tally.keys),
            keys_without_expiry: tally.filter(|_| may(&["TTL"])).map(|tally| tally.without_expiry),
            bytes: weight.map(|tally| tally.bytes),
            weighed_keys: weight.map(|tally| tally.weighed),
        }
    }
}

/// What was counted in a namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    keys: u64,
    without_expiry: u64,
    /// Estimated, slice by slice.
    bytes: u64,
    weighed: u64,
}

impl Tally {
    /// Adds what a slice has found.
    fn add(&mut self, reply: Reply) -> Result<(), Failure> {
        let mut reply = Elements::of(reply)?;
        let (keys, without_expiry) = (reply.unsigned()?, reply.unsigned()?);
        let (weighed, bytes) = (reply.unsigned()?, reply.unsigned()?);
        let estimate = keys.saturating_mul(bytes).checked_div(weighed).unwrap_or(0);
        for (sum, more) in [
            (&mut self.keys, keys),
            (&mut self.without_expiry, without_expiry),
            (&mut self.bytes, estimate),
            (&mut self.weighed, weighed),
        ] {
            *sum = sum.saturating_add(more);
        }
        Ok(())
    }
}

/// A cursor is that of the walk, then `;name,keys,without expiry,bytes,weighed` for each namespace that is counted.
fn write_cursor(at: &str, counted: &[&Namespace], tallies: &[Tally]) -> String {
    let mut text = at.to_owned();
    for (namespace, tally) in counted.iter().zip(tallies) {
        let Tally { keys, without_expiry, bytes, weighed } = tally;
        text += &format!(";{},{keys},{without_expiry},{bytes},{weighed}", namespace.name);
    }
    URL_SAFE_NO_PAD.encode(text)
}

/// Where to begin, and what was counted before. A cursor of other namespaces (the configuration has changed, or it was
/// another key's) is none.
fn start(cursor: Option<&str>, counted: &[&Namespace]) -> Result<(Walk, Vec<Tally>), ApiError> {
    let Some(cursor) = cursor else {
        return Ok((Walk::from(None, PLACE)?, vec![Tally::default(); counted.len()]));
    };
    match read_cursor(cursor, counted) {
        Some((at, tallies)) => Ok((Walk::from(Some(&at), PLACE)?, tallies)),
        None => Err(Walk::wrong_cursor(PLACE)),
    }
}

const PLACE: &str = "Parameter";

fn read_cursor(cursor: &str, counted: &[&Namespace]) -> Option<(String, Vec<Tally>)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let mut parts = text.split(';');
    let at = parts.next()?.to_owned();
    let mut tallies = Vec::with_capacity(counted.len());
    for namespace in counted {
        let (name, numbers) = parts.next()?.split_once(',')?;
        let numbers: Vec<u64> = numbers.split(',').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let [keys, without_expiry, bytes, weighed] = *numbers.as_slice() else { return None };
        tallies.push(Tally { keys, without_expiry, bytes, weighed });
        if name != namespace.name {
            return None;
        }
    }
    parts.next().is_none().then_some((at, tallies))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::namespaces::Namespaces;

    #[test]
    fn a_cursor_brings_back_what_was_counted() {
        let all = Namespaces::parse(r#"[{"name":"a","prefix":"a:"},{"name":"b.c","prefix":"b:"}]"#).unwrap();
        let counted: Vec<&Namespace> = all.iter().collect();
        let tally = |keys| Tally { keys, without_expiry: 1, bytes: u64::MAX, weighed: 3 };
        let cursor = write_cursor("17", &counted, &[tally(5), tally(6)]);
        assert_eq!(read_cursor(&cursor, &counted), Some(("17".to_owned(), vec![tally(5), tally(6)])));
        assert_eq!(read_cursor(&cursor, &counted[..1]), None);
        assert_eq!(read_cursor(&cursor, &[counted[1], counted[0]]), None);
        for text in [
            "",
            "17",
            "17;a,1,2,3,4",
            "17;a,1,2,3;b.c,1,2,3,4",
            "17;a,1,2,3,x;b.c,1,2,3,4",
            "17;a,1,2,3,4;b.c,1,2,3,4;",
        ] {
            assert_eq!(read_cursor(&URL_SAFE_NO_PAD.encode(text), &counted), None, "{text}");
        }
        assert_eq!(read_cursor("%", &counted), None);
    }

    #[test]
    fn bytes_are_estimated_slice_by_slice() {
        let mut tally = Tally::default();
        for numbers in [[4, 1, 2, 100], [1, 1, 1, 70], [3, 0, 0, 0]] {
            tally.add(Reply::Array(numbers.map(Reply::Integer).to_vec())).unwrap();
        }
        assert_eq!(tally, Tally { keys: 8, without_expiry: 2, bytes: 270, weighed: 3 });
        assert!(tally.add(Reply::Array(vec![Reply::Integer(-1); 4])).is_err());
    }
}
