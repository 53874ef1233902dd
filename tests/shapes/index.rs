//! The index itself: a row for each route, with an example.

use serde_json::{Value, json};

/// Who calls.
#[derive(Clone, Copy)]
pub enum Who {
    Alice,
    Mia,
    Key,
}

/// A route, an example of a call, and what it answers.
pub struct Row {
    /// As in the route table.
    pub route: &'static str,
    /// With `P`, `B` and `C` in the places of a post, a banned post and a comment.
    pub path: &'static str,
    pub who: Who,
    pub body: Value,
    pub status: u16,
    pub shape: Value,
}

fn row(route: &'static str, path: &'static str, who: Who, shape: Value) -> Row {
    Row { route, path, who, body: Value::Null, status: 200, shape }
}

fn with(body: Value, status: u16, row: Row) -> Row {
    Row { body, status, ..row }
}

/// Some with every name in an object.
fn merged(mut object: Value, more: Value) -> Value {
    let Value::Object(more) = more else { panic!("not an object") };
    object.as_object_mut().unwrap().extend(more);
    object
}

/// A user as others see them.
fn user() -> Value {
    json!({"username": "text", "role": "text", "display_name": "text", "avatar": "text", "bio": "text",
        "created_at": "integer", "postCount": "integer", "followerCount": "integer", "followingCount": "integer"})
}

fn user_and(more: Value) -> Value {
    merged(user(), more)
}

fn post() -> Value {
    json!({"id": "text", "user_id": "text", "username": "text", "avatar": "text", "display_name": "text",
        "user_role": "text", "content": "text", "media_url": "text", "hashtags": ["text"], "created_at": "integer",
        "likesCount": "integer", "commentsCount": "integer", "bookmarksCount": "integer", "viewsCount": "integer",
        "isLiked": "boolean", "isBookmarked": "boolean"})
}

fn comment() -> Value {
    json!({"id": "text", "post_id": "text", "user_id": "text", "content": "text", "created_at": "integer", "user": user()})
}

fn counted() -> Value {
    merged(uncounted(), json!({"totalCount": "integer"}))
}

fn uncounted() -> Value {
    json!({"offset": "integer", "limit": "integer", "count": "integer", "hasMore": "boolean", "nextCursor": "null"})
}

fn item() -> Value {
    json!({"post": post(), "user": user()})
}

fn feed() -> Value {
    json!({"posts": [item()], "pagination": counted()})
}

fn people() -> Value {
    json!({"users": [user()], "pagination": counted()})
}

fn changed() -> Value {
    json!({"message": "text", "changed": "boolean"})
}

fn liked() -> Value {
    merged(changed(), json!({"likesCount": "integer"}))
}

fn bookmarked() -> Value {
    merged(changed(), json!({"bookmarksCount": "integer"}))
}

fn message() -> Value {
    json!({"message": "text"})
}

pub fn index() -> Vec<Row> {
    use Who::{Alice, Key, Mia};
    let seen = || json!({"user": user_and(json!({"isFollowing": "boolean"}))});
    let own = || user_and(json!({"isFollowing": "boolean", "email": "text"}));
    let banned = json!({"banned": "text", "banned_at": "integer", "banned_by": "text"});
    let first_page = merged(counted(), json!({"nextCursor": "text"}));
    vec![
        row("GET /users/{id}", "/users/mia", Alice, seen()),
        row("GET /users/{id}", "/users/me", Alice, json!({"user": own()})),
        with(
            json!({"bio": "b", "links": null}),
            200,
            row(
                "PATCH /users/{id}",
                "/users/me",
                Alice,
                json!({"message": "text", "user": own(), "updates": {"bio": "text", "links": "null"}}),
            ),
        ),
        with(
            json!({"display_name": "N", "avatar": "a", "bio": "b", "email": "e", "role": "model"}),
            201,
            row("PUT /users/{id}", "/users/new", Key, seen()),
        ),
        with(
            json!({"display_name": "N", "avatar": "a", "bio": "b", "email": "e"}),
            200,
            row("PUT /users/{id}", "/users/mia", Key, seen()),
        ),
        row("DELETE /users/{id}", "/users/me", Alice, json!({"message": "text", "postsDeleted": "integer"})),
        row("POST /users/{id}/follow", "/users/mia/follow", Alice, changed()),
        row("DELETE /users/{id}/follow", "/users/mia/follow", Alice, changed()),
        row("GET /users/{id}/followers", "/users/mia/followers", Alice, people()),
        row("GET /users/{id}/following", "/users/me/following", Alice, people()),
        row("GET /users/{id}/posts", "/users/mia/posts", Alice, feed()),
        row("GET /users/{id}/liked", "/users/me/liked", Alice, feed()),
        row("GET /users/{id}/bookmarked", "/users/me/bookmarked", Alice, feed()),
        with(json!({"content": "#one"}), 201, row("POST /posts", "/posts", Alice, json!({"post": post()}))),
        row("GET /posts/{id}", "/posts/P", Alice, item()),
        row("GET /posts/{id}", "/posts/B", Mia, merged(item(), json!({"post": merged(post(), banned)}))),
        row("DELETE /posts/{id}", "/posts/P", Mia, message()),
        row("POST /posts/{id}/like", "/posts/P/like", Alice, liked()),
        row("DELETE /posts/{id}/like", "/posts/P/like", Alice, liked()),
        row("POST /posts/{id}/bookmark", "/posts/P/bookmark", Alice, bookmarked()),
        row("DELETE /posts/{id}/bookmark", "/posts/P/bookmark", Alice, bookmarked()),
        row("POST /posts/{id}/view", "/posts/P/view", Alice, json!({"viewsCount": "integer"})),
        row(
            "GET /posts/{id}/comments",
            "/posts/P/comments",
            Alice,
            json!({"comments": [comment()], "pagination": counted()}),
        ),
        with(
            json!({"content": "c"}),
            201,
            row("POST /posts/{id}/comments", "/posts/P/comments", Alice, json!({"comment": comment()})),
        ),
        row("DELETE /comments/{id}", "/comments/C", Alice, message()),
        row("PATCH /posts/{id}/ban", "/posts/P/ban", Key, changed()),
        row("DELETE /posts/{id}/ban", "/posts/B/ban", Key, changed()),
        row("GET /feed/explore", "/feed/explore", Alice, feed()),
        row("GET /feed/explore", "/feed/explore?limit=1", Alice, json!({"posts": [item()], "pagination": first_page})),
        row("GET /feed/following", "/feed/following", Alice, json!({"posts": [item()], "pagination": uncounted()})),
        row("GET /feed/hashtag/{tag}", "/feed/hashtag/one", Alice, feed()),
        row("GET /feed/hashtag/{tag}/ranked", "/feed/hashtag/one/ranked", Alice, feed()),
        row("GET /search/users/newest", "/search/users/newest", Alice, json!({"users": [user()], "count": "integer"})),
        row(
            "GET /search/hashtags/top-posts",
            "/search/hashtags/top-posts?hashtags=one,none",
            Alice,
            json!({"hashtags": {"one": [item()], "none": []}}),
        ),
        row(
            "GET /search/models/top",
            "/search/models/top",
            Alice,
            json!({"models": [user_and(json!({"engagement_score": "integer"}))], "count": "integer"}),
        ),
    ]
}
