//! A request as a browser or a program sends it, and what came back.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use axum::response::Response;
use serde_json::Value;
use tower::ServiceExt;

pub(super) const HOST: &str = "leyden.test";
/// More than any answer here.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

pub(super) struct Visit {
    request: axum::http::request::Builder,
    body: Body,
}

pub(super) fn visit(method: Method, path: &str) -> Visit {
    Visit { request: Request::builder().method(method).uri(path).header(header::HOST, HOST), body: Body::empty() }
}

pub(super) fn get(path: &str) -> Visit {
    visit(Method::GET, path)
}

pub(super) fn post(path: &str) -> Visit {
    visit(Method::POST, path)
}

pub(super) fn put(path: &str) -> Visit {
    visit(Method::PUT, path)
}

pub(super) fn delete(path: &str) -> Visit {
    visit(Method::DELETE, path)
}

impl Visit {
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// The cookie of a login.
    pub(super) fn by(self, cookie: &str) -> Self {
        self.header("cookie", cookie)
    }

    /// From a page of ours.
    pub(super) fn page(self) -> Self {
        self.header(crate::stage::PAGE_HEADER, "1").header("origin", &format!("https://{HOST}"))
    }

    pub(super) fn json(self, body: &Value) -> Self {
        self.raw(body.to_string())
    }

    pub(super) fn raw(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self.header("content-type", "application/json")
    }

    pub(super) async fn open(self, router: &Router) -> Response {
        router.clone().oneshot(self.request.body(self.body).unwrap()).await.unwrap()
    }

    pub(super) async fn send(self, router: &Router) -> Told {
        let answer = self.open(router).await;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await.unwrap();
        Told { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }
}

#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) text: String,
}

impl Told {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    /// The answer's body, if all went well.
    #[track_caller]
    pub(super) fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.json()
    }

    /// Status, code and path of a fault in the form of the contract.
    #[track_caller]
    pub(super) fn fault(&self) -> (u16, String, Option<String>) {
        let body = self.json();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        (self.status.as_u16(), text(&body["error"]["code"]).unwrap(), text(&body["error"]["path"]))
    }
}
