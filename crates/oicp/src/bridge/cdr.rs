//! Charge detail records (OICP 2.3, eRoamingChargeDetailRecord).
//!
//! OICP's has no price and no tariff: on the way in somebody who knows the agreed product puts them in
//! ([`super::Rates`]), or the record is refused; on the way out they are left behind and told. There is one record per
//! session, so a credit cannot be written. Signed meter values are texts of any format and are never cut.

use charge::id::{CdrId, EvseId, SessionId, TariffId};
use charge::meter::SignedRecord;
use charge::money::Price;
use charge::record::{Cdr, Nature, Period, RecordPlace, SignedValue};
use charge::talk::road::Denial;
use charge::tariff::{BookingFees, Tariff};
use charge::{Decimal, Timestamp};

use super::session::{broker_id, connector, method, partner, read_energy, reference, write_energy};
use super::{Beside, missing, order, token};
use crate::doc::{Doc, Fault, Lost, Record};
use crate::form;

const NATURES: [(&str, Nature); 3] =
    [("Start", Nature::Start), ("Progress", Nature::Intermediate), ("End", Nature::End)];

pub(crate) fn read(body: &Record, beside: &Beside<'_>, lost: &mut Lost) -> Result<Cdr, Denial> {
    let unrated = read_unrated(body, beside, lost)?;
    // no price is not "free": a record that nobody can rate is not passed on as one (OCPI 2.2.1, 10.3.1 `total_cost`)
    beside.rates.rate(body.text("PartnerProductID"), unrated).ok_or(Denial::NotSupported)
}

fn read_unrated(body: &Record, beside: &Beside<'_>, lost: &mut Lost) -> Result<Cdr, Denial> {
    let place = order::place_of(body, beside)?;
    let evse = place.evse().ok_or(Denial::UnknownLocation)?;
    let session = body.text("SessionID").ok_or_else(|| missing("SessionID"))?;
    let time = |name: &str| body.time(name).ok_or_else(|| missing(name));
    let (start, end) = (time("SessionStart")?, time("SessionEnd")?);
    let charging = body.time("ChargingStart").unwrap_or(start).clamp(start, end.max(start));
    let stopped = body.time("ChargingEnd").unwrap_or(end).clamp(charging, end.max(charging));
    let energy = read_energy(body, &["ConsumedEnergy"])?.ok_or_else(|| missing("ConsumedEnergy"))?;
    let token = token::read_record(body, beside.payer, lost)?;
    let location = &place.location;
    let plug = evse.connectors.first();
    Ok(Cdr {
        party: location.party,
        id: CdrId::new(session).map_err(|_| Denial::UnknownObject)?,
        start,
        end,
        session: SessionId::new(session).ok(),
        booking: None,
        auth_method: method(token.kind),
        token,
        reference: reference(body),
        place: RecordPlace {
            id: location.id.clone(),
            name: location.name.clone(),
            address: location.address.clone(),
            city: location.city.clone(),
            postal_code: location.postal_code.clone(),
            country: location.country.clone(),
            position: location.position,
            evse_uid: evse.uid.clone(),
            evse_id: body.word::<EvseId>("EvseID")?,
            connector: connector(evse)?,
            plug: plug.map_or("IEC_62196_T2", |plug| plug.plug.as_str()).into(),
            attached_cable: plug.is_some_and(|plug| plug.attached_cable),
            current: plug.map_or(charge::place::Current::Ac3Phase, |plug| plug.current),
        },
        meter: None,
        currency: beside.currency,
        tariff: nameless(location.party, beside)?,
        periods: periods(start, charging, stopped, end, energy),
        signed: read_signed(body),
        energy,
        total_time_h: hours(start, end),
        parking_time_h: hours(start, charging) + hours(stopped, end),
        total_cost: Price::default(),
        energy_cost: None,
        time_cost: None,
        parking_cost: None,
        fixed_cost: None,
        remark: None,
        credit: false,
        credit_reference: None,
        last_updated: beside.now,
    })
}

/// Connected before, charging, connected after; parts without length are left out.
fn periods(
    start: Timestamp,
    charging: Timestamp,
    stopped: Timestamp,
    end: Timestamp,
    energy: charge::units::Energy,
) -> Vec<Period> {
    let parked = |start| Period { start, energy: None, charging: false, max_power: None };
    let mut periods = Vec::new();
    if charging > start {
        periods.push(parked(start));
    }
    periods.push(Period { start: charging, energy: Some(energy), charging: true, max_power: None });
    if end > stopped {
        periods.push(parked(stopped));
    }
    periods
}

fn hours(from: Timestamp, to: Timestamp) -> Decimal {
    Decimal::from(to.since(from).as_secs()) / Decimal::from(3_600)
}

