//! What happens in a storm.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use serde_json::{Value, json};

use super::crowd::{ACTORS, DILIGENT, FAMOUS, KEEPER, KEPT_POST, LONG_AGO_MS, POSTS, actor, before, famous, many};
use crate::support::{Answer, Call, Gateway, Redis, token};

const ISOLATES: usize = 8;

/// One kind of thing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    Create,
    DeletePost,
    Like,
    Unlike,
    Bookmark,
    Unbookmark,
    Follow,
    Unfollow,
    Comment,
    Uncomment,
    View,
    Ban,
    Lift,
    Rename,
    ChangeRole,
    Return,
    DeleteUser,
    Read,
    SyncPost,
    Reconcile,
    Work,
}

/// How many of a thousand things are of which kind.
const MIX: [(usize, Deed); 21] = [
    (140, Deed::Create),
    (30, Deed::DeletePost),
    (170, Deed::Like),
    (60, Deed::Unlike),
    (90, Deed::Bookmark),
    (30, Deed::Unbookmark),
    (90, Deed::Follow),
    (30, Deed::Unfollow),
    (90, Deed::Comment),
    (30, Deed::Uncomment),
    (40, Deed::View),
    (35, Deed::Ban),
    (30, Deed::Lift),
    (40, Deed::Rename),
    (10, Deed::ChangeRole),
    (40, Deed::Return),
    (8, Deed::DeleteUser),
    (45, Deed::Read),
    (20, Deed::SyncPost),
    (2, Deed::Reconcile),
    (12, Deed::Work),
];

/// What came of one thing.
#[derive(Debug)]
pub struct Outcome {
    deed: Deed,
    pub status: u16,
    code: Option<String>,
}

/// A storm over a Redis.
pub struct Storm {
    pub gateways: Vec<Gateway>,
    pub seed: u64,
    posts: Mutex<Vec<String>>,
    comments: Mutex<Vec<String>>,
    done: AtomicUsize,
}

/// SplitMix64: a sequence of numbers that a seed decides.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((word ^ (word >> 31)) % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn deed(&mut self) -> Deed {
        let mut number = self.below(MIX.iter().map(|(share, _)| share).sum());
        for (share, deed) in MIX {
            match number.checked_sub(share) {
                Some(rest) => number = rest,
                None => return deed,
            }
        }
        Deed::Read
    }

    /// Mostly one of the latest, so that many have to do with the same.
    fn recent(&mut self, all: &Mutex<Vec<String>>) -> String {
        let all = all.lock().unwrap();
        let span = if self.below(4) == 0 { all.len() } else { all.len().min(30) };
        all[all.len() - 1 - self.below(span)].clone()
    }

    fn actor(&mut self) -> String {
        actor(self.below(ACTORS))
    }

    /// Those of the large things, who have the first numbers, go more seldom.
    fn leaver(&mut self) -> String {
        let (one, other) = (self.below(ACTORS), self.below(ACTORS));
        actor(one.max(other))
    }
}

impl Storm {
    /// Fills a Redis with what is there before.
    pub fn over(redis: &Redis) -> Self {
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let before = before();
        redis.fill(&before.keyspace());
        let mut seed = [0; 8];
        getrandom::fill(&mut seed).unwrap();
        let seed = std::env::var("STORM_SEED").map_or(u64::from_le_bytes(seed), |text| text.parse().unwrap());
        Self {
            gateways: (0..ISOLATES).map(|_| Gateway::on(redis)).collect(),
            seed: seed.wrapping_add(RUNS.fetch_add(1, SeqCst)),
            posts: Mutex::new(before.posts.into_keys().filter(|id| id != KEPT_POST).collect()),
            comments: Mutex::new(before.comments.into_keys().collect()),
            done: AtomicUsize::new(0),
        }
    }

    /// How many things were done so far.
    pub fn done(&self) -> usize {
        self.done.load(SeqCst)
    }

    /// Does so many things, one after the other.
    pub async fn client(self: std::sync::Arc<Self>, number: usize, count: usize) -> Vec<Outcome> {
        let gateway = &self.gateways[number % ISOLATES];
        let mut dice = Dice(self.seed ^ u64::try_from(number).unwrap().wrapping_mul(0x2545_f491_4f6c_dd1d));
        let mut outcomes = Vec::new();
        for _ in 0..count {
            let deed = dice.deed();
            let outcome = match deed {
                Deed::Work => work(gateway).await,
                _ => self.note(deed, &self.call(gateway, deed, &mut dice).send().await),
            };
            self.done.fetch_add(1, SeqCst);
            if outcome.status >= 500 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            outcomes.push(outcome);
        }
        outcomes
    }

    /// Remembers what was made, so that others find it.
    fn note(&self, deed: Deed, answer: &Answer) -> Outcome {
        let body = answer.json();
        let id = |what: &str| body[what]["id"].as_str().unwrap().to_owned();
        match (deed, answer.status) {
            (Deed::Create, 201) => self.posts.lock().unwrap().push(id("post")),
            (Deed::Comment, 201) => self.comments.lock().unwrap().push(id("comment")),
            // Whatever is under way, counters are never wrong.
            (Deed::Reconcile, 200) => assert_eq!(body["differences"], json!([]), "seed {}", self.seed),
            _ => {}
        }
        Outcome { deed, status: answer.status, code: body["code"].as_str().map(str::to_owned) }
    }

