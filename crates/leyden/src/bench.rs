//! `leyden bench …`: lets `load` measure real operator processes, with loaders beside them.
//!
//! Here is only what the commands wish for and what they print; the processes and their stations are the yard's.

mod network;
mod room;
mod yard;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use charge::{Clock, SystemClock};
use load::line::{Kind, Proof};
use load::loader::{Crew, Target};
use load::{Fault, crowd, hammer, line, rivals, storm};
use serde::Serialize;

use crate::cli::{BenchCrowd, BenchHammer, BenchLine, BenchLoader, BenchRivals, BenchRoad, BenchServer, BenchStorm};
use crate::{Failure, report};
use yard::Yard;

/// A server is given at least this long to come to rest before its figures are read.
const SETTLE: Duration = Duration::from_millis(250);
/// The card that every transaction begins with.
const CARD: &str = "BENCH";
/// How long the good stations work before they are hammered at.
const QUIET: Duration = Duration::from_secs(6);
/// And how long the bad ones have to arrive.
const RUN_UP: Duration = Duration::from_secs(1);

/// What a message costs.
pub(crate) async fn line(wish: &BenchLine) -> Result<ExitCode, Failure> {
    let yard = Yard::open(wish.stations + wish.idle, wish.stations).await?;
    let senders = usize::try_from(wish.stations).unwrap_or(usize::MAX);
    let mut plan = line::Plan::new(yard.accounts.clone(), senders, yard.roots_pem.clone(), yard.folder().to_owned());
    plan.soap = yard.soap.clone();
    plan.dialects = wish.versions.clone();
    plan.messages = wish.messages;
    plan.rounds = wish.rounds;
    let measured = line::measure(&plan, Arc::new(SystemClock), &mut |kind| yard.server(kind)).await;
    let told = measured.map_err(failed)?;
    tell(&load::report::render(&told), &told, wish.report.as_deref())
}

/// How many stations fit.
pub(crate) async fn crowd(wish: &BenchCrowd) -> Result<ExitCode, Failure> {
    let yard = Yard::open(wish.stations, 0).await?;
    let plan = crowd::Plan {
        each: usize::try_from(wish.stations).unwrap_or(usize::MAX),
        processes: usize::try_from(wish.processes).unwrap_or(usize::MAX),
        settle: SETTLE,
        roots_pem: yard.roots_pem.clone(),
        host: yard::HOST.to_owned(),
    };
    let measured = crowd::measure(&plan, &mut |kind| yard.server(kind), &mut |target| yard.loader(target)).await;
    let told = measured.map_err(failed)?;
    tell(&crowd::render(&told), &told, wish.report.as_deref())
}

/// What it costs when all come back at once.
pub(crate) async fn storm(wish: &BenchStorm) -> Result<ExitCode, Failure> {
    let yard = Yard::open(wish.stations, 0).await?;
    let plan = storm::Plan {
        stations: usize::try_from(wish.stations).unwrap_or(usize::MAX),
        within: Duration::from_millis(u64::from(wish.within_ms)),
        settle: SETTLE,
        roots_pem: yard.roots_pem.clone(),
        host: yard::HOST.to_owned(),
    };
    let measured = storm::measure(&plan, &mut |kind| yard.server(kind), &mut |target| yard.loader(target)).await;
    let told = measured.map_err(failed)?;
    tell(&storm::render(&told), &told, wish.report.as_deref())
}

