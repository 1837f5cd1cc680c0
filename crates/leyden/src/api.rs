//! A client of our own API, for the demo's drivers and the tour: what they do, any program can do.

use std::sync::Arc;
use std::time::Duration;

use charge::Secret;
use serde_json::Value;

use crate::Failure;

/// Longer than the slowest order: a station may take a minute to answer one.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(90);

/// The API of a house, and the authorities that its certificate may come from.
#[derive(Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    base: Arc<str>,
}

/// Somebody who is signed in at one party, or a program with a key.
#[derive(Clone)]
pub(crate) struct Session {
    api: Api,
    prefix: Arc<str>,
    /// Header and value that say who asks.
    pass: (&'static str, Secret<Arc<str>>),
}

/// An answer that is no success: status, code and message of the API.
#[derive(Clone, Debug)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, self.message)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::plain(format!("the API answered {refused}"))
    }
}

impl Api {
    pub(crate) fn new(address: std::net::SocketAddr, roots_pem: &str) -> Result<Self, Failure> {
        Self::at(&format!("https://{address}"), roots_pem)
    }

    /// By the name that its certificate is for, such as `https://localhost:8443`.
    pub(crate) fn at(base: &str, roots_pem: &str) -> Result<Self, Failure> {
        let tls = trust::tls::client(roots_pem, None, &["http/1.1"]).map_err(|f| Failure::plain(f.to_string()))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(ANSWER_TIME_MAX)
            .build()
            .map_err(|fault| Failure::plain(fault.to_string()))?;
        Ok(Self { http, base: base.trim_end_matches('/').into() })
    }

    pub(crate) async fn sign_in(&self, slug: &str, user: &str, password: &Secret<String>) -> Result<Session, Refused> {
        let prefix = format!("{}/api/p/{slug}", self.base);
        let body = serde_json::json!({ "user": user, "password": password.expose() });
        let sent = self.http.post(format!("{prefix}/login")).header("x-leyden", "1").json(&body).send().await;
        let answer = sent.map_err(unreachable)?;
        let cookie = answer.headers().get("set-cookie").and_then(|line| line.to_str().ok());
        let cookie = cookie.and_then(|line| line.split(';').next()).map(Arc::from);
        read(answer).await?;
        let cookie =
            cookie.ok_or_else(|| Refused { status: 0, message: "no cookie came with the login".to_owned() })?;
        Ok(Session { api: self.clone(), prefix: prefix.into(), pass: ("cookie", Secret::new(cookie)) })
    }

    /// A program that has a key of this party.
    pub(crate) fn with_key(&self, slug: &str, key: &Secret<String>) -> Session {
        let bearer: Arc<str> = format!("Bearer {}", key.expose()).into();
        let prefix = format!("{}/api/p/{slug}", self.base).into();
        Session { api: self.clone(), prefix, pass: ("authorization", Secret::new(bearer)) }
    }
}

impl Session {
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Refused> {
        read(self.send(reqwest::Method::GET, path, None).await?).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        read(self.send(reqwest::Method::POST, path, Some(body)).await?).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, Refused> {
        read(self.send(reqwest::Method::PUT, path, Some(body)).await?).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Refused> {
        read(self.send(reqwest::Method::DELETE, path, None).await?).await
    }

    /// A file.
    pub(crate) async fn download(&self, path: &str) -> Result<Vec<u8>, Refused> {
        let answer = self.send(reqwest::Method::GET, path, None).await?;
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.map_err(unreachable)?;
        if status < 300 { Ok(bytes.to_vec()) } else { Err(Refused { status, message: "no file".to_owned() }) }
    }

    async fn send(
        &self,
        method: reqwest::Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<reqwest::Response, Refused> {
        let request = self.api.http.request(method, format!("{}{path}", self.prefix));
        let (header, value) = &self.pass;
        let request = request.header("x-leyden", "1").header(*header, value.expose().as_ref());
        let request = if let Some(body) = body { request.json(body) } else { request };
        request.send().await.map_err(unreachable)
    }
}

async fn read(answer: reqwest::Response) -> Result<Value, Refused> {
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.map_err(unreachable)?;
    let value: Value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    if status < 300 {
        return Ok(value);
    }
    let message = value["error"]["message"].as_str().unwrap_or_default();
    let path = value["error"]["path"].as_str().map(|path| format!(" ({path})")).unwrap_or_default();
    Err(Refused { status, message: format!("{message}{path}") })
}

/// The reason without the address, which may hold ids.
fn unreachable(fault: reqwest::Error) -> Refused {
    let why = if fault.is_timeout() { "no answer in time" } else { "the API cannot be reached" };
    Refused { status: 0, message: why.to_owned() }
}
