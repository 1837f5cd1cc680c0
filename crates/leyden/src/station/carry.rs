//! Carries what a station asks its door to carry: logs to where the operator wants them, one HTTP PUT each, and
//! firmware images from where it keeps them, one HTTP GET each.
//!
//! HTTPS trusts the authorities that the line trusts. Other schemes than HTTP and HTTPS have no client here and fail,
//! which the station tells the operator. Invariant: no image above the station's bound is held.

use std::sync::Arc;
use std::time::Duration;

use station::upkeep::{Fetch, IMAGE_MAX, Upload};
use station::{Errand, VirtualStation};

/// A log is small and an image bounded; a server that takes longer is away.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Until the task is dropped.
pub(crate) async fn carry(station: Arc<VirtualStation>, tls: Option<Arc<rustls::ClientConfig>>) {
    let tls = tls.map_or_else(nobody, |tls| Ok((*tls).clone()));
    let client = tls.map(|tls| reqwest::Client::builder().timeout(TIME_MAX).tls_backend_preconfigured(tls).build());
    let client = client.ok().and_then(Result::ok);
    loop {
        for errand in station.next_errands().await {
            match (errand, &client) {
                (Errand::Put(upload), Some(client)) => {
                    let number = upload.number;
                    station.uploaded(number, put(client, upload).await);
                }
                (Errand::Get(fetch), Some(client)) => {
                    station.fetched(fetch.number, get(client, &fetch).await.as_deref());
                }
                (Errand::Put(upload), None) => station.uploaded(upload.number, false),
                (Errand::Get(fetch), None) => station.fetched(fetch.number, None),
            }
        }
    }
}

/// A station of a laboratory trusts nobody: plain HTTP is all it can do.
fn nobody() -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth())
}

async fn put(client: &reqwest::Client, upload: Upload) -> bool {
    let folder = upload.to.expose();
    // a folder gets the name of the file, a file is what it says
    let url = if folder.ends_with('/') { format!("{folder}{}", upload.name) } else { folder.to_string() };
    let sent = client.put(url).header("content-type", "text/plain").body(upload.text).send().await;
    sent.is_ok_and(|answer| answer.status().is_success())
}

async fn get(client: &reqwest::Client, fetch: &Fetch) -> Option<Vec<u8>> {
    let mut answer = client.get(fetch.from.expose().as_ref()).send().await.ok()?.error_for_status().ok()?;
    let mut image = Vec::new();
    while let Some(piece) = answer.chunk().await.ok()? {
        if image.len() + piece.len() > IMAGE_MAX {
            return None;
        }
        image.extend_from_slice(&piece);
    }
    Some(image)
}
