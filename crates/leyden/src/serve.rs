//! `leyden serve`: runs the parties that a configuration names until it is told to stop.

use std::process::ExitCode;
use std::sync::Arc;

use charge::{Clock, SystemClock};

use crate::cli::Serve;
use crate::house::House;
use crate::{Failure, config, logins};

pub(crate) async fn run(wish: &Serve) -> Result<ExitCode, Failure> {
    let config = config::read(&wish.config).map_err(|faults| Failure::misuse(faults.to_string()))?;
    let dir = wish.config.parent().map(std::path::Path::to_path_buf).unwrap_or_default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let house = House::open(&config, clock, None).await?;
    let known = logins::file(&dir).exists();
    logins::first(&house, &dir).await?;
    if !known {
        println!("first logins: {}", logins::file(&dir).display());
    }
    println!("pages and API: https://{}", house.web_address);
    if let Some(operator) = &house.operator {
        println!("stations connect to: wss://{}/ocpp/<identity>", operator.line.local_addr());
        if let Some(soap) = &operator.soap {
            println!("stations without WebSockets send SOAP to: https://{}/ocpp/soap", soap.local_addr());
        }
    }
    println!("ready");
    stopped().await;
    house.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Ctrl-C, or the signal that a service manager sends.
pub(crate) async fn stopped() {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _interrupted = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}
