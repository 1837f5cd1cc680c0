//! Versions and endpoints (OCPI 2.2.1, module 6): what we offer, and what a partner does.
//!
//! The versions are siblings: each has its own list of endpoints, and a neighbour is spoken to in the best one that
//! both sides have. OCPI 2.1.1 names no sides: an endpoint is found by its module alone.

use charge::Timestamp;

use crate::read::{At, Fault, parse};
use crate::status::{Opened, open, success};
use crate::url;
use crate::wire::{Module, Reply, Side};
use crate::write::{Doc, Record};

/// The versions that this tongue speaks, the best one last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    V211,
    V221,
    V230,
}

impl Version {
    pub const ALL: [Self; 3] = [Self::V211, Self::V221, Self::V230];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V211 => "2.1.1",
            Self::V221 => "2.2.1",
            Self::V230 => "2.3.0",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }

    /// Whether letters say from whom and to whom they go (OCPI 2.2, 4.2).
    pub const fn has_routing(self) -> bool {
        !matches!(self, Self::V211)
    }
}

/// The list of versions that we speak.
pub fn write_versions(base: &str, now: Timestamp) -> Reply {
    let line = |version: Version| -> Doc {
        Record::default().with("version", version.as_str()).with("url", url::details(base, version)).into()
    };
    success(Some(Doc::List(Version::ALL.map(line).into())), now)
}

/// The endpoints of one version. Credentials have no side; the standard wants `SENDER` written. In 2.1.1 a module
/// stands for one side alone, so `offered` has to name one of each.
pub fn write_details(base: &str, version: Version, offered: &[(Module, Side)], now: Timestamp) -> Reply {
    let line = |identifier: &str, side: Side, url: String| -> Doc {
        let role = version.has_routing().then_some(side.as_str());
        Record::default().with("identifier", identifier).maybe("role", role).with("url", url).into()
    };
    let mut endpoints = vec![line("credentials", Side::Sender, url::credentials(base, version))];
    let known = offered.iter().filter(|(module, _)| module.is_in(version));
    endpoints
        .extend(known.map(|(module, side)| line(module.as_str(), *side, url::endpoint(base, version, *module, *side))));
    success(Some(Record::default().with("version", version.as_str()).with("endpoints", endpoints).into()), now)
}

/// The versions of a partner that we speak too, with the URLs of their details.
pub fn read_versions(http: u16, body: &[u8]) -> Result<Vec<(Version, String)>, Fault> {
    let data = data(http, body)?;
    let mut versions = Vec::new();
    for line in At::below(&data, "/data".to_owned()).items()? {
        if let Some(version) = Version::named(line.need("version")?.text()?.trim()) {
            versions.push((version, line.need("url")?.text()?));
        }
    }
    Ok(versions)
}

/// A partner's endpoints of the modules that we know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    pub version: Version,
    pub credentials: Option<String>,
    /// Without a side in 2.1.1.
    known: Vec<(Module, Option<Side>, String)>,
}

impl Endpoints {
    pub const fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Without a slash at its end.
    pub fn of(&self, module: Module, side: Side) -> Option<&str> {
        let fits = |known: &&(Module, Option<Side>, String)| known.0 == module && known.1.is_none_or(|s| s == side);
        self.known.iter().find(fits).map(|(_, _, url)| url.as_str())
    }
}

/// One unreadable line is passed over; unknown modules are none of our business.
pub fn read_details(version: Version, http: u16, body: &[u8]) -> Result<Endpoints, Fault> {
    const SIDES: &[(&str, Side)] = &[("SENDER", Side::Sender), ("RECEIVER", Side::Receiver)];
    let data = data(http, body)?;
    let mut endpoints = Endpoints { version, credentials: None, known: Vec::new() };
    for line in At::below(&data, "/data".to_owned()).need("endpoints")?.items()? {
        let (Ok(identifier), Ok(url)) = (line.need("identifier"), line.need("url")) else { continue };
        let (Ok(identifier), Ok(url)) = (identifier.text(), url.text()) else { continue };
        let url = url.trim().trim_end_matches('/').to_owned();
        if identifier == "credentials" {
            endpoints.credentials = Some(url);
        } else if let Some(module) = Module::named(&identifier) {
            match (version.has_routing(), line.need("role").and_then(|role| role.one_of(SIDES))) {
                (true, Ok(side)) => endpoints.known.push((module, Some(side), url)),
                (true, Err(_)) => {}
                (false, _) => endpoints.known.push((module, None, url)),
            }
        }
    }
    Ok(endpoints)
}

fn data(http: u16, body: &[u8]) -> Result<Doc, Fault> {
    match open(http, parse(body))? {
        Opened::Success(data) => Ok(data),
        Opened::Refused(_) => Err(Fault::new("", "is a refusal")),
    }
}
