//! What people at the operator do: enrol and retire stations, put places and tariffs, give orders.
//!
//! Who may do what was decided at the door; here each act is checked, done in one transaction, and audited with its
//! actor. A generated key is shown once and kept as a digest.

use billing::record::PublicKey;
use charge::Secret;
use charge::id::{CdrId, CorrelationId, EvseNo, EvseUid, LocationId, OrderId, SessionId, StationId, TariffId};
use charge::place::{Evse, Location};
use charge::talk::line::charging::{self, ProfilePurpose};
use charge::talk::line::{LineFault, StationAnswer, ToStation};
use charge::tariff::Tariff;
use store::{StoreError, Tx, outbox};
use trust::station_key::StationKey;

use super::amend::known_zone;
use super::answered;
use super::deliver::DELIVER;
use super::errand::subject;
use super::road::{aim, fresh_order, service_token, standing};
use super::{Event, Fault, House, Operator};
use crate::admit::Proof;
use crate::memory::notice::{self, Kind};
use crate::memory::order::{self, OrderRow};
use crate::memory::{cdr, denial, key, log, place, request, session, station, tariff};
use crate::order::{OrderOutcome, Outcome, StationOrder, outcome};
use crate::wording;

/// How a new station will prove itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Profile {
    /// Profile 2: a key is generated. With a serial number, a certificate of another station is refused.
    Basic { serial: Option<String> },
    /// Profile 3: a client certificate with this serial number as its common name.
    Certificate { serial: String },
}

/// A station to be enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStation {
    pub id: StationId,
    pub location: LocationId,
    pub bays: Vec<NewBay>,
    pub profile: Profile,
    /// Lets this one station in without encryption. Never for anything but a test bench.
    pub danger_plain_ws: bool,
}

/// An EVSE of a new station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBay {
    /// The station's number for it: OCPP 2.x `evseId`, 1.6 `connectorId`.
    pub no: EvseNo,
    /// Put into the location where it is not there yet.
    pub evse: Evse,
    /// The meter's public key in any spelling, compared by the person who enrols it.
    pub meter_key: Option<String>,
}

impl Operator {
    /// Enrols a station. The key of profile 2 is returned once and kept as a digest.
    pub async fn enrol_station(&self, actor: &str, new: NewStation) -> Result<Option<Secret<String>>, Fault> {
        let mut keys = Vec::new();
        for bay in &new.bays {
            keys.push(bay.meter_key.as_deref().map(meter_key).transpose()?);
        }
        let (proof, shown) = match &new.profile {
            Profile::Certificate { serial } if serial.trim().is_empty() => {
                return Err(Fault::Invalid { path: "/serial", why: "is empty".to_owned() });
            }
            Profile::Certificate { serial } => (Proof::Certificate { serial: serial.trim().to_owned() }, None),
            Profile::Basic { serial } => {
                let key = StationKey::generate(&*self.0.dice);
                let digest = key.digest(&*self.0.dice).map_err(|fault| unexpected(&fault.to_string()))?;
                (Proof::Basic { digest: Box::new(digest), serial: serial.clone() }, Some(key.text().clone()))
            }
        };
        let (actor, id) = (actor.to_owned(), new.id.clone());
        self.run_and_forget_standings("operator.enrol", move |house, tx| enrol(house, tx, &actor, &new, &proof, &keys))
            .await?;
        self.0.tell_of(Event::Station(id));
        self.0.wake();
        Ok(shown)
    }

    /// Switches a station off for good and ends its connection.
    pub async fn retire_station(&self, actor: &str, id: &StationId) -> Result<(), Fault> {
        let (actor, name) = (actor.to_owned(), id.clone());
        self.run_and_forget_standings("operator.retire", move |house, tx| {
            let now = house.now();
            for bay in place::of_station(tx, &name)? {
                house.untold().put(&bay.evse, now);
            }
            key::forget(tx, &name)?;
            if !station::retire(tx, &name, now)? {
                return Err(Fault::NotFound("station"));
            }
            log::audit(tx, now, &actor, "retire station", name.as_str(), "done").map_err(Fault::from)
        })
        .await?;
        self.hang_up(id, "the station was retired");
        self.0.wake();
        Ok(())
    }

