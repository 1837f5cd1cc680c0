//! Flaws of a tariff, found before anybody is charged by it.
//!
//! Errors must not be offered to the public; warnings are for a person to judge. Law is AFIR (EU 2023/1804) article
//! 5(4) on prices ad hoc and needs expert review before real use.

use charge::tariff::{Component, Dimension, Element, Restrictions, Tariff};
use charge::units::Power;
use jiff::civil::Date;

use super::headline::condition;

/// From here on, prices ad hoc are per kWh, with at most an occupancy fee per minute (AFIR article 5(4)).
const FAST: Power = Power::from_watts(50_000);

/// How bad a flaw is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Must not be offered.
    Error,
    Warning,
}

/// A flaw of a tariff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// Stable name of the rule.
    pub rule: &'static str,
    /// JSON path in OCPI spelling.
    pub path: String,
    /// In plain words.
    pub text: &'static str,
}

/// Looks for flaws of a tariff at an EVSE of this power.
pub fn lint(tariff: &Tariff, max_power: Power) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut say = |severity, rule, path: String, text| findings.push(Finding { severity, rule, path, text });
    whole(tariff, max_power, &mut say);
    for (index, element) in tariff.elements.iter().enumerate() {
        let path = format!("/elements/{index}");
        if element.components.is_empty() {
            say(Severity::Error, "element-empty", path.clone(), "the element prices nothing");
        }
        restrictions(&element.restrictions, &format!("{path}/restrictions"), &mut say);
        for (at, component) in element.components.iter().enumerate() {
            let path = format!("{path}/price_components/{at}");
            self::component(component, element, max_power, &path, &mut say);
            if element.components[..at].iter().any(|c| c.dimension == component.dimension) {
                say(Severity::Error, "component-twice", path.clone(), "the element already has a price of this kind");
            }
            if shadowed(tariff, index, component.dimension) {
                say(
                    Severity::Warning,
                    "unreachable",
                    path,
                    "an element before it always applies: this price never does",
                );
            }
        }
    }
    findings
}

/// What a rule says: severity, rule, path, text.
type Say<'a> = dyn FnMut(Severity, &'static str, String, &'static str) + 'a;

fn whole(tariff: &Tariff, max_power: Power, say: &mut Say<'_>) {
    let of = |dimension| tariff.elements.iter().filter(move |e| e.components.iter().any(|c| c.dimension == dimension));
    if tariff.elements.is_empty() {
        say(Severity::Error, "no-element", "/elements".to_owned(), "the tariff has no element: everything is free");
    }
    if max_power >= FAST && of(Dimension::Energy).next().is_none() {
        let text = "from 50 kW on the price ad hoc must be per kWh (AFIR 5(4))";
        say(Severity::Error, "afir-per-kwh", "/elements".to_owned(), text);
    }
    for dimension in [Dimension::Energy, Dimension::Time, Dimension::ParkingTime, Dimension::Flat] {
        let conditional = |element: &&Element| condition(&element.restrictions).is_some();
        let grace = |element: &&Element| element.restrictions.min_duration_s.is_some();
        let mut priced = of(dimension).peekable();
        let meant = dimension == Dimension::ParkingTime && of(dimension).all(|element| grace(&element));
        if priced.peek().is_some() && !meant && priced.all(|element| conditional(&element)) {
            let text = "every price of this kind has a condition: where none holds, it is free";
            say(Severity::Warning, "sometimes-free", "/elements".to_owned(), text);
        }
    }
    if let (Some(min), Some(max)) = (tariff.min_price, tariff.max_price)
        && min.before_vat > max.before_vat
    {
        say(Severity::Error, "min-over-max", "/min_price".to_owned(), "the minimum price is above the maximum price");
    }
    if let (Some(from), Some(until)) = (tariff.valid_from, tariff.valid_until)
        && from >= until
    {
        say(Severity::Error, "never-valid", "/end_date_time".to_owned(), "the tariff ends before it begins");
    }
}

fn component(component: &Component, element: &Element, max_power: Power, path: &str, say: &mut Say<'_>) {
    let fast = max_power >= FAST;
    match component.dimension {
        Dimension::Flat if fast => {
            let text = "from 50 kW on a fee per session is not allowed ad hoc (AFIR 5(4))";
            say(Severity::Error, "afir-no-flat", path.to_owned(), text);
        }
        Dimension::Time if fast => {
            let text = "from 50 kW on charging time may not be priced ad hoc, only occupancy (AFIR 5(4))";
            say(Severity::Error, "afir-no-time", path.to_owned(), text);
        }
        Dimension::ParkingTime if element.restrictions.min_duration_s.is_none() && !component.price.is_zero() => {
            let text = "the occupancy fee has no grace period: it begins in the second in which charging ends";
            say(Severity::Warning, "no-grace", path.to_owned(), text);
        }
        Dimension::Energy | Dimension::Flat | Dimension::ParkingTime | Dimension::Time => {}
    }
    if component.price.is_sign_negative() && !component.price.is_zero() {
        say(Severity::Error, "negative-price", format!("{path}/price"), "the price is below zero");
    }
    match component.vat_percent {
        None => {
            let text = "no VAT is named: consumers cannot be shown the price that they pay";
            say(Severity::Warning, "no-vat", format!("{path}/vat"), text);
        }
        Some(percent) if percent.is_sign_negative() && !percent.is_zero() => {
            say(Severity::Error, "negative-vat", format!("{path}/vat"), "the VAT is below zero");
        }
        Some(_) => {}
    }
    if component.step_size == 0 {
        say(Severity::Warning, "step-zero", format!("{path}/step_size"), "a step of zero means nothing; 1 is exact");
    }
}

fn restrictions(r: &Restrictions, path: &str, say: &mut Say<'_>) {
    const MINUTES_PER_DAY: u16 = 24 * 60;
    let never = "both bounds exclude each other: the element never applies";
    if [r.start_minute, r.end_minute].into_iter().flatten().any(|minute| minute >= MINUTES_PER_DAY) {
        say(Severity::Error, "no-time-of-day", path.to_owned(), "a day ends at 23:59");
    }
    let bounds = [
        (r.min_energy.zip(r.max_energy).is_some_and(|(min, max)| min >= max), "max_kwh"),
        (r.min_power.zip(r.max_power).is_some_and(|(min, max)| min >= max), "max_power"),
        (r.min_duration_s.zip(r.max_duration_s).is_some_and(|(min, max)| min >= max), "max_duration"),
        (r.start_date.as_ref().zip(r.end_date.as_ref()).is_some_and(|(from, until)| from >= until), "end_date"),
    ];
    for (_, field) in bounds.into_iter().filter(|(contradicts, _)| *contradicts) {
        say(Severity::Error, "never-applies", format!("{path}/{field}"), never);
    }
    for (date, field) in [(&r.start_date, "start_date"), (&r.end_date, "end_date")] {
        if date.as_ref().is_some_and(|text| text.len() != 10 || text.parse::<Date>().is_err()) {
            say(Severity::Error, "no-date", format!("{path}/{field}"), "this is no date of the form YYYY-MM-DD");
        }
    }
}

/// Does an element before this one price the same without any condition?
fn shadowed(tariff: &Tariff, index: usize, dimension: Dimension) -> bool {
    tariff.elements[..index].iter().any(|element| {
        condition(&element.restrictions).is_none() && element.components.iter().any(|c| c.dimension == dimension)
    })
}
