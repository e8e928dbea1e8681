//! The gate: every route and whom it is for. A route that is not written down here does not exist.

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{self, MethodRouter};
use http::request::Parts;
use http::{Method, StatusCode};
use identity::{Need, Person, Refusal, TokenError, gate};
use protocol::user::Right;
use store::{Kind, Record};

use crate::error::ApiError;
use crate::people::{Absent, Visitor};
use crate::{Gateway, insider, origin};

/// One route, and whom it is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rule {
    pub method: Method,
    pub path: &'static str,
    pub need: Need,
    /// A socket is accepted before it is refused, so that its client hears why (`native-wire` 2).
    pub is_socket: bool,
}

/// Routes, each with whom it is for.
pub(crate) struct Routes<S> {
    gateway: Gateway,
    router: Router<S>,
    rules: Vec<Rule>,
}

/// Stands before one route.
#[derive(Clone)]
struct Guard {
    gateway: Gateway,
    need: Need,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub(crate) fn new(gateway: &Gateway) -> Self {
        Self { gateway: gateway.clone(), router: Router::new(), rules: Vec::new() }
    }

    pub(crate) fn get<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        need: Need,
        handler: H,
    ) -> Self {
        self.on(Method::GET, path, need, routing::get(handler))
    }

    pub(crate) fn post<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        need: Need,
        handler: H,
    ) -> Self {
        self.on(Method::POST, path, need, routing::post(handler))
    }

    pub(crate) fn put<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        need: Need,
        handler: H,
    ) -> Self {
        self.on(Method::PUT, path, need, routing::put(handler))
    }

    pub(crate) fn delete<H: Handler<T, S>, T: 'static>(
        self,
        path: &'static str,
        need: Need,
        handler: H,
    ) -> Self {
        self.on(Method::DELETE, path, need, routing::delete(handler))
    }

    /// A socket sees to its own refusals; `need` is what it asks for.
    pub(crate) fn socket<H: Handler<T, S>, T: 'static>(
        mut self,
        path: &'static str,
        need: Need,
        handler: H,
    ) -> Self {
        self.router = self.router.route(path, routing::any(handler));
        self.rules.push(Rule { method: Method::GET, path, need, is_socket: true });
        self
    }

    fn on(
        mut self,
        method: Method,
        path: &'static str,
        need: Need,
        methods: MethodRouter<S>,
    ) -> Self {
        let need = self.as_things_are(need);
        let guard = Guard { gateway: self.gateway.clone(), need };
        let methods = methods.route_layer(from_fn_with_state(guard, pass));
        // To those whom it is not for there is nothing here, whatever they try.
        let methods = match need {
            Need::Insider => methods.fallback(async || StatusCode::NOT_FOUND),
            _ => methods,
        };
        self.router = self.router.route(path, methods);
        self.rules.push(Rule { method, path, need, is_socket: false });
        self
    }

    /// Where nobody signs in, nobody is known to have the right: records are this machine's.
    fn as_things_are(&self, need: Need) -> Need {
        match need {
            Need::Right(Right::Records) if !self.gateway.people.is_login_on() => Need::Insider,
            need => need,
        }
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn into_router(self) -> Router<S> {
        self.router
    }
}

/// Lets a request through, with who makes it; or says why not.
async fn pass(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match guard.examine(&parts) {
        Ok(visitor) => {
            if let Some(visitor) = visitor {
                parts.extensions.insert(visitor);
            }
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    }
}

impl Guard {
    fn examine(&self, request: &Parts) -> Result<Option<Visitor>, ApiError> {
        let is_change = !matches!(request.method, Method::GET | Method::HEAD);
        let is_public = self.need == Need::Nobody && !is_change;
        if !is_public && !origin::is_same_site(&request.headers) {
            return Err(self.hidden(ApiError::ForeignOrigin));
        }
        let visitor = self.gateway.people.who(request, self.gateway.hub.time());
        let person = visitor.as_ref().ok().map(|visitor| &visitor.person);
        let is_insider = insider::may_look(request, &self.gateway);
        match gate::permits(self.need, person, is_insider) {
            Ok(()) => Ok(visitor.ok()),
            Err(refusal) => {
                let absent = visitor.as_ref().err();
                refused(&self.gateway, request, person, absent);
                Err(self.hidden(explain(refusal)))
            }
        }
    }

    fn hidden(&self, error: ApiError) -> ApiError {
        if self.need == Need::Insider { ApiError::NotFound } else { error }
    }
}

fn explain(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::SignIn => ApiError::Unauthorized,
        Refusal::ChangePassword => ApiError::PasswordChange,
        Refusal::NotPermitted => ApiError::NotPermitted,
    }
}

/// Puts on record who was turned away, if it is more than a sign-in that has ended (S0-90).
fn refused(gateway: &Gateway, request: &Parts, person: Option<&Person>, absent: Option<&Absent>) {
    let (kind, why) = match (person, absent) {
        (Some(_), _) => (Kind::NotPermitted, String::new()),
        (None, Some(Absent::Refused(error))) if *error != TokenError::Expired => {
            (Kind::TokenRefused, format!(": {error}"))
        }
        _ => return,
    };
    let from = insider::peer(request).map(|peer| peer.ip().to_string()).unwrap_or_default();
    let (method, path) = (&request.method, request.uri.path());
    gateway.records.append(Record {
        at: gateway.hub.time(),
        kind,
        connection: None,
        device: None,
        user: person.map(|person| person.user.to_string()),
        detail: format!("{method} {path} from {from}{why}"),
        sent: None,
    });
}
