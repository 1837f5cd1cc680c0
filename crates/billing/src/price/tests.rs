#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;
mod probes;

use charge::money::Price;
use charge::record::Period;
use charge::tariff::{Day, Dimension, Element, Restrictions};
use charge::units::{Energy, Power};

use super::*;
use crate::fixture::{at, charging, component, dec, element, parking, tariff};

const NET: Option<&str> = None;
const VAT: Option<&str> = Some("19");

fn when(restrictions: Restrictions, mut inner: Element) -> Element {
    inner.restrictions = restrictions;
    inner
}

fn energy(price: &str, step: u32) -> Element {
    element(vec![component(Dimension::Energy, price, NET, step)])
}

fn total(elements: Vec<Element>, periods: &[Period], end: &str) -> String {
    let priced = price(&tariff(elements), "Europe/Berlin", periods, at(end)).unwrap();
    priced.total.before_vat.normalize().to_string()
}

#[test]
fn first_matching_element_wins_and_the_rest_is_free() {
    let night = Restrictions { start_minute: Some(22 * 60), end_minute: Some(6 * 60), ..Restrictions::default() };
    let sunday = Restrictions { days: vec![Day::Sunday], ..Restrictions::default() };
    let elements = || vec![when(sunday.clone(), energy("0.1", 1)), when(night.clone(), energy("0.2", 1))];
    // Berlin is one hour ahead in winter
    let table = [
        ("2026-01-18T11:00:00Z", "1"), // Sunday noon
        ("2026-01-18T22:30:00Z", "1"), // Sunday, half past eleven at night
        ("2026-01-18T23:30:00Z", "2"), // already Monday
        ("2026-01-19T04:59:00Z", "2"), // one minute to six
        ("2026-01-19T05:00:00Z", "0"), // six o'clock: nothing matches
        ("2026-01-19T21:00:00Z", "2"), // ten at night
        ("2026-07-19T22:30:00Z", "2"), // summer: two hours ahead, already Monday
    ];
    for (start, expected) in table {
        let end = at(start).plus(std::time::Duration::from_secs(60));
        let priced = price(&tariff(elements()), "Europe/Berlin", &[charging(start, 10_000)], end).unwrap();
        assert_eq!(priced.total.before_vat, dec(expected), "{start}");
        assert_eq!(
            priced.notes.iter().any(|n| matches!(n, Note::Free { dimension: Dimension::Energy, .. })),
            expected == "0"
        );
    }
}

#[test]
fn bounds_on_energy_duration_and_power_are_taken_at_the_start_of_a_period() {
    let first_ten = Restrictions { max_energy: Some(Energy::from_wh(10_000)), ..Restrictions::default() };
    let periods = [charging("2026-01-14T10:00:00Z", 10_000), charging("2026-01-14T10:30:00Z", 5_000)];
    assert_eq!(
        total(vec![when(first_ten, energy("0.5", 1)), energy("0.3", 1)], &periods, "2026-01-14T11:00:00Z"),
        "6.5"
    );

    let late = Restrictions { min_duration_s: Some(1_800), ..Restrictions::default() };
    assert_eq!(total(vec![when(late, energy("1", 1)), energy("0.3", 1)], &periods, "2026-01-14T11:00:00Z"), "8");

    let fast = Restrictions { min_power: Some(Power::from_watts(50_000)), ..Restrictions::default() };
    let mut periods = periods;
    periods[1].max_power = Some(Power::from_watts(50_000));
    assert_eq!(total(vec![when(fast, energy("1", 1)), energy("0.3", 1)], &periods, "2026-01-14T11:00:00Z"), "8");
}

#[test]
fn a_flat_fee_is_charged_once() {
    let elements = vec![element(vec![component(Dimension::Flat, "0.50", NET, 1)])];
    let periods = [charging("2026-01-14T10:00:00Z", 1), charging("2026-01-14T10:30:00Z", 1)];
    assert_eq!(total(elements, &periods, "2026-01-14T11:00:00Z"), "0.5");
}

