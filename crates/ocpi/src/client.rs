//! Hub client info (OCPI 2.2.1, module 14): which parties of the network are there.
//!
//! Only a hub has the list; parties keep what they are told, so as not to call whoever is off line.

use charge::talk::road::{ClientInfo, ClientStatus};

use crate::read::{At, Fault, parse};
use crate::token::read_party;
use crate::wire::{Kind, Method, Module, Request, Side, Target};
use crate::write::{Doc, Record, time};

const STATUSES: &[(&str, ClientStatus)] = &[
    ("CONNECTED", ClientStatus::Connected),
    ("OFFLINE", ClientStatus::Offline),
    ("PLANNED", ClientStatus::Planned),
    ("SUSPENDED", ClientStatus::Suspended),
];
/// Longer than any role there is.
const ROLE_CHARACTERS_MAX: usize = 16;

fn value(client: &ClientInfo) -> Doc {
    Record::default()
        .with("party_id", client.party.code())
        .with("country_code", client.party.country())
        .with("role", &*client.role)
        .with("status", client.status.as_str())
        .with("last_updated", time(client.last_updated))
        .into()
}

/// As JSON text.
pub fn write(client: &ClientInfo) -> String {
    value(client).to_string()
}

/// The request that tells a party of a change.
pub fn push(client: &ClientInfo) -> Request {
    Request {
        method: Method::Put,
        target: Target::Endpoint {
            module: Module::HubClientInfo,
            side: Side::Receiver,
            rest: format!("/{}/{}", client.party.country(), client.party.code()),
        },
        query: String::new(),
        body: Some(write(client)),
        kind: Kind::PutClient,
    }
}

pub fn read(body: &[u8]) -> Result<ClientInfo, Fault> {
    let value = parse(body)?;
    let at = At::root(&value);
    let role = at.need("role")?;
    let text = role.text()?;
    if text.chars().count() > ROLE_CHARACTERS_MAX || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err(role.fault("is no role"));
    }
    Ok(ClientInfo {
        party: read_party(&at)?,
        role: text.into(),
        status: at.need("status")?.one_of(STATUSES)?,
        last_updated: at.need("last_updated")?.time()?,
    })
}