    /// Ends a station's connection, so that it comes back under what was switched meanwhile. Charging goes on.
    pub async fn reconnect_station(&self, actor: &str, id: &StationId) -> Result<(), Fault> {
        if !self.0.connected(id) {
            return Err(Fault::Conflict("the station is not connected".to_owned()));
        }
        let (actor, name) = (actor.to_owned(), id.clone());
        self.run("operator.reconnect", move |house, tx| {
            log::audit(tx, house.now(), &actor, "end connection", name.as_str(), "done")
        })
        .await?;
        self.hang_up(id, "the operator asked for a new connection");
        Ok(())
    }

    pub(super) fn hang_up(&self, id: &StationId, why: &str) {
        if let Some(line) = self.0.line.get() {
            line.hang_up(id, why);
        }
        self.0.tell_of(Event::Station(id.clone()));
    }

    /// Puts a location with its EVSEs; partners are told.
    pub async fn put_location(&self, actor: &str, location: Location) -> Result<(), Fault> {
        self.put_locations(actor, vec![location]).await
    }

    /// Puts many locations, some hundred to a transaction.
    pub async fn put_locations(&self, actor: &str, locations: Vec<Location>) -> Result<(), Fault> {
        locations.iter().try_for_each(|location| known_zone(&location.time_zone))?;
        let mut rest = locations;
        while !rest.is_empty() {
            let batch: Vec<Location> = rest.drain(..rest.len().min(LOCATIONS_AT_ONCE)).collect();
            let actor = actor.to_owned();
            self.run("operator.locations.put", move |house, tx| put_batch(house, tx, &actor, &batch)).await?;
        }
        self.0.wake();
        Ok(())
    }

    /// Puts a tariff. Sessions that run keep the version they began with.
    pub async fn put_tariff(&self, actor: &str, tariff: Tariff) -> Result<(), Fault> {
        if tariff.elements.iter().all(|element| element.components.is_empty()) {
            return Err(Fault::Invalid { path: "/elements", why: "a tariff needs at least one price".to_owned() });
        }
        let actor = actor.to_owned();
        self.run("operator.tariff.put", move |house, tx| {
            let now = house.now();
            tariff::put(tx, &tariff, now)?;
            notice::put(tx, Kind::Tariff, tariff.id.as_str(), now)?;
            log::audit(tx, now, &actor, "put tariff", tariff.id.as_str(), "done").map_err(Fault::from)
        })
        .await?;
        self.0.wake();
        Ok(())
    }

    /// Takes a tariff out of use. Refused while a connector offers it.
    pub async fn drop_tariff(&self, actor: &str, id: &TariffId) -> Result<(), Fault> {
        let (actor, id) = (actor.to_owned(), id.clone());
        self.run("operator.tariff.drop", move |house, tx| {
            let users = tariff::used_by(tx, &id)?;
            if users > 0 {
                return Err(Fault::Conflict(format!("{users} connectors offer this tariff")));
            }
            if !tariff::drop_current(tx, &id)? {
                return Err(Fault::NotFound("tariff"));
            }
            let now = house.now();
            notice::put(tx, Kind::Tariff, id.as_str(), now)?;
            log::audit(tx, now, &actor, "drop tariff", id.as_str(), "done").map_err(Fault::from)
        })
        .await?;
        self.0.wake();
        Ok(())
    }

    /// A person compared a meter's public key with the meter itself; from now on it counts.
    pub async fn confirm_meter_key(&self, actor: &str, evse: &EvseUid, key: &str) -> Result<(), Fault> {
        let spki = meter_key(key)?;
        let (actor, evse) = (actor.to_owned(), evse.clone());
        self.run("operator.meter.key", move |house, tx| {
            if !place::set_meter_key(tx, &evse, &spki, true)? {
                return Err(Fault::NotFound("EVSE"));
            }
            log::audit(tx, house.now(), &actor, "confirm meter key", evse.as_str(), "done").map_err(Fault::from)
        })
        .await
    }

    /// Has a CDR delivered again that its provider refused.
    pub async fn resend_cdr(&self, actor: &str, id: &CdrId) -> Result<(), Fault> {
        let (actor, id) = (actor.to_owned(), id.clone());
        self.run("operator.cdr.resend", move |house, tx| {
            let now = house.now();
            let dead = outbox::dead(tx)?.into_iter().find(|job| job.kind == DELIVER && job.key == id.as_str());
            let Some(dead) = dead else { return Err(Fault::NotFound("CDR that was refused")) };
            outbox::revive(tx, dead.id, now)?;
            cdr::failed(tx, id.as_str(), cdr::Delivery::Waiting, "sent again by a person")?;
            log::audit(tx, now, &actor, "resend CDR", id.as_str(), "done").map_err(Fault::from)
        })
        .await?;
        self.0.wake();
        Ok(())
    }

