//! Who asks for a page, as far as the page is to know.

use std::time::Duration;

use http::request::Parts;
use protocol::time::Timestamp;
use protocol::user::{Right, Role, Scope};

use crate::Gateway;

/// Somebody who asks for a page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PageVisitor {
    pub user: String,
    pub role: Role,
    pub sites: Scope,
    /// `None`: as long as login is off.
    pub expires: Option<Timestamp>,
    pub must_change_password: bool,
}

impl Gateway {
    /// Whether anybody has to sign in.
    pub fn is_login_on(&self) -> bool {
        self.people.is_login_on()
    }

    /// After so long without a hand on it, a page asks for the password before it acts again.
    pub fn lock_after(&self) -> Option<Duration> {
        self.people.rules().and_then(|rules| rules.lock_after)
    }

    /// Who asks for this page.
    pub fn page_visitor(&self, request: &Parts) -> Option<PageVisitor> {
        let visitor = self.people.who(request, self.hub.time()).ok()?;
        let person = visitor.person;
        let may_look = person.must_change_password || person.may(Right::Watch);
        may_look.then(|| PageVisitor {
            user: person.user.to_string(),
            role: person.role,
            sites: person.sites,
            expires: visitor.standing.until(),
            must_change_password: person.must_change_password,
        })
    }

    /// Whether this request comes over TLS.
    pub fn is_encrypted(request: &Parts) -> bool {
        request.extensions.get() == Some(&crate::Encrypted(true))
    }
}
