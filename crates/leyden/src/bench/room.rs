//! The operator of a bench: the real one with its real database, whose road alone is a nod.

use std::path::Path;
use std::sync::Arc;

use charge::id::{ConnectorId, EvseNo, EvseUid, LocationId, PartyId, StationId};
use charge::money::Currency;
use charge::place::{Connector, Current, Evse, EvseStatus, Location, Plug, Position};
use charge::units::Power;
use charge::{Clock, Secret, SystemClock, Timestamp};
use load::road::Nod;
use operator::{NewBay, NewStation, Operator, Profile, Settings, Setup};
use store::Store;
use tokio::task::JoinSet;
use trust::dice::SystemDice;

use crate::Failure;
use crate::demo::party;

pub(super) const OPERATOR: &str = "DE-VLT";
const PROVIDER: &str = "DE-8AA";
/// Stations that are enrolled at the same time, so that they share commits.
const ENROLLED_AT_ONCE: usize = 64;
/// Notices that one round of duty sends away; the enrolment leaves one for each location and more.
const NOTICES_A_DUTY: u32 = 16;

/// Identities of the stations, and the keys of those that have one.
pub(super) struct Enrolled {
    pub with_password: Vec<(String, Secret<String>)>,
    pub with_certificate: Vec<String>,
}

/// Enrols stations into a database that every operator process gets a copy of: each begins alike.
pub(super) async fn enrol(file: &Path, stations: u32, soap: u32) -> Result<Enrolled, Failure> {
    let (room, store) = open(file)?;
    let now = SystemClock.now();
    let failed = |fault: operator::Fault| Failure::plain(fault.to_string());
    let locations: Option<Vec<Location>> = (0..stations + soap).map(|number| location(number, now)).collect();
    let locations = locations.ok_or_else(|| Failure::plain("the bench's locations are malformed"))?;
    room.put_locations("bench", locations).await.map_err(failed)?;
    let (mut under_way, mut keys) = (JoinSet::new(), Vec::new());
    for number in 0..stations + soap {
        let new = new_station(number, number >= stations, now);
        let new = new.ok_or_else(|| Failure::plain("the bench's stations are malformed"))?;
        let room = room.clone();
        under_way.spawn(async move {
            let id = new.id.to_string();
            room.enrol_station("bench", new).await.map(|key| (number, id, key))
        });
        while under_way.len() >= ENROLLED_AT_ONCE || (number + 1 == stations + soap && !under_way.is_empty()) {
            let Some(one) = under_way.join_next().await else { break };
            let one = one.map_err(|_| Failure::plain("an enrolment panicked"))?;
            keys.push(one.map_err(failed)?);
        }
    }
    keys.sort_unstable_by_key(|(number, ..)| *number);
    let (mut with_password, mut with_certificate) = (Vec::new(), Vec::new());
    for (_number, id, key) in keys {
        match key {
            Some(key) => with_password.push((id, key)),
            None => with_certificate.push(id),
        }
    }
    for _ in 0..(stations + soap).div_ceil(NOTICES_A_DUTY) {
        room.duty().await;
    }
    drop(room);
    store.close().await;
    Ok(Enrolled { with_password, with_certificate })
}

fn location(number: u32, now: Timestamp) -> Option<Location> {
    Some(Location {
        party: OPERATOR.parse().ok()?,
        id: LocationId::new(format!("B{number}")).ok()?,
        name: None,
        address: "Bench".to_owned(),
        city: "Bench".to_owned(),
        postal_code: None,
        country: "DEU".to_owned(),
        position: Position::new(513_000_000, 123_000_000)?,
        time_zone: "Europe/Berlin".to_owned(),
        operator_name: None,
        evses: Vec::new(),
        last_updated: now,
    })
}

/// EVSE 1 charges, EVSE 2 reports its status.
fn new_station(number: u32, certificate: bool, now: Timestamp) -> Option<NewStation> {
    let bay = |no: u16| {
        let connector = Connector {
            id: ConnectorId::new("1").ok()?,
            plug: Plug::Type2,
            attached_cable: false,
            current: Current::Ac3Phase,
            max_voltage_v: 400,
            max_amperage_a: 32,
            max_power: Power::from_watts(22_000),
            tariffs: Vec::new(),
        };
        let evse = Evse {
            uid: EvseUid::new(format!("B{number}-{no}")).ok()?,
            id: None,
            status: EvseStatus::Available,
            connectors: vec![connector],
            capabilities: charge::place::Capabilities::NONE,
            physical_reference: None,
            last_updated: now,
        };
        Some(NewBay { no: EvseNo::new(no)?, evse, meter_key: None })
    };
    let id = format!("BENCH-{number}");
    let profile =
        if certificate { Profile::Certificate { serial: id.clone() } } else { Profile::Basic { serial: None } };
    Some(NewStation {
        id: StationId::new(id).ok()?,
        location: LocationId::new(format!("B{number}")).ok()?,
        bays: vec![bay(1)?, bay(2)?],
        profile,
        danger_plain_ws: false,
    })
}

/// The operator as in production, but for its road: whatever is asked is allowed, nothing travels.
pub(super) fn open(file: &Path) -> Result<(Operator, Store), Failure> {
    let store = Store::open(file, store::Options::default(), Operator::MIGRATIONS);
    let store = store.map_err(|fault| Failure::plain(format!("{}: {fault}", file.display())))?;
    let (party, provider): (PartyId, PartyId) = (party(OPERATOR)?, party(PROVIDER)?);
    // the template and its copies are thrown away with the folder: fixed keys keep them readable to each other
    let seal = trust::seal::SealKey::new(&Secret::new([7; 32])).map_err(|fault| Failure::plain(fault.to_string()))?;
    let keys = operator::Keys { seal, tags: trust::token_tag::TagKey::new(&Secret::new([8; 32])) };
    let settings = Settings { currency: Currency::EUR, ..Settings::default() };
    let setup = Setup { party, name: "Bench".to_owned(), hub: party, keys, settings };
    let room = Operator::new(setup, store.clone(), Arc::new(SystemClock), Arc::new(SystemDice));
    let nod = Nod::of(provider).ok_or_else(|| Failure::plain("the bench's provider is malformed"))?;
    room.attach_road(Arc::new(nod));
    Ok((room, store))
}
