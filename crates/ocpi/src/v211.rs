//! OCPI 2.1.1 beside 2.2.1: no owners, `auth_id` for the contract, bare numbers for prices, whole locations inside of
//! sessions and CDRs, one tariff per connector, no credits, no signed records, no references.
//!
//! Invariant: what would change an amount is refused: a credit CDR, a tariff with a minimum or maximum price, with
//! a restriction that 2.1.1 has no word for, for some drivers only, or for some time only.

use charge::token::ContractId;

use crate::cross::{Beside, Noun, fault};
use crate::read::{Fault, Lost, parse, parse_time};
use crate::token;
use crate::write::{Doc, Record};

const ADDRESS_CHARACTERS_MAX: usize = 45;
/// A text that is mandatory in 2.1.1 and not known.
const NOT_AVAILABLE: &str = "#NA";
/// Kinds of places that 2.1.1 has and 2.2.1 has not; and the other way round.
const OLD_KINDS: [&str; 2] = ["OTHER", NOT_KNOWN];
const NOT_KNOWN: &str = "UNKNOWN";
const NEW_KINDS: [&str; 2] = ["ALONG_MOTORWAY", "ON_DRIVEWAY"];
const DIMENSIONS: [&str; 6] = ["ENERGY", "FLAT", "MAX_CURRENT", "MIN_CURRENT", "PARKING_TIME", "TIME"];
/// OCPI 2.1.1, 13.4.1 `CommandResponseType`.
const RESULTS: [&str; 5] = ["NOT_SUPPORTED", "REJECTED", "ACCEPTED", "TIMEOUT", "UNKNOWN_SESSION"];
/// 2.1.1 does not say how long an outcome may take: as long as stations are usually waited for.
const OUTCOME_WITHIN_S: u32 = 30;
/// OCPI 2.1.1, 8.4.2 `Capability`.
const CAPABILITIES: [&str; 6] = [
    "CHARGING_PROFILE_CAPABLE",
    "CREDIT_CARD_PAYABLE",
    "REMOTE_START_STOP_CAPABLE",
    "RESERVABLE",
    "RFID_READER",
    "UNLOCK_CAPABLE",
];
const RESTRICTIONS: [&str; 11] = [
    "start_time",
    "end_time",
    "start_date",
    "end_date",
    "min_kwh",
    "max_kwh",
    "min_power",
    "max_power",
    "min_duration",
    "max_duration",
    "day_of_week",
];

pub(crate) fn lift(noun: Noun, object: &mut Record, beside: Beside<'_>, lost: &mut Lost) -> Result<(), Fault> {
    match noun {
        Noun::Token => lift_token(object, beside),
        Noun::TokenOrder => {
            if let Some(token) = object.record_mut("token") {
                lift_token(token, beside);
            }
            if let Some(Doc::Number(number)) = object.get("reservation_id").cloned() {
                object.set("reservation_id", Doc::Text(number));
            }
        }
        Noun::Ack => {
            if object.text("result") == Some("TIMEOUT") {
                lost.push(fault("/result", "is read as REJECTED, for which OCPI 2.2.1 has no nearer word at once"));
                object.set("result", "REJECTED");
            }
            if object.get("timeout").is_none() {
                object.set("timeout", Doc::Number(OUTCOME_WITHIN_S.to_string()));
            }
        }
        Noun::Outcome => {
            if object.text("result") == Some("UNKNOWN_SESSION") {
                lost.push(fault("/result", "is read as FAILED, for which OCPI 2.2.1 has no nearer word in an outcome"));
                object.set("result", "FAILED");
            }
        }
        Noun::Session => {
            object.rename("start_datetime", "start_date_time");
            object.rename("end_datetime", "end_date_time");
            owned(object, beside);
            lift_payer(object, beside, lost);
            lift_cost(object);
            let location = object.take("location");
            if let Some(location) = location.as_ref().and_then(Doc::as_record) {
                lost.push(fault("/location", "is told by its ids; OCPI 2.2.1 has no whole location in a session"));
                copy(location, "id", object, "location_id");
                if let Some(evse) = first(location, "evses") {
                    copy(evse, "uid", object, "evse_uid");
                    if let Some(connector) = first(evse, "connectors") {
                        copy(connector, "id", object, "connector_id");
                    }
                }
            }
        }
        Noun::Cdr => lift_cdr(object, beside, lost),
        Noun::Location => {
            owned(object, beside);
            object.set("publish", true);
            // that nothing is known of it is said by silence in 2.2.1
            if let Some(kind) = object.text("type").filter(|kind| OLD_KINDS.contains(kind)) {
                if kind != NOT_KNOWN {
                    lost.push(fault("/type", "has no word in OCPI 2.2.1"));
                }
                object.take("type");
            }
            object.rename("type", "parking_type");
            object.records_mut("evses").for_each(lift_evse);
        }
        Noun::Evse => lift_evse(object),
        Noun::Connector => lift_connector(object),
        Noun::Tariff => owned(object, beside),
        Noun::Verdict => lift_verdict(object, beside, lost)?,
        Noun::Plain => {}
    }
    Ok(())
}

