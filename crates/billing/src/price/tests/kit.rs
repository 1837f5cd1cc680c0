//! A second opinion: the engine of `ocpi-kit` over the same generated sessions.

use charge::tariff::{Component, Restrictions, Tariff};
use charge::{Decimal, Timestamp};
use ocpi_kit::tariffs::{PricedPeriod, PricedSession, PricingEngine, PricingPolicy, TimeZone};
use ocpi_kit::types::{DateTime, Number};
use ocpi_kit::v2_3_0::tariffs as wire;
use proptest::prelude::*;

use super::*;

fn number(value: Decimal) -> Number {
    value.to_string().parse().unwrap()
}

fn moment(at: Timestamp) -> DateTime {
    at.to_string().parse().unwrap()
}

fn theirs(tariff: &Tariff) -> wire::Tariff {
    let component = |c: &Component| wire::PriceComponent {
        component_type: match c.dimension {
            Dimension::Energy => wire::TariffDimensionType::Energy,
            Dimension::Flat => wire::TariffDimensionType::Flat,
            Dimension::Time => wire::TariffDimensionType::Time,
            Dimension::ParkingTime => wire::TariffDimensionType::ParkingTime,
        },
        price: number(c.price),
        vat: c.vat_percent.map(number),
        step_size: c.step_size,
        extensions: Default::default(),
    };
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60).parse().unwrap();
    let restrictions = |r: &Restrictions| wire::TariffRestrictions {
        start_time: r.start_minute.map(clock),
        end_time: r.end_minute.map(clock),
        min_kwh: r.min_energy.map(|e| number(e.kwh())),
        max_duration: r.max_duration_s.map(u64::from),
        ..Default::default()
    };
    let element = |e: &Element| {
        wire::TariffElement::builder()
            .price_components(e.components.iter().map(component).collect::<Vec<_>>())
            .restrictions(restrictions(&e.restrictions))
            .build()
    };
    wire::Tariff::builder()
        .country_code("DE")
        .party_id("LEY")
        .id("T1")
        .currency("EUR")
        .elements(tariff.elements.iter().map(element).collect::<Vec<_>>())
        .tax_included(wire::TaxIncluded::No)
        .last_updated(moment(tariff.last_updated))
        .build()
}

fn session(periods: &[Period], end: Timestamp) -> PricedSession {
    let stops = periods.iter().skip(1).map(|p| p.start).chain([end]);
    let mut session =
        PricedSession::new(moment(periods[0].start), TimeZone::named("Europe/Berlin").unwrap()).ending(moment(end));
    for (period, stop) in periods.iter().zip(stops) {
        let hours = number(Decimal::from(stop.secs() - period.start.secs())) / number(3_600.into());
        let (charging_hours, parking_hours) =
            if period.charging { (hours, Number::ZERO) } else { (Number::ZERO, hours) };
        session = session.with_period(PricedPeriod {
            energy_kwh: number(period.energy.unwrap_or_default().kwh()),
            charging_hours,
            parking_hours,
            ..PricedPeriod::new(moment(period.start))
        });
    }
    session
}

fn some_component() -> impl Strategy<Value = Component> {
    let dimension =
        prop::sample::select(vec![Dimension::Energy, Dimension::Flat, Dimension::Time, Dimension::ParkingTime]);
    let step = prop::sample::select(vec![1u32, 60, 100, 500, 900]);
    (dimension, 0i64..200, prop::option::of(0i64..30), step).prop_map(|(dimension, cents, vat, step_size)| Component {
        dimension,
        price: Decimal::new(cents, 2),
        vat_percent: vat.map(Decimal::from),
        step_size,
    })
}

fn some_element() -> impl Strategy<Value = Element> {
    let restrictions = (
        prop::option::of(0u16..1_440),
        prop::option::of(1u16..1_440),
        prop::option::of(0i64..30_000),
        prop::option::of(0u32..20_000),
    );
    (prop::collection::vec(some_component(), 1..4), restrictions).prop_map(|(components, (start, end, wh, secs))| {
        let restrictions = Restrictions {
            start_minute: start,
            end_minute: end,
            min_energy: wh.map(Energy::from_wh),
            max_duration_s: secs,
            ..Restrictions::default()
        };
        Element { components, restrictions }
    })
}

fn some_periods() -> impl Strategy<Value = (Vec<Period>, Timestamp)> {
    let begin = 1_761_300_000i64..1_761_500_000; // around the end of summer time in 2025
    let stretch = (1i64..20_000, 0i64..30_000, any::<bool>());
    (begin, prop::collection::vec(stretch, 1..6)).prop_map(|(begin, stretches)| {
        let mut start = begin;
        let mut periods = Vec::new();
        for (seconds, wh, charging) in stretches {
            let energy = charging.then_some(Energy::from_wh(wh));
            periods.push(Period { start: Timestamp::from_secs(start), energy, charging, max_power: None });
            start += seconds;
        }
        (periods, Timestamp::from_secs(start))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn both_engines_agree(
        elements in prop::collection::vec(some_element(), 1..4),
        (periods, end) in some_periods(),
    ) {
        let tariff = tariff(elements);
        let ours = price(&tariff, "Europe/Berlin", &periods, end).unwrap();
        let mut policy = PricingPolicy::default();
        (policy.component_decimals, policy.currency_decimals, policy.quantity_decimals) = (10, 10, 12);
        let theirs = PricingEngine::with_policy(policy).price(&session(&periods, end), &[theirs(&tariff)]).unwrap();
        let near = |ours: Decimal, theirs: Number| (ours - dec(&theirs.to_string())).abs() <= Decimal::new(1, 6);
        prop_assert!(near(ours.total.before_vat, theirs.total_excl_vat), "{ours:#?} {theirs}");
        if let Some(gross) = ours.total.with_vat {
            prop_assert!(near(gross, theirs.total_incl_vat), "{ours:#?} {theirs}");
        }
    }
}
