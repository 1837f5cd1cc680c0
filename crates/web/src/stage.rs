//! The stages of the door: actor, permission, body. A route without an answer to "who may?" cannot be added.
//!
//! [`Doorway`] is the only way to add a route. It puts the guard before the handler and keeps a table of what it
//! added, which the permission test and the API description are checked against.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::handler::Handler;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use serde::de::DeserializeOwned;

use crate::accounts::{Accounts, Actor};
use crate::events::Seats;
use crate::fault::Fault;
use crate::permission::Permission;

/// Larger bodies are mistakes or attacks: the largest honest one is a tariff with many elements.
pub const BODY_BYTES_MAX: usize = 256 * 1024;
/// Only a page of ours can set it: other origins would need our permission, which nobody gives.
pub const PAGE_HEADER: &str = "x-leyden";

/// Who may come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Needs(Permission),
    /// Open to everybody, with the reason.
    Public(&'static str),
    /// Open to whoever knows the secret in the path, which the handler checks; with the reason.
    Secret(&'static str),
}

/// A route as it was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    pub path: String,
    pub access: Access,
}

/// What the guard needs to know of a party.
#[derive(Clone)]
pub struct Guard {
    pub slug: Arc<str>,
    pub accounts: Accounts,
    /// Of the party's live events.
    pub seats: Seats,
}

impl Guard {
    /// `__Secure-` makes browsers refuse it over plain HTTP; one cookie per party keeps their logins apart.
    pub fn cookie_name(&self) -> String {
        format!("__Secure-leyden-{}", self.slug)
    }
}

/// Routes that need a permission, one function for each method.
macro_rules! guarded {
    ($($name:ident $filter:ident;)+) => {
        impl Doorway {
            $(
                pub fn $name<H, T, S>(self, path: &str, needs: Permission, state: S, handler: H) -> Self
                where
                    H: Handler<T, S>,
                    T: 'static,
                    S: Clone + Send + Sync + 'static,
                {
                    self.route(MethodFilter::$filter, path, Access::Needs(needs), state, handler)
                }
            )+
        }
    };
}

guarded! {
    get GET;
    post POST;
    put PUT;
    delete DELETE;
}

/// Collects the routes of one party.
pub struct Doorway {
    router: Router,
    table: Vec<Route>,
    guard: Guard,
    prefix: String,
}

impl Doorway {
    pub fn new(guard: Guard) -> Self {
        let prefix = format!("/api/p/{}", guard.slug);
        Self { router: Router::new(), table: Vec::new(), guard, prefix }
    }

    pub fn route<H, T, S>(mut self, method: MethodFilter, path: &str, access: Access, state: S, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
        S: Clone + Send + Sync + 'static,
    {
        let path = format!("{}{path}", self.prefix);
        let pass = Pass { guard: self.guard.clone(), access };
        let route = on(method, handler).layer(from_fn_with_state(pass, admit)).with_state(state);
        self.router = self.router.route(&path, route);
        self.table.push(Route { method: verb(method), path, access });
        self
    }

    pub fn finish(self) -> (Router, Vec<Route>) {
        (self.router, self.table)
    }
}

fn verb(method: MethodFilter) -> Method {
    match method {
        MethodFilter::POST => Method::POST,
        MethodFilter::PUT => Method::PUT,
        MethodFilter::DELETE => Method::DELETE,
        _ => Method::GET,
    }
}

#[derive(Clone)]
struct Pass {
    guard: Guard,
    access: Access,
}

async fn admit(State(pass): State<Pass>, mut request: Request, next: Next) -> Response {
    match judge(&pass, request.method(), request.headers()).await {
        Ok(actor) => {
            if let Some(actor) = actor {
                request.extensions_mut().insert(actor);
                request.extensions_mut().insert(pass.guard);
            }
            next.run(request).await
        }
        Err(fault) => fault.into_response(),
    }
}

async fn judge(pass: &Pass, method: &Method, headers: &HeaderMap) -> Result<Option<Actor>, Fault> {
    let permission = match pass.access {
        Access::Needs(permission) => permission,
        // a login is a write too: no other page may sign its visitors in here
        Access::Public(_) if method.is_safe() || from_our_page(headers) => return Ok(None),
        Access::Public(_) => return Err(Fault::ForeignPage),
        // no cookie counts here, so no page can borrow one
        Access::Secret(_) => return Ok(None),
    };
    let actor = actor(&pass.guard, headers).await?.ok_or(Fault::NotSignedIn)?;
    if actor.by_cookie() && !method.is_safe() && !from_our_page(headers) {
        return Err(Fault::ForeignPage);
    }
    if actor.may(permission) { Ok(Some(actor)) } else { Err(Fault::NotPermitted) }
}

/// By key if there is one, else by cookie.
async fn actor(guard: &Guard, headers: &HeaderMap) -> Result<Option<Actor>, Fault> {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if let Some(key) = bearer.and_then(|text| text.strip_prefix("Bearer ")) {
        return guard.accounts.by_key(key.trim()).await;
    }
    match cookie(headers, &guard.cookie_name()) {
        Some(secret) => guard.accounts.by_session(secret).await,
        None => Ok(None),
    }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The header that only our pages set, and no origin but our own.
fn from_our_page(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let same_origin = match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, authority)| authority == host),
        // programs and old browsers send no Origin; the header alone already needs a page of ours
        (None, _) => true,
        (Some(_), None) => false,
    };
    headers.contains_key(PAGE_HEADER) && same_origin
}

