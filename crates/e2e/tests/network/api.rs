//! The API of a house, as any program uses it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

/// Longer than the slowest order: a station may take a minute to answer one.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(90);

/// A client that trusts the network's own authority and nobody else.
pub(super) fn client(roots_pem: &str) -> reqwest::Client {
    let tls = trust::tls::client(roots_pem, None, &["http/1.1"]).unwrap();
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls).https_only(true).no_proxy();
    builder.redirect(reqwest::redirect::Policy::none()).timeout(ANSWER_TIME_MAX).build().unwrap()
}

/// Somebody who is signed in at one party.
#[derive(Clone)]
pub(super) struct Session {
    http: reqwest::Client,
    prefix: Arc<str>,
    cookie: Arc<str>,
}

impl Session {
    /// `base` such as `https://localhost:8443`.
    pub(super) async fn sign_in(roots_pem: &str, base: &str, slug: &str, user: &str, password: &str) -> Self {
        let http = client(roots_pem);
        let prefix = format!("{base}/api/p/{slug}");
        let wish = json!({ "user": user, "password": password });
        let sent = http.post(format!("{prefix}/login")).header("x-leyden", "1").json(&wish).send().await.unwrap();
        assert_eq!(sent.status(), 200, "signing in as {user} at {slug}");
        let cookie = sent.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap();
        let cookie = Arc::from(cookie);
        Self { http, prefix: prefix.into(), cookie }
    }

    /// Status and body; `None` where nobody answered.
    pub(super) async fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Vec<u8>)> {
        let method = method.parse::<reqwest::Method>().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.prefix));
        let request = request.header("x-leyden", "1").header("cookie", &*self.cookie);
        let request = if let Some(body) = body { request.json(body) } else { request };
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.bytes().await.ok()?.to_vec()))
    }

    /// `None` where nobody answered or the answer is no success: for looking again.
    pub(super) async fn look(&self, path: &str) -> Option<Value> {
        let (status, body) = self.ask("GET", path, None).await?;
        (status == 200).then(|| serde_json::from_slice(&body).unwrap())
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.must("GET", path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Value {
        self.must("POST", path, Some(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Value {
        self.must("PUT", path, Some(body)).await
    }

    /// A file.
    pub(super) async fn download(&self, path: &str) -> Vec<u8> {
        let (status, body) = self.ask("GET", path, None).await.unwrap();
        assert_eq!(status, 200, "GET {path}");
        body
    }

    /// All items of a list, over its pages.
    pub(super) async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{joint}limit=500&offset={}", items.len())).await;
            let more = page["items"].as_array().unwrap();
            items.extend(more.iter().cloned());
            if more.is_empty() || page["next"].is_null() {
                return items;
            }
        }
    }

    async fn must(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) =
            self.ask(method, path, body).await.unwrap_or_else(|| panic!("{method} {path}: no answer"));
        let text = String::from_utf8_lossy(&answer);
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        if answer.is_empty() { Value::Null } else { serde_json::from_slice(&answer).unwrap() }
    }
}
