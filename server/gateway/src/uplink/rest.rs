//! `GET /api/edges` and `GET /api/edges/{id}/history`: how the edges stand, and what they told.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;

use axum::Json;
use axum::extract::{Path, Query, State};
use http::header::{CACHE_CONTROL, VARY};
use http::request::Parts;
use http::{HeaderName, Uri};
use protocol::id::{DeviceId, EdgeId, Incarnation};
use protocol::status::NumberedRow;
use protocol::time::Timestamp;
use serde::Serialize;
use store::{EdgeFilter, EdgeRow, Place};

use super::Post;
use super::desk::Standing;
use crate::error::ApiError;

/// An edge in one line.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    backlog: u64,
    /// The age of its oldest row that is not uploaded.
    delay_ms: u64,
    devices: Vec<DeviceId>,
    /// How long ago it was last heard of; `null` where it was not since this server was started.
    heard_ms: Option<u64>,
    id: EdgeId,
    /// When the newest of its rows happened, by its own clock.
    newest: Option<Timestamp>,
    reached: bool,
    received: u64,
    received_at: Option<Timestamp>,
}

/// All edges, in the order of their names.
pub(super) async fn list(State(post): State<Post>) -> Result<(Headers, Json<Vec<Row>>), ApiError> {
    let standings = post.edges.list().await;
    let mut standings = standings.map_err(|error| ApiError::NotReady(error.to_string()))?;
    let extents = post.history.history().extents().await.map_err(unavailable)?;
    let now = post.gateway.hub.time();
    let row = |(id, standing): (EdgeId, Standing)| {
        let devices = post.edges.find(id.as_str());
        let devices = devices.map(|edge| edge.devices.clone()).unwrap_or_default();
        Row::new(id, devices, standing, now)
    };
    for (id, standing) in &mut standings {
        let found = extents.iter().find(|extent| extent.edge == *id).cloned();
        standing.extent = found.or_else(|| standing.extent.take());
    }
    Ok((PRIVATE, Json(standings.into_iter().map(row).collect())))
}

impl Row {
    fn new(id: EdgeId, devices: Vec<DeviceId>, standing: Standing, now: Timestamp) -> Self {
        let Standing { connection, heard_at, line, extent } = standing;
        let millis =
            |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            backlog: line.backlog,
            delay_ms: millis(line.delay),
            devices,
            heard_ms: heard_at.map(|at| millis(now.since(at))),
            id,
            newest: extent.as_ref().and_then(|extent| extent.newest),
            reached: connection.is_some(),
            received: extent.as_ref().map(|extent| extent.rows).unwrap_or_default(),
            received_at: extent.and_then(|extent| extent.received_at),
        }
    }
}

/// Some rows of an edge, newest first.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    /// Handed back as `before`, it leads to what is older; `null` where there is no more.
    next: Option<String>,
    rows: Vec<Told>,
}

/// A row as its edge told it.
#[derive(Debug, Serialize)]
struct Told {
    incarnation: Incarnation,
    received_at: Timestamp,
    #[serde(flatten)]
    row: NumberedRow,
}

impl From<EdgeRow> for Told {
    fn from(row: EdgeRow) -> Self {
        let EdgeRow { incarnation, received_at, row } = row;
        Self { incarnation, received_at, row }
    }
}

pub(super) async fn history(
    State(post): State<Post>,
    Path(id): Path<String>,
    request: Parts,
) -> Result<(Headers, Json<Page>), ApiError> {
    let edge = post.edges.find(&id).ok_or_else(|| bad("edge", "is not configured here"))?;
    let (filter, before, limit) = asked(&request.uri, edge.id.clone())?;
    let page = post.history.history().page(&filter, before, limit).await.map_err(unavailable)?;
    let next = page.next.map(|place| place.to_string());
    Ok((PRIVATE, Json(Page { next, rows: page.rows.into_iter().map(Told::from).collect() })))
}

/// Reads a query; what stands there without a value is not asked.
fn asked(uri: &Uri, edge: EdgeId) -> Result<(EdgeFilter, Option<Place>, NonZeroU32), ApiError> {
    let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|error| bad("query", error.body_text()))?;
    let mut filter = EdgeFilter { edge, device: None, from: None, to: None };
    let (mut before, mut limit) = (None, USUAL);
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        match name.as_str() {
            "before" => before = Some(parsed(name, value)?),
            "device" => filter.device = Some(parsed(name, value)?),
            "from" => filter.from = Some(Timestamp::from_millis(parsed(name, value)?)),
            "limit" => limit = parsed(name, value)?,
            "to" => filter.to = Some(Timestamp::from_millis(parsed(name, value)?)),
            unknown => {
                let shown: String = unknown.chars().take(SHOWN).collect();
                return Err(bad(&shown, "is none of the parameters"));
            }
        }
    }
    Ok((filter, before, limit))
}

fn parsed<T: FromStr<Err: Display>>(name: &str, value: &str) -> Result<T, ApiError> {
    value.parse().map_err(|error: T::Err| bad(name, error.to_string()))
}

fn bad(name: &str, why: impl Into<String>) -> ApiError {
    ApiError::BadQuery { name: name.into(), why: why.into() }
}

fn unavailable(error: store::HistoryError) -> ApiError {
    tracing::warn!(%error, "the history of edges could not be told: {error}");
    ApiError::RecordsUnavailable
}

type Headers = [(HeaderName, &'static str); 2];

const PRIVATE: Headers = [(CACHE_CONTROL, "no-store"), (VARY, "Origin, Sec-Fetch-Site")];

/// A screen and the next.
const USUAL: NonZeroU32 = NonZeroU32::new(100).expect("it is not zero");

/// As much of a foreign text as an answer repeats.
const SHOWN: usize = 80;
