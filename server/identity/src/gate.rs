//! The gate: who may call a route, and who may say what on a connection.

use protocol::id::{SiteId, UserId};
use protocol::user::{Right, Role, Scope};
use protocol::wire::native::ClientMessage;

use crate::name::ANONYMOUS;
use crate::session::SessionId;
use crate::token::Claims;

/// Somebody who is signed in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// The password was set by somebody else: nothing but its change is open.
    pub must_change_password: bool,
    pub role: Role,
    /// `None`: by a center's token, or because nobody has to sign in.
    pub sid: Option<SessionId>,
    pub sites: Scope,
    pub user: UserId,
}

/// Whom a route is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// Everybody.
    Nobody,
    /// This machine, whoever has the token for it, and administrators.
    Insider,
    /// Whoever is signed in, for what is their own: their session, their password.
    Own,
    /// Whoever is signed in, and has a password of their own.
    SignedIn,
    /// Whoever has the right.
    Right(Right),
}

/// Why the gate stays shut.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    #[error("nobody is signed in")]
    SignIn,
    #[error("the password has to be changed first")]
    ChangePassword,
    #[error("the role or the sites of this account do not cover it")]
    NotPermitted,
}

/// Whether a route is open; `is_insider`: to this machine, or to a token for it.
pub fn permits(need: Need, person: Option<&Person>, is_insider: bool) -> Result<(), Refusal> {
    let right = match need {
        Need::Nobody => return Ok(()),
        Need::Insider if is_insider => return Ok(()),
        Need::Own => return person.map(drop).ok_or(Refusal::SignIn),
        Need::SignedIn => None,
        Need::Insider => Some(Right::Administer),
        Need::Right(right) => Some(right),
    };
    let person = person.ok_or(Refusal::SignIn)?;
    match right {
        _ if person.must_change_password => Err(Refusal::ChangePassword),
        Some(right) if !person.role.may(right) => Err(Refusal::NotPermitted),
        _ => Ok(()),
    }
}

/// What a message of the native wire asks for. The streams and devices that it names are in scope
/// or not by [`Person::may_at`].
pub fn right_of(message: &ClientMessage) -> Right {
    match message {
        ClientMessage::Command(_) => Right::Command,
        ClientMessage::DataLost { .. }
        | ClientMessage::Heartbeat
        | ClientMessage::Resume(_)
        | ClientMessage::Subscribe(_)
        | ClientMessage::Unsubscribe(_) => Right::Watch,
    }
}

impl Person {
    /// Who everybody is while login is off.
    pub fn anonymous() -> Self {
        Self {
            must_change_password: false,
            role: Role::Operator,
            sid: None,
            sites: Scope::All,
            user: ANONYMOUS.parse().expect("nine letters are an identifier"),
        }
    }

    pub fn may(&self, right: Right) -> bool {
        permits(Need::Right(right), Some(self), false).is_ok()
    }

    /// Whether the right reaches a site.
    pub fn may_at(&self, right: Right, site: &SiteId) -> bool {
        self.may(right) && self.sites.holds(site)
    }
}

/// Whom a token speaks of; that a password is to be changed, its session knows.
impl From<&Claims> for Person {
    fn from(claims: &Claims) -> Self {
        let Claims { role, sid, sites, sub, .. } = claims;
        let (sites, user) = (sites.clone(), sub.clone());
        Self { must_change_password: false, role: *role, sid: *sid, sites, user }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHTS: [Right; 6] = [
        Right::Watch,
        Right::Command,
        Right::Configure,
        Right::Administer,
        Right::Records,
        Right::Develop,
    ];

    fn person(role: Role) -> Person {
        Person { role, ..Person::anonymous() }
    }

    #[test]
    fn nobody_passes_but_through_what_is_public() {
        // operations.md B2: CWE-306
        assert_eq!(permits(Need::Nobody, None, false), Ok(()));
        assert_eq!(permits(Need::Insider, None, true), Ok(()));
        let rights = RIGHTS.map(Need::Right);
        for need in [Need::Own, Need::SignedIn].into_iter().chain(rights) {
            assert_eq!(permits(need, None, true), Err(Refusal::SignIn), "{need:?}");
        }
        assert_eq!(permits(Need::Insider, None, false), Err(Refusal::SignIn));
    }

    #[test]
    fn each_role_passes_where_its_rights_lead() {
        for role in Role::ALL {
            let person = person(role);
            let verdict = |need| permits(need, Some(&person), false);
            for right in RIGHTS {
                let expected = if role.may(right) { Ok(()) } else { Err(Refusal::NotPermitted) };
                assert_eq!(verdict(Need::Right(right)), expected, "{role}: {right:?}");
            }
            let is_admin = role == Role::Admin;
            assert_eq!(verdict(Need::Insider).is_ok(), is_admin, "{role}");
            for need in [Need::Nobody, Need::Own, Need::SignedIn] {
                assert_eq!(verdict(need), Ok(()), "{role}: {need:?}");
            }
        }
    }

    #[test]
    fn who_has_to_change_the_password_can_do_nothing_else() {
        let person = Person { must_change_password: true, ..person(Role::Admin) };
        let verdict = |need| permits(need, Some(&person), false);
        assert_eq!((verdict(Need::Nobody), verdict(Need::Own)), (Ok(()), Ok(())));
        let rights = RIGHTS.map(Need::Right);
        for need in [Need::SignedIn, Need::Insider].into_iter().chain(rights) {
            assert_eq!(verdict(need), Err(Refusal::ChangePassword), "{need:?}");
        }
        assert!(!person.may(Right::Watch));
    }

    #[test]
    fn a_right_ends_where_the_scope_does() {
        let (north, south): (SiteId, SiteId) = ("north".parse().unwrap(), "south".parse().unwrap());
        let sites = Scope::Sites([north.clone()].into());
        let operator = Person { sites, ..person(Role::Operator) };
        assert!(operator.may_at(Right::Command, &north));
        assert!(!operator.may_at(Right::Command, &south));
        assert!(!operator.may_at(Right::Configure, &north));
    }

    #[test]
    fn only_commands_ask_for_more_than_to_watch() {
        use protocol::wire::native::Command;
        let command =
            Command { id: "1".into(), name: "START".into(), param: None, valid_until: None };
        assert_eq!(right_of(&ClientMessage::Command(command)), Right::Command);
        assert_eq!(right_of(&ClientMessage::Heartbeat), Right::Watch);
        assert_eq!(right_of(&ClientMessage::Subscribe(vec![])), Right::Watch);
    }
}
