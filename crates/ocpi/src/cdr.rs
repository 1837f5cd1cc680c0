//! Charge detail records (OCPI 2.2.1, module 10), with their signed meter records.
//!
//! A record that cannot be read as a whole is refused, because it is about money; a tariff or a signed value in it
//! that cannot be read is left out and told, so that pricing again shows a difference instead of silence. Invariant:
//! a signed record crosses byte for byte or not at all.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use charge::id::{AuthorizationReference, BookingId, CdrId, PartyId, SessionId, TariffId};
use charge::meter::SignedRecord;
use charge::record::{Cdr, Nature, RecordPlace, SignedValue};
use charge::tariff::{BookingFees, Tariff};

use crate::location::{
    CURRENTS, FORMATS, LINE_CHARACTERS_MAX, NAME_CHARACTERS_MAX, current_word, format_word, postal_code, read_country,
    read_position, write_position,
};
use crate::read::{At, Fault, Lost};
use crate::record::{AUTH_METHODS, auth_word, hours, read_periods, read_token, write_periods, write_token};
use crate::tariff;
use crate::token::read_party;
use crate::write::{Doc, Record, fitted, number, price, read_price, time};

/// OCPI 2.2.1, 10.4.8: both texts of a signed value.
const SIGNED_CHARACTERS_MAX: usize = 5_000;
/// OCPI 2.2.1, 10.4.7.
const PUBLIC_KEY_CHARACTERS_MAX: usize = 512;
/// OCPI 2.2.1, 10.4.7 `encoding_method`.
const FORMAT_CHARACTERS_MAX: usize = 36;
/// OCPI 2.2.1, 10.3.1.
const REMARK_CHARACTERS_MAX: usize = 255;
const METER_CHARACTERS_MAX: usize = 255;

/// Padding is written and may be missing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const NATURES: &[(&str, Nature)] =
    &[("Start", Nature::Start), ("End", Nature::End), ("Intermediate", Nature::Intermediate)];

const fn nature_word(nature: Nature) -> &'static str {
    match nature {
        Nature::Start => "Start",
        Nature::End => "End",
        Nature::Intermediate => "Intermediate",
    }
}

pub(crate) fn write(cdr: &Cdr, lost: &mut Lost) -> Result<Doc, Fault> {
    for (at, path) in [(cdr.start, "/start_date_time"), (cdr.end, "/end_date_time")] {
        if at != at.whole_millis() {
            lost.push(Fault::new(path, "is cut to milliseconds"));
        }
    }
    let meter = cdr.meter.as_ref().map(|meter| fitted(meter, METER_CHARACTERS_MAX, "/meter_id", lost));
    let remark = cdr.remark.as_ref().map(|remark| fitted(remark, REMARK_CHARACTERS_MAX, "/remark", lost));
    Ok(Record::default()
        .with("country_code", cdr.party.country())
        .with("party_id", cdr.party.code())
        .with("id", cdr.id.as_str())
        .with("start_date_time", time(cdr.start))
        .with("end_date_time", time(cdr.end))
        .maybe("session_id", cdr.session.as_ref().map(SessionId::as_str))
        .maybe("booking_id", cdr.booking.as_ref().map(BookingId::as_str))
        .with("cdr_token", write_token(&cdr.token, lost)?)
        .with("auth_method", auth_word(cdr.auth_method))
        .maybe("authorization_reference", cdr.reference.as_ref().map(AuthorizationReference::as_str))
        .with("cdr_location", write_place(&cdr.place, lost))
        .maybe("meter_id", meter)
        .with("currency", cdr.currency.as_str())
        .with("tariffs", vec![tariff::write(&cdr.tariff, lost)])
        .with("charging_periods", write_periods(&cdr.periods, cdr.end, Some(&cdr.tariff.id)))
        .maybe("signed_data", write_signed(&cdr.signed, lost))
        .with("total_cost", price(&cdr.total_cost))
        .maybe("total_fixed_cost", cdr.fixed_cost.as_ref().map(price))
        .with("total_energy", number(cdr.energy.kwh()))
        .maybe("total_energy_cost", cdr.energy_cost.as_ref().map(price))
        .with("total_time", hours(cdr.total_time_h))
        .maybe("total_time_cost", cdr.time_cost.as_ref().map(price))
        .with("total_parking_time", hours(cdr.parking_time_h))
        .maybe("total_parking_cost", cdr.parking_cost.as_ref().map(price))
        .maybe("remark", remark)
        .maybe("credit", cdr.credit.then_some(true))
        .maybe("credit_reference_id", cdr.credit_reference.as_ref().map(CdrId::as_str))
        .with("last_updated", time(cdr.last_updated))
        .into())
}

