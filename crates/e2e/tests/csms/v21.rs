//! What is new in 2.1, at the same operator: a station that speaks nothing else.

mod grid;
mod limits;
mod power;
mod prices;
mod resuming;

use charge::id::TransactionKey;
use charge::talk::line::ToStation;
use charge::talk::line::charging::{ChargingOrder, Period, Profile, ProfileKind, ProfilePurpose, RateUnit, Schedule};
use operator::StationOrder;
use serde_json::{Value, json};

use super::house::{House, evse};
use super::pole::{Pole, time};
use super::visit::Visit;

/// What most orders are answered.
fn accepted() -> Value {
    json!({"status": "Accepted"})
}

fn word(told: ToStation) -> StationOrder {
    StationOrder::Word(Box::new(told))
}

fn key(of: &Visit) -> TransactionKey {
    TransactionKey::Text(of.tx.as_str().into())
}

/// One period without an end at EVSE 1, in watts; the members that 2.1 has more are laid in by whoever needs them.
fn profile(purpose: ProfilePurpose, kind: ProfileKind, period: Period) -> Profile {
    let schedule = Schedule {
        id: 1,
        start: None,
        lasts: None,
        unit: RateUnit::Watts,
        min_rate: None,
        periods: vec![period],
        more: None,
    };
    let (valid_from, valid_until, key, more) = (None, None, None, None);
    Profile { id: 5, stack_level: 2, purpose, kind, valid_from, valid_until, key, schedules: vec![schedule], more }
}

fn set(profile: Profile) -> StationOrder {
    word(ToStation::Charging(ChargingOrder::Set { evse: Some(evse(1)), profile: Box::new(profile) }))
}

/// Says what the station can do, as a report does it.
async fn reports(pole: &mut Pole, variables: &[(&str, &str, Option<&str>, &str)]) {
    let row = |(component, variable, instance, value): &(&str, &str, Option<&str>, &str)| {
        let mut named = json!({"name": variable});
        if let Some(instance) = instance {
            named["instance"] = json!(instance);
        }
        json!({"component": {"name": component}, "variable": named, "variableAttribute": [{"value": value}]})
    };
    let rows: Vec<_> = variables.iter().map(row).collect();
    let said = json!({"requestId": 1, "generatedAt": time(), "seqNo": 0, "reportData": rows});
    assert_eq!(pole.call("NotifyReport", said).await, json!({}));
}

/// A car that charges at EVSE 1 of a station of 2.1.
async fn charging(house: &House) -> (Pole, Visit) {
    let mut pole = house.booted_new().await;
    let mut visit = Visit::at(1);
    visit.charging(&mut pole, super::house::VALID).await;
    (pole, visit)
}
