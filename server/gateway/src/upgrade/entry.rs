//! Who is at the door of a socket: by a token, by a name and a hash in a header, or by a first frame
//! (S0-82 to S0-86).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use identity::{Digest, Person};
use protocol::user::Right;
use protocol::wire::native::Auth;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_util::task::TaskTracker;

use crate::Gateway;
use crate::people::{Absent, Call, Denied, Origin, People, Visitor};
use crate::wire::{Turn, Wire};

/// How somebody at the door is known.
#[derive(Debug)]
pub(super) enum Entry {
    Known(Visitor),
    /// A name and the hash of a password; nobody has looked at it yet.
    Named(String, Digest),
    /// The first frame is to say who it is.
    Asked,
}

impl Entry {
    /// What a handshake shows.
    pub(super) fn of(gateway: &Gateway, request: &Parts) -> Result<Self, String> {
        if let Some((name, digest)) = basic(request) {
            let digest = digest.parse().map_err(|_| "the password hash is none".to_owned())?;
            return Ok(Self::Named(name, digest));
        }
        match gateway.people.who(request, gateway.hub.time()) {
            Ok(visitor) => Ok(Self::Known(visitor)),
            Err(Absent::NoToken) => Ok(Self::Asked),
            Err(absent) => Err(absent.to_string()),
        }
    }

    /// Whether nothing in the handshake tells who it is.
    pub(super) fn is_anonymous(&self) -> bool {
        matches!(self, Self::Asked)
    }

    /// The person, once that is known; or why nobody is let in.
    pub(super) async fn resolve(
        self,
        gateway: &Gateway,
        wire: &mut Wire,
        origin: Option<Origin>,
    ) -> Result<Entered, String> {
        let visitor = match self {
            Self::Known(visitor) => {
                may_watch(&visitor.person)?;
                return Ok(Entered { visitor, signed_in: None });
            }
            Self::Named(name, digest) => sign_in(gateway, name, digest, origin).await?,
            Self::Asked => {
                let auth = timeout(AUTH_WITHIN, first_frame(wire)).await.ok().flatten();
                let Auth { username, password_hash } = auth.ok_or("nobody is signed in")?;
                let digest = password_hash.parse().map_err(|_| "the password hash is none")?;
                sign_in(gateway, username, digest, origin).await?
            }
        };
        let signed_in = SignedIn::of(gateway, &visitor, origin);
        may_watch(&visitor.person)?;
        Ok(Entered { visitor, signed_in })
    }
}

/// Who was let in, and the sign-in that was made for this socket alone.
pub(super) struct Entered {
    pub(super) visitor: Visitor,
    pub(super) signed_in: Option<Box<SignedIn>>,
}

/// A sign-in that ends when this is dropped.
pub(super) struct SignedIn {
    people: People,
    person: Person,
    origin: Origin,
    tasks: TaskTracker,
}

impl SignedIn {
    fn of(gateway: &Gateway, visitor: &Visitor, origin: Option<Origin>) -> Option<Box<Self>> {
        let (people, tasks) = (gateway.people.clone(), gateway.tasks.clone());
        let person = visitor.person.clone();
        Some(Box::new(Self { people, person, origin: origin?, tasks }))
    }
}

impl Drop for SignedIn {
    fn drop(&mut self) {
        let (people, person, origin) = (self.people.clone(), self.person.clone(), self.origin);
        self.tasks.spawn(async move {
            // Where it has ended already, there is nothing left to end.
            let _ = people.ask(|answer| Call::SignOut { person, origin, answer }).await;
        });
    }
}

fn may_watch(person: &Person) -> Result<(), String> {
    match person.must_change_password {
        true => Err("the password has to be changed first".into()),
        false if person.may(Right::Watch) => Ok(()),
        false => Err("this account may not watch".into()),
    }
}

async fn sign_in(
    gateway: &Gateway,
    name: String,
    digest: Digest,
    origin: Option<Origin>,
) -> Result<Visitor, String> {
    let origin = origin.ok_or("it came from nowhere")?;
    let call = |answer| Call::SignIn { name, digest, origin, is_for_socket: true, answer };
    let granted = gateway.people.ask(call).await.map_err(|denied| denied.to_string())?;
    let visitor = granted.person.sid.and_then(|sid| gateway.people.signed_in(sid));
    visitor.ok_or_else(|| Denied::Ended.to_string())
}

/// `Authorization: Basic`, with the hash in the place of the password.
fn basic(request: &Parts) -> Option<(String, String)> {
    let header = request.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, shown) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(shown.trim()).ok()?).ok()?;
    let (name, hash) = text.split_once(':')?;
    Some((name.into(), hash.into()))
}

/// The first text, if it says who it is.
async fn first_frame(wire: &mut Wire) -> Option<Auth> {
    loop {
        match wire.turn().await {
            Turn::Heard(Message::Text(text)) => return Auth::read(text.as_str()),
            Turn::Heard(Message::Ping(_) | Message::Pong(_)) | Turn::Clear => {}
            _ => return None,
        }
    }
}

/// `native-wire` 2.
const AUTH_WITHIN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_a_name_and_a_hash() {
        // S0-83
        let table = [
            ("Basic bGk6YWI=", Some(("li", "ab"))),
            ("basic bGk6YTpi", Some(("li", "a:b"))),
            ("Basic bGk=", None),
            ("Basic ???", None),
            ("Bearer bGk6YWI=", None),
        ];
        for (header, expected) in table {
            let request = http::Request::get("/").header(AUTHORIZATION, header).body(()).unwrap();
            let found = basic(&request.into_parts().0);
            let found = found.as_ref().map(|(name, hash)| (name.as_str(), hash.as_str()));
            assert_eq!(found, expected, "{header}");
        }
    }
}
