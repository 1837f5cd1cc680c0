//! A party of this house at somebody else's hub: `[operator.oicp]`, `[operator.ochp]` and the same of providers.
//!
//! Invariant: a party has one hub, so there is one such part for it or none.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Id;

/// A party of this house at somebody else's broker, in place of a road to its hub.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Member {
    pub(crate) version: OicpVersion,
    /// Where the broker's services are, without `/api/oicp` or `/ibis/ws`: `https://host`.
    pub(crate) url: String,
    /// Where the broker comes to us. A listener of its own, because it asks everybody for a client certificate.
    pub(crate) listen: SocketAddr,
    pub(crate) identity: PathBuf,
    /// The certificate and key that we show to the broker.
    pub(crate) client: PathBuf,
    /// Authorities of the broker's certificates, in PEM.
    pub(crate) roots: PathBuf,
    /// The client certificate with which the broker comes, in PEM; nobody else is heard.
    pub(crate) broker: PathBuf,
    /// Told with every EVSE, which OICP demands: `+` and five to fifteen digits.
    pub(crate) hotline: String,
    /// ISO 4217, of running sessions: OICP names none.
    pub(crate) currency: String,
    /// How often a provider fetches places, products and statuses: a broker pushes none.
    #[serde(default = "five_minutes")]
    pub(crate) poll_s: u64,
    /// The broker's address may be one that is not public.
    #[serde(default)]
    pub(crate) local: bool,
    /// Of a provider: prices that were agreed with operators beside the broker.
    #[serde(default, rename = "agreed")]
    pub(crate) prices: Vec<AgreedPrice>,
}

/// What an operator is paid for one of its products: decimal numbers without VAT, in the member's currency.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgreedPrice {
    pub(crate) operator: Id,
    /// As its records name it.
    pub(crate) product: String,
    #[serde(default)]
    pub(crate) per_kwh: Option<String>,
    #[serde(default)]
    pub(crate) per_hour: Option<String>,
    #[serde(default)]
    pub(crate) per_session: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) enum OicpVersion {
    #[serde(rename = "2.3")]
    V23,
    #[serde(rename = "2.0")]
    V20,
}

/// A party of this house at somebody else's clearing house, in place of a road to its hub.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Clearing {
    /// The address of all its services.
    pub(crate) url: String,
    /// The address of its live status, where that is another one.
    #[serde(default)]
    pub(crate) live_url: Option<String>,
    /// The address of its service for servers of OCHPdirect, where that is another one.
    #[serde(default)]
    pub(crate) endpoints_url: Option<String>,
    /// The name with which we come.
    pub(crate) user: String,
    /// File with the password with which we come.
    pub(crate) password: PathBuf,
    /// Authorities of its certificate, in PEM.
    pub(crate) roots: PathBuf,
    /// How often a provider fetches places, statuses and the records that wait for it.
    #[serde(default = "five_minutes")]
    pub(crate) poll_s: u64,
    /// Its address may be one that is not public.
    #[serde(default)]
    pub(crate) local: bool,
    /// The server of OCHPdirect beside it; without one there are no orders from afar.
    #[serde(default)]
    pub(crate) direct: Option<Direct>,
}

/// OCHPdirect: our server, and the partners that it knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Direct {
    pub(crate) listen: SocketAddr,
    pub(crate) identity: PathBuf,
    /// How others reach it, without a trailing slash: `https://host:port`.
    pub(crate) address: String,
    /// Authorities of the partners' certificates, in PEM.
    pub(crate) roots: PathBuf,
    #[serde(default, rename = "partner")]
    pub(crate) partners: Vec<DirectPartner>,
}

