//! The yard of a bench: a folder with keys, an enrolled operator to copy, and the processes that are started in it.
//!
//! Everything in it is made for one run and goes with it. The keys of its accounts lie in a file that only this user
//! may read, because the loaders are other processes.

use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use charge::{Clock, SystemClock};
use gate::line::Options;
use gate::line::soap::{Lines, SoapOptions};
use load::line::{Account, Kind, Proof};
use load::loader::{Loader, Target};
use load::server::{Floor, Server};
use rustls::ServerConfig;
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::tls::{ClientCertificates, Trusted};

use super::room::{self, Enrolled};
use crate::Failure;
use crate::cli::BenchServer;

/// The name in the servers' certificate.
pub(super) const HOST: &str = "localhost";
const DAY: Duration = Duration::from_secs(86_400);
/// As in `leyden serve`.
const DUTY_EVERY: Duration = Duration::from_millis(200);
/// Says what a server tells on its standard error.
pub(super) const TRACES: &str = "RUST_LOG";
/// The accounts are for this bench and its loaders.
const OWNER_ONLY: u32 = 0o600;

/// A folder that is removed with it.
pub(super) struct Yard {
    folder: PathBuf,
    pub accounts: Vec<Account>,
    pub soap: Vec<Account>,
    pub roots_pem: String,
    program: PathBuf,
}

