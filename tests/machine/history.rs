//! Random histories: which operations there are, how often, and by whom.

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::json;

use super::operation::{
    BLANKS, Changes, Feed, Items, MEDIA, NAMES, Op, Page, Pick, Reaction, Read, START_MS, SYNC_USER, SYNCED_IDS,
    SyncedFollow, SyncedPost, SyncedReaction, SyncedUser, TAG_LISTS, TAGS, TEXTS, Target, Who,
};

/// Everything that happens in one run.
pub fn history(most: usize) -> impl Strategy<Value = Vec<Op>> {
    vec(op(), 1..most)
}

fn op() -> impl Strategy<Value = Op> {
    let reaction = || select(vec![Reaction::Like, Reaction::Bookmark]);
    let text = || 0..TEXTS.len();
    let mostly = || prop::bool::weighted(0.7);
    prop_oneof![
        8 => select(vec![0, 1, 1_000, 900_000, 3_600_000, 5 * 3_600_000, 86_400_000, 14 * 86_400_000]).prop_map(Op::Wait),
        8 => (mighty(), target(), changes()).prop_map(|(by, user, fields)| Op::Put { by, user, fields }),
        4 => (who(), Just(Target::Me), changes()).prop_map(|(by, user, fields)| Op::Patch { by, user, fields }),
        6 => (mighty(), target(), changes()).prop_map(|(by, user, fields)| Op::Patch { by, user, fields }),
        3 => (who(), target()).prop_map(|(by, user)| Op::DeleteUser { by, user }),
        12 => (who(), other(), mostly()).prop_map(|(by, user, on)| Op::Follow { by, user, on }),
        18 => (who(), text(), 0..TAG_LISTS.len(), 0..MEDIA.len(), option::weighted(0.1, 0..3_u8))
            .prop_map(|(by, text, tags, media, key)| Op::Create { by, text, tags, media, key }),
        1 => (who(), 0..BLANKS.len()).prop_map(|(by, text)| Op::CreateBlank { by, text }),
        4 => (who(), pick()).prop_map(|(by, post)| Op::DeletePost { by, post }),
        24 => (who(), pick(), reaction(), mostly())
            .prop_map(|(by, post, reaction, on)| Op::React { by, post, reaction, on }),
        4 => (who(), pick()).prop_map(|(by, post)| Op::View { by, post }),
        12 => (who(), pick(), text()).prop_map(|(by, post, text)| Op::Comment { by, post, text }),
        5 => (who(), pick()).prop_map(|(by, comment)| Op::Uncomment { by, comment }),
        8 => (mighty(), pick(), mostly()).prop_map(|(by, post, on)| Op::Ban { by, post, on }),
        30 => (who(), read()).prop_map(|(by, what)| Op::Read { by, what }),
        16 => items().prop_map(Op::Sync),
        1 => mighty().prop_map(|by| Op::Stats { by }),
        4 => (who(), list(), 1..6_usize).prop_map(|(by, list, limit)| Op::Walk { by, list, limit }),
        2 => Just(Op::Compare),
    ]
}

fn items() -> impl Strategy<Value = Items> {
    let name = || select(&NAMES[..]);
    let seldom = || prop::bool::weighted(0.2);
    let hour = 3_600_000;
    let times = [-400 * hour, -30 * hour, -30 * hour, 0, 2 * hour, 500 * hour].map(|age| START_MS + age);
    let time = move || option::weighted(0.4, select(times.to_vec()));
    let user = (name(), changes(), prop::bool::weighted(0.1));
    let user = user.prop_map(|(name, mut fields, deleted)| {
        fields.retain(|(field, _)| *field != "username");
        SyncedUser { name, fields, deleted }
    });
    let post = (
        select(&SYNCED_IDS[..]),
        name(),
        0..TEXTS.len(),
        0..TAG_LISTS.len(),
        option::of(0..MEDIA.len()),
        time(),
        seldom(),
    );
    let post = post.prop_map(|(id, author, text, tags, media, created_at, deleted)| SyncedPost {
        id,
        author,
        text,
        tags,
        media,
        created_at,
        deleted,
    });
    let follow = (name(), name(), time(), seldom()).prop_map(|(follower, following, created_at, deleted)| {
        SyncedFollow { follower, following, created_at, deleted }
    });
    let reaction = (name(), pick(), time(), seldom())
        .prop_map(|(username, post, created_at, deleted)| SyncedReaction { username, post, created_at, deleted });
    let reactions = (select(vec![Reaction::Like, Reaction::Bookmark]), vec(reaction, 1..5));
    prop_oneof![
        2 => vec(user, 1..4).prop_map(Items::Users),
        4 => vec(post, 1..4).prop_map(Items::Posts),
        1 => vec(follow, 1..5).prop_map(Items::Follows),
        2 => reactions.prop_map(|(reaction, items)| Items::Reactions(reaction, items)),
    ]
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![
        24 => select(&NAMES[..]).prop_map(|name| Who::Token(name, "user")),
        3 => (select(&NAMES[..]), select(vec!["admin", "model"])).prop_map(|(name, role)| Who::Token(name, role)),
        6 => select(&NAMES[..]).prop_map(Who::ActedAs),
        4 => Just(Who::Key),
        1 => Just(Who::Nobody),
    ]
}

