//! The four probes of the handbook: traps on which implementations differ, with their expected values.

use charge::tariff::{Component, Dimension, Element, Restrictions, Tariff};
use charge::units::Energy;
use serde_json::Value;

use super::*;
use crate::fixture::shared;

fn probe(cdr: &str, tariff: &str) -> Option<Priced> {
    let read = |name: &str| shared(&format!("spec/tariffs/probes/{name}.json"));
    let cdr: Value = serde_json::from_str(&read(cdr)?).unwrap();
    let tariff: Value = serde_json::from_str(&read(tariff)?).unwrap();
    let end = at(cdr["end_date_time"].as_str().unwrap());
    let periods: Vec<Period> = cdr["charging_periods"].as_array().unwrap().iter().map(period).collect();
    Some(price(&self::tariff(&tariff), "Europe/Berlin", &periods, end).unwrap())
}

fn period(json: &Value) -> Period {
    let volume = |kind: &str| {
        let dimensions = json["dimensions"].as_array().unwrap();
        dimensions.iter().find(|d| d["type"] == kind).map(|d| dec(&d["volume"].to_string()))
    };
    Period {
        start: at(json["start_date_time"].as_str().unwrap()),
        energy: volume("ENERGY").and_then(Energy::from_kwh),
        charging: volume("PARKING_TIME").is_none(),
        max_power: None,
    }
}

fn tariff(json: &Value) -> Tariff {
    let minute = |clock: &Value| {
        let (hours, minutes) = clock.as_str()?.split_once(':')?;
        Some(hours.parse::<u16>().unwrap() * 60 + minutes.parse::<u16>().unwrap())
    };
    let element = |json: &Value| Element {
        components: json["price_components"].as_array().unwrap().iter().map(component).collect(),
        restrictions: Restrictions {
            start_minute: minute(&json["restrictions"]["start_time"]),
            end_minute: minute(&json["restrictions"]["end_time"]),
            ..Restrictions::default()
        },
    };
    crate::fixture::tariff(json["elements"].as_array().unwrap().iter().map(element).collect())
}

fn component(json: &Value) -> Component {
    Component {
        dimension: match json["type"].as_str().unwrap() {
            "ENERGY" => Dimension::Energy,
            "FLAT" => Dimension::Flat,
            "TIME" => Dimension::Time,
            "PARKING_TIME" => Dimension::ParkingTime,
            other => panic!("{other}"),
        },
        price: dec(&json["price"].to_string()),
        vat_percent: json.get("vat").map(|vat| dec(&vat.to_string())),
        step_size: u32::try_from(json["step_size"].as_u64().unwrap()).unwrap(),
    }
}

#[test]
fn a_energy_steps_go_to_the_last_price() {
    let Some(priced) = probe("A", "tA") else { return };
    assert_eq!(priced.total.before_vat, dec("1.184"));
    assert_eq!(priced.lines[1].quantity, dec("1.2"));
    assert_eq!(priced.lines[1].rule, "element 2, steps of 500 Wh: 5.4 kWh of the session billed as 5.5 kWh");
}

#[test]
fn b_the_text_of_the_specification_counts_and_not_its_table() {
    let Some(priced) = probe("B", "t3") else { return };
    assert_eq!(priced.total.before_vat, dec("5.625"));
    assert_eq!(priced.total.with_vat, Some(dec("6.2375")));
}

#[test]
fn c_the_repeated_hour_is_night_twice() {
    let Some(priced) = probe("C", "tC") else { return };
    assert_eq!(priced.total.before_vat, dec("2"));
    assert_eq!((priced.lines.len(), priced.lines[0].quantity), (1, dec("2")));
}

#[test]
fn d_parking_takes_the_step_and_charging_does_not() {
    let Some(priced) = probe("D", "tD") else { return };
    assert_eq!(priced.time.unwrap().before_vat, dec("0.35"));
    assert_eq!(priced.parking.unwrap().before_vat, dec("0.666666666667"));
}
