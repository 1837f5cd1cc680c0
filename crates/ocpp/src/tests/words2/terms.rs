//! The terms of a transaction cross in 2.1 and are left out of 2.0.1; what both have crosses in both.

use charge::id::TariffId;
use charge::money::Price;
use charge::talk::line::terms::{Advice, CostDetails, CostKind, CostPeriod, Limit, Limits, Offer, Terms, Words};
use charge::talk::line::{Denial, FromStation, Heard, Stage, Tap, Version};
use charge::tariff::{BookingFees, Component, Dimension, Element, Restrictions, Tariff};
use charge::token::{Allowed, TokenKind, Verdict};
use charge::units::Energy;

use super::super::now;
use super::super::round_trip::samples::transaction;
use super::super::round_trip::{Line, token};
use super::samples::dec;

fn tariff(price: &str) -> Tariff {
    let component =
        Component { dimension: Dimension::Time, price: dec(price), vat_percent: Some(dec("19")), step_size: 1 };
    Tariff {
        party: charge::id::PartyId::new("ZZ", "ZZZ").unwrap(),
        id: TariffId::new("T1").unwrap(),
        currency: "EUR".parse().unwrap(),
        text: None,
        elements: vec![Element { components: vec![component], restrictions: Restrictions::default() }],
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: BookingFees::default(),
        last_updated: charge::Timestamp::from_secs(0),
    }
}

fn limits() -> Limits {
    Limits {
        cost: Some(dec("12.50")),
        energy: Some(Energy::from_mwh(5_000_250)),
        seconds: Some(3_600),
        charged_percent: Some(80),
    }
}

fn details(failure: Option<&str>) -> CostDetails {
    let price = |net: &str, gross: &str| Price { before_vat: dec(net), with_vat: Some(dec(gross)) };
    CostDetails {
        currency: "EUR".parse().unwrap(),
        kind: CostKind::Max,
        fixed: Some(price("1", "1.19")),
        energy: Some(price("4.2", "4.998")),
        charging: None,
        idle: Some(price("0.5", "0.595")),
        total: price("5.7", "6.783"),
        delivered: Energy::from_mwh(10_000_500),
        charging_seconds: 3_600,
        idle_seconds: 120,
        periods: vec![CostPeriod {
            start: now(),
            tariff: Some(TariffId::new("T1").unwrap()),
            energy: Energy::from_wh(10_000),
            charging_seconds: 3_600,
            idle_seconds: 0,
        }],
        failure: failure.map(Into::into),
    }
}

fn said(stage: Stage, terms: Terms) -> FromStation {
    let mut report = transaction(Version::V21, stage);
    report.terms = Some(Box::new(terms));
    FromStation::Transaction(report)
}

fn taken(advice: Option<Advice>) -> Heard {
    Heard::Transaction {
        number: None,
        verdict: Some(Verdict::bare(Allowed::Yes)),
        cost: None,
        advice: advice.map(Box::new),
    }
}

