//! `GET /api/devices`: what is configured.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use protocol::id::{DeviceId, SiteId};
use protocol::point::{Device, Name};
use serde::Serialize;

use crate::Gateway;
use crate::error::ApiError;
use crate::people::Visitor;

/// A device among others.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    id: DeviceId,
    name: Name,
    site: SiteId,
}

/// Those of the sites that whoever asks may see.
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    Extension(visitor): Extension<Visitor>,
) -> Json<Vec<Entry>> {
    let entry = |device: &Device| Entry {
        id: device.id.clone(),
        name: device.name.clone(),
        site: device.site.clone(),
    };
    let in_scope = |device: &&Device| visitor.person.sites.holds(&device.site);
    Json(gateway.plant.devices.iter().filter(in_scope).map(entry).collect())
}

pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Path(id): Path<String>,
    Extension(visitor): Extension<Visitor>,
) -> Result<Json<Device>, ApiError> {
    let device = gateway.plant.devices.iter().find(|device| device.id.as_str() == id);
    let device = device.filter(|device| visitor.person.sites.holds(&device.site));
    let unknown = || ApiError::DeviceNotFound(id.chars().take(SHOWN).collect());
    device.cloned().map(Json).ok_or_else(unknown)
}

/// As much of a foreign text as an answer repeats.
const SHOWN: usize = 80;
