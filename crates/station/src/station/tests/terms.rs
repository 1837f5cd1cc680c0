//! Tariffs, costs and limits of 2.1 through the whole station.

use charge::Decimal;
use charge::id::{PartyId, TariffId, TransactionKey};
use charge::talk::line::display::TariffOrder;
use charge::talk::line::terms::{Advice, Limit, Limits, Offer, Terms, Words};
use charge::talk::line::{BayState, Heard, Stage};
use charge::tariff::{Component, Dimension, Element, Restrictions, Tariff};
use charge::token::{Allowed, Verdict};
use charge::units::Energy;

use super::*;
use crate::bench::{car, card, one, two};

fn tariff(id: &str, currency: &str, price: &str) -> Tariff {
    let component =
        Component { dimension: Dimension::Energy, price: price.parse().unwrap(), vat_percent: None, step_size: 1 };
    Tariff {
        party: PartyId::new("DE", "VLT").unwrap(),
        id: TariffId::new(id).unwrap(),
        currency: currency.parse().unwrap(),
        text: None,
        elements: vec![Element { components: vec![component], restrictions: Restrictions::default() }],
        min_price: None,
        max_price: None,
        valid_from: None,
        valid_until: None,
        booking: charge::tariff::BookingFees::default(),
        last_updated: START,
    }
}

fn advice(limits: Limits) -> Option<Result<Heard, LineFault>> {
    let advice = Some(Box::new(Advice { limits: Some(limits), ..Advice::default() }));
    Some(Ok(Heard::Transaction { number: None, verdict: Some(Verdict::bare(Allowed::Yes)), cost: None, advice }))
}

/// Charging at EVSE 1 with 11 kW, where the begin was answered with these limits.
fn limited(limits: Limits, tariff: Option<Tariff>) -> Bench {
    let mut bench = Bench::ready(Version::V21);
    if let Some(tariff) = tariff {
        let order = TariffOrder::SetDefault { evse: Some(one()), tariff: Box::new(tariff) };
        assert_eq!(bench.order(ToStation::Tariff(order)), StationAnswer::Accepted);
    }
    bench.hand(one(), Deed::Plug(car())).unwrap();
    // the status, then the tap, then the begin
    bench.operator.instead = vec![None, advice(limits)];
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench
}

fn terms(bench: &Bench) -> Vec<(Stage, Option<BayState>, Terms)> {
    let reports = bench.operator.transactions().into_iter();
    reports.filter_map(|report| Some((report.stage, report.state, *report.terms?))).collect()
}

#[test]
fn a_limit_of_energy_is_confirmed_kept_to_the_watt_hour_and_raised() {
    // proves: ocpp-2.1 E16.FR.03, E16.FR.05, E16.FR.14, E16.FR.19, C17.FR.03, C25.FR.25, C25.FR.26
    let energy = |wh| Limits { energy: Some(Energy::from_wh(wh)), ..Limits::default() };
    let mut bench = limited(energy(1_100), None);
    let told = terms(&bench);
    assert_eq!(told.iter().map(|of| (of.0, of.2.limits)).collect::<Vec<_>>(), [(Stage::Updated, Some(energy(1_100)))]);
    assert_eq!(bench.bay(one()).limits, energy(1_100));
    bench.operator.heard.clear();
    bench.pass(359);
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    bench.pass(2);
    assert_eq!(bench.bay(one()).phase, Phase::SuspendedByStation, "1.1 kWh at 11 kW are six minutes");
    let reached: Vec<_> = terms(&bench).into_iter().filter_map(|of| Some((of.1, of.2.reached?))).collect();
    assert_eq!(reached, [(Some(BayState::SuspendedByStation), Limit::Energy)]);
    let register = bench.bay(one()).register;
    bench.pass(600);
    assert_eq!(bench.bay(one()).register, register, "nothing flows any more");
    bench.operator.instead = vec![advice(energy(2_200))];
    bench.pass(60);
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    bench.pass(361);
    assert_eq!(bench.bay(one()).phase, Phase::SuspendedByStation);
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(bench.bay(one()).limits, Limits::default());
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    bench.pass(1_000);
    assert_eq!(bench.bay(one()).phase, Phase::Charging, "the next one has no limit");
}

