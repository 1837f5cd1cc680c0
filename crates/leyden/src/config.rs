//! The configuration of `leyden serve`: read once, judged as a whole, then passed on as values.
//!
//! Unknown keys are refused with their line. Secrets stand in files of mode 0600, never here. Paths are relative to
//! the configuration file. Every default is the safe one; what is not safe has `danger_` in its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use charge::id::PartyId;
use serde::Deserialize;

use crate::second::Second;

mod guest;

pub(crate) use guest::{AgreedPrice, Clearing, Direct, Member, OicpVersion};

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Folder of the databases: one file per party.
    pub(crate) data: PathBuf,
    pub(crate) web: Web,
    pub(crate) operator: Option<Operator>,
    pub(crate) hub: Option<Hub>,
    #[serde(default, rename = "provider")]
    pub(crate) providers: Vec<Provider>,
    /// Roads between parties: one entry per direction in which a party of this house speaks.
    #[serde(default, rename = "road")]
    pub(crate) roads: Vec<Road>,
}

/// The door for people: pages and API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Web {
    pub(crate) listen: SocketAddr,
    /// Key and certificate chain in one PEM file.
    pub(crate) identity: PathBuf,
    /// How stations reach these doors when they bring a log or fetch a firmware: `https://host:port`. Without it the
    /// listening address is taken, where that names one.
    pub(crate) address: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Operator {
    pub(crate) party: Id,
    pub(crate) name: String,
    /// Where stations connect (OCPP over TLS).
    pub(crate) line: Door,
    /// Authority whose station certificates are good (security profile 3): key and certificate in one PEM file.
    pub(crate) station_authority: PathBuf,
    /// Where the hub connects (OCPI over TLS).
    pub(crate) road: Door,
    /// The party that carries this operator's letters.
    pub(crate) hub: Id,
    /// Where stations connect without TLS, each of them only with its own `danger_plain_ws` permission.
    #[serde(default)]
    pub(crate) danger_plain_line: Option<SocketAddr>,
    /// Stations may offer payment without a contract, and nobody's money moves: for trials alone.
    #[serde(default)]
    pub(crate) danger_pretend_payments: bool,
    /// Where stations of OCPP 1.5 and 1.6 over SOAP send their messages.
    #[serde(default)]
    pub(crate) soap: Option<Soap>,
    /// Other central systems that see this operator's stations.
    #[serde(default, rename = "second")]
    pub(crate) seconds: Vec<Second>,
    /// Where the hub is a broker of OICP.
    #[serde(default)]
    pub(crate) oicp: Option<Member>,
    /// Where the hub is a clearing house of OCHP.
    #[serde(default)]
    pub(crate) ochp: Option<Clearing>,
}

/// The line's leg for stations that speak SOAP: both sides are servers and clients.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Soap {
    pub(crate) listen: SocketAddr,
    /// Key and certificate chain of this server in one PEM file.
    pub(crate) identity: PathBuf,
    /// With what the operator proves itself to stations: a client certificate and its key in one PEM file.
    pub(crate) client: PathBuf,
    /// How stations reach `listen`: `https://host:port/ocpp/soap`.
    #[serde(default)]
    pub(crate) address: Option<String>,
    /// Where stations may be called, by station: origins such as `https://192.0.2.7:8443`. A station without an entry
    /// is called only at the network address that its messages come from.
    #[serde(default)]
    pub(crate) callbacks: BTreeMap<String, String>,
    /// Where messages come in without TLS, each station only with its own `danger_plain_ws` permission.
    #[serde(default)]
    pub(crate) danger_plain: Option<SocketAddr>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hub {
    pub(crate) party: Id,
    pub(crate) name: String,
    pub(crate) road: Door,
    /// Partners of OICP 2.3 and 2.0; without it the hub is no broker.
    #[serde(default)]
    pub(crate) oicp: Option<Broker>,
}

