//! What sessions and CDRs have in common: the token that owes, the way of permission, the charging periods.

use charge::id::TariffId;
use charge::record::{AuthMethod, Period, RecordToken};
use charge::{Decimal, Purpose, Timestamp};
use rust_decimal::RoundingStrategy;

use crate::read::{At, Fault, Lost};
use crate::token::{kind_lost, kind_word, read_contract, read_kind, read_party, read_uid, wire_uid};
use crate::write::{Doc, Record, number, time};

/// OCPI 2.2.1, 17.3: numbers have four decimals. A ten-thousandth of an hour is a third of a second.
const HOUR_DECIMALS: u32 = 4;

pub(crate) const AUTH_METHODS: &[(&str, AuthMethod)] =
    &[("AUTH_REQUEST", AuthMethod::Request), ("COMMAND", AuthMethod::Command), ("WHITELIST", AuthMethod::Whitelist)];

pub(crate) const fn auth_word(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::Request => "AUTH_REQUEST",
        AuthMethod::Command => "COMMAND",
        AuthMethod::Whitelist => "WHITELIST",
    }
}

/// OCPI 2.2.1, 10.4.5 `CdrToken`.
pub(crate) fn write_token(token: &RecordToken, lost: &mut Lost) -> Result<Doc, Fault> {
    kind_lost(token.kind, "/cdr_token/type", lost);
    Ok(Record::default()
        .with("country_code", token.party.country())
        .with("party_id", token.party.code())
        .with("uid", wire_uid(&token.uid)?)
        .with("type", kind_word(token.kind))
        .with("contract_id", token.contract.reveal(Purpose::Transmit).as_str())
        .into())
}

pub(crate) fn read_token(at: &At<'_>) -> Result<RecordToken, Fault> {
    Ok(RecordToken {
        party: read_party(at)?,
        uid: read_uid(&at.need("uid")?)?,
        kind: read_kind(&at.need("type")?)?,
        contract: read_contract(&at.need("contract_id")?)?,
    })
}

/// Hours with the decimals that OCPI carries.
pub(crate) fn hours(exact: Decimal) -> Doc {
    number(exact.round_dp_with_strategy(HOUR_DECIMALS, RoundingStrategy::MidpointAwayFromZero))
}

/// The periods of a record that ends, or was last updated, at `until`.
pub(crate) fn write_periods(periods: &[Period], until: Timestamp, tariff: Option<&TariffId>) -> Vec<Doc> {
    let ends = periods.iter().skip(1).map(|next| next.start).chain([until]);
    periods.iter().zip(ends).map(|(period, end)| write_period(period, end, tariff)).collect()
}

fn write_period(period: &Period, end: Timestamp, tariff: Option<&TariffId>) -> Doc {
    let lasted = Decimal::from(end.since(period.start).as_secs()) / Decimal::from(3600);
    let dimension = |kind: &str, volume| Doc::from(Record::default().with("type", kind).with("volume", volume));
    let mut dimensions: Vec<Doc> =
        period.energy.iter().map(|energy| dimension("ENERGY", number(energy.kwh()))).collect();
    dimensions.push(dimension(if period.charging { "TIME" } else { "PARKING_TIME" }, hours(lasted)));
    dimensions.extend(period.max_power.iter().map(|power| dimension("MAX_POWER", number(power.kilowatts()))));
    Record::default()
        .with("start_date_time", time(period.start))
        .with("dimensions", dimensions)
        .maybe("tariff_id", tariff.map(TariffId::as_str))
        .into()
}

/// The periods, oldest first.
pub(crate) fn read_periods(at: &At<'_>, lost: &mut Lost) -> Result<Vec<Period>, Fault> {
    let mut periods = Vec::new();
    for period in at.list("charging_periods")? {
        periods.push(read_period(&period, lost)?);
    }
    periods.sort_by_key(|period| period.start);
    Ok(periods)
}

fn read_period(at: &At<'_>, lost: &mut Lost) -> Result<Period, Fault> {
    let start = at.need("start_date_time")?.time()?;
    let mut period = Period { start, energy: None, charging: true, max_power: None };
    let (mut time, mut parking) = (Decimal::ZERO, Decimal::ZERO);
    let mut parked = false;
    for dimension in at.list("dimensions")? {
        let (kind, volume) = (dimension.need("type")?, dimension.need("volume")?);
        match kind.text()?.trim().to_ascii_uppercase().as_str() {
            "ENERGY" => period.energy = Some(volume.kwh()?),
            "TIME" => time = volume.decimal()?,
            "PARKING_TIME" => (parked, parking) = (true, volume.decimal()?),
            "MAX_POWER" => period.max_power = Some(volume.kilowatts()?),
            _unpriced => lost.push(kind.fault("is a dimension that is not carried")),
        }
    }
    if !time.is_zero() && !parking.is_zero() {
        lost.push(at.fault("is both charging and parking; taken as charging"));
    }
    period.charging = !parked || !time.is_zero();
    Ok(period)
}
