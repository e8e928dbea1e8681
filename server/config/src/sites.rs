//! `[[site]]`: the places where devices stand.

use jiff::tz::TimeZone;
use protocol::id::SiteId;
use protocol::point::{Name, Site};

use crate::document::Value;
use crate::finding::{nearest, shown};
use crate::names::Names;
use crate::parse::{parsed, text, word};
use crate::section::Section;

/// What `[[site]]` says.
pub(crate) struct Sites {
    pub names: Names<SiteId>,
    pub list: Vec<Site>,
}

pub(crate) fn read(root: &mut Section<'_>) -> Sites {
    let mut sites = Sites { names: Names::new("site"), list: Vec::new() };
    root.each("site", |section| sites.list.extend(site(section, &mut sites.names)));
    sites
}

fn site(section: &mut Section<'_>, names: &mut Names<SiteId>) -> Option<Site> {
    let id = section.require("id", parsed::<SiteId>);
    let name = name(section, id.as_ref().map_or("", |id| id.value.as_str()));
    let zone = section.read_or("zone", "Asia/Shanghai", zone);
    let id = id?;
    names.enter(&id, &mut section.notes.findings);
    Some(Site { id: id.value, name, zone: zone? })
}

/// `name_zh` and `name_en`; one stands in for the other, and `fallback` for both.
pub(crate) fn name(section: &mut Section<'_>, fallback: &str) -> Name {
    let mut read = |key| section.read(key, text).map(|placed| placed.value).unwrap_or_default();
    let (zh, en) = (read("name_zh"), read("name_en"));
    either(zh, en, fallback)
}

/// A name in both languages, however many of them were written.
pub(crate) fn either(zh: String, en: String, fallback: &str) -> Name {
    match (zh.is_empty(), en.is_empty()) {
        (true, true) => Name { zh: fallback.into(), en: fallback.into() },
        (true, false) => Name { zh: en.clone(), en },
        (false, true) => Name { en: zh.clone(), zh },
        (false, false) => Name { zh, en },
    }
}

/// The name of a time zone, spelled as the zone database has it.
fn zone(value: &Value) -> Result<String, String> {
    let written = word(value)?;
    let zone = TimeZone::get(&written).ok();
    let known = zone.as_ref().and_then(TimeZone::iana_name);
    known.map(ToOwned::to_owned).ok_or_else(|| {
        let near = nearest(&written, jiff::tz::db().available().map(|name| name.to_string()));
        format!("{} is no time zone, such as Asia/Shanghai{near}", shown(&written))
    })
}
