//! Upkeep: a firmware update and the upload of a log, as far as an operator can see them (OCPP 1.6, 4.3, 4.5 and the
//! security whitepaper; OCPP 2.x blocks L and N).
//!
//! A virtual station runs no firmware, so it fetches none: the steps of an update take the time that is named here, and
//! a signature counts where its certificate can be read and is in force. A log is real text and really uploaded, by
//! whoever holds the station's door.
//!
//! Invariant: the steps of one update, and of one upload, are told in their order, each once.

use std::collections::VecDeque;
use std::time::Duration;

use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Progress, Retries, Work};
use charge::{Secret, Timestamp};

/// How long each step of an update takes.
pub const STEP: Duration = Duration::from_secs(5);
/// How often a station tries where nobody says.
const RETRIES: u32 = 1;
/// How long it waits between two tries where nobody says.
const PAUSE: Duration = Duration::from_secs(30);
/// An upload that nobody has carried out by then has failed.
const UPLOAD_MAX: Duration = Duration::from_secs(120);

/// A firmware update on its way.
#[derive(Clone, Debug)]
pub struct Update {
    pub of: Work,
    pub request: i32,
    stage: Stage,
    /// When this stage is over.
    at: Timestamp,
    install_at: Option<Timestamp>,
    reachable: bool,
    signed: bool,
    tries_left: u32,
    pause: Duration,
    /// Told last, for whoever asks.
    status: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Downloading,
    Downloaded,
    Waits,
    Installing,
}

/// What an update has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Tell(&'static str),
    /// Restart, and say then that it is installed.
    Restart,
    /// Nothing more comes.
    Over(&'static str),
}

impl Update {
    pub fn new(
        of: Work,
        request: i32,
        from: &str,
        at: Timestamp,
        wish: (Option<Timestamp>, Retries),
        signed: bool,
    ) -> Self {
        let reachable = ["http://", "https://", "ftp://", "sftp://"].iter().any(|scheme| from.starts_with(scheme));
        let (install_at, retries) = wish;
        let tries_left = retries.times.unwrap_or(RETRIES);
        let pause = retries.pause.unwrap_or(PAUSE);
        let stage = Stage::Waiting;
        Self { of, request, stage, at, install_at, reachable, signed, tries_left, pause, status: "Idle" }
    }

    pub const fn due(&self) -> Timestamp {
        self.at
    }

    pub const fn status(&self) -> &'static str {
        self.status
    }

    /// Before it can begin at once, 2.x says when it will (L01.FR.13).
    pub fn scheduled(&mut self, now: Timestamp) -> Option<&'static str> {
        (now < self.at).then(|| {
            self.status = "DownloadScheduled";
            self.status
        })
    }

    /// This stage is over: what comes of it. `charging` holds an installation back until nobody charges (L01.FR.06).
    pub fn step(&mut self, now: Timestamp, charging: bool) -> Next {
        let (stage, at, next) = match self.stage {
            Stage::Waiting => (Stage::Downloading, now.plus(STEP), Next::Tell("Downloading")),
            Stage::Downloading if !self.reachable && self.tries_left == 0 => return Next::Over("DownloadFailed"),
            Stage::Downloading if !self.reachable => {
                self.tries_left -= 1;
                (Stage::Waiting, now.plus(self.pause), Next::Tell("DownloadFailed"))
            }
            Stage::Downloading => (Stage::Downloaded, now.plus(STEP), Next::Tell("Downloaded")),
            Stage::Downloaded if self.signed => {
                self.signed = false;
                (Stage::Downloaded, now, Next::Tell("SignatureVerified"))
            }
            Stage::Downloaded | Stage::Waits if charging => {
                (Stage::Waits, now.plus(STEP), Next::Tell("InstallScheduled"))
            }
            Stage::Downloaded if self.install_at.is_some_and(|at| now < at) => {
                (Stage::Waits, self.install_at.unwrap_or(now), Next::Tell("InstallScheduled"))
            }
            Stage::Downloaded | Stage::Waits => (Stage::Installing, now.plus(STEP), Next::Tell("Installing")),
            Stage::Installing => return Next::Restart,
        };
        (self.stage, self.at) = (stage, at);
        if let Next::Tell(status) = next {
            // a wait that goes on is told once
            let again = self.status == status && status == "InstallScheduled";
            self.status = status;
            return if again { Next::Tell("") } else { next };
        }
        next
    }
}

