//! The one binary: command line, configuration, wiring. It decides nothing that a room could decide.

mod acquirer;
mod api;
mod bench;
mod cli;
mod config;
mod controller;
mod demo;
mod failure;
mod house;
mod init;
mod logins;
mod metrics;
mod partner;
mod rates;
mod register;
mod report;
mod second;
mod serve;
mod station;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command};

pub(crate) use failure::Failure;

fn main() -> ExitCode {
    let command = Cli::parse().command;
    listen_to_traces();
    let done = match command {
        Command::Init(wish) => init::run(&wish).map(|()| ExitCode::SUCCESS),
        Command::Config(cli::ConfigCommand::Check { file }) => check(&file),
        Command::Verify(wish) => verify::run(&wish),
        Command::Demo(wish) => run(demo::run(&wish)),
        Command::Serve(wish) => run(serve::run(&wish)),
        Command::Controller(wish) => run(controller::run(&wish)),
        Command::Station(wish) => run(station::run(&wish)),
        Command::Partner(wish) => run(partner::run(&wish)),
        Command::Road(wish) => run(partner::road(&wish)),
        Command::Bench(cli::Bench::Line(wish)) => run(bench::line(&wish)),
        Command::Bench(cli::Bench::Crowd(wish)) => run(bench::crowd(&wish)),
        Command::Bench(cli::Bench::Storm(wish)) => run(bench::storm(&wish)),
        Command::Bench(cli::Bench::Hammer(wish)) => run(bench::hammer(&wish)),
        Command::Bench(cli::Bench::Road(wish)) => run(bench::road(&wish)),
        Command::Bench(cli::Bench::Rivals(wish)) => run(bench::rivals(&wish)),
        Command::Bench(cli::Bench::Server(wish)) => run(bench::server(&wish)),
        Command::Bench(cli::Bench::Loader(wish)) => run(bench::loader(&wish)),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("leyden: {failure}");
        ExitCode::from(failure.status())
    })
}

/// Traces go to standard error; `RUST_LOG` says which. Nothing personal is in any of them.
fn listen_to_traces() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env();
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,gate::line=info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

fn run(work: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|fault| Failure::plain(format!("no async runtime: {fault}")))?.block_on(work)
}

/// `leyden config check FILE`.
fn check(file: &std::path::Path) -> Result<ExitCode, Failure> {
    config::read(file).map_err(|faults| Failure::misuse(faults.to_string()))?;
    println!("{}: good", file.display());
    Ok(ExitCode::SUCCESS)
}
