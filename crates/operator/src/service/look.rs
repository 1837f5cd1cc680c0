//! What pages and the API ask to see. Reading only; what is shown was committed, or is a live connection.

use billing::price::Line;
use charge::Timestamp;
use charge::id::{CdrId, SessionId, StationId};
use charge::meter::SignedRecord;
use charge::place::Location;
use charge::units::Energy;
use store::{StoreError, Tx};

use super::deliver::so_far;
use super::{Fault, House, Operator};
use crate::Delivery;
use crate::close;
use crate::memory::session::SessionRow;
use crate::memory::station::StationRow;
use crate::memory::{amend, cdr, curve, log, messages, overview, place, session, station, tariff};
use crate::session::State;
use crate::view::{
    AuditLine, CdrCard, CurvePoint, EvseCard, Found, LogFilter, LogPage, MeterKey, Overview, Page, PartyCard,
    RefusedKnock, SessionCard, SessionFilter, SessionPage, StationCard, StationFilter, StationPage, TariffCard,
};

impl Operator {
    pub async fn overview(&self) -> Result<Overview, Fault> {
        self.flush_notes().await?;
        let now = self.0.now();
        let mut shown = self.read("operator.overview", move |_, tx| overview::load(tx, midnight(now))).await?;
        let presences = self.0.presences();
        shown.stations_connected = u32::try_from(presences.live.len()).unwrap_or(u32::MAX);
        shown.power_history = presences.power.iter().copied().collect();
        drop(presences);
        shown.log_dropped = self.0.notes().dropped;
        Ok(shown)
    }

    pub async fn stations(&self, filter: StationFilter) -> Result<Found<StationCard>, Fault> {
        self.read("operator.stations", move |house, tx| {
            let filter = StationFilter { page: filter.page.bounded(), ..filter };
            let (rows, total) = station::page(tx, &filter)?;
            let items = rows.into_iter().map(|row| station_card(house, tx, row)).collect::<Result<_, _>>()?;
            Ok(Found { items, total })
        })
        .await
    }

    pub async fn station(&self, id: &StationId) -> Result<StationPage, Fault> {
        let id = id.clone();
        self.read("operator.station", move |house, tx| {
            let Some(row) = station::find(tx, &id)? else { return Err(Fault::NotFound("station")) };
            let address = place::find(tx, house.setup.party, &row.location)?.map(|location| location.address);
            Ok(StationPage {
                address: address.unwrap_or_default(),
                settings: station::settings(tx, &id)?,
                boots: station::boots(tx, &id)?,
                peer: row.peer.clone(),
                certificate: row.certificate.clone(),
                card: station_card(house, tx, row)?,
            })
        })
        .await
    }

    /// A station's message log, newest first; what is not on disk yet is brought there first.
    pub async fn station_log(&self, id: &StationId, filter: LogFilter) -> Result<LogPage, Fault> {
        self.flush_notes().await?;
        let id = id.clone();
        let filter = LogFilter { limit: filter.limit.clamp(1, Page::LIMIT_MAX), ..filter };
        Ok(self.read("operator.station.log", move |_, tx| messages::page(tx, &id, &filter)).await?)
    }

    /// Who was not let in and why, newest first.
    pub async fn refusals(&self, limit: u32) -> Result<Vec<RefusedKnock>, Fault> {
        self.flush_notes().await?;
        Ok(self.read("operator.refusals", move |_, tx| log::refusals(tx, limit.min(Page::LIMIT_MAX))).await?)
    }

    /// Why one station was not let in, newest first.
    pub async fn refusals_of(&self, identity: &str, limit: u32) -> Result<Vec<RefusedKnock>, Fault> {
        self.flush_notes().await?;
        let (identity, limit) = (identity.to_owned(), limit.min(Page::LIMIT_MAX));
        Ok(self.read("operator.refusals.of", move |_, tx| log::refusals_of(tx, &identity, limit)).await?)
    }

    /// What people did, newest first.
    pub async fn audit(&self, limit: u32) -> Result<Vec<AuditLine>, Fault> {
        Ok(self.read("operator.audits", move |_, tx| log::audits(tx, limit.min(Page::LIMIT_MAX))).await?)
    }

    pub async fn sessions(&self, filter: SessionFilter) -> Result<Found<SessionCard>, Fault> {
        let now = self.0.now();
        self.read("operator.sessions", move |house, tx| {
            let filter = SessionFilter { page: filter.page.bounded(), ..filter };
            let (rows, total) = session::page(tx, &filter)?;
            let items = rows.iter().map(|row| session_card(house, tx, row, now)).collect::<Result<_, _>>()?;
            Ok(Found { items, total })
        })
        .await
    }

