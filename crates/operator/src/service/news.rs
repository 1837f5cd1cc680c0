//! What stations tell besides taps, transactions and readings: each word has its home here and its honest answer.
//!
//! A word is kept in one transaction and answered from it. What follows from it (a certificate that has to be sent)
//! is put into the outbox in the same commit. What we cannot do is answered as not done, never as done.

use std::time::Duration;

use charge::id::{EvseNo, StationId};
use charge::talk::line::certificate::{CertificateNews, ChainAnswer};
use charge::talk::line::charging::{ChargingNews, NeedsVerdict};
use charge::talk::line::display::{CustomerNews, DisplayNews};
use charge::talk::line::document::Part;
use charge::talk::line::grid::{GridNews, SwapNews};
use charge::talk::line::model::{Attribute, DeviceEvent, ModelNews, ReportRow};
use charge::talk::line::payment::{PaymentNews, VendorAnswer};
use charge::talk::line::reservation::ReservationEnd;
use charge::talk::line::upkeep::Progress;
use charge::talk::line::{Denial, FromStation, Heard, Setting, Version, is_confidential};
use charge::{Purpose, Timestamp};
use store::{StoreError, Tx};

use super::certificates;
use super::line::cannot_keep;
use super::needs;
use super::profiles;
use super::{Event, House, Operator};
use crate::memory::news::{self, Settled, Told};
use crate::memory::{dynamic, model, request, reservation, station};
use crate::request::{Kind, Phase, phase};
use crate::reservation::Event as ReservationEvent;

impl Operator {
    /// Takes a word that is not of the hot path.
    pub(super) async fn hear_news(&self, name: StationId, said: FromStation, now: Timestamp) -> Result<Heard, Denial> {
        let version = self.0.presences().live.get(&name).map(|presence| presence.version);
        let (station, progress) = (name.clone(), matches!(said, FromStation::Progress(_)));
        let plans = matches!(&said, FromStation::Charging(said) if profiles::changes_plans(said));
        let heard = self
            .run("operator.news", move |house, tx| {
                if plans {
                    profiles::plans_changed(tx, &station, now)?;
                }
                Desk { house, station: &station, version, now }.take(tx, said)
            })
            .await
            .map_err(cannot_keep)?;
        if progress {
            self.0.presences().campaign_news = true;
        }
        self.0.tell_of(Event::Station(name));
        if plans || matches!(heard, Heard::Taken(true) | Heard::Needs(NeedsVerdict::Accepted)) {
            self.0.wake();
        }
        Ok(heard)
    }
}

/// Whose word is being taken, and when.
struct Desk<'h> {
    house: &'h House,
    station: &'h StationId,
    version: Option<Version>,
    now: Timestamp,
}