pub(crate) fn lower(noun: Noun, object: &mut Record, beside: Beside<'_>, lost: &mut Lost) -> Result<(), Fault> {
    match noun {
        Noun::Token => lower_token(object, "", lost),
        Noun::TokenOrder => {
            if let Some(token) = object.record_mut("token") {
                lower_token(token, "/token", lost);
            }
            leave(object, &["connector_id", "authorization_reference"], lost);
            if let Some(Doc::Text(name)) = object.get("reservation_id") {
                let number = name.parse::<i32>().unwrap_or_else(|_| {
                    lost.push(fault("/reservation_id", "is told as a number that is made of it"));
                    numbered(name)
                });
                object.set("reservation_id", Doc::Number(number.to_string()));
            }
        }
        Noun::Ack => leave(object, &["timeout", "message"], lost),
        Noun::Outcome => {
            if object.text("result").is_some_and(|word| !RESULTS.contains(&word)) {
                lost.push(fault("/result", "is written as REJECTED, for which OCPI 2.1.1 has no nearer word"));
                object.set("result", "REJECTED");
            }
            leave(object, &["message"], lost);
        }
        Noun::Verdict => leave(object, &["token", "authorization_reference"], lost),
        Noun::Session => lower_session(object, beside, lost)?,
        Noun::Cdr => lower_cdr(object, lost)?,
        Noun::Location => lower_location(object, lost)?,
        Noun::Evse => lower_evse(object, "", lost),
        Noun::Connector => lower_connector(object, "", lost),
        Noun::Tariff => lower_tariff(object, lost)?,
        Noun::Plain => {}
    }
    Ok(())
}

/// A positive number for a name, always the same one: FNV-1a over its bytes. 2.1.1 cannot cancel, so the way back from
/// the number is never needed; two live reservations at one operator meet once in two thousand million.
fn numbered(name: &str) -> i32 {
    const START: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    let hash = name.bytes().fold(START, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME));
    i32::try_from(hash >> 1).unwrap_or(i32::MAX)
}

/// The owner that 2.1.1 does not name.
fn owned(object: &mut Record, beside: Beside<'_>) {
    if let Some(owner) = beside.owner
        && object.get("party_id").is_none()
    {
        object.set("country_code", owner.country());
        object.set("party_id", owner.code());
    }
}

fn lift_token(token: &mut Record, beside: Beside<'_>) {
    owned(token, beside);
    token.rename("auth_id", "contract_id");
}

