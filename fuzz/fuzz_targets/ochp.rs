//! OCHP 1.4 and OCHPdirect: the first byte is 0 for a request, or names the operation that is answered; the rest is the
//! envelope. What is read is written and read again as the same, without complaint; what crosses to the road and back
//! keeps its money.
#![no_main]

use charge::id::PartyId;
use libfuzzer_sys::fuzz_target;
use ochp::bridge::{place, record, status, tariff, token};
use ochp::envelope::{LIMITS, open, read_response, write_request, write_response};
use ochp::message::{Operation, Request, Response};
use ochp::types::place::ChargePoint;
use ochp::types::record::CdrInfo;
use ochp::types::tariff::TariffInfo;
use ochp::types::token::RoamingAuthorisation;
use samples::{location, now};

fuzz_target!(|data: &[u8]| {
    let Some((first, body)) = data.split_first() else { return };
    match usize::from(*first).checked_sub(1) {
        None => request(body),
        Some(index) => response(Operation::ALL[index % Operation::ALL.len()], body),
    }
});

fn request(body: &[u8]) {
    let Ok(opened) = open(body, &LIMITS) else { return };
    let _operation = opened.operation();
    let Ok(heard) = opened.request() else { return };
    let said = heard.said;
    if let Ok(text) = write_request(&said, opened.credentials.as_ref()) {
        let again = open(text.as_bytes(), &LIMITS).ok().and_then(|opened| opened.request().ok());
        assert!(again.is_some_and(|again| again.said == said && again.lost.is_empty()), "a request changes");
    }
    match &said {
        Request::SetTokens(list) | Request::UpdateTokens(list) => list.tokens.iter().for_each(token_crosses),
        Request::GetToken(wanted) => drop(token::presented(&wanted.token)),
        Request::AddCdrs(list) => list.cdrs.iter().for_each(cdr_crosses),
        Request::SetChargePoints(list) | Request::UpdateChargePoints(list) => points_cross(&list.points),
        Request::UpdateTariffs(list) => list.tariffs.iter().for_each(tariff_crosses),
        Request::UpdateStatus(list) => {
            for live in &list.evses {
                let _status = status::evse_status(live, list.ttl, now());
            }
        }
        _ => {}
    }
}

fn response(operation: Operation, body: &[u8]) {
    let Ok(heard) = read_response(operation, body, &LIMITS) else { return };
    let said = heard.said;
    if let Ok(text) = write_response(&said) {
        let again = read_response(operation, text.as_bytes(), &LIMITS);
        assert!(again.is_ok_and(|again| again.said == said && again.lost.is_empty()), "an answer changes");
    }
    match &said {
        Response::GetTokens(list) => list.tokens.iter().for_each(token_crosses),
        Response::GetToken(given) => drop(token::verdict(given, now())),
        Response::GetCdrs(list) | Response::CheckCdrs(list) => list.cdrs.iter().for_each(cdr_crosses),
        Response::GetChargePoints(list) | Response::GetChargePointUpdates(list) => points_cross(&list.points),
        Response::GetTariffUpdates(list) => list.tariffs.iter().for_each(tariff_crosses),
        _ => {}
    }
}

fn party() -> PartyId {
    PartyId::new("DE", "ABC").unwrap_or_else(|_| unreachable!("two letters and three"))
}

fn token_crosses(entry: &RoamingAuthorisation) {
    let Ok(issued) = token::issued(entry, party(), now()) else { return };
    let _again = token::authorisation(&issued.value, now(), now());
}

fn cdr_crosses(info: &CdrInfo) {
    let Some(location) = location() else { return };
    let beside = record::Beside { operator: party(), payer: party(), location: &location, now: now() };
    let Ok(cdr) = record::cdr(info, beside) else { return };
    let Ok(back) = record::cdr_info(&cdr.value, None) else { return };
    let Ok(again) = record::cdr(&back.value, beside) else { return };
    assert_eq!(again.value.total_cost.before_vat, cdr.value.total_cost.before_vat, "a record changes its price");
    assert_eq!(again.value.energy, cdr.value.energy, "a record changes its energy");
}

fn points_cross(points: &[ChargePoint]) {
    for points in place::by_location(points.to_vec()) {
        let Ok(location) = place::location(&points, party(), now()) else { continue };
        let Ok(back) = place::charge_points(&location.value, true) else { continue };
        let again = place::location(&back.value, party(), now());
        assert!(back.value.is_empty() || again.is_ok(), "we publish a place that we do not understand");
    }
}

fn tariff_crosses(info: &TariffInfo) {
    let Ok(tariff) = tariff::tariff(info, None, now()) else { return };
    let Ok(back) = tariff::tariff_info(&tariff.value) else { return };
    let again = tariff::tariff(&back.value, None, now());
    assert!(again.is_ok_and(|again| again.value.elements == tariff.value.elements), "a tariff changes its prices");
}