impl Desk<'_> {
    fn take(&self, tx: &mut Tx<'_>, said: FromStation) -> Result<Heard, StoreError> {
        match said {
            FromStation::Security { kind, at, detail } => {
                let text = detail.map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"));
                self.told(tx, Told { at, ..self.plain("security", text) })
            }
            FromStation::Charging(said) => self.charging(tx, said),
            FromStation::Reservation { id, end } => self.reservation(tx, id, end),
            FromStation::Progress(progress) => self.progress(tx, &progress),
            FromStation::Certificate(said) => self.certificate(tx, said),
            FromStation::Model(said) => self.model(tx, said),
            FromStation::Display(said) => self.display(tx, &said),
            FromStation::Customer(said) => self.customer(tx, &said),
            FromStation::Grid(said) => self.grid(tx, said),
            FromStation::Swap(said) => self.swap(tx, &said),
            FromStation::Payment(said) => self.payment(tx, said),
            FromStation::Vendor(said) => {
                let message = said.message.as_deref().unwrap_or("no message id");
                self.told(tx, self.plain("vendor", format!("{} sends {message}, which we do not know", said.vendor)))?;
                Ok(Heard::Vendor(VendorAnswer { status: "UnknownVendorId".into(), data: None }))
            }
            FromStation::Boot(_)
            | FromStation::Alive
            | FromStation::Status(_)
            | FromStation::Tap(_)
            | FromStation::Transaction(_)
            | FromStation::Meter(_)
            | FromStation::Foreign(_) => Ok(Heard::NotServed),
        }
    }

    fn plain(&self, kind: &'static str, text: impl Into<String>) -> Told<'static> {
        Told { at: self.now, kind, evse: None, severity: None, text: text.into(), document: None }
    }

    fn told(&self, tx: &mut Tx<'_>, told: Told<'_>) -> Result<Heard, StoreError> {
        news::put(tx, self.house.seal(), self.station, &told, self.now)?;
        Ok(Heard::Noted)
    }

    /// One part of a later answer has come. Is it the first, and is the request one of ours?
    fn part(&self, tx: &mut Tx<'_>, kind: Kind, part: Part) -> Result<bool, StoreError> {
        if let Some(asked) = request::meant(tx, self.station, Some(part.request), kind)? {
            let phase = if part.more { Phase::Going } else { Phase::Done };
            request::moved(tx, &asked, phase, None, self.now)?;
        }
        Ok(part.seq == 0)
    }

    fn charging(&self, tx: &mut Tx<'_>, said: ChargingNews) -> Result<Heard, StoreError> {
        let plain = |evse: Option<EvseNo>, text: String| Told { evse, ..self.plain("charging", text) };
        match said {
            ChargingNews::Profiles { part, source, evse, profiles } => {
                // a report of several sources comes in several messages that all count from 0
                let asked = request::meant(tx, self.station, Some(part.request), Kind::Profiles)?;
                let first = asked.as_ref().is_some_and(|asked| asked.status.is_none());
                if let Some(asked) = &asked {
                    request::moved(tx, asked, Phase::Going, Some("reporting"), self.now)?;
                }
                self.part(tx, Kind::Profiles, part)?;
                model::put_profiles(tx, self.station, first, (evse, &source), &profiles, self.now)?;
                Ok(Heard::Noted)
            }
            ChargingNews::Limit { evse, source, grid_critical, schedules } => {
                let critical = if grid_critical == Some(true) { ", critical for the grid" } else { "" };
                let limit = schedules.first().and_then(|schedule| {
                    let first = schedule.periods.first()?;
                    Some(format!(" to {} {:?}", first.limit?, schedule.unit))
                });
                let text = format!("{source} limits charging{}{critical}", limit.unwrap_or_default());
                self.told(tx, plain(evse, text))
            }
            ChargingNews::LimitCleared { evse, source } => {
                self.told(tx, plain(evse, format!("{source} limits charging no longer")))
            }
            ChargingNews::Needs { evse, needs, .. } => {
                let text = "a car says what it needs".to_owned();
                self.told(tx, Told { document: Some(needs.as_str()), ..plain(Some(evse), text) })?;
                needs::heard(tx, (self.station, self.version), evse, &needs, self.now).map(Heard::Needs)
            }
            ChargingNews::CarSchedule { evse, schedule, .. } => {
                let text = format!("a car plans its charging in {} periods", schedule.periods.len());
                self.told(tx, plain(Some(evse), text))?;
                needs::planned(tx, self.station, evse, &schedule, self.now).map(Heard::Taken)
            }
            ChargingNews::Priority { key, on } => {
                let text = if on { "switched on" } else { "switched off" };
                self.told(tx, plain(None, format!("priority charging of transaction {key} was {text} at the station")))
            }
            ChargingNews::Pull { profile } => {
                // cites: ocpp-2.1 K28.FR.07, K28.FR.12
                let limits = dynamic::limits(tx, self.station, profile)?;
                if limits.is_none() {
                    self.told(tx, plain(None, format!("asks for new limits of profile {profile}; there are none")))?;
                }
                Ok(Heard::Limits(limits))
            }
        }
    }

    fn reservation(&self, tx: &mut Tx<'_>, id: i32, end: ReservationEnd) -> Result<Heard, StoreError> {
        if let Some(row) = reservation::find(tx, id)?.filter(|row| row.station == *self.station) {
            reservation::moved(tx, &row, ReservationEvent::Told(end), None, None, self.now)?;
        }
        let how = match end {
            ReservationEnd::Expired => "has expired",
            ReservationEnd::Removed => "was removed by the station",
            ReservationEnd::NoTransaction => "was claimed and not used",
        };
        self.told(tx, self.plain("reservation", format!("reservation {id} {how}")))
    }

    fn progress(&self, tx: &mut Tx<'_>, progress: &Progress) -> Result<Heard, StoreError> {
        let kind = Kind::of(progress.of);
        if let Some(asked) = request::meant(tx, self.station, progress.request, kind)?
            && let Some(phase) = phase(&progress.status)
        {
            request::moved(tx, &asked, phase, Some(&progress.status), self.now)?;
        }
        let places = progress.places.join(" ");
        let text = format!("{}: {} {places}", progress.of.as_str(), progress.status);
        self.told(tx, self.plain("progress", text.trim_end()))
    }

    fn certificate(&self, tx: &mut Tx<'_>, said: CertificateNews) -> Result<Heard, StoreError> {
        match said {
            CertificateNews::Sign { key, request, csr } => {
                // a readable request is always taken (TC_A_14); what becomes of it follows
                certificates::asked(self.house, tx, self.station, (key, request), &csr, self.now)?;
                Ok(Heard::Taken(true))
            }
            CertificateNews::Contract { update, .. } => {
                let what = if update { "an update of a contract certificate" } else { "a contract certificate" };
                self.told(tx, self.plain("certificate", format!("a car wants {what}; nobody here issues them")))?;
                Ok(Heard::Exi { body: None, remaining: None })
            }
            CertificateNews::Status { .. } => {
                self.told(tx, self.plain("certificate", "asks for an OCSP answer; there is none to be had here"))?;
                Ok(Heard::Ocsp(None))
            }
            CertificateNews::ChainStatus(questions) => {
                let next = self.now.plus(CHAIN_STATUS_AGAIN);
                let failed = questions.into_iter().map(|question| ChainAnswer {
                    hash: question.hash,
                    source: question.source,
                    status: "Failed".into(),
                    next,
                });
                Ok(Heard::ChainStatus(failed.collect()))
            }
        }
    }

    fn model(&self, tx: &mut Tx<'_>, said: ModelNews) -> Result<Heard, StoreError> {
        match said {
            ModelNews::Report { part, at: _, rows } => {
                self.part(tx, Kind::Report, part)?;
                model::put_variables(tx, self.station, &rows, self.now)?;
                let settings: Vec<Setting> = rows.into_iter().filter_map(setting).collect();
                station::put_settings(tx, self.station, &settings, station::Source::Report, self.now)?;
                Ok(Heard::Noted)
            }
            ModelNews::Events { events, .. } => {
                for event in events.iter().take(EVENTS_MAX) {
                    self.told(tx, self.event(event))?;
                }
                Ok(Heard::Noted)
            }
            ModelNews::Monitors { part, at: _, monitors } => {
                let first = self.part(tx, Kind::Monitors, part)?;
                model::put_monitors(tx, self.station, first, &monitors)?;
                Ok(Heard::Noted)
            }
            ModelNews::StreamOpened(stream) => model::stream_opened(tx, self.station, &stream).map(Heard::Taken),
            ModelNews::StreamClosed(id) => model::stream_closed(tx, self.station, id).map(|()| Heard::Noted),
            ModelNews::StreamData { id, base, values, .. } => {
                if let Some((after, value)) = values.last() {
                    let seconds = u64::try_from(after.trunc()).unwrap_or_default();
                    model::streamed(tx, self.station, id, value, base.plus(Duration::from_secs(seconds)))?;
                }
                Ok(Heard::Noted)
            }
        }
    }

    fn event(&self, event: &DeviceEvent) -> Told<'static> {
        let over = if event.cleared { ", over again" } else { "" };
        let code = event.tech_code.as_deref().map(|code| format!(" (code {code})")).unwrap_or_default();
        let text = if is_confidential(&event.variable) {
            format!("{} is another one{over}{code}", event.variable)
        } else {
            let info = event.tech_info.as_deref().map(|info| format!(": {info}")).unwrap_or_default();
            format!("{} is {}{over}{code}{info}", event.variable, event.value)
        };
        Told { at: event.at, severity: event.severity, ..self.plain("event", text) }
    }

    fn display(&self, tx: &mut Tx<'_>, said: &DisplayNews) -> Result<Heard, StoreError> {
        // its parts are not numbered: the first is the one that comes while nothing was reported yet
        let asked = request::meant(tx, self.station, Some(said.part.request), Kind::Displays)?;
        let first = asked.as_ref().is_none_or(|asked| asked.status.is_none());
        if let Some(asked) = &asked {
            request::moved(tx, asked, Phase::Going, Some("reporting"), self.now)?;
        }
        self.part(tx, Kind::Displays, said.part)?;
        model::put_displays(tx, self.station, first, &said.messages)?;
        Ok(Heard::Noted)
    }

    /// Only what was asked for is kept, sealed, for the one who asked.
    fn customer(&self, tx: &mut Tx<'_>, said: &CustomerNews) -> Result<Heard, StoreError> {
        let asked = request::meant(tx, self.station, Some(said.part.request), Kind::Customer)?;
        if asked.is_some_and(|asked| asked.state.is_open()) {
            self.part(tx, Kind::Customer, said.part)?;
            let (data, complete) = (said.data.reveal(Purpose::Keep), !said.part.more);
            let part = (said.part.seq, &**data);
            news::put_customer(tx, self.house.seal(), said.part.request, part, complete, self.now)?;
        }
        Ok(Heard::Noted)
    }

    fn grid(&self, tx: &mut Tx<'_>, said: GridNews) -> Result<Heard, StoreError> {
        match said {
            GridNews::Report { request, more, controls } => {
                self.part(tx, Kind::Grid, Part { request, seq: 0, more })?;
                let text = format!("reports its controls for request {request}");
                self.told(tx, Told { document: Some(controls.as_str()), ..self.plain("grid", text) })
            }
            GridNews::Alarm { kind, fault, ended, at, info } => {
                let over = if ended { " is over" } else { "" };
                let fault = fault.map(|fault| format!(", {fault}")).unwrap_or_default();
                let info = info.map(|info| format!(": {info}")).unwrap_or_default();
                self.told(tx, Told { at, ..self.plain("grid", format!("alarm of {kind}{over}{fault}{info}")) })
            }
            GridNews::Switched { id, started, at, superseded } => {
                let did = if started { "started" } else { "ended" };
                let over = if superseded.is_empty() { "" } else { " over others" };
                self.told(tx, Told { at, ..self.plain("grid", format!("control {id} has {did}{over}")) })
            }
        }
    }

    fn swap(&self, tx: &mut Tx<'_>, said: &SwapNews) -> Result<Heard, StoreError> {
        if let Some(asked) = request::meant(tx, self.station, Some(said.request), Kind::Swap)? {
            let phase = match &*said.event {
                "BatteryOut" => Phase::Done,
                "BatteryOutTimeout" => Phase::Failed,
                _ => Phase::Going,
            };
            request::moved(tx, &asked, phase, Some(&said.event), self.now)?;
        }
        for battery in &said.batteries {
            let text = format!(
                "{}: battery {}, charged {} %, health {} %",
                said.event, battery.serial, battery.charge, battery.health
            );
            self.told(tx, Told { evse: battery.evse, ..self.plain("swap", text) })?;
        }
        Ok(Heard::Taken(true))
    }

    fn payment(&self, tx: &mut Tx<'_>, said: PaymentNews) -> Result<Heard, StoreError> {
        match said {
            PaymentNews::Settlement(settlement) => {
                let told = Settled {
                    name: settlement.key.as_ref().map(ToString::to_string),
                    status: &settlement.status,
                    amount: settlement.amount.to_string(),
                    at: settlement.at,
                    receipt: settlement.receipt.as_deref(),
                    reference: settlement.reference.reveal(Purpose::Keep),
                };
                if news::settle(tx, self.house.seal(), self.station, &told, self.now)? {
                    let text = format!("a payment at the terminal is {}: {}", settlement.status, settlement.amount);
                    self.told(tx, Told { at: settlement.at, ..self.plain("payment", text) })?;
                }
                // the station's own receipt is the only one
                Ok(Heard::Receipt { id: settlement.receipt, url: settlement.receipt_url })
            }
            // no register of companies is asked here, so no number is confirmed
            PaymentNews::VatNumber { .. } => Ok(Heard::Company(None)),
        }
    }
}

/// The actual value of a reported variable.
fn setting(row: ReportRow) -> Option<Setting> {
    (row.attribute == Attribute::Actual).then_some(Setting {
        key: row.variable,
        value: row.value,
        read_only: row.read_only,
    })
}

/// Asked again after this: nothing changes before a responder is configured.
const CHAIN_STATUS_AGAIN: Duration = Duration::from_secs(24 * 3_600);
/// More events in one message are a flood.
const EVENTS_MAX: usize = 200;