/// `auth_id` is all that 2.1.1 says of who pays. The provider is the one that the contract names, or the one known
/// beside.
fn lift_payer(record: &mut Record, beside: Beside<'_>, lost: &mut Lost) {
    let Some(Doc::Text(id) | Doc::Number(id)) = record.take("auth_id") else { return };
    let named = ContractId::new(&id).ok().and_then(|contract| contract.party());
    let Some(payer) = named.or(beside.payer) else { return };
    let token = Record::default()
        .with("country_code", payer.country())
        .with("party_id", payer.code())
        .with("uid", id.as_str())
        .with("type", "OTHER")
        .with("contract_id", id.as_str());
    lost.push(fault("/cdr_token/uid", "is not said in OCPI 2.1.1; the contract stands for it"));
    record.set("cdr_token", token);
}

/// Before VAT in both.
fn lift_cost(record: &mut Record) {
    if let Some(Doc::Number(_) | Doc::Text(_)) = record.get("total_cost")
        && let Some(net) = record.take("total_cost")
    {
        record.set("total_cost", Record::default().with("excl_vat", net));
    }
}

/// 2.2.1 repeats the token in every verdict. Its contract is not known here: 2.1.1 tells none.
fn lift_verdict(verdict: &mut Record, beside: Beside<'_>, lost: &mut Lost) -> Result<(), Fault> {
    let Some(((token, at), owner)) = beside.asked.zip(beside.owner) else { return Ok(()) };
    if verdict.get("token").is_none() {
        let valid = verdict.text("allowed") == Some("ALLOWED");
        lost.push(fault("/token", "is not said in OCPI 2.1.1; it is made of what was asked, without a contract"));
        verdict.set("token", token::unknown_contract(token, owner, valid, at)?);
    }
    Ok(())
}

fn lift_cdr(cdr: &mut Record, beside: Beside<'_>, lost: &mut Lost) {
    cdr.rename("stop_date_time", "end_date_time");
    owned(cdr, beside);
    lift_payer(cdr, beside, lost);
    lift_cost(cdr);
    let mut place = Record::default();
    let location = cdr.take("location");
    if let Some(location) = location.as_ref().and_then(Doc::as_record) {
        for name in ["id", "name", "address", "city", "postal_code", "country", "coordinates"] {
            copy(location, name, &mut place, name);
        }
        lost.push(fault("/location", "keeps its address and the EVSE; the place of a CDR of OCPI 2.2.1 has no more"));
        if let Some(evse) = first(location, "evses") {
            copy(evse, "uid", &mut place, "evse_uid");
            copy(evse, "evse_id", &mut place, "evse_id");
            if let Some(connector) = first(evse, "connectors") {
                copy(connector, "id", &mut place, "connector_id");
                copy(connector, "standard", &mut place, "connector_standard");
                copy(connector, "format", &mut place, "connector_format");
                copy(connector, "power_type", &mut place, "connector_power_type");
            }
        }
    }
    if place.get("evse_id").is_none() {
        place.set("evse_id", NOT_AVAILABLE);
    }
    cdr.set("cdr_location", place);
    cdr.records_mut("tariffs").for_each(|tariff| owned(tariff, beside));
}

fn lift_evse(evse: &mut Record) {
    evse.records_mut("connectors").for_each(lift_connector);
}

fn lift_connector(connector: &mut Record) {
    connector.rename("voltage", "max_voltage");
    connector.rename("amperage", "max_amperage");
    if let Some(tariff) = connector.take("tariff_id") {
        connector.set("tariff_ids", Doc::List(vec![tariff]));
    }
}

fn lower_token(token: &mut Record, path: &str, lost: &mut Lost) {
    disowned(token);
    token.rename("contract_id", "auth_id");
    if token.text("type").is_some_and(|kind| kind != "RFID" && kind != "OTHER") {
        lost.push(fault(&format!("{path}/type"), "is written as OTHER"));
        token.set("type", "OTHER");
    }
    leave(token, &["group_id", "default_profile_type", "energy_contract"], lost);
}