/// A direct partner: of an operator a provider, of a provider an operator.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DirectPartner {
    pub(crate) party: Id,
    pub(crate) name: String,
    /// Its server; without it and the next four it is found through the clearing house.
    #[serde(default)]
    pub(crate) url: Option<String>,
    /// The name with which we come to it, and the file with the password.
    #[serde(default)]
    pub(crate) user: Option<String>,
    #[serde(default)]
    pub(crate) password: Option<PathBuf>,
    /// The name with which it comes to us, and the file with the password.
    #[serde(default)]
    pub(crate) entry: Option<String>,
    #[serde(default)]
    pub(crate) entry_password: Option<PathBuf>,
    #[serde(default)]
    pub(crate) local: bool,
}

/// What was agreed with a direct partner, beside the clearing house.
pub(crate) struct Agreed<'c> {
    pub(crate) url: &'c str,
    pub(crate) user: &'c str,
    pub(crate) password: &'c Path,
    pub(crate) entry: &'c str,
    pub(crate) entry_password: &'c Path,
}

impl DirectPartner {
    /// All of it, or none.
    pub(crate) fn agreed(&self) -> Option<Agreed<'_>> {
        Some(Agreed {
            url: self.url.as_deref()?,
            user: self.user.as_deref()?,
            password: self.password.as_deref()?,
            entry: self.entry.as_deref()?,
            entry_password: self.entry_password.as_deref()?,
        })
    }

    /// Some of what is agreed, and not all of it.
    fn is_half_agreed(&self) -> bool {
        let said = [
            self.url.is_some(),
            self.user.is_some(),
            self.password.is_some(),
            self.entry.is_some(),
            self.entry_password.is_some(),
        ];
        said.contains(&true) && said.contains(&false)
    }
}

/// Drivers look at a map, not at a second hand; a broker counts requests.
const fn five_minutes() -> u64 {
    300
}

impl Member {
    pub(super) fn files(&mut self) -> Vec<&mut PathBuf> {
        vec![&mut self.identity, &mut self.client, &mut self.roots, &mut self.broker]
    }
}

impl Clearing {
    pub(super) fn files(&mut self) -> Vec<&mut PathBuf> {
        let mut files = vec![&mut self.password, &mut self.roots];
        if let Some(direct) = &mut self.direct {
            files.extend([&mut direct.identity, &mut direct.roots]);
            let passwords =
                direct.partners.iter_mut().flat_map(|each| [each.password.as_mut(), each.entry_password.as_mut()]);
            files.extend(passwords.flatten());
        }
        files
    }
}

/// What is well-formed and still wrong. `place`: whose part it is.
pub(super) fn judge(place: &str, oicp: Option<&Member>, ochp: Option<&Clearing>) -> Vec<String> {
    let mut faults = Vec::new();
    if oicp.is_some() && ochp.is_some() {
        faults.push(format!(
            "both [{place}.oicp] and [{place}.ochp]: a party has one hub; enter the others at a hub of yours"
        ));
    }
    if place == "operator" && oicp.is_some_and(|member| !member.prices.is_empty()) {
        faults.push("[[operator.oicp.agreed]]: prices are agreed by a provider; an operator has tariffs".to_owned());
    }
    let polls = [("oicp", oicp.map(|member| member.poll_s)), ("ochp", ochp.map(|clearing| clearing.poll_s))];
    for (protocol, _) in polls.iter().filter(|(_, poll)| *poll == Some(0)) {
        faults.push(format!("[{place}.{protocol}] poll_s: at least 1"));
    }
    let partners = ochp.and_then(|clearing| clearing.direct.as_ref()).map_or(&[][..], |direct| &direct.partners);
    for half in partners.iter().filter(|each| each.is_half_agreed()) {
        faults.push(format!(
            "[[{place}.ochp.direct.partner]] {}: url, user, password, entry and entry_password belong together; without all \
             of them the partner is found through the clearing house",
            half.party.0
        ));
    }
    let urls = [("oicp", oicp.map(|member| &member.url)), ("ochp", ochp.map(|clearing| &clearing.url))];
    for (protocol, url) in urls {
        if url.is_some_and(|url| !url.starts_with("https://")) {
            faults.push(format!("[{place}.{protocol}] url: wanted is an address that begins with https://"));
        }
    }
    faults
}
