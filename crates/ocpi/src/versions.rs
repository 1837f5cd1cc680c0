//! Versions and endpoints (OCPI 2.2.1, module 6): what we offer, and what a partner does.

use charge::Timestamp;
use serde_json::Value;

use crate::read::{At, Fault, parse};
use crate::status::{Opened, open, success};
use crate::wire::{Module, Reply, Side};
use crate::write::{Json, Object};
use crate::{VERSION, url};

/// The list of versions, with the one that we speak.
pub fn write_versions(base: &str, now: Timestamp) -> Reply {
    let version = Object::default().with("version", VERSION).with("url", url::details(base));
    success(Some(Json::List(vec![version.into()])), now)
}

/// The endpoints of the version that we speak. Credentials have no side; the standard wants `SENDER` written.
pub fn write_details(base: &str, offered: &[(Module, Side)], now: Timestamp) -> Reply {
    let line = |identifier: &str, side: Side, url: String| -> Json {
        Object::default().with("identifier", identifier).with("role", side.as_str()).with("url", url).into()
    };
    let mut endpoints = vec![line("credentials", Side::Sender, url::credentials(base))];
    endpoints
        .extend(offered.iter().map(|(module, side)| line(module.as_str(), *side, url::endpoint(base, *module, *side))));
    success(Some(Object::default().with("version", VERSION).with("endpoints", endpoints).into()), now)
}

/// The URL of our version in a partner's list; `None` where it has no common version.
pub fn read_versions(http: u16, body: &[u8]) -> Result<Option<String>, Fault> {
    let data = data(http, body)?;
    for version in At::below(&data, "/data".to_owned()).items()? {
        if version.need("version")?.text()?.trim() == VERSION {
            return version.need("url")?.text().map(Some);
        }
    }
    Ok(None)
}

/// A partner's endpoints of the modules that we know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    pub credentials: Option<String>,
    known: Vec<(Module, Side, String)>,
}

impl Endpoints {
    pub const fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Without a slash at its end.
    pub fn of(&self, module: Module, side: Side) -> Option<&str> {
        self.known.iter().find(|(m, s, _)| (*m, *s) == (module, side)).map(|(_, _, url)| url.as_str())
    }
}

/// One unreadable line is passed over; unknown modules are none of our business.
pub fn read_details(http: u16, body: &[u8]) -> Result<Endpoints, Fault> {
    const SIDES: &[(&str, Side)] = &[("SENDER", Side::Sender), ("RECEIVER", Side::Receiver)];
    let data = data(http, body)?;
    let mut endpoints = Endpoints::default();
    for line in At::below(&data, "/data".to_owned()).need("endpoints")?.items()? {
        let (Ok(identifier), Ok(url)) = (line.need("identifier"), line.need("url")) else { continue };
        let (Ok(identifier), Ok(url)) = (identifier.text(), url.text()) else { continue };
        let url = url.trim().trim_end_matches('/').to_owned();
        if identifier == "credentials" {
            endpoints.credentials = Some(url);
        } else if let Some(module) = Module::named(&identifier)
            && let Ok(side) = line.need("role").and_then(|role| role.one_of(SIDES))
        {
            endpoints.known.push((module, side, url));
        }
    }
    Ok(endpoints)
}

fn data(http: u16, body: &[u8]) -> Result<Value, Fault> {
    match open(http, parse(body))? {
        Opened::Success(data) => Ok(data),
        Opened::Refused(_) => Err(Fault { path: String::new(), why: "is a refusal".into() }),
    }
}