    /// Tells a station what to do and waits for what really came of it.
    pub async fn order(&self, actor: &str, station: &StationId, order: StationOrder) -> Result<OrderOutcome, Fault> {
        self.order_as(actor, station, order, None).await
    }

    /// The same under a request number that was given before.
    pub(super) async fn order_as(
        &self,
        actor: &str,
        station: &StationId,
        mut order: StationOrder,
        given: Option<i32>,
    ) -> Result<OrderOutcome, Fault> {
        let request = self.number(actor, station, &mut order, given).await?;
        let (what, detail) = (order.name(), detail(&order));
        let told = order.told();
        let answer = match (&order, &told) {
            (StationOrder::Start { evse, profile }, _) => self.start_service(station, *evse, profile.clone()).await?,
            (StationOrder::Stop { session }, _) => self.stop_session(station, session).await?,
            (_, Some(told)) => self.tell_plain_after(station, told.clone()).await,
            (_, None) => Err(LineFault::NotInVersion),
        };
        let came = OrderOutcome { request, ..outcome(answer.clone()) };
        let spoke = matches!(answer, Ok(StationAnswer::Settings { .. }));
        let (actor, name, kept) = (actor.to_owned(), station.clone(), came.clone());
        self.run("operator.order.kept", move |house, tx| {
            let now = house.now();
            let of = (&name, house.version_of(&name));
            answered::keep(tx, of, (told.as_ref(), request), &answer, now)?;
            if !matches!(kept.outcome, Outcome::Accepted | Outcome::Scheduled) {
                denial::order(tx, &name, &actor, what, (kept.outcome, &kept.message), now)?;
            }
            log::audit(tx, now, &actor, what, &subject(&name, &detail), kept.outcome.as_str())
        })
        .await?;
        if spoke {
            self.look_again(station);
        }
        self.0.tell_of(Event::Station(station.clone()));
        Ok(came)
    }

    /// Gives an order that is answered later its number.
    async fn number(
        &self,
        actor: &str,
        station: &StationId,
        order: &mut StationOrder,
        given: Option<i32>,
    ) -> Result<Option<i32>, Fault> {
        let later = match order {
            StationOrder::Word(told) => wording::later(told),
            _ => None,
        };
        let (name, actor, kind) = (station.clone(), actor.to_owned(), later.as_ref().map(|(kind, _)| *kind));
        let number = self
            .run("operator.order.station", move |house, tx| {
                if station::find(tx, &name)?.is_none() {
                    return Err(Fault::NotFound("station"));
                }
                match (given, kind) {
                    (Some(number), Some(_)) => Ok(Some(number)),
                    (None, Some(kind)) => Ok(Some(request::open(tx, &name, kind, &actor, house.now())?)),
                    (_, None) => Ok(None),
                }
            })
            .await?;
        if let (Some((_, slot)), Some(number)) = (later, number) {
            *slot = number;
        }
        Ok(number)
    }

    /// A session on the operator's own account, to try a station out.
    async fn start_service(
        &self,
        station: &StationId,
        no: EvseNo,
        profile: Option<Box<charging::Profile>>,
    ) -> Result<Result<StationAnswer, LineFault>, Fault> {
        // F01.FR.09, F01.FR.11; 1.6, 5.11: it is the transaction's own, which has no name yet
        let own = |profile: &charging::Profile| profile.purpose == ProfilePurpose::Tx && profile.key.is_none();
        if profile.as_deref().is_some_and(|profile| !own(profile)) {
            let why = "a start takes a profile of the transaction that it begins".to_owned();
            return Err(Fault::Invalid { path: "/profile", why });
        }
        let name = station.clone();
        let id = self.run("operator.service.start", move |house, tx| keep_service(house, tx, &name, no)).await?;
        Ok(self.tell_now(&id, profile).await?)
    }

    async fn stop_session(
        &self,
        station: &StationId,
        id: &SessionId,
    ) -> Result<Result<StationAnswer, LineFault>, Fault> {
        let key = id.clone();
        let found = self.read("operator.session", move |_, tx| session::find(tx, key.as_str())).await?;
        let Some(row) = found.filter(|row| row.station == *station) else { return Err(Fault::NotFound("session")) };
        if !row.state.is_open() {
            return Err(Fault::Conflict("the session has ended already".to_owned()));
        }
        Ok(self.tell(station, ToStation::Stop { key: row.key }).await)
    }
}