/// Stands where the tariff belongs until somebody rates the record.
fn nameless(party: charge::id::PartyId, beside: &Beside<'_>) -> Result<Tariff, Fault> {
    Ok(Tariff {
        party,
        id: TariffId::new("#NA").map_err(|_| missing("PartnerProductID"))?,
        currency: beside.currency,
        text: None,
        elements: Vec::new(),
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: beside.now,
    })
}

fn read_signed(body: &Record) -> Vec<SignedValue> {
    let info = body.record("CalibrationLawVerificationInfo");
    let format = info.and_then(|info| info.text("MeteringSignatureEncodingFormat")).unwrap_or_default();
    let public_key = info.and_then(|info| info.text("PublicKey"));
    let value = |record: &Record| {
        let text = record.text("SignedMeteringValue")?;
        let word = record.text("MeteringStatus").unwrap_or("End");
        let nature = NATURES.iter().find(|(name, _)| *name == word).map_or(Nature::Intermediate, |(_, nature)| *nature);
        let record = SignedRecord {
            format: format.into(),
            bytes: text.as_bytes().into(),
            public_key: public_key.map(Into::into),
        };
        Some(SignedValue { nature, record })
    };
    body.records("SignedMeteringValues").filter_map(value).collect()
}

/// `broker`: the broker's id of the session, where it is remembered.
pub(crate) fn write(cdr: &Cdr, broker: Option<&str>, lost: &mut Lost) -> Result<Record, Denial> {
    if cdr.credit {
        return Err(Fault::new("/credit", "cannot be said in OICP, which has one record per session").into());
    }
    let own = cdr.session.as_ref().map_or(cdr.id.as_str(), SessionId::as_str);
    let id = broker_id(broker, cdr.reference.as_ref(), own)?;
    let (charging, stopped) = charged(cdr);
    let evse_id = cdr.place.evse_id.as_str();
    if !form::is_evse_id(evse_id) {
        return Err(Fault::new("/EvseID", form::EVSE_ID.why).into());
    }
    let product = Some(cdr.tariff.id.as_str()).filter(|id| *id != "#NA");
    lost.push(Fault::new("/total_cost", "has no member in OICP"));
    lost.push(Fault::new("/tariffs", "are named by their product only"));
    if cdr.remark.is_some() {
        lost.push(Fault::new("/remark", "has no member in OICP"));
    }
    let signed: Vec<Doc> = cdr.signed.iter().filter_map(|value| write_signed(value, lost)).collect();
    let info = cdr.signed.first().map(|first| {
        Record::default()
            .maybe("PublicKey", first.record.public_key.as_deref())
            .with("MeteringSignatureEncodingFormat", first.record.format.chars().take(50).collect::<String>())
    });
    Ok(Record::default()
        .with("SessionID", id.as_str())
        .with("CPOPartnerSessionID", own)
        .maybe("EMPPartnerSessionID", partner(cdr.reference.as_ref(), &id))
        .maybe("PartnerProductID", product)
        .with("EvseID", evse_id)
        .with("Identification", token::write(&cdr.token.uid, cdr.token.kind, Some(&cdr.token.contract))?)
        .with("ChargingStart", charging.whole_seconds())
        .with("ChargingEnd", stopped.whole_seconds())
        .with("SessionStart", cdr.start.whole_seconds())
        .with("SessionEnd", cdr.end.whole_seconds())
        .with("ConsumedEnergy", write_energy(cdr.energy, lost))
        .maybe("SignedMeteringValues", (!signed.is_empty()).then_some(signed))
        .maybe("CalibrationLawVerificationInfo", info)
        .with("HubProviderID", form::provider_id(cdr.token.party)))
}

/// From the first charging period to the end of the last one.
fn charged(cdr: &Cdr) -> (Timestamp, Timestamp) {
    let first = cdr.periods.iter().find(|period| period.charging).map_or(cdr.start, |period| period.start);
    let last = cdr.periods.iter().rposition(|period| period.charging);
    let after = last.and_then(|last| cdr.periods.get(last + 1)).map_or(cdr.end, |period| period.start);
    (first, after)
}

/// OICP carries texts. A record that is none, or is longer than brokers pass on, is left out: a cut one proves nothing.
fn write_signed(value: &SignedValue, lost: &mut Lost) -> Option<Doc> {
    let word = NATURES.iter().find(|(_, nature)| *nature == value.nature).map_or("Progress", |(word, _)| *word);
    match std::str::from_utf8(&value.record.bytes) {
        Ok(text) => Some(Doc::from(Record::default().with("SignedMeteringValue", text).with("MeteringStatus", word))),
        Err(_) => {
            lost.push(Fault::new("/signed_data", "is no text and OICP carries texts only"));
            None
        }
    }
}