    pub async fn session(&self, id: &SessionId) -> Result<SessionPage, Fault> {
        let (id, now) = (id.clone(), self.0.now());
        self.read("operator.session.page", move |house, tx| {
            let Some(row) = session::find(tx, id.as_str())? else { return Err(Fault::NotFound("session")) };
            Ok(session_page(house, tx, &row, now)?)
        })
        .await
    }

    /// A session's signed records, as received, and the key they are checked with.
    pub async fn session_record(
        &self,
        id: &SessionId,
    ) -> Result<(Vec<SignedRecord>, Option<billing::record::PublicKey>), Fault> {
        let id = id.clone();
        self.read("operator.session.record", move |_, tx| {
            let Some(row) = session::find(tx, id.as_str())? else { return Err(Fault::NotFound("session")) };
            let (records, key) = evidence(tx, &row)?;
            Ok((records, key.map(|(key, _)| key)))
        })
        .await
    }

    pub async fn cdrs(&self, state: Option<Delivery>, page: Page) -> Result<Found<CdrCard>, Fault> {
        let page = page.bounded();
        self.read("operator.cdrs", move |_, tx| {
            let (items, total) = overview::cdrs(tx, state, page)?;
            Ok(Found { items, total })
        })
        .await
    }

    pub async fn cdr(&self, id: &CdrId) -> Result<CdrCard, Fault> {
        let id = id.clone();
        let found = self.read("operator.cdr.page", move |_, tx| overview::cdr(tx, &id)).await?;
        found.ok_or(Fault::NotFound("CDR"))
    }

    /// The CDR itself, while its person is not forgotten.
    pub async fn cdr_record(&self, id: &CdrId) -> Result<charge::record::Cdr, Fault> {
        let id = id.clone();
        let found = self
            .read("operator.cdr.record", move |house, tx| cdr::find(tx, house.seal(), house.setup.party, id.as_str()))
            .await?;
        found.ok_or(Fault::NotFound("CDR"))
    }

    pub async fn tariffs(&self, page: Page) -> Result<Found<TariffCard>, Fault> {
        let page = page.bounded();
        self.read("operator.tariffs.page", move |house, tx| {
            let (found, total) = tariff::page(tx, house.setup.party, (None, None), page.offset, page.limit)?;
            let card =
                |tariff: charge::tariff::Tariff| Ok(TariffCard { used_by: tariff::used_by(tx, &tariff.id)?, tariff });
            let items = found.into_iter().map(card).collect::<Result<_, StoreError>>()?;
            Ok(Found { items, total })
        })
        .await
    }

    pub async fn locations(&self, page: Page) -> Result<Found<Location>, Fault> {
        let page = page.bounded();
        self.read("operator.locations.page", move |house, tx| {
            let (items, total) = place::page(tx, house.setup.party, (None, None), page.offset, page.limit)?;
            Ok(Found { items, total })
        })
        .await
    }

    /// The providers this operator deals with.
    pub async fn parties(&self) -> Result<Vec<PartyCard>, Fault> {
        Ok(self.read("operator.parties", |_, tx| overview::parties(tx)).await?)
    }
}

fn station_card(house: &House, tx: &Tx<'_>, row: StationRow) -> Result<StationCard, StoreError> {
    let presence = house.presences().live.get(&row.id).cloned();
    let location = place::find(tx, house.setup.party, &row.location)?;
    let evses = evse_cards(tx, &row, location.as_ref())?;
    let mut warnings = row.warnings;
    if row.danger_plain_ws {
        warnings.push("danger_plain_ws: this station may connect without encryption".to_owned());
    }
    warnings.extend(row.fault.map(|fault| format!("the station reports {fault}")));
    let connected = presence.is_some();
    Ok(StationCard {
        connected,
        version: presence.as_ref().map(|presence| presence.version).or(row.version),
        since: presence.as_ref().map(|presence| presence.since).or(row.left),
        last_seen: presence.as_ref().map(|presence| presence.last_seen).or(row.last_seen),
        vendor: row.boot.vendor.into(),
        model: row.boot.model.into(),
        firmware: row.boot.firmware.map(Into::into),
        serial: row.boot.serial.map(Into::into),
        profile: row.proof.profile(),
        danger_plain_ws: row.danger_plain_ws,
        location: row.location,
        location_name: location.as_ref().and_then(|location| location.name.clone()),
        city: location.map(|location| location.city).unwrap_or_default(),
        id: row.id,
        evses,
        warnings,
    })
}