#[test]
fn time_is_counted_from_the_begin_and_the_operator_has_the_last_word() {
    // proves: ocpp-2.1 E16.FR.01, E16.FR.04, E16.FR.07, E16.FR.09
    let time = |seconds| Limits { seconds: Some(seconds), ..Limits::default() };
    let mut bench = limited(time(300), None);
    bench.operator.heard.clear();
    bench.hand(one(), Deed::Want(time(900))).unwrap();
    assert_eq!(terms(&bench)[0].2.limits, Some(time(300)), "no further than the operator's");
    bench.hand(one(), Deed::Want(time(120))).unwrap();
    bench.pass(121);
    assert_eq!(bench.bay(one()).phase, Phase::SuspendedByStation);
    assert!(terms(&bench).iter().any(|of| of.2.reached == Some(Limit::Time)));
}

#[test]
fn a_wish_before_the_tap_is_said_with_the_begin() {
    // proves: ocpp-2.1 C25.FR.05
    let wish = Limits { energy: Some(Energy::from_wh(500)), ..Limits::default() };
    let mut bench = Bench::ready(Version::V21);
    bench.hand(one(), Deed::Want(wish)).unwrap();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(terms(&bench).iter().map(|of| (of.0, of.2.limits)).collect::<Vec<_>>(), [(Stage::Started, Some(wish))]);
    bench.pass(600);
    assert_eq!(bench.bay(one()).phase, Phase::SuspendedByStation);
}

#[test]
fn a_limit_of_cost_follows_the_tariff_here_or_the_operators_word() {
    // proves: ocpp-2.1 E16.FR.15, E16.FR.16, I12.FR.31
    let cost = |text: &str| Limits { cost: Some(text.parse().unwrap()), ..Limits::default() };
    let mut bench = limited(cost("0.55"), Some(tariff("T1", "EUR", "0.50")));
    let id = bench.bay(one()).transaction.unwrap().0;
    let word = |total| ToStation::Tariff(TariffOrder::Cost { key: TransactionKey::Text(id.clone()), total });
    bench.order(word(Decimal::from(99)));
    assert_eq!(bench.bay(one()).phase, Phase::Charging, "it has a tariff of its own");
    bench.pass(380);
    assert_eq!(bench.bay(one()).phase, Phase::SuspendedByStation, "0.55 is 1.1 kWh");
    assert!(bench.bay(one()).cost.unwrap() < "0.57".parse().unwrap(), "looked at every ten seconds");
    let mut bench = limited(cost("0.55"), None);
    bench.pass(600);
    assert_eq!(bench.bay(one()).phase, Phase::Charging, "nobody has said what it costs");
    let id = bench.bay(one()).transaction.unwrap().0;
    bench.order(ToStation::Tariff(TariffOrder::Cost { key: TransactionKey::Text(id), total: Decimal::ONE }));
    assert_eq!(bench.bay(one()).phase, Phase::SuspendedByStation);
    assert!(terms(&bench).iter().any(|of| of.2.reached == Some(Limit::Cost)));
}

#[test]
fn the_tariff_is_named_with_the_begin_and_the_cost_with_the_end() {
    // proves: ocpp-2.1 I07.FR.14, I07.FR.32, I12.FR.01, I12.FR.02, I12.FR.42
    let mut bench = limited(Limits::default(), Some(tariff("T1", "EUR", "0.50")));
    let begin = terms(&bench).remove(0);
    assert_eq!((begin.0, begin.2.tariff.unwrap().as_str()), (Stage::Started, "T1"));
    assert!(begin.2.cost.is_none(), "no running cost unless it is asked for");
    let running = ("TariffCostCtrlr.Enabled[RunningCost]".into(), Secret::new("true".into()));
    bench.order(ToStation::WriteSettings { values: vec![running] });
    bench.operator.heard.clear();
    bench.pass(360);
    let running = terms(&bench).pop().unwrap();
    assert_eq!((running.0, running.2.cost.unwrap().total.before_vat), (Stage::Updated, "0.55".parse().unwrap()));
    bench.hand(one(), Deed::Unplug).unwrap();
    let (stage, _, end) = terms(&bench).pop().unwrap();
    let cost = end.cost.unwrap();
    assert_eq!((stage, end.tariff, cost.failure.clone()), (Stage::Ended, None, None), "each is said once");
    assert_eq!((cost.delivered.wh(), cost.total.before_vat), (1_100, "0.55".parse().unwrap()));
    assert_eq!((cost.charging_seconds, cost.idle_seconds, cost.periods.len()), (360, 0, 1));
}