/// Whoever the guard let through. A route that is public has none.
impl<S: Send + Sync> FromRequestParts<S> for Actor {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        parts.extensions.get::<Self>().cloned().ok_or(Fault::NotSignedIn)
    }
}

/// Ids from the path. What cannot be read as one, nobody has.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let read = axum::extract::Path::from_request_parts(parts, state).await;
        read.map(|axum::extract::Path(ids)| Self(ids)).map_err(|_| Fault::NotFound)
    }
}

/// What stands behind the question mark, refused in the form of every other fault.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Fault> {
        let read = axum::extract::Query::try_from_uri(&parts.uri);
        let fault = |_| Fault::malformed("?", "A value behind the question mark cannot be read.");
        read.map(|axum::extract::Query(wish)| Self(wish)).map_err(fault)
    }
}

/// A JSON body within limits, read with the path of what is wrong.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Fault> {
        let bytes: Bytes = axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX)
            .await
            .map_err(|_| Fault::TooLarge { limit: BODY_BYTES_MAX })?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let read = serde_path_to_error::deserialize(&mut json);
        let body = read.map_err(|fault| Fault::malformed(pointer(fault.path()), plain(fault.inner())))?;
        json.end().map_err(|fault| Fault::malformed("/", plain(&fault)))?;
        Ok(Self(body))
    }
}

/// The JSON path of what is wrong; `/` where it is the whole.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let path = path.to_string();
    match path.as_str() {
        // as the reader says "nowhere in particular"
        "." | "?" => "/".to_owned(),
        _ => format!("/{}", path.replace('.', "/")),
    }
}

/// What serde says, without the value that it says it about.
fn plain(fault: &serde_json::Error) -> String {
    use serde_json::error::Category;
    let place = format!("line {}, column {}", fault.line(), fault.column());
    match fault.classify() {
        Category::Syntax | Category::Eof => format!("This is not JSON ({place})."),
        Category::Data => data_fault(&fault.to_string(), &place),
        Category::Io => format!("The body could not be read ({place})."),
    }
}

/// Names of our own fields and values are told; a name or a value that was sent is not.
fn data_fault(said: &str, place: &str) -> String {
    // what is missing or doubled has a name of ours
    if said.starts_with("missing field `") || said.starts_with("duplicate field `") {
        return said.to_owned();
    }
    // what is unknown was sent; behind the last of these words stands our own list
    let expected = || said.rsplit_once("`, expected ").map_or("nothing", |(_, list)| list);
    if said.starts_with("unknown field `") {
        format!("There is no such field; expected {}", expected())
    } else if said.starts_with("unknown variant `") {
        format!("There is no such value; expected {}", expected())
    } else {
        format!("A value of another kind is expected here ({place}).")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wish {
        #[allow(dead_code, reason = "only its reading matters")]
        kind: Kind,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        Soft,
        Hard,
    }

    #[test]
    fn what_was_sent_is_never_said_again() {
        let cases = [
            (r#"{"kind": "04A2B3C4"}"#, "There is no such value; expected `soft` or `hard`"),
            (r#"{"kind": "x`, expected 04A2B3C4"}"#, "There is no such value; expected `soft` or `hard`"),
            (r#"{"04A2B3C4": 1}"#, "There is no such field; expected `kind`"),
            (r#""04A2B3C4""#, "A value of another kind is expected here"),
            (r#"{}"#, "missing field `kind`"),
        ];
        for (body, expected) in cases {
            let said = plain(&serde_json::from_str::<Wish>(body).unwrap_err());
            assert!(said.starts_with(expected) && !said.contains("04A2B3C4"), "{body}: {said}");
        }
    }
}