fn evse_cards(tx: &Tx<'_>, row: &StationRow, location: Option<&Location>) -> Result<Vec<EvseCard>, StoreError> {
    let mut cards = Vec::new();
    for bay in place::of_station(tx, &row.id)? {
        let open = session::candidates(tx, &row.id, None, None, Some(bay.no))?.open_here;
        let running = match open.first() {
            Some(id) => session::find(tx, id.as_str())?,
            None => None,
        };
        let known = location.and_then(|location| location.evses.iter().find(|evse| evse.uid == bay.evse));
        let key = place::meter_key(tx, &bay.evse)?;
        cards.push(EvseCard {
            no: bay.no,
            evse_id: known.and_then(|evse| evse.id.clone()),
            state: bay.state,
            fault: place::fault(tx, &bay.evse)?,
            status: bay.status,
            power: running.as_ref().and_then(|row| row.meter.power),
            session: running.map(|row| row.id),
            meter_key: key.map(|(spki_hex, confirmed)| MeterKey { spki_hex, confirmed }),
            uid: bay.evse,
        });
    }
    Ok(cards)
}

fn session_card(house: &House, tx: &Tx<'_>, row: &SessionRow, now: Timestamp) -> Result<SessionCard, StoreError> {
    let closed = overview::cdr_of(tx, &row.id)?;
    let cost = match &closed {
        Some(cdr) => Some((cdr.total, cdr.currency)),
        None if row.state == State::Void => None,
        None => {
            let so_far = so_far(house, tx, row, now)?;
            so_far.priced.map(|priced| (priced.total, so_far.currency))
        }
    };
    Ok(SessionCard {
        id: row.id.clone(),
        number: row.number,
        station: row.station.clone(),
        no: row.no,
        evse: row.evse.clone(),
        location: row.location.clone(),
        location_name: match &row.location {
            Some(location) => amend::location_name(tx, location)?,
            None => None,
        },
        start: row.start,
        end: row.end,
        end_reason: row.reason.clone(),
        state: row.state,
        energy: closed.as_ref().map_or_else(|| row.meter.delivered(), |cdr| cdr.energy),
        power: row.meter.power,
        cost,
        provider: row.party,
        remote: row.order.is_some(),
        flags: row.flags.clone(),
        cdr: closed.map(|cdr| cdr.id),
    })
}

pub(super) fn session_page(
    house: &House,
    tx: &Tx<'_>,
    row: &SessionRow,
    now: Timestamp,
) -> Result<SessionPage, StoreError> {
    let begin = row.meter.begin.map_or(Energy::ZERO, |(_, register)| register);
    let curve = curve::points(tx, &row.id, &row.tail)?.into_iter().map(|(at, point)| CurvePoint {
        at,
        power: point.power,
        energy: point.register.filter(|_| point.flaw.is_none()).and_then(|register| register.checked_sub(begin)),
        charged_percent: point.charged_percent,
        flaw: point.flaw,
    });
    let (records, key) = evidence(tx, row)?;
    let verdict = billing::record::verify(&records, key.as_ref().map(|(key, source)| (key, *source)));
    let so_far = so_far(house, tx, row, now)?;
    let lines = match closed_lines(house, tx, row)? {
        Some(lines) => lines,
        None => so_far.priced.map(|priced| priced.lines).unwrap_or_default(),
    };
    Ok(SessionPage {
        card: session_card(house, tx, row, now)?,
        curve: curve.collect(),
        tariff: so_far.tariff,
        lines,
        evidence: billing::record::explain(&verdict, &records),
        records: records.len(),
    })
}

/// The lines of a session's CDR, whose periods were fitted to the evidence.
fn closed_lines(house: &House, tx: &Tx<'_>, row: &SessionRow) -> Result<Option<Vec<Line>>, StoreError> {
    let Some(closed) = cdr::find(tx, house.seal(), house.setup.party, row.id.as_str())? else { return Ok(None) };
    let Some(zone) = place::time_zone(tx, &closed.place.id)? else { return Ok(None) };
    let priced = billing::price::price(&closed.tariff, &zone, &closed.periods, closed.end).ok();
    Ok(priced.map(|priced| priced.lines))
}

type Evidence = (Vec<SignedRecord>, Option<(billing::record::PublicKey, billing::record::KeySource)>);

fn evidence(tx: &Tx<'_>, row: &SessionRow) -> Result<Evidence, StoreError> {
    let records = session::records(tx, row.id.as_str())?;
    let registered = match &row.evse {
        Some(evse) => place::meter_key(tx, evse)?,
        None => None,
    };
    let key = close::usable_key(registered, &records);
    Ok((records.into_iter().map(|(_, record)| record).collect(), key))
}

/// The day in UTC: an operator's locations may lie in several zones.
const fn midnight(now: Timestamp) -> Timestamp {
    const DAY_S: i64 = 24 * 3_600;
    Timestamp::from_secs(now.secs().div_euclid(DAY_S) * DAY_S)
}