impl Yard {
    /// With so many stations enrolled, and so many more that speak SOAP.
    pub async fn open(stations: u32, soap: u32) -> Result<Self, Failure> {
        let folder = std::env::temp_dir().join(format!("leyden-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|fault| Failure::io(&folder, &fault))?;
        let program =
            std::env::current_exe().map_err(|fault| Failure::plain(format!("where is this program? {fault}")))?;
        let authority = plain(Authority::create("Bench", DAY, SystemClock.now(), &SystemDice))?;
        let roots_pem = authority.certificate_pem().to_owned();
        let mut yard = Self { folder, accounts: Vec::new(), soap: Vec::new(), roots_pem, program };
        let identity = authority.server_certificate(&[HOST.to_owned()], DAY, SystemClock.now(), &SystemDice);
        plain(plain(identity)?.write(&identity_file(&yard.folder)))?;
        let roots = roots_file(&yard.folder);
        std::fs::write(&roots, &yard.roots_pem).map_err(|fault| Failure::io(&roots, &fault))?;
        eprintln!("enrolling {} stations …", stations + soap);
        let enrolled = room::enrol(&template(&yard.folder), stations, soap).await?;
        (yard.accounts, yard.soap) = accounts(enrolled, &authority)?;
        yard.write_accounts()?;
        Ok(yard)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts a server of this kind; an operator begins with an own copy of what was enrolled.
    pub fn server(&self, kind: Kind) -> io::Result<Server> {
        let mut command = Command::new(&self.program);
        command.args(["bench", "server", "--dir"]).arg(&self.folder).args(flag(kind));
        if std::env::var_os(TRACES).is_none() {
            // a thousand refusals are what is measured, and no news
            command.env(TRACES, "error");
        }
        Server::launch(command)
    }

    /// Starts somebody else's server, with the same key and certificate.
    pub fn rival(&self, command: &str) -> io::Result<Server> {
        let mut shell = Command::new("sh");
        // the shell gives way to it: its process is measured
        shell.args(["-c", &format!("exec {command} \"$0\"")]).arg(identity_file(&self.folder));
        Server::launch(shell)
    }

    /// Starts a loader for this server.
    pub fn loader(&self, target: &Target) -> io::Result<Loader> {
        let mut command = Command::new(&self.program);
        command.args(["bench", "loader", "--dir"]).arg(&self.folder).args(["--addr", &target.addr.to_string()]);
        command.args(flag(target.kind));
        Loader::launch(command)
    }

    fn write_accounts(&self) -> Result<(), Failure> {
        let file = accounts_file(&self.folder);
        let mut text = String::new();
        for account in &self.accounts {
            if let Proof::Password(password) = &account.proof {
                text.push_str(&format!("{}\t{}\n", account.id, password.expose()));
            }
        }
        let written = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(OWNER_ONLY)
            .open(&file)
            .and_then(|mut open| io::Write::write_all(&mut open, text.as_bytes()));
        written.map_err(|fault| Failure::io(&file, &fault))
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        if let Err(fault) = std::fs::remove_dir_all(&self.folder) {
            tracing::warn!(%fault, "the bench's folder could not be removed");
        }
    }
}

fn flag(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Echo => Some("--echo"),
        Kind::Handshake => Some("--handshake"),
        Kind::Operator => None,
    }
}

/// Passwords as the operator gave them; a certificate for each of the others.
fn accounts(enrolled: Enrolled, authority: &Authority) -> Result<(Vec<Account>, Vec<Account>), Failure> {
    let proven = |(id, password)| Account { id, proof: Proof::Password(password) };
    let accounts = enrolled.with_password.into_iter().map(proven).collect();
    let mut soap = Vec::new();
    for id in enrolled.with_certificate {
        let issued = authority.station_certificate(&id, room::OPERATOR, DAY, SystemClock.now(), &SystemDice);
        soap.push(Account { id, proof: Proof::Certificate(plain(issued)?) });
    }
    Ok((accounts, soap))
}

/// Authorities and accounts, as a loader needs them.
pub(super) fn read(folder: &Path) -> Result<(String, Vec<Account>), Failure> {
    let text = |path: PathBuf| std::fs::read_to_string(&path).map_err(|fault| Failure::io(&path, &fault));
    let accounts: Option<Vec<_>> = text(accounts_file(folder))?.lines().map(super::account).collect();
    let accounts = accounts.ok_or_else(|| Failure::plain("the file of accounts is malformed"))?;
    Ok((text(roots_file(folder))?, accounts))
}

/// Serves until the bench has no use for it any more.
pub(super) async fn serve(wish: &BenchServer) -> Result<(), Failure> {
    let tls = Arc::new(tls(&wish.dir)?);
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    if wish.echo || wish.handshake {
        let floor = if wish.handshake { Floor::Handshake } else { Floor::Socket };
        let echo = plain(load::server::echo(any, Arc::clone(&tls), floor))?;
        let post = plain(load::server::echo(any, tls, Floor::Post))?;
        plain(load::server::announce(echo.local_addr(), Some(post.local_addr())))?;
        load::server::abandoned().await;
        return Ok(());
    }
    // several may run at the same time
    let run = wish.dir.join(format!("run-{}.sqlite", std::process::id()));
    std::fs::copy(template(&wish.dir), &run).map_err(|fault| Failure::io(&run, &fault))?;
    let (room, store) = room::open(&run)?;
    let (desk, clock, dice) = (Arc::new(room.clone()), Arc::new(SystemClock), Arc::new(SystemDice));
    let roots = roots_file(&wish.dir);
    let roots = std::fs::read_to_string(&roots).map_err(|fault| Failure::io(&roots, &fault))?;
    let client = plain(trust::tls::client(&roots, None, &[]))?;
    let soap = gate::line::soap::listen(
        any,
        Arc::clone(&tls),
        Arc::clone(&desk) as Arc<dyn charge::talk::line::Desk>,
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::clone(&dice) as Arc<dyn charge::Dice>,
        SoapOptions::new(Arc::new(client)),
    );
    let (line, soap) = (plain(gate::line::listen(any, tls, desk, clock, dice, Options::default()))?, plain(soap)?);
    room.attach_line(Arc::new(Lines::new(vec![line.line(), soap.line()])));
    let busy = room.clone();
    let duty = tokio::spawn(async move { busy.work(DUTY_EVERY).await });
    plain(load::server::announce(line.local_addr(), Some(soap.local_addr())))?;
    load::server::abandoned().await;
    line.stop().await;
    soap.stop().await;
    duty.abort();
    store.close().await;
    Ok(())
}

/// One recipe for all servers.
fn tls(folder: &Path) -> Result<ServerConfig, Failure> {
    let identity = plain(Identity::read(&identity_file(folder)))?;
    let roots = roots_file(folder);
    let roots_pem = std::fs::read_to_string(&roots).map_err(|fault| Failure::io(&roots, &fault))?;
    let trusted = Trusted { roots_pem, on_refused: Arc::new(|_refused| {}) };
    plain(trust::tls::server(&identity, ClientCertificates::Optional(trusted), &[]))
}

pub(super) fn plain<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, Failure> {
    result.map_err(|fault| Failure::plain(fault.to_string()))
}

fn template(folder: &Path) -> PathBuf {
    folder.join("template.sqlite")
}

pub(super) fn identity_file(folder: &Path) -> PathBuf {
    folder.join("identity.pem")
}

pub(super) fn roots_file(folder: &Path) -> PathBuf {
    folder.join("roots.pem")
}

fn accounts_file(folder: &Path) -> PathBuf {
    folder.join("accounts.tsv")
}