fn write_place(place: &RecordPlace, lost: &mut Lost) -> Doc {
    let name = place.name.as_ref().map(|name| fitted(name, NAME_CHARACTERS_MAX, "/cdr_location/name", lost));
    Record::default()
        .with("id", place.id.as_str())
        .maybe("name", name)
        .with("address", fitted(&place.address, LINE_CHARACTERS_MAX, "/cdr_location/address", lost))
        .with("city", fitted(&place.city, LINE_CHARACTERS_MAX, "/cdr_location/city", lost))
        .maybe("postal_code", postal_code(place.postal_code.as_deref(), lost))
        .with("country", place.country.as_str())
        .with("coordinates", write_position(place.position))
        .with("evse_uid", place.evse_uid.as_str())
        .with("evse_id", place.evse_id.as_str())
        .with("connector_id", place.connector.as_str())
        .with("connector_standard", &*place.plug)
        .with("connector_format", format_word(place.attached_cable))
        .with("connector_power_type", current_word(place.current))
        .into()
}

/// One `SignedData` has one format: the first record's. Over-long values are left out whole, never cut.
fn write_signed(signed: &[SignedValue], lost: &mut Lost) -> Option<Record> {
    let format = &signed.first()?.record.format;
    let mut values: Vec<Doc> = Vec::new();
    for (index, value) in signed.iter().enumerate() {
        let mut leave_out = |why: &str| {
            lost.push(Fault::new(format!("/signed_data/signed_values/{index}"), why));
        };
        let (blob, plain) = (BASE64.encode(&value.record.bytes), plain(&value.record));
        if value.record.format != *format {
            leave_out("has another encoding method and is left out");
        } else if blob.len() > SIGNED_CHARACTERS_MAX || plain.chars().count() > SIGNED_CHARACTERS_MAX {
            leave_out("is longer than OCPI can carry and is left out");
        } else {
            let nature = nature_word(value.nature);
            values.push(
                Record::default().with("nature", nature).with("plain_data", plain).with("signed_data", blob).into(),
            );
        }
    }
    let key = signed.iter().find_map(|value| value.record.public_key.as_deref());
    let fits = key.is_none_or(|key| key.len() <= PUBLIC_KEY_CHARACTERS_MAX);
    if !fits {
        lost.push(Fault::new("/signed_data/public_key", "is longer than OCPI can carry"));
    }
    (!values.is_empty()).then(|| {
        Record::default()
            .with("encoding_method", fitted(format, FORMAT_CHARACTERS_MAX, "/signed_data/encoding_method", lost))
            .maybe("public_key", key.filter(|_| fits))
            .with("signed_values", values)
    })
}

/// What was signed, without the signature: for OCMF the section between the first two bars, otherwise the text itself.
fn plain(record: &SignedRecord) -> String {
    let text = String::from_utf8_lossy(&record.bytes);
    let payload = text.strip_prefix("OCMF|").and_then(|rest| rest.rsplit_once('|')).map(|(payload, _)| payload);
    payload.unwrap_or(&text).to_owned()
}

pub(crate) fn read(at: &At<'_>, lost: &mut Lost) -> Result<Cdr, Fault> {
    at.unworded(&["total_reservation_cost", "invoice_reference_id", "home_charging_compensation"], lost);
    let total_time = at.need("total_time")?.decimal()?;
    let cost = |name: &str| at.field(name).map(|at| read_price(&at)).transpose();
    Ok(Cdr {
        party: read_party(at)?,
        id: at.need("id")?.word()?,
        start: at.need("start_date_time")?.time()?,
        end: at.need("end_date_time")?.time()?,
        session: at.maybe("session_id", lost, At::word),
        booking: at.maybe("booking_id", lost, At::word),
        token: read_token(&at.need("cdr_token")?)?,
        auth_method: at.need("auth_method")?.one_of(AUTH_METHODS)?,
        reference: at.maybe("authorization_reference", lost, At::word),
        place: read_place(&at.need("cdr_location")?, lost)?,
        meter: at.maybe("meter_id", lost, At::text),
        currency: tariff::read_currency(at)?,
        tariff: read_tariff(at, lost)?,
        periods: read_periods(at, lost)?,
        signed: read_signed(at, lost),
        energy: at.need("total_energy")?.kwh()?,
        total_time_h: total_time,
        parking_time_h: at.field("total_parking_time").map_or(Ok(charge::Decimal::ZERO), |hours| hours.decimal())?,
        total_cost: read_price(&at.need("total_cost")?)?,
        energy_cost: cost("total_energy_cost")?,
        time_cost: cost("total_time_cost")?,
        parking_cost: cost("total_parking_cost")?,
        fixed_cost: cost("total_fixed_cost")?,
        remark: at.maybe("remark", lost, At::text),
        credit: at.field("credit").map_or(Ok(false), |credit| credit.yes_or_no())?,
        credit_reference: at.field("credit_reference_id").map(|id| id.word()).transpose()?,
        last_updated: at.need("last_updated")?.time()?,
    })
}