/// A signature whose certificate cannot be read, or is not in force, vouches for nothing (L01.FR.02, whitepaper 4.2).
pub fn vouched(now: Timestamp, signature: &FirmwareSignature) -> bool {
    crate::certificates::facts(&signature.certificate).is_some_and(|facts| facts.valid_at(now))
        && !signature.signature.trim().is_empty()
}

/// A text to be put at a place.
#[derive(Clone, Debug)]
pub struct Upload {
    /// Comes back with the outcome.
    pub number: u64,
    /// May hold a password.
    pub to: Secret<Box<str>>,
    pub name: String,
    pub text: String,
}

/// The upload of a log on its way.
#[derive(Clone, Debug)]
pub struct LogJob {
    pub of: Work,
    pub request: i32,
    pub number: u64,
    to: Secret<Box<str>>,
    name: String,
    text: String,
    tries_left: u32,
    pause: Duration,
    /// When to try again, or when a try counts as failed.
    at: Timestamp,
    trying: bool,
}

/// What an upload has come to.
#[derive(Debug)]
pub enum Sending {
    Try(Upload),
    Over(&'static str),
}

impl LogJob {
    pub fn new(
        of: Work,
        request: i32,
        number: u64,
        to: Secret<Box<str>>,
        book: (String, String),
        at: Timestamp,
        retries: Retries,
    ) -> Self {
        let (name, text) = book;
        let tries_left = retries.times.unwrap_or(RETRIES);
        let pause = retries.pause.unwrap_or(PAUSE);
        Self { of, request, number, to, name, text, tries_left, pause, at, trying: false }
    }

    pub const fn due(&self) -> Timestamp {
        self.at
    }

    pub const fn failed(&self) -> &'static str {
        if matches!(self.of, Work::Diagnostics) { "UploadFailed" } else { "UploadFailure" }
    }

    /// Something falls due: a try, or the end of one that nobody answered.
    pub fn step(&mut self, now: Timestamp) -> Option<Sending> {
        if self.trying {
            return self.outcome(now, false);
        }
        (self.trying, self.at) = (true, now.plus(UPLOAD_MAX));
        let (to, name, text) = (self.to.clone(), self.name.clone(), self.text.clone());
        Some(Sending::Try(Upload { number: self.number, to, name, text }))
    }

    pub fn outcome(&mut self, now: Timestamp, done: bool) -> Option<Sending> {
        self.trying = false;
        if done {
            return Some(Sending::Over("Uploaded"));
        }
        if self.tries_left == 0 {
            return Some(Sending::Over(self.failed()));
        }
        self.tries_left -= 1;
        self.at = now.plus(self.pause);
        None
    }

    pub fn progress(&self, status: &str) -> Progress {
        Progress { of: self.of, request: Some(self.request), status: status.into(), places: Vec::new() }
    }
}

/// What happened at the station, in technical words; never who.
#[derive(Clone, Debug, Default)]
pub struct Logbook(VecDeque<(Timestamp, bool, String)>);

/// Enough for a day, little enough for an upload over a modem.
const LINES_MAX: usize = 1_000;

impl Logbook {
    pub fn write(&mut self, at: Timestamp, security: bool, what: impl Into<String>) {
        if self.0.len() >= LINES_MAX {
            self.0.pop_front();
        }
        self.0.push_back((at, security, what.into()));
    }

