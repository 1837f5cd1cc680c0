//! The road's objects there and back: what is exact, what is told, what is refused.

use charge::Decimal;
use charge::money::Price;
use charge::place::EvseStatus;
use charge::record::SessionStatus;
use charge::talk::road::OrderResult;
use charge::tariff::{Day, Restrictions};

use crate::bridge::record::{Beside, cdr, cdr_info};
use crate::bridge::{direct, place, status, tariff, token};
use crate::samples::{self, at, exact, now, operator, provider};
use crate::scalar::{DateTime, WallTime};
use crate::types::direct::DirectMessage;
use crate::types::place::RegularHours;
use crate::types::result::DirectCode;
use crate::types::status::{EvseLive, Major, Minor};
use crate::types::tariff::BillingItem;
use crate::types::token::Representation;

fn beside(location: &charge::place::Location) -> Beside<'_> {
    Beside { operator: operator(), payer: provider(), location, now: now() }
}

#[test]
fn a_record_keeps_its_money_and_its_energy() {
    let sent = samples::cdr();
    let crossed = cdr_info(&sent, Some("Europe/Berlin")).unwrap();
    let told: Vec<&str> = crossed.lost.iter().map(|lost| lost.path.as_str()).collect();
    assert_eq!(told, ["/signed_data", "/authorization_reference"]);
    let back = cdr(&crossed.value, beside(&samples::location())).unwrap().value;
    assert_eq!(back.total_cost.before_vat, sent.total_cost.before_vat);
    assert_eq!((back.energy, back.energy_cost), (sent.energy, sent.energy_cost));
    assert_eq!((back.parking_cost, back.fixed_cost, back.time_cost), (sent.parking_cost, sent.fixed_cost, None));
    assert_eq!((back.start, back.end, back.total_time_h), (sent.start, sent.end, sent.total_time_h));
    assert_eq!((back.parking_time_h, &back.token, &back.place), (sent.parking_time_h, &sent.token, &sent.place));
    assert_eq!((&back.id, &back.meter, &back.tariff.id), (&sent.id, &sent.meter, &sent.tariff.id));
    assert_eq!(back.periods, sent.periods);
}

/// Prices that no line can carry become one fee beside unrated quantities: the amount is the same.
#[test]
fn a_record_without_one_price_per_unit_carries_its_amount_as_a_fee() {
    let mut sent = samples::cdr();
    sent.total_cost.before_vat = exact("7.49");
    let crossed = cdr_info(&sent, None).unwrap();
    let fee = crossed.value.periods.last().unwrap();
    assert_eq!((fee.item, fee.price, fee.value), (BillingItem::ServiceFee, exact("7.49"), Decimal::ONE));
    assert!(crossed.value.periods.iter().rev().skip(1).all(|line| line.price.is_zero()));
    assert!(crossed.lost.iter().any(|lost| lost.path == "/charging_periods"));
    let back = cdr(&crossed.value, beside(&samples::location())).unwrap().value;
    assert_eq!((back.total_cost.before_vat, back.energy), (exact("7.49"), sent.energy));
}

#[test]
fn money_that_would_change_is_refused() {
    let location = samples::location();
    let mut unrated = samples::cdr_info();
    unrated.total_cost = None;
    for line in &mut unrated.periods {
        (line.price, line.cost) = (Decimal::ZERO, None);
    }
    assert_eq!(cdr(&unrated, beside(&location)).unwrap_err().path, "/totalCost");
    let mut wrong = samples::cdr_info();
    wrong.total_cost = Some(exact("7.51"));
    assert_eq!(cdr(&wrong, beside(&location)).unwrap_err().path, "/totalCost");
    let mut credit = samples::cdr();
    credit.credit = true;
    assert_eq!(cdr_info(&credit, None).unwrap_err().path, "/credit");
    let mut elsewhere = samples::location();
    elsewhere.evses.clear();
    assert_eq!(cdr(&samples::cdr_info(), beside(&elsewhere)).unwrap_err().path, "/evseId");

    let mut capped = samples::tariff();
    capped.max_price = Some(Price::default());
    assert_eq!(tariff::tariff_info(&capped).unwrap_err().path, "/max_price");
    let mut dated = samples::tariff();
    dated.elements[0].restrictions.start_date = Some("2026-01-01".to_owned());
    assert!(tariff::tariff_info(&dated).is_err());
    let mut reserved = samples::tariff_info();
    reserved.individual[0].elements[0].component.item = BillingItem::Reservation;
    assert!(tariff::tariff(&reserved, None, now()).is_err());
    let mut uneven = samples::tariff_info();
    uneven.individual[0].elements[1].component.step = exact("0.0005");
    assert!(tariff::tariff(&uneven, None, now()).is_err());
}