/// A listener of its own, because it asks everybody for a client certificate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Broker {
    pub(crate) listen: SocketAddr,
    pub(crate) identity: PathBuf,
    /// The certificate and key that the hub shows where it comes to partners.
    pub(crate) client: PathBuf,
    /// Authorities that the partners' certificates come from, in PEM.
    pub(crate) roots: PathBuf,
    /// Told with every EVSE, which OICP demands: `+` and five to fifteen digits.
    pub(crate) hotline: String,
    /// ISO 4217, of running sessions: OICP names none.
    pub(crate) currency: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    /// Part of the page's address: `/provider/<slug>`.
    pub(crate) slug: String,
    pub(crate) party: Id,
    pub(crate) name: String,
    pub(crate) vat_id: String,
    /// Percent, as text, on invoices to drivers.
    #[serde(default = "nineteen")]
    pub(crate) vat_percent: String,
    pub(crate) road: Door,
    pub(crate) hub: Id,
    /// Where the hub is a broker of OICP.
    #[serde(default)]
    pub(crate) oicp: Option<Member>,
    /// Where the hub is a clearing house of OCHP.
    #[serde(default)]
    pub(crate) ochp: Option<Clearing>,
}

/// A listener with TLS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Door {
    pub(crate) listen: SocketAddr,
    pub(crate) identity: PathBuf,
    /// How others reach it, without a trailing slash: `https://host:port`. Needed on roads.
    #[serde(default)]
    pub(crate) address: Option<String>,
}

/// How a party of this house reaches another, and what it accepts from there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Road {
    pub(crate) from: Id,
    pub(crate) to: Id,
    pub(crate) role: Role,
    pub(crate) name: String,
    /// The other's OCPI versions address.
    pub(crate) versions: String,
    /// Authorities that the other's server certificate may come from, in PEM.
    pub(crate) roots: PathBuf,
    /// File with the token that we send. Without both tokens the road is opened by a registration, which
    /// `leyden road register` begins.
    #[serde(default)]
    pub(crate) token_out: Option<PathBuf>,
    /// File with the token that we accept.
    #[serde(default)]
    pub(crate) token_in: Option<PathBuf>,
    /// Of the road to our hub: after so many days the registration there is renewed by itself; 0 is never.
    #[serde(default = "renew_days")]
    pub(crate) renew_days: u32,
}

/// What the other end of a road is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Operator,
    Hub,
    Provider,
}

/// A party id, checked while the file is read.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "String")]
pub(crate) struct Id(pub(crate) PartyId);

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|fault| format!("`{text}` {fault}; wanted is a party id like DE-VLT"))
    }
}

/// As OCPI recommends: tokens are exchanged for new ones once a month.
pub(crate) const RENEW_DAYS: u32 = 30;

const fn renew_days() -> u32 {
    RENEW_DAYS
}

fn nineteen() -> String {
    "19".to_owned()
}

/// Everything that is wrong with a configuration, each fault with where it stands.
#[derive(Debug)]
pub(crate) struct Faults(pub(crate) Vec<String>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Faults {}

/// Reads and judges a configuration file; paths come back absolute to its folder.
pub(crate) fn read(file: &Path) -> Result<Config, Faults> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|fault| Faults(vec![format!("{shown}: {fault}")]))?;
    let mut config: Config = toml::from_str(&text).map_err(|fault| {
        let line = fault.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        Faults(vec![format!("{shown}:{line}: {}", fault.message().trim())])
    })?;
    config.anchor(file.parent().unwrap_or(Path::new(".")));
    let faults = config.judge();
    if faults.is_empty() {
        Ok(config)
    } else {
        Err(Faults(faults.into_iter().map(|f| format!("{shown}: {f}")).collect()))
    }
}

impl Operator {
    fn files(&mut self) -> Vec<&mut PathBuf> {
        let mut files = vec![&mut self.line.identity, &mut self.road.identity, &mut self.station_authority];
        files.extend(self.soap.iter_mut().flat_map(|soap| [&mut soap.identity, &mut soap.client]));
        files.extend(self.seconds.iter_mut().flat_map(Second::files));
        files.extend(self.oicp.iter_mut().flat_map(Member::files));
        files.extend(self.ochp.iter_mut().flat_map(Clearing::files));
        files
    }
}