    /// The lines of a time as text.
    pub fn text(&self, kind: LogKind, from: Option<Timestamp>, until: Option<Timestamp>) -> String {
        let within = |at: Timestamp| from.is_none_or(|from| from <= at) && until.is_none_or(|until| at <= until);
        let lines = self.0.iter().filter(|(at, security, _)| within(*at) && (*security || kind != LogKind::Security));
        lines.map(|(at, _, what)| format!("{at} {what}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::bench::START;

    fn told(mut update: Update, charging_until: u64) -> Vec<(u64, String)> {
        let mut said = Vec::new();
        loop {
            let now = update.due().max(START);
            let secs = now.since(START).as_secs();
            match update.step(now, secs < charging_until) {
                Next::Tell("") => {}
                Next::Tell(status) => said.push((secs, status.to_owned())),
                Next::Restart => said.push((secs, "restart".to_owned())),
                Next::Over(status) => said.push((secs, format!("over {status}"))),
            }
            if said.last().is_some_and(|(_, last)| last == "restart" || last.starts_with("over")) {
                return said;
            }
        }
    }

    fn update(from: &str, install_in: Option<u64>, retries: u32, signed: bool) -> Update {
        let install = install_in.map(|secs| START.plus(Duration::from_secs(secs)));
        let retries = Retries { times: Some(retries), pause: Some(Duration::from_secs(10)) };
        Update::new(Work::Firmware, 1, from, START, (install, retries), signed)
    }

    fn list(said: &[(u64, &str)]) -> Vec<(u64, String)> {
        said.iter().map(|(at, word)| (*at, (*word).to_owned())).collect()
    }

    #[test]
    fn an_update_goes_its_steps_in_order() {
        let plain = [(0, "Downloading"), (5, "Downloaded"), (10, "Installing"), (15, "restart")];
        assert_eq!(told(update("https://x/fw", None, 0, false), 0), list(&plain));
        let signed =
            [(0, "Downloading"), (5, "Downloaded"), (10, "SignatureVerified"), (10, "Installing"), (15, "restart")];
        assert_eq!(told(update("https://x/fw", None, 0, true), 0), list(&signed));
        let later =
            [(0, "Downloading"), (5, "Downloaded"), (10, "InstallScheduled"), (99, "Installing"), (104, "restart")];
        assert_eq!(told(update("https://x/fw", Some(99), 0, false), 0), list(&later));
        let busy =
            [(0, "Downloading"), (5, "Downloaded"), (10, "InstallScheduled"), (25, "Installing"), (30, "restart")];
        assert_eq!(told(update("https://x/fw", None, 0, false), 25), list(&busy));
        let nowhere = [(0, "Downloading"), (5, "DownloadFailed"), (15, "Downloading"), (20, "over DownloadFailed")];
        assert_eq!(told(update("gopher://x", None, 1, false), 0), list(&nowhere));
    }

    #[test]
    fn an_upload_is_tried_as_often_as_wished() {
        let retries = Retries { times: Some(1), pause: Some(Duration::from_secs(10)) };
        let book = ("log.txt".to_owned(), "text".to_owned());
        let mut job = LogJob::new(Work::Log, 1, 7, Secret::new("http://x".into()), book, START, retries);
        assert!(matches!(job.step(START), Some(Sending::Try(Upload { number: 7, .. }))));
        assert!(job.outcome(START, false).is_none());
        let again = job.due();
        assert_eq!(again.since(START).as_secs(), 10);
        assert!(matches!(job.step(again), Some(Sending::Try(_))));
        let silent = job.due();
        assert!(matches!(job.step(silent), Some(Sending::Over("UploadFailure"))), "nobody answered");
    }

    #[test]
    fn a_security_log_holds_security_and_a_window_its_time() {
        let mut book = Logbook::default();
        book.write(START, false, "on");
        book.write(START.plus(STEP), true, "tampered");
        assert_eq!(book.text(LogKind::Diagnostics, None, None).lines().count(), 2);
        assert!(book.text(LogKind::Security, None, None).ends_with("tampered\n"));
        assert_eq!(book.text(LogKind::Diagnostics, Some(START.plus(STEP)), None).lines().count(), 1);
    }
}