fn lower_session(session: &mut Record, beside: Beside<'_>, lost: &mut Lost) -> Result<(), Fault> {
    disowned(session);
    session.rename("start_date_time", "start_datetime");
    session.rename("end_date_time", "end_datetime");
    lower_record(session, lost)?;
    leave(session, &["authorization_reference"], lost);
    let place = beside.place.map(|text| parse(text.as_bytes())).transpose()?;
    let mut place = place.ok_or_else(|| fault("/location", "is carried whole in OCPI 2.1.1 and is not at hand"))?;
    let (evse, connector) = (session.take("evse_uid"), session.take("connector_id"));
    session.take("location_id");
    if let Some(place) = place.as_record_mut() {
        keep_named(place, "evses", "uid", evse.as_ref());
        for each in place.records_mut("evses") {
            keep_named(each, "connectors", "id", connector.as_ref());
        }
        lower_location(place, lost)?;
    }
    session.set("location", place);
    Ok(())
}

fn lower_cdr(cdr: &mut Record, lost: &mut Lost) -> Result<(), Fault> {
    if cdr.get("credit").is_some_and(|credit| *credit == Doc::Bool(true)) {
        return Err(fault("/credit", "has no word in OCPI 2.1.1: a credit would be read as another bill"));
    }
    disowned(cdr);
    cdr.rename("end_date_time", "stop_date_time");
    lower_record(cdr, lost)?;
    let costs =
        ["total_fixed_cost", "total_energy_cost", "total_time_cost", "total_parking_cost", "total_reservation_cost"];
    leave(cdr, &costs, lost);
    let rest = [
        "session_id",
        "authorization_reference",
        "signed_data",
        "credit",
        "credit_reference_id",
        "invoice_reference_id",
        "home_charging_compensation",
    ];
    leave(cdr, &rest, lost);
    let Some(Doc::Record(mut place)) = cdr.take("cdr_location") else {
        return Err(fault("/cdr_location", "is missing"));
    };
    let connector = Record::default()
        .maybe("id", place.take("connector_id"))
        .maybe("standard", place.take("connector_standard"))
        .maybe("format", place.take("connector_format"))
        .maybe("power_type", place.take("connector_power_type"))
        .with("voltage", Doc::Number("0".to_owned()))
        .with("amperage", Doc::Number("0".to_owned()))
        .maybe("last_updated", cdr.get("last_updated").cloned());
    lost.push(fault("/location/evses/0/connectors/0", "has no voltage and amperage in a CDR; both are written as 0"));
    let evse = Record::default()
        .maybe("uid", place.take("evse_uid"))
        .maybe("evse_id", place.take("evse_id").filter(|id| *id != Doc::Text(NOT_AVAILABLE.to_owned())))
        .with("status", "UNKNOWN")
        .with("connectors", vec![Doc::from(connector)])
        .maybe("last_updated", cdr.get("last_updated").cloned());
    place.set("evses", vec![Doc::from(evse)]);
    place.set("type", "UNKNOWN");
    if place.get("postal_code").is_none() {
        place.set("postal_code", NOT_AVAILABLE);
    }
    if let Some(at) = cdr.get("last_updated").cloned() {
        place.set("last_updated", at);
    }
    cdr.set("location", place);
    // the amount of a CDR stands in itself, so a tariff without a word may stay away
    if let Some(Doc::List(tariffs)) = cdr.get_mut("tariffs") {
        let mut index = 0;
        tariffs.retain_mut(|tariff| {
            let path = format!("/tariffs/{index}");
            index += 1;
            let Some(tariff) = tariff.as_record_mut() else { return false };
            lower_prices(tariff, &path, lost).map_err(|fault| lost.push(fault)).is_ok()
        });
    }
    Ok(())
}

