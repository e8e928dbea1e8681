//! `GET /api/devices`: what is configured.

use axum::Json;
use axum::extract::{Path, State};
use protocol::id::{DeviceId, SiteId};
use protocol::point::{Device, Name};
use serde::Serialize;

use crate::Gateway;
use crate::error::ApiError;

/// A device among others.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    id: DeviceId,
    name: Name,
    site: SiteId,
}

pub(crate) async fn list(State(gateway): State<Gateway>) -> Json<Vec<Entry>> {
    let entry = |device: &Device| Entry {
        id: device.id.clone(),
        name: device.name.clone(),
        site: device.site.clone(),
    };
    Json(gateway.plant.devices.iter().map(entry).collect())
}

pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
) -> Result<Json<Device>, ApiError> {
    let device = gateway.plant.devices.iter().find(|device| device.id.as_str() == id);
    let unknown = || ApiError::DeviceNotFound(id.chars().take(SHOWN).collect());
    device.cloned().map(Json).ok_or_else(unknown)
}

/// As much of a foreign text as an answer repeats.
const SHOWN: usize = 80;