#[test]
fn steps_are_taken_once_on_the_total() {
    let periods = [charging("2026-01-14T10:00:00Z", 4_300), charging("2026-01-14T10:30:00Z", 1_100)];
    let table = [(1, "5.4"), (500, "5.5"), (1_000, "6"), (5_400, "5.4"), (0, "5.4"), (10_000, "10")];
    for (step, expected) in table {
        assert_eq!(total(vec![energy("1", step)], &periods, "2026-01-14T11:00:00Z"), expected, "step {step}");
    }
}

#[test]
fn charging_time_is_rounded_only_where_no_parking_is_priced() {
    let time = |step| component(Dimension::Time, "6", NET, step);
    let park = |step| component(Dimension::ParkingTime, "3", NET, step);
    let periods = [charging("2026-01-14T10:00:00Z", 1), parking("2026-01-14T10:11:00Z")];
    let end = "2026-01-14T10:22:00Z";
    assert_eq!(total(vec![element(vec![time(600), park(600)])], &periods, end), "2.1"); // 11 min, 20 min
    assert_eq!(total(vec![element(vec![time(600)])], &periods, end), "2"); // 20 min, parking is free
    assert_eq!(total(vec![element(vec![park(600)])], &periods, end), "1"); // 20 min
}

#[test]
fn the_hour_that_is_skipped_in_spring_has_no_window() {
    // 29 March 2026: the clock jumps from 02:00 to 03:00
    let window = Restrictions { start_minute: Some(120), end_minute: Some(180), ..Restrictions::default() };
    let elements = vec![when(window, energy("9", 1)), energy("1", 1)];
    for start in ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"] {
        let end = at(start).plus(std::time::Duration::from_secs(60));
        let priced = price(&tariff(elements.clone()), "Europe/Berlin", &[charging(start, 1_000)], end).unwrap();
        assert_eq!(priced.total.before_vat, dec("1"), "{start}");
    }
}

#[test]
fn vat_is_per_component_and_what_names_none_has_none() {
    let components = vec![
        component(Dimension::Flat, "1", Some("20"), 1),
        component(Dimension::Energy, "0.5", Some("10"), 1),
        component(Dimension::Time, "6", NET, 1),
    ];
    let periods = [charging("2026-01-14T10:00:00Z", 10_000)];
    let priced =
        price(&tariff(vec![element(components)]), "Europe/Berlin", &periods, at("2026-01-14T10:10:00Z")).unwrap();
    assert_eq!(priced.fixed, Some(Price { before_vat: dec("1"), with_vat: Some(dec("1.2")) }));
    assert_eq!(priced.energy, Some(Price { before_vat: dec("5"), with_vat: Some(dec("5.5")) }));
    assert_eq!(priced.time, Some(Price { before_vat: dec("1"), with_vat: None }));
    assert_eq!(priced.parking, None);
    assert_eq!(priced.total, Price { before_vat: dec("7"), with_vat: Some(dec("7.7")) });
}

#[test]
fn minimum_and_maximum_bind_net_and_gross() {
    let bound = |net: &str, gross: Option<&str>| Some(Price { before_vat: dec(net), with_vat: gross.map(dec) });
    let table = [
        (bound("10", None), None, "10", "11.9"),
        (bound("10", Some("15")), None, "10", "15"),
        (None, bound("3", None), "3", "3.57"),
        (None, bound("9", Some("5.5")), "5", "5.5"),
        (None, bound("9", Some("4")), "4", "4"),
        (bound("1", Some("1")), bound("9", Some("9")), "5", "5.95"),
    ];
    for (min_price, max_price, net, gross) in table {
        let elements = vec![element(vec![component(Dimension::Energy, "0.5", VAT, 1)])];
        let tariff = charge::tariff::Tariff { min_price, max_price, ..tariff(elements) };
        let periods = [charging("2026-01-14T10:00:00Z", 10_000)];
        let priced = price(&tariff, "Europe/Berlin", &periods, at("2026-01-14T11:00:00Z")).unwrap();
        assert_eq!(priced.total, Price { before_vat: dec(net), with_vat: Some(dec(gross)) });
        let moved = priced.adjustment.map_or_else(Price::default, |a| a.amount);
        assert_eq!(priced.lines[0].amount.before_vat + moved.before_vat, dec(net));
    }
}