/// What sessions and CDRs have in common.
fn lower_record(record: &mut Record, lost: &mut Lost) -> Result<(), Fault> {
    let contract = record.record_mut("cdr_token").and_then(|token| token.take("contract_id"));
    record.set("auth_id", contract.ok_or_else(|| fault("/cdr_token/contract_id", "is missing"))?);
    record.take("cdr_token");
    lost.push(fault("/cdr_token", "is told by its contract alone: OCPI 2.1.1 has no uid, type and owner here"));
    if record.text("auth_method") == Some("COMMAND") {
        lost.push(fault("/auth_method", "is written as AUTH_REQUEST"));
        record.set("auth_method", "AUTH_REQUEST");
    }
    if record.text("status") == Some("RESERVATION") {
        return Err(fault("/status", "has no word in OCPI 2.1.1"));
    }
    if let Some(Doc::Record(price)) = record.get("total_cost").cloned() {
        let net = price.get("excl_vat").cloned().ok_or_else(|| fault("/total_cost/excl_vat", "is missing"))?;
        record.set("total_cost", net);
        if price.get("incl_vat").is_some() {
            lost.push(fault("/total_cost/incl_vat", "is not carried"));
        }
    }
    for (index, period) in record.records_mut("charging_periods").enumerate() {
        if period.take("tariff_id").is_some() {
            lost.push(fault(&format!("/charging_periods/{index}/tariff_id"), "has no word in OCPI 2.1.1"));
        }
        if let Some(Doc::List(dimensions)) = period.get_mut("dimensions") {
            let known = |dimension: &Doc| {
                let word = dimension.as_record().and_then(|dimension| dimension.text("type"));
                word.is_some_and(|word| DIMENSIONS.contains(&word))
            };
            if !dimensions.iter().all(known) {
                lost.push(fault(&format!("/charging_periods/{index}/dimensions"), "has dimensions without a word"));
                dimensions.retain(known);
            }
        }
    }
    Ok(())
}

fn lower_location(location: &mut Record, lost: &mut Lost) -> Result<(), Fault> {
    if location.get("publish").is_some_and(|publish| *publish == Doc::Bool(false)) {
        return Err(fault("/publish", "is false, a wish that OCPI 2.1.1 cannot carry"));
    }
    disowned(location);
    location.take("publish");
    location.rename("parking_type", "type");
    if location.text("type").is_some_and(|kind| NEW_KINDS.contains(&kind)) {
        lost.push(fault("/parking_type", "is written as OTHER"));
        location.set("type", "OTHER");
    }
    if location.get("type").is_none() {
        location.set("type", "UNKNOWN");
    }
    let address = location.text("address").map(str::to_owned);
    if let Some(address) = address.filter(|address| address.chars().count() > ADDRESS_CHARACTERS_MAX) {
        lost.push(fault("/address", "is cut to 45 characters"));
        location.set("address", address.chars().take(ADDRESS_CHARACTERS_MAX).collect::<String>());
    }
    if location.get("postal_code").is_none() {
        location.set("postal_code", NOT_AVAILABLE);
    }
    leave(location, &["publish_allowed_to", "state", "parking_places"], lost);
    for (index, evse) in location.records_mut("evses").enumerate() {
        lower_evse(evse, &format!("/evses/{index}"), lost);
    }
    Ok(())
}

fn lower_evse(evse: &mut Record, path: &str, lost: &mut Lost) {
    leave(evse, &["parking", "accepted_service_providers"], lost);
    if let Some(Doc::List(capabilities)) = evse.get_mut("capabilities") {
        let before = capabilities.len();
        capabilities.retain(|one| matches!(one, Doc::Text(name) if CAPABILITIES.contains(&name.as_str())));
        if capabilities.len() < before {
            lost.push(fault(&format!("{path}/capabilities"), "loses what OCPI 2.1.1 has no word for"));
        }
    }
    for (index, connector) in evse.records_mut("connectors").enumerate() {
        lower_connector(connector, &format!("{path}/connectors/{index}"), lost);
    }
}