impl Hub {
    fn files(&mut self) -> Vec<&mut PathBuf> {
        let mut files = vec![&mut self.road.identity];
        files.extend(
            self.oicp.iter_mut().flat_map(|broker| [&mut broker.identity, &mut broker.client, &mut broker.roots]),
        );
        files
    }
}

impl Provider {
    fn files(&mut self) -> Vec<&mut PathBuf> {
        let mut files = vec![&mut self.road.identity];
        files.extend(self.oicp.iter_mut().flat_map(Member::files));
        files.extend(self.ochp.iter_mut().flat_map(Clearing::files));
        files
    }
}

impl Config {
    /// Makes relative paths relative to the file's folder.
    fn anchor(&mut self, folder: &Path) {
        let mut files = vec![&mut self.data, &mut self.web.identity];
        files.extend(self.operator.iter_mut().flat_map(Operator::files));
        files.extend(self.hub.iter_mut().flat_map(Hub::files));
        files.extend(self.providers.iter_mut().flat_map(Provider::files));
        for road in &mut self.roads {
            files.push(&mut road.roots);
            files.extend(road.token_out.iter_mut().chain(&mut road.token_in));
        }
        for path in files {
            if path.is_relative() {
                *path = folder.join(&*path);
            }
        }
    }

    /// What is well-formed and still wrong.
    fn judge(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.operator.is_none() && self.hub.is_none() && self.providers.is_empty() {
            faults.push("no party: write an [operator], a [hub] or a [[provider]]".to_owned());
        }
        let mut parties = BTreeSet::new();
        for id in self.parties() {
            if !parties.insert(id) {
                faults.push(format!("party {} stands here twice", id.0));
            }
        }
        let mut seconds = BTreeSet::new();
        for second in self.operator.iter().flat_map(|operator| &operator.seconds) {
            if !seconds.insert(second.name()) {
                faults.push(format!("[[operator.second]] {} stands here twice", second.name()));
            }
        }
        let mut slugs = BTreeSet::from(["operator", "hub"]);
        for provider in &self.providers {
            let fits = !provider.slug.is_empty()
                && provider.slug.len() <= 32
                && provider.slug.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-');
            if !fits {
                faults.push(format!("provider.slug `{}`: up to 32 of a-z, 0-9 and -", provider.slug));
            }
            if !slugs.insert(&provider.slug) {
                faults.push(format!("provider.slug `{}` stands here twice, or is taken", provider.slug));
            }
        }
        let guests = self.operator.iter().map(|o| (o.party, o.hub, "operator", &o.oicp, &o.ochp));
        let guests = guests.chain(self.providers.iter().map(|p| (p.party, p.hub, "provider", &p.oicp, &p.ochp)));
        for (party, hub, place, oicp, ochp) in guests {
            faults.extend(guest::judge(place, oicp.as_ref(), ochp.as_ref()));
            let elsewhere = oicp.is_some() || ochp.is_some();
            if !elsewhere && !self.roads.iter().any(|road| road.from == party && road.to == hub) {
                faults.push(format!("{} has no [[road]] to its hub {}", party.0, hub.0));
            }
        }
        for road in &self.roads {
            if !parties.contains(&road.from) {
                faults.push(format!("a [[road]] starts at {}, which is no party of this house", road.from.0));
            }
            let (from, to) = (road.from.0, road.to.0);
            match (&road.token_out, &road.token_in) {
                (Some(_), Some(_)) => {}
                (None, None) if road.role == Role::Hub => {}
                (None, None) => faults.push(format!(
                    "the [[road]] from {from} to {to} has no tokens: whoever is no hub is invited, or registered at, by command"
                )),
                (Some(_), None) | (None, Some(_)) => {
                    faults.push(format!("the [[road]] from {from} to {to} has one token of two"));
                }
            }
        }
        faults
    }

