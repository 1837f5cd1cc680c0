//! Upkeep: a firmware update and the upload of a log, as far as an operator can see them (OCPP 1.6, 4.3, 4.5 and the
//! security whitepaper; OCPP 2.x blocks L and N).
//!
//! An image is really fetched and a log really uploaded, by whoever holds the station's door. A virtual station runs no
//! firmware: it checks the image against the signature that came with the order, takes the version that a first line
//! `version: X` names, forgets the rest, and lets the other steps take the time that is named here.
//!
//! Invariant: the steps of one update, and of one upload, are told in their order, each once.

use std::collections::VecDeque;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use charge::talk::line::upkeep::{FirmwareSignature, LogKind, Progress, Retries, Work};
use charge::{Secret, Timestamp};

/// How long each step of an update takes that is not the download itself.
pub const STEP: Duration = Duration::from_secs(5);
/// An image that nobody has brought by then has not come. Long, because the door counts in its own time.
const FETCH_MAX: Duration = Duration::from_secs(3_600);
/// The largest image that is taken: more than the field's images have.
pub const IMAGE_MAX: usize = 64 * 1024 * 1024;
/// `firmwareVersion` of a boot (OCPP 2.x, `ChargingStationType`; 1.6, 6.3).
const VERSION_MAX: usize = 50;
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
    /// Of the try that is under way; an image for another one changes nothing.
    pub number: u64,
    from: Secret<Box<str>>,
    stage: Stage,
    /// When this stage is over.
    at: Timestamp,
    install_at: Option<Timestamp>,
    signature: Option<FirmwareSignature>,
    /// What the image calls itself.
    version: Option<Box<str>>,
    /// The image that came has no byte.
    empty: bool,
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
    /// Here, and not what its maker signed.
    Forged,
    Waits,
    Installing,
}

/// What an update has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Tell(&'static str),
    /// Tell that it is downloading, and bring the image.
    Fetch,
    /// Restart, and say then that it is installed.
    Restart,
    /// Nothing more comes.
    Over(&'static str),
}

/// An image to be brought.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// Comes back with the image.
    pub number: u64,
    /// May hold a password.
    pub from: Secret<Box<str>>,
}

impl Update {
    pub fn new(
        (of, request, number): (Work, i32, u64),
        from: Secret<Box<str>>,
        at: Timestamp,
        wish: (Option<Timestamp>, Retries),
        signature: Option<FirmwareSignature>,
    ) -> Self {
        let (install_at, retries) = wish;
        let tries_left = retries.times.unwrap_or(RETRIES);
        let pause = retries.pause.unwrap_or(PAUSE);
        let (stage, version, status) = (Stage::Waiting, None, "Idle");
        Self {
            of,
            request,
            number,
            from,
            stage,
            at,
            install_at,
            signature,
            version,
            empty: false,
            tries_left,
            pause,
            status,
        }
    }

    pub const fn due(&self) -> Timestamp {
        self.at
    }