#[test]
fn a_drivers_tariff_goes_before_the_default_and_is_forgotten() {
    // proves: ocpp-2.1 I01.FR.03, I08.FR.04, I08.FR.06, I08.FR.22
    let mut bench = Bench::ready(Version::V21);
    let default = TariffOrder::SetDefault { evse: None, tariff: Box::new(tariff("T1", "EUR", "0.50")) };
    bench.order(ToStation::Tariff(default));
    let own = Some(Box::new(tariff("D1", "EUR", "0.30")));
    let offer = Box::new(Offer { tariff: own, words: Some(Words::plain("30 cents for you")), ..Offer::default() });
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.operator.instead = vec![Some(Ok(Heard::Offered { verdict: Verdict::bare(Allowed::Yes), offer }))];
    bench.hand(one(), Deed::Tap(card("A"))).unwrap();
    assert_eq!(bench.bay(one()).words.as_deref(), Some("30 cents for you"));
    assert_eq!(terms(&bench)[0].2.tariff.as_ref().unwrap().as_str(), "D1");
    bench.pass(360);
    assert_eq!(bench.bay(one()).cost, Some("0.33".parse().unwrap()));
    bench.hand(one(), Deed::Unplug).unwrap();
    assert_eq!(bench.bay(one()).words, None);
    bench.operator.heard.clear();
    bench.hand(one(), Deed::Plug(car())).unwrap();
    bench.hand(one(), Deed::Tap(card("B"))).unwrap();
    assert_eq!(terms(&bench)[0].2.tariff.as_ref().unwrap().as_str(), "T1");
    // proves: ocpp-2.1 I07.FR.04
    let again = TariffOrder::SetDefault { evse: Some(two()), tariff: Box::new(tariff("T1", "EUR", "0.40")) };
    assert_eq!(bench.order(ToStation::Tariff(again)), StationAnswer::Refused("DuplicateTariffId".into()));
}

#[test]
fn a_drivers_tariff_is_remembered_for_as_long_as_nobody_asks_for_a_new_one() {
    // proves: ocpp-2.1 I08.FR.05
    let mut bench = Bench::ready(Version::V21);
    let own = |id| {
        let offer = Offer { tariff: Some(Box::new(tariff(id, "EUR", "0.30"))), ..Offer::default() };
        Some(Ok(Heard::Offered { verdict: Verdict::bare(Allowed::Yes), offer: Box::new(offer) }))
    };
    let charge = |bench: &mut Bench, uid: &str, instead: Vec<Option<Result<Heard, LineFault>>>| {
        bench.operator.heard.clear();
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.operator.instead = instead;
        bench.hand(one(), Deed::Tap(card(uid))).unwrap();
        let named = terms(bench).first().and_then(|(_, _, of)| of.tariff.as_ref().map(ToString::to_string));
        let asked = bench.operator.words().contains(&"tap".to_owned());
        bench.hand(one(), Deed::Unplug).unwrap();
        (asked, named)
    };
    let local = |bench: &mut Bench, on: &str| {
        let values = vec![("AuthCtrlr.LocalPreAuthorize".into(), charge::Secret::new(on.into()))];
        bench.order(ToStation::WriteSettings { values });
    };
    assert_eq!(charge(&mut bench, "A", vec![own("D1")]), (true, Some("D1".to_owned())));
    local(&mut bench, "true");
    assert_eq!(charge(&mut bench, "A", vec![]), (false, Some("D1".to_owned())), "nobody was asked");
    local(&mut bench, "false");
    assert_eq!(charge(&mut bench, "A", vec![own("D2")]), (true, Some("D2".to_owned())));
    assert_eq!(charge(&mut bench, "A", vec![]), (true, None), "asked again, and there is none any more");
    local(&mut bench, "true");
    assert_eq!(charge(&mut bench, "A", vec![]), (false, None));
}

#[test]
fn a_tariff_is_changed_in_the_running_transaction() {
    // proves: ocpp-2.1 I11.FR.02, I11.FR.04, I11.FR.05, I11.FR.06, I11.FR.07, I11.FR.08
    let mut bench = limited(Limits::default(), Some(tariff("T1", "EUR", "0.50")));
    let key = TransactionKey::Text(bench.bay(one()).transaction.unwrap().0);
    let change = |key: &TransactionKey, tariff: Tariff| {
        ToStation::Tariff(TariffOrder::Change { key: key.clone(), tariff: Box::new(tariff) })
    };
    let refused = |word: &str| StationAnswer::Refused(word.into());
    let nobody = TransactionKey::Text("nobody".into());
    assert_eq!(bench.order(change(&nobody, tariff("T2", "EUR", "0.25"))), refused("TxNotFound"));
    assert_eq!(bench.order(change(&key, tariff("T2", "CHF", "0.25"))), refused("NoCurrencyChange"));
    let element = tariff("T2", "EUR", "0.25").elements.remove(0);
    let long = Tariff { elements: vec![element; 11], ..tariff("T2", "EUR", "0.25") };
    assert_eq!(bench.order(change(&key, long)), refused("TooManyElements"));
    bench.pass(360);
    bench.operator.heard.clear();
    assert_eq!(bench.order(change(&key, tariff("T2", "EUR", "0.25"))), StationAnswer::Accepted);
    assert_eq!(terms(&bench)[0].2.tariff.as_ref().unwrap().as_str(), "T2");
    bench.pass(360);
    assert_eq!(bench.bay(one()).cost, Some("0.825".parse().unwrap()), "0.55 by the first and 0.275 by the second");
}

