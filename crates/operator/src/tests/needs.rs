//! A car says what it needs: answered, given a profile, and given one again where it plans more.

use charge::talk::line::FromStation;
use charge::talk::line::charging::{ChargingNews, ChargingOrder, NeedsVerdict, Period, Profile, RateUnit, Schedule};
use charge::talk::line::document::Document;
use charge::talk::line::{Heard, ToStation};
use rust_decimal::Decimal;

use super::world::{CARD, START, World, card, no};

const NEEDS: &str = r#"{"requestedEnergyTransfer":"AC_three_phase",
    "acChargingParameters":{"energyAmount":9000,"evMinCurrent":6,"evMaxCurrent":20,"evMaxVoltage":400}}"#;

fn needs(json: &str) -> FromStation {
    let needs = Document::new(json);
    FromStation::Charging(ChargingNews::Needs { evse: no(), at: None, schedules_max: Some(4), needs })
}

fn plan(amperes: i64) -> FromStation {
    let periods = vec![Period { start: 0, limit: Some(amperes.into()), ..Period::default() }];
    let unit = RateUnit::Amperes;
    let schedule = Schedule { id: 1, start: None, lasts: None, unit, min_rate: None, periods, more: None };
    let schedule = Box::new(schedule);
    FromStation::Charging(ChargingNews::CarSchedule { evse: no(), base: START, chosen: None, schedule })
}

/// The profiles that the station was told since it was asked last.
fn given(world: &World) -> Vec<Profile> {
    let told = std::mem::take(&mut *world.line.told.lock().unwrap());
    let profiles = told.into_iter().filter_map(|told| match told {
        ToStation::Charging(ChargingOrder::Set { profile, .. }) => Some(*profile),
        _ => None,
    });
    profiles.collect()
}

fn amperes(profiles: &[Profile]) -> Vec<Option<Decimal>> {
    profiles.iter().map(|profile| profile.schedules[0].periods[0].limit).collect()
}

#[tokio::test]
async fn a_car_gets_what_it_can_take_and_its_evse_gives() {
    // proves: K15.FR.02, K15.FR.03, K17.FR.02, K17.FR.03
    let world = World::new().await;
    assert_eq!(world.say(needs(NEEDS)).await, Ok(Heard::Needs(NeedsVerdict::Rejected)), "nothing runs there");
    world.start(card(CARD), 1_000).await;
    world.rounds().await;
    given(&world);
    // once before it begins, and once more in the middle of it
    for most in ["20", "63"] {
        world.clock.advance(std::time::Duration::from_secs(60));
        let said = NEEDS.replace("\"evMaxCurrent\":20", &format!("\"evMaxCurrent\":{most}"));
        assert_eq!(world.say(needs(&said)).await, Ok(Heard::Needs(NeedsVerdict::Accepted)));
        world.rounds().await;
        let profiles = given(&world);
        // the EVSE gives 32
        assert_eq!(amperes(&profiles), [Some(Decimal::from(if most == "20" { 20 } else { 32 }))]);
        assert!(profiles[0].key.is_some() && profiles[0].schedules[0].periods[0].phases == Some(3));
    }
    world.rounds().await;
    assert_eq!(given(&world), [], "once");
    let vague = world.say(needs("{}")).await;
    assert_eq!(vague, Ok(Heard::Needs(NeedsVerdict::Rejected)));
}

#[tokio::test]
async fn a_plan_within_the_limits_is_taken_and_another_is_told_what_it_may_have() {
    // proves: K15.FR.11, K15.FR.12, K15.FR.13, K16.FR.06, K16.FR.07, K16.FR.08, K17.FR.12, K17.FR.13
    let world = World::new().await;
    assert_eq!(world.say(plan(500)).await, Ok(Heard::Taken(true)), "of nothing that runs");
    world.start(card(CARD), 1_000).await;
    world.rounds().await;
    given(&world);
    assert_eq!(world.say(plan(32)).await, Ok(Heard::Taken(true)));
    world.rounds().await;
    assert_eq!(given(&world), []);
    assert_eq!(world.say(plan(33)).await, Ok(Heard::Taken(false)));
    world.rounds().await;
    assert_eq!(amperes(&given(&world)), [Some(Decimal::from(32))]);
}
