//! People: what each may do, and where (`architecture.md` 7).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::SiteId;

/// What somebody is to the plant.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks, as a wall does.
    Viewer,
    /// Acknowledges alarms and gives commands.
    Operator,
    /// Sees to points and rules as well.
    Engineer,
    /// Sees to users, the configuration and backups as well.
    Admin,
    /// Reads what is on record, and touches nothing.
    Auditor,
    /// Writes clients of ours.
    Developer,
}

/// What a request or a message asks to be allowed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// To see the plant.
    Watch,
    /// To act on it.
    Command,
    /// To change what it is made of: points, rules.
    Configure,
    /// To see to users, sessions and the server.
    Administer,
    /// To read logs and the audit trail.
    Records,
    /// To read what clients of ours are told.
    Develop,
}

/// A word that names no role.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no role; there are viewer, operator, engineer, admin, auditor and developer")]
pub struct NoRole(pub String);

/// The sites that somebody may see, and act on where the role lets them.
///
/// On the wire a list of their names, or null for all.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(from = "Option<BTreeSet<SiteId>>", into = "Option<BTreeSet<SiteId>>")]
pub enum Scope {
    /// Those that are yet to come, too.
    #[default]
    All,
    Sites(BTreeSet<SiteId>),
}

impl Role {
    pub const ALL: [Self; 6] =
        [Self::Viewer, Self::Operator, Self::Engineer, Self::Admin, Self::Auditor, Self::Developer];

    pub fn may(self, right: Right) -> bool {
        match self {
            Self::Viewer => matches!(right, Right::Watch),
            Self::Operator => matches!(right, Right::Watch | Right::Command),
            Self::Engineer => {
                matches!(right, Right::Watch | Right::Command | Right::Configure | Right::Records)
            }
            Self::Admin => true,
            Self::Auditor => matches!(right, Right::Watch | Right::Records),
            Self::Developer => matches!(right, Right::Watch | Right::Develop),
        }
    }

    /// As it is written on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Engineer => "engineer",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Developer => "developer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = NoRole;

    fn from_str(text: &str) -> Result<Self, NoRole> {
        let named = Self::ALL.into_iter().find(|role| role.name() == text);
        named.ok_or_else(|| NoRole(text.chars().take(SHOWN).collect()))
    }
}

impl Scope {
    pub fn holds(&self, site: &SiteId) -> bool {
        match self {
            Self::All => true,
            Self::Sites(sites) => sites.contains(site),
        }
    }
}

impl From<Option<BTreeSet<SiteId>>> for Scope {
    fn from(sites: Option<BTreeSet<SiteId>>) -> Self {
        sites.map_or(Self::All, Self::Sites)
    }
}

impl From<Scope> for Option<BTreeSet<SiteId>> {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::All => None,
            Scope::Sites(sites) => Some(sites),
        }
    }
}

/// As much of a foreign word as an answer repeats.
const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_its_line_says() {
        use Right::{Administer, Command, Configure, Develop, Records, Watch};
        let table: [(Role, &[Right]); 6] = [
            (Role::Viewer, &[Watch]),
            (Role::Operator, &[Watch, Command]),
            (Role::Engineer, &[Watch, Command, Configure, Records]),
            (Role::Admin, &[Watch, Command, Configure, Administer, Records, Develop]),
            (Role::Auditor, &[Watch, Records]),
            (Role::Developer, &[Watch, Develop]),
        ];
        for (role, rights) in table {
            for right in [Watch, Command, Configure, Administer, Records, Develop] {
                assert_eq!(role.may(right), rights.contains(&right), "{role}: {right:?}");
            }
        }
    }

    #[test]
    fn roles_read_back_as_written_and_nothing_else_is_one() {
        for role in Role::ALL {
            assert_eq!(role.name().parse(), Ok(role));
            assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
        }
        for word in ["", "Admin", "root"] {
            assert_eq!(word.parse::<Role>(), Err(NoRole(word.into())));
        }
    }

    #[test]
    fn a_scope_is_every_site_or_those_on_its_list() {
        let north: SiteId = "north".parse().unwrap();
        let south: SiteId = "south".parse().unwrap();
        assert!(Scope::All.holds(&north));
        let scope: Scope = serde_json::from_str(r#"["north"]"#).unwrap();
        assert!(scope.holds(&north) && !scope.holds(&south));
        assert_eq!(serde_json::to_string(&Scope::All).unwrap(), "null");
        assert_eq!(serde_json::from_str::<Scope>("null").unwrap(), Scope::All);
        assert!(
            !serde_json::from_str::<Scope>("[]").unwrap().holds(&north),
            "nowhere is not everywhere"
        );
    }
}