#[test]
fn a_period_that_outlasts_its_price_is_noted() {
    let evening = Restrictions { start_minute: Some(17 * 60), ..Restrictions::default() };
    let elements = vec![when(evening, energy("0.5", 1)), energy("0.3", 1)];
    let of = |end: &str| {
        let periods = [charging("2026-01-14T15:30:00Z", 10_000)];
        price(&tariff(elements.clone()), "Europe/Berlin", &periods, at(end)).unwrap().notes
    };
    let noted = Note::OutlastsItsPrice { dimension: Dimension::Energy, at: at("2026-01-14T15:30:00Z") };
    assert!(!of("2026-01-14T16:00:00Z").contains(&noted));
    assert!(of("2026-01-14T16:00:01Z").contains(&noted));
}

#[test]
fn changes_are_where_periods_must_begin() {
    let window = Restrictions { start_minute: Some(120), end_minute: Some(180), ..Restrictions::default() };
    let blocking = Restrictions { min_duration_s: Some(3 * 3_600), ..Restrictions::default() };
    let of = |r: &Restrictions, from: &str, until: &str| {
        let found =
            changes(&tariff(vec![when(r.clone(), energy("1", 1))]), "Europe/Berlin", at(from), at(until)).unwrap();
        found.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    // the night in which 02:00 comes twice, and the one in which it does not come
    let autumn = of(&window, "2026-10-24T22:00:00Z", "2026-10-25T10:00:00Z");
    assert_eq!(autumn, ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z"]);
    let spring = of(&window, "2026-03-28T22:00:00Z", "2026-03-29T10:00:00Z");
    assert!(spring.contains(&"2026-03-29T01:00:00Z".to_owned()), "{spring:?}");
    assert_eq!(of(&blocking, "2026-01-14T10:00:00Z", "2026-01-14T18:00:00Z"), ["2026-01-14T13:00:00Z"]);
    assert_eq!(of(&Restrictions::default(), "2026-01-14T10:00:00Z", "2026-01-16T18:00:00Z"), [""; 0]);
}

#[test]
fn what_cannot_be_priced_says_why() {
    let elements = || vec![energy("1", 1)];
    let periods = [charging("2026-01-14T10:00:00Z", 1), charging("2026-01-14T09:00:00Z", 1)];
    let end = at("2026-01-14T11:00:00Z");
    assert_eq!(price(&tariff(elements()), "Europe/Berlin", &periods, end), Err(PriceFault::OutOfOrder { index: 0 }));
    let zone = PriceFault::UnknownTimeZone("Mars/Olympus".to_owned());
    assert_eq!(price(&tariff(elements()), "Mars/Olympus", &periods[..1], end), Err(zone));
    let huge = vec![energy("79228162514264337593543950335", 1)];
    let some = [charging("2026-01-14T10:00:00Z", 1)];
    assert_eq!(price(&tariff(huge), "Europe/Berlin", &some, end), Err(PriceFault::TooLarge));
    let much = [charging("2026-01-14T10:00:00Z", i64::MAX)];
    assert_eq!(price(&tariff(vec![energy("0.1", u32::MAX)]), "Europe/Berlin", &much, end), Err(PriceFault::TooLarge));
    let nothing = price(&tariff(elements()), "Europe/Berlin", &[], end).unwrap();
    assert_eq!(nothing.total, Price::default());
}

#[test]
fn a_driver_sees_gross_prices_in_the_order_of_the_law() {
    let evening = Restrictions { start_minute: Some(17 * 60), end_minute: Some(22 * 60), ..Restrictions::default() };
    let grace = Restrictions { min_duration_s: Some(4 * 3_600), ..Restrictions::default() };
    let elements = vec![
        when(evening, element(vec![component(Dimension::Energy, "0.50", VAT, 1)])),
        element(vec![component(Dimension::Flat, "1", VAT, 1), component(Dimension::Energy, "0.40", VAT, 1)]),
        when(grace, element(vec![component(Dimension::ParkingTime, "6", VAT, 60)])),
        element(vec![component(Dimension::Energy, "9", VAT, 1)]),
    ];
    let offers = headline(&tariff(elements), "Europe/Berlin", at("2026-01-14T12:00:00Z")).unwrap();
    let shown: Vec<_> = offers
        .iter()
        .map(|o| format!("{} {} {} {}", o.gross, o.unit, o.condition.as_deref().unwrap_or("always"), o.now))
        .collect();
    assert_eq!(
        shown,
        [
            "0.595 kWh from 17:00 until 22:00 false",
            "0.476 kWh always true",
            "0.119 min from 240 min of the session true",
            "1.19 session always true",
        ]
    );
}

#[test]
fn only_one_of_two_clocks_applies_now() {
    let evening = Restrictions { start_minute: Some(17 * 60), ..Restrictions::default() };
    let long = Restrictions { min_duration_s: Some(3_600), ..Restrictions::default() };
    let elements = vec![when(long, energy("3", 1)), when(evening, energy("2", 1)), energy("1", 1)];
    let now = |time: &str| {
        let offers = headline(&tariff(elements.clone()), "Europe/Berlin", at(time)).unwrap();
        offers.iter().map(|offer| offer.now).collect::<Vec<_>>()
    };
    assert_eq!(now("2026-01-14T15:59:00Z"), [true, false, true]);
    assert_eq!(now("2026-01-14T16:00:00Z"), [true, true, false]);
}

#[test]
fn lint_names_each_flaw() {
    let rules = |elements: Vec<Element>, kilowatts: i64| {
        let findings = lint(&tariff(elements), Power::from_watts(kilowatts * 1_000));
        findings.iter().map(|f| (f.rule, f.path.clone())).collect::<Vec<_>>()
    };
    let of = |dimension, price: &str| element(vec![component(dimension, price, VAT, 1)]);
    let found = |rule, path: &str| vec![(rule, path.to_owned())];
    let first = "/elements/0/price_components/0";
    let energy = || of(Dimension::Energy, "0.4");
    let impossible = Restrictions { min_duration_s: Some(9), max_duration_s: Some(9), ..Restrictions::default() };
    let dated = Restrictions { start_date: Some("2026-13-01".to_owned()), ..Restrictions::default() };

    assert_eq!(rules(vec![energy()], 300), []);
    assert_eq!(rules(vec![energy(), of(Dimension::Flat, "1")], 49), []);
    assert_eq!(
        rules(vec![energy(), of(Dimension::Flat, "1")], 50),
        found("afir-no-flat", "/elements/1/price_components/0")
    );
    assert_eq!(
        rules(vec![energy(), of(Dimension::Time, "1")], 50),
        found("afir-no-time", "/elements/1/price_components/0")
    );
    assert_eq!(rules(vec![of(Dimension::ParkingTime, "0")], 50), found("afir-per-kwh", "/elements"));
    assert_eq!(rules(vec![], 22), found("no-element", "/elements"));
    assert_eq!(rules(vec![element(vec![])], 22), found("element-empty", "/elements/0"));
    assert_eq!(rules(vec![of(Dimension::ParkingTime, "6")], 22), found("no-grace", first));
    assert_eq!(rules(vec![of(Dimension::Energy, "-1")], 22), found("negative-price", &format!("{first}/price")));
    assert_eq!(rules(vec![super::tests::energy("1", 1)], 22), found("no-vat", &format!("{first}/vat")));
    assert_eq!(rules(vec![energy(), energy()], 22), found("unreachable", "/elements/1/price_components/0"));
    assert_eq!(
        rules(vec![when(impossible, energy()), energy()], 22),
        found("never-applies", "/elements/0/restrictions/max_duration")
    );
    assert_eq!(
        rules(vec![when(dated.clone(), energy()), energy()], 22),
        found("no-date", "/elements/0/restrictions/start_date")
    );
    let dated = Restrictions { start_date: Some("2026-12-01".to_owned()), ..dated };
    assert_eq!(rules(vec![when(dated, energy())], 22), found("sometimes-free", "/elements"));
}