    fn call(&self, gateway: &Gateway, deed: Deed, dice: &mut Dice) -> Call {
        let me = if deed == Deed::DeleteUser { dice.leaver() } else { dice.actor() };
        let other = dice.actor();
        let as_me = |method: &str, path: &str| gateway.call(method, path).user(&me);
        let as_admin = |method: &str, path: &str| gateway.call(method, path).bearer(&token::of("boss", "admin"));
        let mut post = |part: &str| match dice.below(5) {
            0 => format!("/posts/{}{part}", famous(dice.below(FAMOUS))),
            _ => format!("/posts/{}{part}", dice.recent(&self.posts)),
        };
        match deed {
            Deed::Create => as_me("POST", "/posts").json(draft(dice)),
            Deed::DeletePost => as_admin("DELETE", &post("")),
            Deed::Like => as_me("POST", &post("/like")),
            Deed::Unlike => as_me("DELETE", &post("/like")),
            Deed::Bookmark => as_me("POST", &post("/bookmark")),
            Deed::Unbookmark => as_me("DELETE", &post("/bookmark")),
            Deed::Follow => as_me("POST", &format!("/users/{other}/follow")),
            Deed::Unfollow => as_me("DELETE", &format!("/users/{other}/follow")),
            Deed::Comment => as_me("POST", &post("/comments")).json(json!({"content": "well"})),
            Deed::Uncomment => as_admin("DELETE", &format!("/comments/{}", dice.recent(&self.comments))),
            Deed::View => as_me("POST", &format!("/posts/{KEPT_POST}/view")),
            Deed::Ban => as_admin("PATCH", &post("/ban")),
            Deed::Lift => as_admin("DELETE", &post("/ban")),
            Deed::Rename => as_me("PATCH", "/users/me").json(name(dice)),
            Deed::ChangeRole => {
                let role = ["user", "model", "admin"][dice.below(3)];
                gateway.call("PATCH", &format!("/users/{me}")).api_key().json(json!({"role": role}))
            }
            Deed::Return => gateway.call("PUT", &format!("/users/{me}")).api_key().json(name(dice)),
            Deed::DeleteUser => as_me("DELETE", "/users/me"),
            Deed::Read => as_me("GET", &read_path(dice)),
            Deed::SyncPost => {
                let author = dice.below(DILIGENT);
                let item = json!({
                    "id": many(author, dice.below(POSTS)), "username": actor(author), "content": "#storm, as it is told",
                    "created_at": LONG_AGO_MS + i64::try_from(dice.below(2000)).unwrap(),
                });
                gateway.post("/sync/posts").api_key().json(json!([item]))
            }
            Deed::Reconcile => gateway.post("/admin/reconcile").api_key().json(json!({"mode": "mend"})),
            Deed::Work => unreachable!("no request"),
        }
    }
}

/// One step of one job: 200 if others are left.
async fn work(gateway: &Gateway) -> Outcome {
    let status = match gateway.work(1).await {
        Some(0) => 404,
        Some(_) => 200,
        None => 503,
    };
    Outcome { deed: Deed::Work, status, code: (status == 503).then(|| "redis_unreachable".to_owned()) }
}

fn draft(dice: &mut Dice) -> Value {
    let tags = ["storm", "wind", "rain"];
    json!({"content": format!("#{} it is", tags[dice.below(3)]), "hashtags": [tags[dice.below(3)]]})
}

fn name(dice: &mut Dice) -> Value {
    json!({"display_name": format!("name {}", dice.below(1000)), "avatar": format!("avatar {}", dice.below(1000))})
}

fn read_path(dice: &mut Dice) -> String {
    let paths = [
        "/feed/explore",
        "/feed/following",
        "/feed/hashtag/storm",
        "/feed/hashtag/storm/ranked",
        "/users/me/liked",
        "/search/models/top",
        "/search/hashtags/top-posts?hashtags=storm,wind",
    ];
    match dice.below(paths.len() + 2) {
        0 => format!("/posts/{KEPT_POST}"),
        1 => format!("/users/{KEEPER}/posts"),
        number => paths[number - 2].to_owned(),
    }
}

/// A storm in which nothing succeeds proves nothing.
pub fn assert_that_everything_happened(outcomes: &[Outcome]) {
    let happened: BTreeSet<Deed> = outcomes.iter().filter(|outcome| outcome.status < 300).map(|one| one.deed).collect();
    assert_eq!(happened, MIX.iter().map(|(_, deed)| *deed).collect());
    assert!(outcomes.iter().any(|outcome| outcome.status == 202), "nobody's deletion took more than one step");
    let succeeded = outcomes.iter().filter(|outcome| outcome.status < 300).count();
    assert!(succeeded * 2 > outcomes.len(), "{succeeded} of {}", outcomes.len());
}

/// While Redis is away a request is 503, or its outcome is unknown; there is no other failure.
pub fn assert_that_only_the_killing_failed(outcomes: &[Outcome]) {
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.status >= 500).collect();
    assert!(!failed.is_empty(), "Redis was killed when nobody looked");
    for outcome in failed {
        let expected = match outcome.status {
            503 => &["redis_unreachable", "redis_unavailable"][..],
            502 => &["outcome_unknown"][..],
            _ => &[],
        };
        assert!(outcome.code.as_deref().is_some_and(|code| expected.contains(&code)), "{outcome:?}");
    }
}

/// Every view that was answered was counted, and none was counted that was not sent.
pub fn assert_that_what_was_acknowledged_is_there(outcomes: &[Outcome], redis: &Redis) {
    let views = |statuses: &[u16]| {
        outcomes.iter().filter(|outcome| outcome.deed == Deed::View && statuses.contains(&outcome.status)).count()
    };
    let (acknowledged, unknown) = (views(&[200]), views(&[502]));
    let stored: usize = redis.hash(&format!("post:{KEPT_POST}"))["viewsCount"].as_str().unwrap().parse().unwrap();
    let possible = acknowledged..=acknowledged + unknown;
    assert!(possible.contains(&stored), "{stored} stored, {acknowledged} acknowledged, {unknown} unknown");
}