/// What an order was about, for the audit: names, never values.
fn detail(order: &StationOrder) -> String {
    match order {
        StationOrder::WriteSettings { values } => House::names(values),
        StationOrder::Start { evse, .. } | StationOrder::Unlock { evse } => format!("EVSE {evse}"),
        StationOrder::Stop { session } => session.to_string(),
        StationOrder::Reset(_)
        | StationOrder::Availability { .. }
        | StationOrder::Trigger { .. }
        | StationOrder::ReadSettings { .. }
        | StationOrder::ClearCache
        | StationOrder::Word(_) => String::new(),
    }
}

fn enrol(
    house: &House,
    tx: &mut Tx<'_>,
    actor: &str,
    new: &NewStation,
    proof: &Proof,
    keys: &[Option<String>],
) -> Result<(), Fault> {
    let now = house.now();
    if place::find(tx, house.setup.party, &new.location)?.is_none() {
        return Err(Fault::Invalid { path: "/location", why: "there is no such location".to_owned() });
    }
    let known = station::standing(tx, new.id.as_str())?;
    if known.is_some_and(|standing| !standing.retired || standing.station != new.id) {
        return Err(Fault::Conflict("a station with this identity is enrolled already".to_owned()));
    }
    station::enrol(tx, &new.id, &new.location, proof, new.danger_plain_ws, now)?;
    for (bay, key) in new.bays.iter().zip(keys) {
        if place::bay(tx, &new.id, bay.no)?.is_some() {
            return Err(Fault::Invalid { path: "/evses", why: format!("EVSE number {} is there twice", bay.no) });
        }
        let elsewhere = place::owner(tx, &bay.evse.uid)?;
        if elsewhere.is_some_and(|(location, station)| location != new.location || station.is_some()) {
            let why = format!("EVSE {} belongs to another location or station", bay.evse.uid);
            return Err(Fault::Invalid { path: "/evses", why });
        }
        place::put_evse(tx, &new.location, u32::from(bay.no.get()), &bay.evse, now)?;
        place::wire(tx, &bay.evse.uid, &new.id, bay.no, key.as_deref())?;
    }
    notice::put(tx, Kind::Location, new.location.as_str(), now)?;
    if new.danger_plain_ws {
        tracing::warn!(station = %new.id, "danger_plain_ws: this station may connect without encryption");
    }
    Ok(log::audit(tx, now, actor, "enrol station", new.id.as_str(), "done")?)
}

fn put_batch(house: &House, tx: &mut Tx<'_>, actor: &str, batch: &[Location]) -> Result<(), Fault> {
    let now = house.now();
    for location in batch {
        if location.party != house.setup.party {
            return Err(Fault::Invalid { path: "/party", why: "the location is another operator's".to_owned() });
        }
        place::put(tx, location, now)?;
        notice::put(tx, Kind::Location, location.id.as_str(), now)?;
        log::audit(tx, now, actor, "put location", location.id.as_str(), "done")?;
    }
    Ok(())
}

fn keep_service(house: &House, tx: &mut Tx<'_>, name: &StationId, no: EvseNo) -> Result<OrderId, Fault> {
    let Some(row) = place::bay(tx, name, no)? else {
        return Err(Fault::Invalid { path: "/evse", why: "the station has no such EVSE".to_owned() });
    };
    let bay = standing(house, tx, row)?;
    if bay.busy {
        return Err(Fault::Conflict("a session is running at this EVSE".to_owned()));
    }
    let now = house.now();
    let id = fresh_order(house)?;
    let token = service_token(house).ok_or_else(|| unexpected("no service contract"))?;
    let correlation = CorrelationId::new(house.dice.uuid()).map_err(|_| unexpected("no correlation id"))?;
    let mut kept = OrderRow::start(id.clone(), house.setup.party, correlation, now);
    kept.seal(house.seal(), &token)?;
    aim(house, &mut kept, &bay);
    order::save(tx, &kept)?;
    Ok(id)
}

/// Reads a meter's key in whatever spelling and keeps it in one.
fn meter_key(text: &str) -> Result<String, Fault> {
    let key = PublicKey::read(text);
    key.map(|key| key.spki_hex()).map_err(|fault| Fault::Invalid { path: "/meter_key", why: fault.to_string() })
}

pub(super) fn unexpected(what: &str) -> Fault {
    Fault::Store(StoreError::Misuse(what.to_owned()))
}

/// A transaction of some ten milliseconds: stations wait behind it.
const LOCATIONS_AT_ONCE: usize = 100;
