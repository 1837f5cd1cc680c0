//! Carries a station's logs to where the operator wants them: one HTTP PUT each.
//!
//! HTTPS trusts the authorities that the line trusts. Other schemes than HTTP and HTTPS have no client here and fail, which the station tells the operator.

use std::sync::Arc;
use std::time::Duration;

use station::VirtualStation;
use station::upkeep::Upload;

/// A log is small; a server that takes longer is away.
const TIME_MAX: Duration = Duration::from_secs(30);

/// Until the task is dropped.
pub(super) async fn carry(station: Arc<VirtualStation>, tls: Option<Arc<rustls::ClientConfig>>) {
    let tls = tls.map_or_else(nobody, |tls| Ok((*tls).clone()));
    let client = tls.map(|tls| reqwest::Client::builder().timeout(TIME_MAX).tls_backend_preconfigured(tls).build());
    loop {
        for upload in station.next_uploads().await {
            let number = upload.number;
            let done = match &client {
                Ok(Ok(client)) => put(client, upload).await,
                Ok(Err(_)) | Err(_) => false,
            };
            station.uploaded(number, done);
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