#[test]
fn a_tax_in_whole_percents_comes_along() {
    let mut sent = samples::cdr();
    for component in sent.tariff.elements.iter_mut().flat_map(|element| &mut element.components) {
        component.vat_percent = Some(exact("19"));
    }
    let crossed = cdr_info(&sent, None).unwrap().value;
    let back = cdr(&crossed, beside(&samples::location())).unwrap().value;
    assert_eq!(back.total_cost, Price { before_vat: exact("7.5"), with_vat: Some(exact("8.925")) });
}

#[test]
fn a_tax_beyond_all_measure_is_no_reason_to_stop() {
    let mut info = samples::cdr_info();
    info.periods.iter_mut().for_each(|line| line.tax_rate = Some(u32::MAX));
    let back = cdr(&info, beside(&samples::location())).unwrap().value;
    assert!(back.total_cost.with_vat.is_some_and(|taxed| taxed > back.total_cost.before_vat));
}

#[test]
fn a_tariff_comes_back_the_same() {
    let sent = samples::tariff();
    let crossed = tariff::tariff_info(&sent).unwrap();
    assert!(crossed.lost.is_empty());
    assert_eq!(tariff::tariff(&crossed.value, None, now()).unwrap().value, sent);
}

#[test]
fn a_tariff_is_read_for_its_reader() {
    let info = samples::tariff_info();
    let own = tariff::tariff(&info, Some(provider()), now()).unwrap().value;
    assert_eq!(own.elements[0].restrictions.max_duration_s, Some(7_200));
    let other = tariff::tariff(&info, Some("DE-XYZ".parse().unwrap()), now()).unwrap().value;
    assert_eq!(other.elements[0].restrictions.max_duration_s, None);
    assert_eq!(tariff::recipients(&info), [provider()]);
    let mut closed = info;
    closed.individual.remove(0);
    assert!(tariff::tariff(&closed, None, now()).is_err());
}

#[test]
fn hours_over_midnight_become_two_stretches() {
    let mut sent = samples::tariff();
    sent.elements.truncate(1);
    let days = sent.elements[0].restrictions.days.clone();
    sent.elements[0].restrictions =
        Restrictions { start_minute: Some(22 * 60), end_minute: Some(6 * 60), days, ..Restrictions::default() };
    let info = tariff::tariff_info(&sent).unwrap().value;
    let hours = &info.individual[0].elements[0].restriction.hours;
    let shown: Vec<_> = hours.iter().map(|h| (h.weekday, h.begin.as_str(), h.end.as_str())).collect();
    let expected = [(1, "22:00", "24:00"), (2, "00:00", "06:00"), (7, "22:00", "24:00"), (1, "00:00", "06:00")];
    assert_eq!(shown, expected);
}

/// Found by fuzzing: days in another order, which came back in the order of the week, and what stood beside it.
#[test]
fn the_hours_of_a_tariff_come_back_as_they_were_meant() {
    let hours = |days: &[u32], begin: &str, end: &str| {
        let time = |text| WallTime::new(text).unwrap();
        let mut info = samples::tariff_info();
        info.individual.truncate(1);
        info.individual[0].recipients.clear();
        info.individual[0].elements.truncate(1);
        let one = |day: &u32| RegularHours { weekday: *day, begin: time(begin), end: time(end) };
        info.individual[0].elements[0].restriction.hours = days.iter().map(one).collect();
        info
    };
    let week = [Day::Monday, Day::Tuesday, Day::Thursday, Day::Friday, Day::Saturday];
    for (said, meant) in [(&[1, 2, 6, 4, 5][..], &week[..]), (&[1; 7], &[Day::Monday]), (&[3, 2, 1, 7, 6, 5, 4], &[])] {
        let read = tariff::tariff(&hours(said, "09:00", "18:00"), None, now()).unwrap().value;
        assert_eq!(read.elements[0].restrictions.days, meant);
        let back = tariff::tariff_info(&read).unwrap().value;
        assert_eq!(tariff::tariff(&back, None, now()).unwrap().value.elements, read.elements);
    }
    // an end must be later than its begin (OCHP 1.4, RegularHoursType)
    for (begin, end) in [("18:00", "09:00"), ("09:00", "09:00"), ("24:00", "24:00")] {
        assert!(tariff::tariff(&hours(&[1], begin, end), None, now()).is_err(), "{begin}-{end}");
    }
    for finer in ["11.0000001", "-0.0000001"] {
        let mut info = hours(&[1], "09:00", "18:00");
        info.individual[0].elements[0].restriction.min_power = Some(exact(finer));
        assert!(tariff::tariff(&info, None, now()).is_err());
        info.individual[0].elements[0].restriction.min_power = None;
        info.individual[0].elements[0].restriction.max_energy = Some(exact(finer));
        assert!(tariff::tariff(&info, None, now()).is_err());
    }
}