/// What the good feel of the bad.
pub(crate) async fn hammer(wish: &BenchHammer) -> Result<ExitCode, Failure> {
    let yard = Yard::open(wish.stations + wish.bad, 0).await?;
    let plan = hammer::Plan {
        accounts: yard.accounts.clone(),
        good: usize::try_from(wish.stations).unwrap_or(usize::MAX),
        bad: usize::try_from(wish.bad).unwrap_or(usize::MAX),
        per_second: wish.stations * 2,
        quiet: QUIET,
        run_up: RUN_UP,
        time: Duration::from_secs(u64::from(wish.seconds)),
        roots_pem: yard.roots_pem.clone(),
        host: yard::HOST.to_owned(),
        id_tag: CARD.to_owned(),
    };
    let (server, loader) = (&mut |kind| yard.server(kind), &mut |target: &Target| yard.loader(target));
    let told = hammer::measure(&plan, Arc::new(SystemClock), server, loader).await.map_err(failed)?;
    tell(&hammer::render(&told), &told, wish.report.as_deref())
}

/// What an authorisation costs the hub.
pub(crate) async fn road(wish: &BenchRoad) -> Result<ExitCode, Failure> {
    let ground = network::Ground::open()?;
    let plan = ground.plan(wish, SETTLE).await?;
    let measured = load::hub::measure(&plan, &ground.providers, &mut |process| ground.start(process)).await;
    let told = measured.map_err(failed)?;
    tell(&load::hub::report::render(&told), &told, wish.report.as_deref())
}

/// What others need for the same.
pub(crate) async fn rivals(wish: &BenchRivals) -> Result<ExitCode, Failure> {
    let yard = Yard::open(wish.stations + wish.idle, 0).await?;
    let senders = usize::try_from(wish.stations).unwrap_or(usize::MAX);
    let mut plan = line::Plan::new(yard.accounts.clone(), senders, yard.roots_pem.clone(), yard.folder().to_owned());
    (plan.messages, plan.rounds, plan.dialects) = (wish.messages, 1, vec![load::Dialect::V16]);
    let yard = &yard;
    let mut servers: Vec<rivals::Rival<'_>> = vec![
        ("bare echo".to_owned(), Kind::Echo, Box::new(|| yard.server(Kind::Echo))),
        ("Leyden".to_owned(), Kind::Operator, Box::new(|| yard.server(Kind::Operator))),
    ];
    for rival in &wish.rivals {
        let (name, command) =
            rival.split_once('=').ok_or_else(|| Failure::misuse("--rival wants NAME=COMMAND".to_owned()))?;
        servers.push((name.to_owned(), Kind::Operator, Box::new(move || yard.rival(command))));
    }
    let told = rivals::measure(&plan, Arc::new(SystemClock), servers).await.map_err(failed)?;
    tell(&rivals::render(&told), &told, wish.report.as_deref())
}

fn tell(page: &str, told: &impl Serialize, path: Option<&std::path::Path>) -> Result<ExitCode, Failure> {
    println!("{page}");
    if let Some(path) = path {
        report::write(path, told)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(fault: Fault) -> Failure {
    Failure::plain(fault.to_string())
}

/// The process that is measured.
pub(crate) async fn server(wish: &BenchServer) -> Result<ExitCode, Failure> {
    match (&wish.hub, wish.proxy) {
        (Some(config), _) => network::serve(config).await?,
        (None, Some(beyond)) => network::proxy(&wish.dir, beyond).await?,
        (None, None) => yard::serve(wish).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The process that holds many stations.
pub(crate) async fn loader(wish: &BenchLoader) -> Result<ExitCode, Failure> {
    let kind = match (wish.echo, wish.handshake) {
        (true, _) => Kind::Echo,
        (false, true) => Kind::Handshake,
        (false, false) => Kind::Operator,
    };
    let (roots_pem, accounts) = yard::read(&wish.dir)?;
    let target = Target { addr: wish.addr, kind, roots_pem, host: yard::HOST.to_owned() };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let crew = Crew::new(&target, accounts, clock).map_err(failed)?;
    crew.obey().await.map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

/// One station's line in the file of accounts.
fn account(line: &str) -> Option<load::line::Account> {
    let (id, password) = line.split_once('\t')?;
    Some(load::line::Account { id: id.to_owned(), proof: Proof::Password(charge::Secret::new(password.to_owned())) })
}