fn lower_connector(connector: &mut Record, path: &str, lost: &mut Lost) {
    connector.rename("max_voltage", "voltage");
    connector.rename("max_amperage", "amperage");
    if connector.take("max_electric_power").is_some() {
        lost.push(fault(&format!("{path}/max_electric_power"), "has no word in OCPI 2.1.1"));
    }
    let Some(Doc::List(tariffs)) = connector.take("tariff_ids") else { return };
    let mut tariffs = tariffs.into_iter();
    match (tariffs.next(), tariffs.next()) {
        (Some(tariff), None) => connector.set("tariff_id", tariff),
        // which of them a driver pays by is decided by more than 2.1.1 can say
        (Some(_), Some(_)) => lost.push(fault(&format!("{path}/tariff_ids"), "are several, of which none is told")),
        (None, _) => {}
    }
}

fn lower_tariff(tariff: &mut Record, lost: &mut Lost) -> Result<(), Fault> {
    let refused = |name: &str| Err(fault(&format!("/{name}"), "has no word in OCPI 2.1.1 and would change the price"));
    if tariff.text("type").is_some_and(|kind| kind != "REGULAR") {
        return refused("type");
    }
    if tariff.get("end_date_time").is_some() {
        return refused("end_date_time");
    }
    let moment = |name| tariff.text(name).and_then(parse_time);
    // one that had begun when it was written begins with its arrival as well
    let began = moment("start_date_time").zip(moment("last_updated")).is_some_and(|(start, told)| start <= told);
    if tariff.get("start_date_time").is_some() && !began {
        return refused("start_date_time");
    }
    lower_prices(tariff, "", lost)
}

/// The tariff of a CDR has been applied already: that it was for a time or for some drivers only changes nothing.
fn lower_prices(tariff: &mut Record, path: &str, lost: &mut Lost) -> Result<(), Fault> {
    disowned(tariff);
    for name in ["min_price", "max_price"] {
        if tariff.get(name).is_some() {
            return Err(fault(&format!("{path}/{name}"), "has no word in OCPI 2.1.1 and would change the price"));
        }
    }
    for element in tariff.records_mut("elements") {
        let Some(restrictions) = element.record_mut("restrictions") else { continue };
        if !restrictions.only(&RESTRICTIONS) {
            let at = format!("{path}/elements/restrictions");
            return Err(fault(&at, "has no word in OCPI 2.1.1 and would change the price"));
        }
    }
    let mut taxed = false;
    for element in tariff.records_mut("elements") {
        element.records_mut("price_components").for_each(|component| taxed |= component.take("vat").is_some());
    }
    if taxed {
        lost.push(fault(&format!("{path}/elements"), "loses its VAT; prices are before VAT in both"));
    }
    leave(tariff, &["type", "start_date_time", "end_date_time"], lost);
    Ok(())
}

fn disowned(object: &mut Record) {
    object.take("country_code");
    object.take("party_id");
}

/// Leaves members out and tells which.
fn leave(object: &mut Record, names: &[&str], lost: &mut Lost) {
    for name in names {
        if object.take(name).is_some() {
            lost.push(fault(&format!("/{name}"), "has no word in OCPI 2.1.1"));
        }
    }
}

fn copy(from: &Record, name: &str, to: &mut Record, other: &'static str) {
    if let Some(value) = from.get(name) {
        to.set(other, value.clone());
    }
}

fn first<'o>(object: &'o Record, list: &str) -> Option<&'o Record> {
    match object.get(list)? {
        Doc::List(items) => items.first()?.as_record(),
        Doc::Null | Doc::Bool(_) | Doc::Number(_) | Doc::Text(_) | Doc::Record(_) => None,
    }
}

/// Of a list, the objects whose `key` is this value.
fn keep_named(object: &mut Record, list: &str, key: &str, value: Option<&Doc>) {
    if let Some(Doc::List(items)) = object.get_mut(list) {
        items.retain(|item| item.as_record().and_then(|item| item.get(key)) == value);
    }
}
