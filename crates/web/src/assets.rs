//! The pages: built from `ui/`, embedded in the binary, served under a policy that lets nothing in from elsewhere.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Pages;

/// Scripts, workers, styles, images, fonts and data from this server alone, as files: nothing that a script made.
const POLICY: &str = "default-src 'self'; img-src 'self'; worker-src 'self'; connect-src 'self'; script-src 'self'; \
                      font-src 'self'; style-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; \
                      form-action 'self'";
/// File names carry a digest of their content, so a browser may keep them.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
const ASK_AGAIN: &str = "no-cache";

/// Puts the pages behind everything that is not the API, and the headers on everything.
pub fn with_pages(api: Router) -> Router {
    api.fallback(page).layer(from_fn(guarded))
}

async fn guarded(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api");
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), payment=(), geolocation=(self)");
    if api {
        set(header::CACHE_CONTROL, "no-store");
    }
    answer
}

async fn page(method: Method, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path == "api" || path.starts_with("api/") || path == "metrics" {
        return crate::fault::Fault::NotFound.into_response();
    }
    if !method.is_safe() {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    if let Some(file) = Pages::get(path).filter(|_| path != "index.html" && !path.starts_with('.')) {
        let keep = if path.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN };
        return served(request.headers(), path, &file, keep);
    }
    // an address inside the pages: they find their own way
    match Pages::get("index.html") {
        Some(file) if !path.rsplit('/').next().unwrap_or_default().contains('.') => {
            served(request.headers(), "index.html", &file, ASK_AGAIN)
        }
        Some(_) => StatusCode::NOT_FOUND.into_response(),
        None => (StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)).into_response(),
    }
}

const NOT_BUILT: &str = "<!doctype html><title>Leyden</title><h1>The pages are not built</h1>\
                         <p>Run <code>make ui</code> and build the binary again. The API is at work under <code>/api</code>.";

fn served(asked: &HeaderMap, path: &str, file: &rust_embed::EmbeddedFile, keep: &'static str) -> Response {
    let tag = format!("\"{}\"", trust::hex::encode(&file.metadata.sha256_hash()[..16]));
    if asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response();
    }
    let kind = HeaderValue::from_static(kind(path));
    let body = Body::from(file.data.clone().into_owned());
    let mut answer = ([(header::CACHE_CONTROL, keep)], body).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "geojson" | "topojson" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
