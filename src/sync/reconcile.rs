//! Whether counters say what there is: on demand, and slice by slice on a timer.

use std::str::FromStr;

use axum::extract::State;
use serde::Serialize;

use crate::{
    app::App,
    auth::AdminCaller,
    edge::{
        Json,
        body::{BodyOf, BoundedBody},
        fields::Fields,
    },
    error::ApiError,
    host::Level,
    redis::{Elements, Redis, Reply, Safety},
    social::{actor::Moment, jobs, outcome, scripts},
};

/// What is done about differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They are told.
    Report,
    /// They are told, and what is counted is put in the place of what was stored.
    Mend,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Mend => "mend",
        }
    }
}

impl FromStr for Mode {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "report" => Ok(Self::Report),
            "mend" => Ok(Self::Mend),
            _ => Err("must be report or mend"),
        }
    }
}

/// How many slices one request or one tick of the timer looks at; each is one round trip.
const SLICES: usize = 10;

/// Where a slice begins.
enum Start<'a> {
    /// At a cursor that an earlier answer gave.
    At(&'a str),
    /// Where the timer's last slice ended.
    Kept,
}

/// What a run found.
#[derive(Serialize)]
pub struct Report {
    mode: Mode,
    /// How many users and posts were looked at.
    checked: i64,
    differences: Vec<Difference>,
    /// Where to go on; `null` at the end.
    cursor: Option<String>,
}

/// What is stored, and what should be.
#[derive(Serialize)]
struct Difference {
    key: String,
    field: String,
    stored: String,
    counted: String,
}

impl Difference {
    fn read(reply: Reply) -> Result<Self, ApiError> {
        let mut parts = Elements::of(reply)?;
        let mut text =
            || parts.reply().map(|reply| String::from_utf8_lossy(reply.as_bytes().map_or(&[][..], |b| b)).into());
        Ok(Self { key: text()?, field: text()?, stored: text()?, counted: text()? })
    }
}

/// Compares a part of the data, from a cursor on.
pub async fn run(
    _: AdminCaller,
    redis: Redis,
    State(app): State<App>,
    BodyOf(body): BoundedBody,
) -> Result<Json<Report>, ApiError> {
    let mut fields = Fields::of(&body)?;
    let wrong = |problem| ApiError::bad_request(format!("Field 'mode' {problem}"));
    let mode = fields.required("mode")?.parse().map_err(wrong)?;
    let cursor = fields.text("cursor")?.unwrap_or_else(|| "0".to_owned());
    if cursor.parse::<u64>().is_err() {
        return Err(ApiError::bad_request("Field 'cursor' is none that this route gave"));
    }
    let mut report = Report { mode, checked: 0, differences: Vec::new(), cursor: Some(cursor) };
    for _ in 0..SLICES {
        let Some(cursor) = report.cursor.take() else { break };
        slice(&app, &redis, Start::At(&cursor), &mut report).await?;
    }
    if mode == Mode::Mend && !report.differences.is_empty() {
        jobs::wake(&app).await;
    }
    Ok(Json(report))
}

/// What the timer does: slices from where it last ended, and a log line if they found anything.
///
/// # Errors
/// What Redis fails with; the next tick goes on from the same place.
pub async fn tick(app: &App, redis: &Redis) -> Result<(), ApiError> {
    let Some(mode) = app.config.reconcile else { return Ok(()) };
    let mut report = Report { mode, checked: 0, differences: Vec::new(), cursor: None };
    for _ in 0..SLICES {
        slice(app, redis, Start::Kept, &mut report).await?;
        if report.cursor.is_none() {
            break;
        }
    }
    if let Some(first) = report.differences.first()
        && app.config.log_level.writes(Level::Warn)
    {
        let differences = report.differences.len();
        let line = Line { level: "warn", reconcile: mode, checked: report.checked, differences, first };
        app.host.log(Level::Warn, &serde_json::to_string(&line).unwrap_or_default());
    }
    Ok(())
}

/// What the timer found.
#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    reconcile: Mode,
    checked: i64,
    differences: usize,
    first: &'a Difference,
}

async fn slice(app: &App, redis: &Redis, start: Start<'_>, report: &mut Report) -> Result<(), ApiError> {
    // Mended twice is mended.
    let mut call = Moment::now(app).invoke(&scripts::RECONCILE, Safety::IdempotentWrite);
    call.key("reconcile:cursor").arg(report.mode.as_str());
    call.arg(match start {
        Start::At(cursor) => cursor.to_owned(),
        Start::Kept => String::new(),
    });
    let mut reply = outcome::accept(redis.call(call).await?)?;
    report.cursor = Some(reply.text()?).filter(|cursor| cursor != "0");
    report.checked += reply.integer()?;
    for difference in reply.array()? {
        report.differences.push(Difference::read(difference)?);
    }
    Ok(())
}