    fn parties(&self) -> impl Iterator<Item = Id> + '_ {
        let operator = self.operator.iter().map(|operator| operator.party);
        let hub = self.hub.iter().map(|hub| hub.party);
        operator.chain(hub).chain(self.providers.iter().map(|provider| provider.party))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    fn faults(text: &str) -> String {
        let file = std::env::temp_dir().join(format!("leyden-config-{}-{}.toml", std::process::id(), text.len()));
        std::fs::write(&file, text).unwrap();
        let faults = read(&file).unwrap_err().to_string();
        std::fs::remove_file(&file).unwrap();
        faults
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = "data = \"data\"\n[web]\nlisten = \"127.0.0.1:0\"\nidentity = \"web.pem\"\ncolour = \"red\"\n";
        let said = faults(text);
        assert!(said.contains(":5:") && said.contains("colour"), "{said}");
    }

    #[test]
    fn a_party_without_a_road_to_its_hub_is_named() {
        let text = "data = \"d\"\n[web]\nlisten = \"127.0.0.1:0\"\nidentity = \"w\"\n[[provider]]\nslug = \"a\"\n\
                    party = \"DE-8AA\"\nname = \"A\"\nvat_id = \"DE1\"\nhub = \"DE-HUB\"\n[provider.road]\n\
                    listen = \"127.0.0.1:0\"\nidentity = \"r\"\n";
        let said = faults(text);
        assert!(said.contains("DE-8AA has no [[road]] to its hub DE-HUB"), "{said}");
    }

    #[test]
    fn the_example_of_guests_is_without_fault() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/at-a-broker.toml");
        let config = read(&file).unwrap();
        let member = config.operator.unwrap().oicp.unwrap();
        assert!(member.broker.starts_with(file.parent().unwrap()) && member.poll_s == 300);
        assert_eq!(config.providers[0].ochp.as_ref().unwrap().direct.as_ref().unwrap().partners.len(), 1);
    }

    #[test]
    fn a_guest_of_two_hubs_or_with_a_broken_key_is_named() {
        let provider = "data = \"d\"\n[web]\nlisten = \"127.0.0.1:0\"\nidentity = \"w\"\n[[provider]]\nslug = \"a\"\n\
                        party = \"DE-8AA\"\nname = \"A\"\nvat_id = \"DE1\"\nhub = \"DE-HBJ\"\n[provider.road]\n\
                        listen = \"127.0.0.1:0\"\nidentity = \"r\"\n";
        let ochp =
            "[provider.ochp]\nurl = \"https://c.example\"\nuser = \"u\"\npassword = \"p\"\nroots = \"r\"\npoll_s = 0\n";
        let oicp = "[provider.oicp]\nversion = \"2.3\"\nurl = \"http://b.example\"\nlisten = \"127.0.0.1:0\"\nidentity = \"i\"\n\
                    client = \"c\"\nroots = \"r\"\nbroker = \"b\"\nhotline = \"+4989123456\"\ncurrency = \"EUR\"\n";
        let said = faults(&format!("{provider}{ochp}{oicp}"));
        for fault in ["both [provider.oicp] and [provider.ochp]", "[provider.ochp] poll_s", "[provider.oicp] url"] {
            assert!(said.contains(fault), "{said}");
        }
        assert!(!said.contains("[[road]]"), "its hub is reached without one: {said}");
        let said = faults(&format!("{provider}{}", oicp.replace("2.3", "2.2")));
        assert!(said.contains(":15:") && said.contains("2.2"), "{said}");
    }

    #[test]
    fn a_malformed_party_is_named_with_its_line() {
        let text = "data = \"d\"\n[web]\nlisten = \"127.0.0.1:0\"\nidentity = \"w\"\n[hub]\nparty = \"D-1\"\n";
        let said = faults(text);
        assert!(said.contains(":6:") && said.contains("D-1"), "{said}");
    }
}