    pub const fn status(&self) -> &'static str {
        self.status
    }

    /// What the image calls itself, once it is here.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    pub fn parcel(&self) -> Fetch {
        Fetch { number: self.number, from: self.from.clone() }
    }

    /// It would install, and only waits for whoever charges (L01.FR.06, L01.FR.07).
    pub fn waits_for_drivers(&self, now: Timestamp) -> bool {
        self.stage == Stage::Waits && self.install_at.is_none_or(|at| at <= now)
    }

    /// Before it can begin at once, 2.x says when it will (L01.FR.13).
    pub fn scheduled(&mut self, now: Timestamp) -> Option<&'static str> {
        (now < self.at).then(|| {
            self.status = "DownloadScheduled";
            self.status
        })
    }

    /// The image has come, or it cannot be had.
    pub fn fetched(&mut self, now: Timestamp, image: Option<&[u8]>) -> Option<Next> {
        if self.stage != Stage::Downloading {
            return None;
        }
        let next = match image.filter(|image| image.len() <= IMAGE_MAX) {
            // L01.FR.30: the last try that fails is told as well
            None if self.tries_left == 0 => return Some(Next::Over("DownloadFailed")),
            None => {
                self.tries_left -= 1;
                (self.stage, self.at) = (Stage::Waiting, now.plus(self.pause));
                "DownloadFailed"
            }
            Some(image) => {
                (self.version, self.empty) = (named(image), image.is_empty());
                let good = self.signature.as_ref().is_none_or(|signature| signs(signature, image));
                self.stage = if good { Stage::Downloaded } else { Stage::Forged };
                self.at = now.plus(STEP);
                "Downloaded"
            }
        };
        self.status = next;
        Some(Next::Tell(next))
    }

    /// This stage is over: what comes of it. `charging` holds an installation back until nobody charges (L01.FR.06).
    pub fn step(&mut self, now: Timestamp, charging: bool) -> Next {
        let (stage, at, next) = match self.stage {
            Stage::Waiting => {
                (self.stage, self.at, self.status) = (Stage::Downloading, now.plus(FETCH_MAX), "Downloading");
                return Next::Fetch;
            }
            // nobody has brought it
            Stage::Downloading => return self.fetched(now, None).unwrap_or(Next::Over("DownloadFailed")),
            Stage::Forged => return Next::Over("InvalidSignature"),
            Stage::Downloaded if self.signature.take().is_some() => {
                (Stage::Downloaded, now, Next::Tell("SignatureVerified"))
            }
            Stage::Downloaded | Stage::Waits if charging => {
                (Stage::Waits, now.plus(STEP), Next::Tell("InstallScheduled"))
            }
            // L01.FR.16
            Stage::Downloaded if self.install_at.is_some_and(|at| now < at) => {
                (Stage::Waits, self.install_at.unwrap_or(now), Next::Tell("InstallScheduled"))
            }
            // L01.FR.05
            Stage::Downloaded | Stage::Waits => (Stage::Installing, now.plus(STEP), Next::Tell("Installing")),
            // L01.FR.12: there is nothing in it to install
            Stage::Installing if self.empty => return Next::Over("InstallVerificationFailed"),
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

/// The version that an image names in its first line.
fn named(image: &[u8]) -> Option<Box<str>> {
    let line = image.split(|byte| *byte == b'\n').next().filter(|line| line.len() <= VERSION_MAX * 2)?;
    let name = std::str::from_utf8(line).ok()?.strip_prefix("version:")?.trim();
    let fits = !name.is_empty() && name.chars().count() <= VERSION_MAX && !name.chars().any(char::is_control);
    fits.then(|| name.into())
}

/// Whether the signature is one over the whole image, by the key of its certificate (L01.FR.04, L01.FR.12).
fn signs(of: &FirmwareSignature, image: &[u8]) -> bool {
    let key = crate::certificates::public_key(&of.certificate);
    let signature = BASE64_STANDARD.decode(of.signature.trim());
    key.zip(signature.ok()).is_some_and(|(key, signature)| trust::sign::verify_image(&key, image, &signature))
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

    /// The lines of a time as text, of security alone (N01.FR.03) or all (N01.FR.04).
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

    /// Everything that is told until the end, with an image that comes at once, or never does.
    fn told(mut update: Update, image: Option<&[u8]>, charging_until: u64) -> Vec<(u64, String)> {
        let mut said = Vec::new();
        loop {
            let now = update.due().max(START);
            let secs = now.since(START).as_secs();
            let next = match update.step(now, secs < charging_until) {
                Next::Fetch => {
                    said.push((secs, "Downloading".to_owned()));
                    update.fetched(now, image).unwrap()
                }
                next => next,
            };
            match next {
                Next::Tell("") => {}
                Next::Tell(status) => said.push((secs, status.to_owned())),
                Next::Fetch => panic!("two at once"),
                Next::Restart => said.push((secs, "restart".to_owned())),
                Next::Over(status) => said.push((secs, format!("over {status}"))),
            }
            if said.last().is_some_and(|(_, last)| last == "restart" || last.starts_with("over")) {
                return said;
            }
        }
    }

    fn update(install_in: Option<u64>, retries: u32, signature: Option<FirmwareSignature>) -> Update {
        let install = install_in.map(|secs| START.plus(Duration::from_secs(secs)));
        let retries = Retries { times: Some(retries), pause: Some(Duration::from_secs(10)) };
        let from = Secret::new("https://x/fw".into());
        Update::new((Work::Firmware, 1, 1), from, START, (install, retries), signature)
    }

    /// A maker's certificate, and its signature over an image.
    fn made(image: &[u8]) -> FirmwareSignature {
        let pair = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&pair).unwrap().pem();
        let key = trust::sign::SigningKey::from_pkcs8_der(&Secret::new(pair.serialize_der())).unwrap();
        let signature = BASE64_STANDARD.encode(key.sign(image).unwrap());
        FirmwareSignature { certificate: certificate.into(), signature: signature.into() }
    }

    fn list(said: &[(u64, &str)]) -> Vec<(u64, String)> {
        said.iter().map(|(at, word)| (*at, (*word).to_owned())).collect()
    }

    #[test]
    fn an_update_goes_its_steps_in_order() {
        let image: Option<&[u8]> = Some(b"version: 2.0.0\nand more");
        let plain = [(0, "Downloading"), (0, "Downloaded"), (5, "Installing"), (10, "restart")];
        assert_eq!(told(update(None, 0, None), image, 0), list(&plain));
        let later =
            [(0, "Downloading"), (0, "Downloaded"), (5, "InstallScheduled"), (99, "Installing"), (104, "restart")];
        // proves: L01.FR.16
        assert_eq!(told(update(Some(99), 0, None), image, 0), list(&later));
        let busy =
            [(0, "Downloading"), (0, "Downloaded"), (5, "InstallScheduled"), (25, "Installing"), (30, "restart")];
        // proves: L01.FR.06
        assert_eq!(told(update(None, 0, None), image, 25), list(&busy));
        let nowhere = [(0, "Downloading"), (0, "DownloadFailed"), (10, "Downloading"), (10, "over DownloadFailed")];
        // proves: L01.FR.30
        assert_eq!(told(update(None, 1, None), None, 0), list(&nowhere));
        let mut forgotten = update(None, 0, None);
        assert_eq!(forgotten.step(START, false), Next::Fetch);
        assert_eq!(forgotten.step(forgotten.due(), false), Next::Over("DownloadFailed"), "nobody brought it");
    }

    #[test]
    fn an_image_that_its_maker_did_not_sign_is_not_installed() {
        // proves: L01.FR.04, L01.FR.12
        let image: &[u8] = b"version: 2.0.0\n";
        let signed =
            [(0, "Downloading"), (0, "Downloaded"), (5, "SignatureVerified"), (5, "Installing"), (10, "restart")];
        assert_eq!(told(update(None, 0, Some(made(image))), Some(image), 0), list(&signed));
        let forged = [(0, "Downloading"), (0, "Downloaded"), (5, "over InvalidSignature")];
        assert_eq!(told(update(None, 0, Some(made(image))), Some(b"version: 6.6.6\n"), 0), list(&forged));
        let other = FirmwareSignature { certificate: made(image).certificate, ..made(image) };
        assert_eq!(told(update(None, 0, Some(other)), Some(image), 0), list(&forged), "another key");
    }

    #[test]
    fn an_image_says_its_version_in_its_first_line() {
        let name = |image: &[u8]| {
            let mut update = update(None, 0, None);
            update.step(START, false);
            update.fetched(START, Some(image)).unwrap();
            update.version().map(str::to_owned)
        };
        assert_eq!(name(b"version: 2.1.0\nbinary\xff").as_deref(), Some("2.1.0"));
        for odd in [b"\x7fELF".as_slice(), b"version:\n", b"version: \x07\n", b"", &[b'v'; 4_000]] {
            assert_eq!(name(odd), None);
        }
    }

    #[test]
    fn an_upload_is_tried_as_often_as_wished() {
        // proves: N01.FR.10
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
        // proves: N01.FR.03, N01.FR.04
        let mut book = Logbook::default();
        book.write(START, false, "on");
        book.write(START.plus(STEP), true, "tampered");
        assert_eq!(book.text(LogKind::Diagnostics, None, None).lines().count(), 2);
        assert!(book.text(LogKind::Security, None, None).ends_with("tampered\n"));
        assert_eq!(book.text(LogKind::Diagnostics, Some(START.plus(STEP)), None).lines().count(), 1);
    }
}