/// Mostly those who may do anything.
fn mighty() -> impl Strategy<Value = Who> {
    prop_oneof![1 => who(), 2 => Just(Who::Key), 4 => select(&NAMES[..]).prop_map(|name| Who::Token(name, "admin"))]
}

fn target() -> impl Strategy<Value = Target> {
    prop_oneof![2 => Just(Target::Me), 12 => select(&NAMES[..]).prop_map(Target::Named), 1 => Just(Target::Named(SYNC_USER))]
}

/// Hardly ever oneself.
fn other() -> impl Strategy<Value = Target> {
    prop_oneof![1 => target(), 9 => select(&NAMES[..]).prop_map(Target::Named)]
}

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![24 => (0..8_u8).prop_map(Pick::There), 3 => any::<u8>().prop_map(Pick::Ever), 1 => Just(Pick::Never)]
}

fn changes() -> impl Strategy<Value = Changes> {
    let good = vec![
        ("display_name", json!("Ann")),
        ("display_name", json!("Bob \"B\" 😀")),
        ("display_name", json!("")),
        ("display_name", json!(null)),
        ("avatar", json!("https://example.com/a.png")),
        ("avatar", json!("b")),
        ("avatar", json!(null)),
        ("bio", json!("hi")),
        ("bio", json!(4.50)),
        ("bio", json!(null)),
        ("links", json!("[]")),
        ("links", json!(true)),
    ];
    let mighty = vec![
        ("role", json!("user")),
        ("role", json!("model")),
        ("role", json!("model")),
        ("role", json!("admin")),
        ("email", json!("a@example.com")),
        ("email", json!(null)),
        ("created_at", json!(1_700_000_000_000_i64)),
        ("created_at", json!("1700000000001")),
    ];
    let bad = vec![
        ("role", json!("boss")),
        ("username", json!("zed")),
        ("postCount", json!(3)),
        ("followerCount", json!(null)),
        ("bio", json!(["a"])),
        ("created_at", json!("soon")),
    ];
    let one = prop_oneof![20 => select(good), 8 => select(mighty), 1 => select(bad)];
    vec(one, 0..4)
}

fn read() -> impl Strategy<Value = Read> {
    let limit = || 1..6_usize;
    let tags = vec(select(&TAGS[..]), 1..4);
    prop_oneof![
        2 => target().prop_map(Read::User),
        3 => pick().prop_map(Read::Post),
        20 => (list(), page()).prop_map(|(list, page)| list.with(page)),
        1 => (select(vec!["user", "model", "admin"]), limit()).prop_map(|(role, limit)| Read::Newest { role, limit }),
        1 => limit().prop_map(|limit| Read::TopModels { limit }),
        1 => (tags, limit()).prop_map(|(tags, per_hashtag)| Read::TopPosts { tags, per_hashtag }),
    ]
}

/// What is read in pages.
fn list() -> impl Strategy<Value = Read> {
    let first = Page(None);
    prop_oneof![
        3 => pick().prop_map(move |post| Read::Comments(post, first)),
        14 => (feed(), prop::bool::weighted(0.8))
            .prop_map(move |(feed, include_user)| Read::Feed { feed, page: first, include_user }),
        2 => target().prop_map(move |user| Read::Followers(user, first)),
        2 => target().prop_map(move |user| Read::Following(user, first)),
    ]
}

fn feed() -> impl Strategy<Value = Feed> {
    let tag = || select(&TAGS[..]);
    prop_oneof![
        2 => Just(Feed::Explore),
        3 => Just(Feed::Following),
        1 => tag().prop_map(Feed::Hashtag),
        4 => tag().prop_map(Feed::Ranked),
        2 => target().prop_map(Feed::Posts),
        2 => target().prop_map(Feed::Liked),
        2 => target().prop_map(Feed::Bookmarked),
    ]
}

fn page() -> impl Strategy<Value = Page> {
    option::weighted(0.7, (0..6_usize, 1..6_usize)).prop_map(Page)
}
