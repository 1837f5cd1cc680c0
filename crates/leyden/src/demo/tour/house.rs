//! The house of a tour as a process of its own: started, killed without warning, started again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{Failure, config};

/// Opening four databases takes milliseconds; a machine under load gets more.
const READY_WITHIN: Duration = Duration::from_secs(30);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

pub(crate) struct HouseProcess {
    child: Child,
    dir: PathBuf,
    web: SocketAddr,
    line: SocketAddr,
}

impl HouseProcess {
    /// Starts `leyden serve` with the configuration of a folder and waits until it says that it is ready.
    pub(crate) async fn start(dir: &Path) -> Result<Self, Failure> {
        let file = dir.join("leyden.toml");
        let config = config::read(&file).map_err(|faults| Failure::plain(faults.to_string()))?;
        let line = config.operator.as_ref().map(|operator| operator.line.listen);
        let line = line.ok_or_else(|| Failure::plain("the configuration has no operator"))?;
        let child = spawn(&file).await?;
        Ok(Self { child, dir: dir.to_owned(), web: config.web.listen, line })
    }

    pub(crate) const fn web(&self) -> SocketAddr {
        self.web
    }

    pub(crate) const fn line(&self) -> SocketAddr {
        self.line
    }

    /// As a power failure does it: no goodbye, no last write.
    pub(crate) async fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill().await.map_err(|fault| Failure::plain(format!("the house could not be killed: {fault}")))
    }

    pub(crate) async fn start_again(&mut self) -> Result<(), Failure> {
        self.child = spawn(&self.dir.join("leyden.toml")).await?;
        Ok(())
    }

    /// As a service manager does it.
    pub(crate) async fn stop(mut self) {
        if let Some(id) = self.child.id() {
            let told = Command::new("kill").arg("-TERM").arg(id.to_string()).status().await;
            if told.is_ok() && tokio::time::timeout(STOPPED_WITHIN, self.child.wait()).await.is_ok() {
                return;
            }
        }
        if let Err(fault) = self.child.kill().await {
            tracing::warn!(%fault, "the house did not stop");
        }
    }
}

async fn spawn(config: &Path) -> Result<Child, Failure> {
    let this = std::env::current_exe().map_err(|fault| Failure::plain(format!("where is this program? {fault}")))?;
    let mut child = Command::new(this)
        .arg("serve")
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|fault| Failure::plain(format!("the house did not start: {fault}")))?;
    let Some(said) = child.stdout.take() else { return Err(Failure::plain("the house says nothing")) };
    let mut lines = BufReader::new(said).lines();
    let ready = async {
        while let Ok(Some(line)) = lines.next_line().await {
            if line == "ready" {
                return true;
            }
        }
        false
    };
    match tokio::time::timeout(READY_WITHIN, ready).await {
        Ok(true) => {}
        Ok(false) => return Err(Failure::plain("the house ended before it was ready")),
        Err(_) => return Err(Failure::plain(format!("the house was not ready within {} s", READY_WITHIN.as_secs()))),
    }
    // what it says later goes nowhere, but it must not block on a full pipe
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(child)
}