fn read_place(at: &At<'_>, lost: &mut Lost) -> Result<RecordPlace, Fault> {
    Ok(RecordPlace {
        id: at.need("id")?.word()?,
        name: at.maybe("name", lost, At::text),
        address: at.need("address")?.text()?,
        city: at.need("city")?.text()?,
        postal_code: at.maybe("postal_code", lost, At::text),
        country: read_country(&at.need("country")?)?,
        position: read_position(&at.need("coordinates")?)?,
        evse_uid: at.need("evse_uid")?.word()?,
        evse_id: at.need("evse_id")?.word()?,
        connector: at.need("connector_id")?.word()?,
        plug: at.need("connector_standard")?.text()?.trim().into(),
        attached_cable: at.need("connector_format")?.one_of(FORMATS)?,
        current: at.need("connector_power_type")?.one_of(CURRENTS)?,
    })
}

/// The first tariff that can be read; a free one under the name `#NA` where there is none, which pricing again shows.
fn read_tariff(at: &At<'_>, lost: &mut Lost) -> Result<Tariff, Fault> {
    let tariffs = at.list("tariffs")?;
    lost.extend(tariffs.iter().skip(1).map(|more| more.fault("is a further tariff and is not carried")));
    let first = tariffs.first().map(|tariff| tariff::read(tariff, lost));
    match first {
        Some(Ok(tariff)) => Ok(tariff),
        Some(Err(fault)) => {
            lost.push(fault);
            unknown_tariff(at)
        }
        None => {
            lost.push(at.fault("has no tariff"));
            unknown_tariff(at)
        }
    }
}

fn unknown_tariff(at: &At<'_>) -> Result<Tariff, Fault> {
    let party: PartyId = read_party(at)?;
    Ok(Tariff {
        party,
        id: TariffId::new(crate::token::NOT_AVAILABLE).map_err(|_| at.fault("has no tariff"))?,
        currency: tariff::read_currency(at)?,
        text: None,
        elements: Vec::new(),
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: at.need("last_updated")?.time()?,
    })
}

fn read_signed(at: &At<'_>, lost: &mut Lost) -> Vec<SignedValue> {
    let Some(data) = at.field("signed_data") else { return Vec::new() };
    data.unworded(&["encoding_method_version", "url"], lost);
    let format: Box<str> = data.maybe("encoding_method", lost, At::text).unwrap_or_default().into();
    let key: Option<Box<str>> = data.maybe("public_key", lost, At::text).map(Into::into);
    let values = data.list("signed_values").map_err(|fault| lost.push(fault)).unwrap_or_default();
    let mut signed = Vec::new();
    for value in values {
        match read_signed_value(&value, lost) {
            Ok((nature, bytes)) => {
                let record = SignedRecord { format: format.clone(), bytes, public_key: key.clone() };
                signed.push(SignedValue { nature, record });
            }
            Err(fault) => lost.push(fault),
        }
    }
    signed
}

/// Some partners send the record as it is where OCPI wants base64: a bar or a brace is in no base64 text.
fn read_signed_value(at: &At<'_>, lost: &mut Lost) -> Result<(Nature, Box<[u8]>), Fault> {
    let nature = at.need("nature")?.one_of(NATURES)?;
    let data = at.need("signed_data")?;
    let text = data.text()?;
    if text.contains(['|', '{', '<']) {
        lost.push(data.fault("is not base64; taken as it is"));
        return Ok((nature, text.into_bytes().into()));
    }
    let packed: String = text.split_ascii_whitespace().collect();
    let bytes = BASE64.decode(packed).map_err(|_| data.fault("is not base64"))?;
    Ok((nature, bytes.into()))
}