#[test]
fn a_location_comes_back_but_for_its_plugs_of_volts() {
    let sent = samples::location();
    let points = place::charge_points(&sent, false).unwrap();
    let back = place::location(&points.value, operator(), now()).unwrap();
    assert_eq!(back.value, sent);
    assert!(back.lost.iter().any(|lost| lost.path == "/connectors"));
    let mut nameless = sent;
    nameless.evses[0].id = None;
    assert_eq!(place::charge_points(&nameless, false).unwrap_err().path, "/evses");
    let split = place::by_location(vec![samples::charge_point(), samples::charge_point()]);
    assert_eq!((split.len(), split[0].len()), (1, 2));
}

#[test]
fn every_status_crosses_and_an_expired_one_is_unknown() {
    let evse = samples::cdr_info().evse;
    for sent in EvseStatus::ALL {
        let live = status::live(evse.clone(), sent, None);
        let back = status::evse_status(&live.value, None, now()).value;
        let told = !live.lost.is_empty();
        assert_eq!(back == sent, !told, "{sent}");
    }
    let stale = EvseLive { evse, major: Major::Available, minor: Some(Minor::Available), ttl: None };
    let before = DateTime::new(at("2026-11-22T16:00:00Z"));
    assert_eq!(status::evse_status(&stale, Some(before), now()).value, EvseStatus::Unknown);
    assert_eq!(status::status_of(Some(status::standing(EvseStatus::Removed))), EvseStatus::Removed);
}

#[test]
fn a_token_comes_back_and_a_hash_does_not() {
    let entry = samples::authorisation();
    let back = token::issued(&entry, provider(), now()).unwrap().value;
    assert_eq!(back, samples::issued());
    assert!(!token::issued(&entry, provider(), at("2028-01-01T00:00:00Z")).unwrap().value.valid);
    let mut hashed = entry;
    hashed.token.representation = Some(Representation::Sha256);
    assert_eq!(token::issued(&hashed, provider(), now()).unwrap_err().path, "/emtId");
}

#[test]
fn a_session_is_told_and_heard() {
    let told = samples::inform();
    let known = direct::Known {
        operator: operator(),
        session: "OPA-1".parse().unwrap(),
        location: "LOC1".parse().unwrap(),
        evse: "DEOPAE11".parse().unwrap(),
        connector: "1".parse().unwrap(),
        token: samples::cdr().token,
        reference: Some("REF-1".parse().unwrap()),
        currency: charge::money::Currency::EUR,
        start: at("2026-11-22T15:00:00Z"),
    };
    let session = direct::session(&told, &known, now()).unwrap().value;
    assert_eq!((session.status, session.energy), (SessionStatus::Active, samples::cdr().energy));
    assert_eq!(session.reference, known.reference);
    let evse = samples::cdr().place.evse_id;
    let again =
        direct::progress(&session, &evse, samples::direct().into_revealed(charge::Purpose::Transmit)).unwrap().value;
    assert_eq!((again.message, again.charged_energy), (DirectMessage::Info, told.charged_energy));
    let mut failed = told;
    failed.result.code = DirectCode::Server;
    assert_eq!(direct::session(&failed, &known, now()).unwrap().value.status, SessionStatus::Invalid);
    assert_eq!(direct::outcome(direct::answered(OrderResult::Accepted).code), OrderResult::Accepted);
    assert_eq!(direct::outcome(direct::answered(OrderResult::TimedOut).code), OrderResult::Failed);
}