#[test]
fn what_a_station_says_of_its_terms_arrives_and_names_its_reason() {
    // proves: ocpp-2.1 E16.FR.01, E16.FR.03, E16.FR.05, I07.FR.32, I11.FR.07, I12.FR.01, I12.FR.12
    let none = Terms::default;
    let set = Terms { limits: Some(limits()), ..none() };
    let changed = Terms { tariff: Some(TariffId::new("T1").unwrap()), ..none() };
    let cost = |failure| Terms { cost: Some(Box::new(details(failure))), ..none() };
    let reached = |limit| Terms { reached: Some(limit), ..none() };
    for (stage, terms, reason) in [
        (Stage::Updated, set.clone(), "LimitSet"),
        (Stage::Updated, changed.clone(), "TariffChanged"),
        (Stage::Updated, reached(Limit::Cost), "CostLimitReached"),
        (Stage::Updated, reached(Limit::Energy), "EnergyLimitReached"),
        (Stage::Updated, reached(Limit::Time), "TimeLimitReached"),
        (Stage::Ended, reached(Limit::Charge), "SoCLimitReached"),
        (Stage::Started, changed, "RemoteStart"),
        (Stage::Ended, cost(None), "EVDeparted"),
        (Stage::Ended, cost(Some("no tariff")), "EVDeparted"),
    ] {
        let what = said(stage, terms);
        let mut line = Line::new(Version::V21);
        let (heard, _) = line.say(what.clone(), taken(None));
        assert_eq!(heard, what);
        assert!(line.frames[0].contains(&format!(r#""triggerReason":"{reason}""#)), "{}", line.frames[0]);
        // the same on the older line: the report arrives, its terms do not
        let mut line = Line::new(Version::V201);
        let (heard, _) = line.say(what, taken(None));
        let FromStation::Transaction(report) = heard else { panic!() };
        assert_eq!(report.terms, None);
    }
}

#[test]
fn limits_and_words_reach_the_station() {
    // proves: ocpp-2.1 E16.FR.02, E16.FR.10, I01.FR.01, I06.FR.02, I08.FR.01
    let french = Words { format: "UTF8".into(), language: Some("fr".into()), text: "30 centimes".into() };
    let old = Advice {
        limits: None,
        words: Some(Words::plain("30 cents for you")),
        updated: vec![Words::plain("from now on 25 cents")],
    };
    let new = Advice { limits: Some(limits()), updated: vec![Words::plain("25 cents"), french.clone()], ..old.clone() };
    let event = || FromStation::Transaction(transaction(Version::V21, Stage::Started));
    for (version, advice) in [(Version::V201, &old), (Version::V21, &old), (Version::V21, &new)] {
        let (_, heard) = Line::new(version).say(event(), taken(Some(advice.clone())));
        assert_eq!(heard, taken(Some(advice.clone())), "{version:?}");
    }
    let tap = || FromStation::Tap(Tap { token: token(TokenKind::Rfid), contract: None });
    let offer =
        |tariff: Option<Tariff>| Offer { tariff: tariff.map(Box::new), words: Some(french.clone()), standing: None };
    let offered = |offer: Offer| Heard::Offered { verdict: Verdict::bare(Allowed::Yes), offer: Box::new(offer) };
    for (version, tariff) in [(Version::V201, None), (Version::V21, Some(tariff("3.00")))] {
        let (_, heard) = Line::new(version).say(tap(), offered(offer(tariff.clone())));
        assert_eq!(heard, offered(offer(tariff)), "{version:?}");
    }
    // a third of a minute's price has no end: the driver charges all the same, without a tariff
    let (_, heard) = Line::new(Version::V21).say(tap(), offered(offer(Some(tariff("1.00")))));
    assert_eq!(heard, offered(offer(None)));
    let dated = Tariff { valid_from: Some(now()), ..tariff("3.00") };
    let (_, heard) = Line::new(Version::V21).say(tap(), offered(offer(Some(dated))));
    assert_eq!(heard, offered(offer(Some(tariff("3.00")))), "I08.FR.09");
}

#[test]
fn a_limit_has_no_form_in_2_0_1() {
    let mut engine = super::super::operator(Version::V201);
    let frame = r#"[2,"a","TransactionEvent",{"eventType":"Started","timestamp":"2026-11-22T15:04:05Z","triggerReason":"CablePluggedIn","seqNo":0,"transactionInfo":{"transactionId":"t"}}]"#;
    let seen = super::super::receive(&mut engine, frame);
    let mut out = Vec::new();
    let advice = Advice { limits: Some(limits()), ..Advice::default() };
    engine.answer(now(), seen.asked[0].0, Ok::<_, Denial>(taken(Some(advice))), &mut out);
    let sent = out.iter().find_map(|event| if let crate::csms::Event::Send(text) = event { Some(text) } else { None });
    assert!(sent.is_some_and(|text| text.contains("InternalError")), "{sent:?}");
}
