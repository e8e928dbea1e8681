//! Who is at the door. Sign-in is off: everyone acts as the operator `anonymous`.

use http::request::Parts;
use protocol::id::UserId;
use protocol::user::Role;
use protocol::wire::native::FailReason;

/// The person behind a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Person {
    /// `None` for those without a name of their own.
    pub(crate) id: Option<UserId>,
    pub(crate) user: String,
    pub(crate) role: Role,
}

/// Who makes this request; or why they may not.
pub(crate) fn who(_request: &Parts) -> Result<Person, FailReason> {
    Ok(Person { id: None, user: "anonymous".into(), role: Role::Operator })
}
