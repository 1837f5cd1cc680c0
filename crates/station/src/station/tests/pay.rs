//! The code for paying without a contract: when it is shown, and what it says.

use charge::Secret;
use charge::talk::line::payment::PaymentOrder;
use charge::talk::line::terms::Limits;
use charge::talk::line::{Version, Written};
use charge::units::Energy;
use trust::totp::Totp;

use super::*;
use crate::bench::{alias, car, one};

const SECRET: &str = "sixteen letters and more";

fn write(bench: &mut Bench, values: &[(&str, &str)]) -> Vec<Written> {
    let values = values.iter().map(|(key, value)| (Box::from(*key), Secret::new(Box::from(*value)))).collect();
    let StationAnswer::Written(written) = bench.order(ToStation::WriteSettings { values }) else { panic!() };
    written.into_iter().map(|(_, became)| became).collect()
}

fn shows(version: Version) -> Bench {
    let mut bench = Bench::ready(version);
    let all = [
        ("WebPaymentsCtrlr.URLTemplate", "https://pay.example/{ChargingStationId}/{evse}/{totp}/{version}"),
        ("WebPaymentsCtrlr.SharedSecret", SECRET),
        ("WebPaymentsCtrlr.TOTPVersion", "v1"),
        ("WebPaymentsCtrlr.ValidityTime", "60"),
        ("WebPaymentsCtrlr.Length", "10"),
    ];
    assert_eq!(write(&mut bench, &all), vec![Written::Accepted; 5]);
    assert_eq!(bench.bay(one()).pay, None, "not switched on yet");
    assert_eq!(write(&mut bench, &[("WebPaymentsCtrlr.Enabled", "true")]), [Written::Accepted]);
    bench
}

#[test]
fn the_code_has_the_password_of_the_moment_and_the_wishes_of_the_driver() {
    // proves: ocpp-2.1 C25.FR.01, C25.FR.04, C25.FR.05, C25.FR.06
    let mut bench = shows(Version::V21);
    let totp = Totp { secret: Secret::new(SECRET.to_owned()), validity_s: 60, length: 10 };
    let first = bench.bay(one()).pay.unwrap();
    let expected = format!("https://pay.example/LEY-0001/1/{}/v1", totp.at(bench.now));
    assert_eq!(*first, *expected);
    bench.pass(60);
    let second = bench.bay(one()).pay.unwrap();
    assert_ne!(first, second, "drawn anew by itself");
    let wishes = Limits { cost: "12.50".parse().ok(), energy: Some(Energy::from_wh(9_000)), ..Limits::default() };
    bench.hand(one(), Deed::Want(wishes)).unwrap();
    assert!(bench.bay(one()).pay.unwrap().ends_with("/v1?maxenergy=9000&maxcost=12.5"));
}

#[test]
fn no_code_is_shown_where_nothing_could_begin() {
    assert_eq!(shows(Version::V201).bay(one()).pay, None);
    let mut bench = shows(Version::V21);
    bench.order(ToStation::Payment(PaymentOrder::WebStarted { evse: one(), seconds: 120 }));
    assert_eq!(bench.bay(one()).pay, None, "somebody pays");
    bench.order(ToStation::Payment(PaymentOrder::WebStarted { evse: one(), seconds: 0 }));
    assert!(bench.bay(one()).pay.is_some(), "and has gone away again");
    bench.hand(one(), Deed::Plug(car())).unwrap();
    assert!(bench.bay(one()).pay.is_some());
    let start = ToStation::Start { evse: Some(one()), token: alias("P1"), remote_id: 1, profile: None };
    assert_eq!(bench.order(start), StationAnswer::Accepted);
    assert_eq!(bench.bay(one()).pay, None, "a car charges");
}

#[test]
fn what_cannot_be_a_password_is_not_taken() {
    let mut bench = Bench::ready(Version::V21);
    let all = [
        ("WebPaymentsCtrlr.SharedSecret", "short"),
        ("WebPaymentsCtrlr.TOTPVersion", "v2"),
        ("WebPaymentsCtrlr.ValidityTime", "5"),
        ("WebPaymentsCtrlr.Length", "5"),
        ("WebPaymentsCtrlr.URLParameters", "maxcost"),
    ];
    assert_eq!(write(&mut bench, &all), vec![Written::Rejected; 5]);
    let keys: Vec<Box<str>> = vec!["WebPaymentsCtrlr.SharedSecret".into()];
    let StationAnswer::Settings { known, .. } = bench.order(ToStation::ReadSettings { keys }) else { panic!() };
    assert!(known.iter().all(|setting| setting.value.is_none()));
}