#[test]
fn on_another_version_nothing_of_it_is_said() {
    let mut bench = Bench::ready(Version::V201);
    bench.hand(two(), Deed::Want(Limits { seconds: Some(60), ..Limits::default() })).unwrap();
    bench.hand(two(), Deed::Plug(crate::bench::dc_car())).unwrap();
    bench.hand(two(), Deed::Tap(card("A"))).unwrap();
    bench.pass(61);
    assert_eq!(bench.bay(two()).phase, Phase::SuspendedByStation, "the driver's wish holds all the same");
    bench.hand(two(), Deed::Unplug).unwrap();
    assert!(terms(&bench).is_empty());
}

#[test]
fn who_pays_on_a_telephone_is_waited_for() {
    // proves: ocpp-2.1 C25.FR.22, C25.FR.27
    let paying =
        |evse| ToStation::Payment(charge::talk::line::payment::PaymentOrder::WebStarted { evse, seconds: 120 });
    let mut bench = Bench::ready(Version::V21);
    assert_eq!(bench.order(paying(one())), StationAnswer::Accepted);
    assert_eq!(bench.order(paying(EvseNo::new(9).unwrap())), StationAnswer::Accepted, "it has no other word");
    assert_eq!(bench.bay(one()).words.as_deref(), Some("Payment under way"));
    assert_eq!(bench.hand(one(), Deed::Tap(card("A"))), Err(CannotDo::Paying));
    bench.hand(one(), Deed::Plug(car())).unwrap();
    let start =
        ToStation::Start { evse: Some(one()), token: crate::bench::alias("PSP-1"), remote_id: 1, profile: None };
    assert_eq!(bench.order(start), StationAnswer::Accepted);
    assert_eq!(bench.bay(one()).phase, Phase::Charging);
    assert_eq!(bench.order(paying(two())), StationAnswer::Accepted);
    bench.pass(120);
    assert_eq!(bench.hand(two(), Deed::Tap(card("A"))), Ok(()));
}

/// The operator's words for what it could not say.
fn with_fallbacks(version: Version) -> Bench {
    let mut bench = Bench::ready(version);
    let value = |name: &str, text: &str| {
        (format!("TariffCostCtrlr.{name}FallbackMessage").into_boxed_str(), charge::Secret::new(Box::from(text)))
    };
    let values = vec![
        value("Tariff", "0.59 a kWh"),
        value("OfflineTariff", "price on your bill"),
        value("TotalCost", "see bill"),
    ];
    let StationAnswer::Written(written) = bench.order(ToStation::WriteSettings { values }) else { panic!() };
    assert!(written.iter().all(|(_, became)| *became == charge::talk::line::Written::Accepted));
    bench
}

#[test]
fn whoever_is_told_no_price_reads_the_operators_own_words_for_that() {
    // proves: I04.FR.01, I05.FR.01
    for version in [Version::V201, Version::V21] {
        let mut bench = with_fallbacks(version);
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        assert_eq!(bench.bay(one()).words.as_deref(), Some("0.59 a kWh"));
        bench.pass(60);
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        assert_eq!(bench.bay(one()).words.as_deref(), Some("see bill"), "the last answer named no cost");
        bench.hand(one(), Deed::Unplug).unwrap();
        assert_eq!(bench.bay(one()).words, None);
        // known from before, so let in without asking
        bench.cut();
        bench.hand(one(), Deed::Plug(car())).unwrap();
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        assert_eq!(bench.bay(one()).words.as_deref(), Some("price on your bill"));
        bench.hand(one(), Deed::Tap(card("A"))).unwrap();
        assert_eq!(bench.bay(one()).words.as_deref(), Some("see bill"));
    }
}
