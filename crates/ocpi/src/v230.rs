//! OCPI 2.3.0 beside 2.2.1: prices with named taxes, price limits, tariffs that say whether taxes are in them.
//!
//! The parking data of 2.3.0, its open enumerations and everything that a vendor adds pass as they are. Taxes have one
//! name here, `VAT`; several taxes become their sum. A tariff whose prices include taxes is refused: our prices are
//! before taxes, and without the rate nobody can work it out.

use charge::Decimal;

use crate::cross::{Noun, fault};
use crate::read::{Fault, Lost};
use crate::tariff::{CANCELLATION, EXPIRES, FEES};
use crate::write::{Doc, Record, number};

/// The name of the one tax that 2.2.1 knows.
const TAX_NAME: &str = "VAT";

const PRICES: [&str; 6] = [
    "total_cost",
    "total_fixed_cost",
    "total_energy_cost",
    "total_time_cost",
    "total_parking_cost",
    "total_reservation_cost",
];
/// The fees that have a word here (Bookings 1.1, `BookingRestrictionType`).
const FEE_WORDS: [(&str, &str); 2] = [(EXPIRES, "BOOKING_EXPIRES"), (CANCELLATION, "BOOKING_CANCELLATION_FEES")];
const LIMITS: [&str; 2] = ["min_price", "max_price"];

pub(crate) fn lift(noun: Noun, object: &mut Record, lost: &mut Lost) -> Result<(), Fault> {
    match noun {
        Noun::Session | Noun::Cdr => {
            for name in PRICES {
                if let Some(price) = object.record_mut(name) {
                    lift_price(price, name, lost)?;
                }
            }
            object.records_mut("tariffs").try_for_each(|tariff| lift_tariff(tariff, lost))
        }
        Noun::Tariff => lift_tariff(object, lost),
        Noun::Token
        | Noun::Verdict
        | Noun::Location
        | Noun::Evse
        | Noun::Connector
        | Noun::TokenOrder
        | Noun::Ack
        | Noun::Outcome
        | Noun::Plain => Ok(()),
    }
}

pub(crate) fn lower(noun: Noun, object: &mut Record) -> Result<(), Fault> {
    match noun {
        Noun::Session | Noun::Cdr => {
            for name in PRICES {
                if let Some(price) = object.record_mut(name) {
                    lower_price(price, name)?;
                }
            }
            object.records_mut("tariffs").for_each(lower_tariff);
            Ok(())
        }
        Noun::Tariff => {
            lower_tariff(object);
            Ok(())
        }
        Noun::Token
        | Noun::Verdict
        | Noun::Location
        | Noun::Evse
        | Noun::Connector
        | Noun::TokenOrder
        | Noun::Ack
        | Noun::Outcome
        | Noun::Plain => Ok(()),
    }
}

/// The price after taxes is the sum, where taxes are told at all.
fn lift_price(price: &mut Record, path: &str, lost: &mut Lost) -> Result<(), Fault> {
    let Some(before) = price.take("before_taxes") else { return Ok(()) };
    let no_number = || fault(&format!("/{path}"), "has an amount that is not a number");
    if let Some(Doc::List(taxes)) = price.take("taxes")
        && !taxes.is_empty()
    {
        let mut sum = before.decimal().ok_or_else(no_number)?;
        let plain = |tax: &Doc| {
            tax.as_record().is_some_and(|tax| tax.text("name") == Some(TAX_NAME) && tax.only(&["name", "amount"]))
        };
        if taxes.len() > 1 || !taxes.iter().all(plain) {
            lost.push(fault(&format!("/{path}/taxes"), "are told as their sum, without names and percentages"));
        }
        for tax in taxes {
            let amount = tax.as_record().and_then(|tax| tax.get("amount")).and_then(Doc::decimal);
            sum = sum.checked_add(amount.ok_or_else(no_number)?).ok_or_else(no_number)?;
        }
        price.set("incl_vat", number(sum));
    }
    price.set("excl_vat", before);
    Ok(())
}

fn lower_price(price: &mut Record, path: &str) -> Result<(), Fault> {
    let Some(before) = price.take("excl_vat") else { return Ok(()) };
    let mut taxes = Vec::new();
    if let Some(after) = price.take("incl_vat") {
        let both: Option<(Decimal, Decimal)> = before.decimal().zip(after.decimal());
        let amount = both.and_then(|(before, after)| after.checked_sub(before));
        let amount = amount.ok_or_else(|| fault(&format!("/{path}"), "has an amount that is not a number"))?;
        taxes.push(Record::default().with("name", TAX_NAME).with("amount", number(amount)).into());
    }
    price.set("before_taxes", before);
    price.set("taxes", Doc::List(taxes));
    Ok(())
}

fn lift_tariff(tariff: &mut Record, lost: &mut Lost) -> Result<(), Fault> {
    if tariff.take("tax_included").is_some_and(|word| word == Doc::Text("YES".to_owned())) {
        return Err(fault("/tax_included", "is YES: prices with unnamed taxes in them cannot be worked with here"));
    }
    for name in LIMITS {
        if let Some(limit) = tariff.record_mut(name) {
            limit.rename("before_taxes", "excl_vat");
            limit.rename("after_taxes", "incl_vat");
        }
    }
    lift_fees(tariff, lost);
    Ok(())
}

/// Elements that price bookings are none of 2.2.1: what they ask for once is kept beside the others.
fn lift_fees(tariff: &mut Record, lost: &mut Lost) {
    let elements = match tariff.take("elements") {
        Some(Doc::List(elements)) => elements,
        Some(other) => return tariff.set("elements", other),
        None => return,
    };
    let (mut others, mut fees) = (Vec::new(), Record::default());
    for (index, element) in elements.into_iter().enumerate() {
        let Some(word) = priced_booking(&element) else {
            others.push(element);
            continue;
        };
        let name = FEE_WORDS.iter().find(|(_, each)| *each == word).map(|(name, _)| *name);
        match name.filter(|name| fees.get(name).is_none()).zip(flat_fee(&element)) {
            Some((name, fee)) => fees.set(name, fee),
            None => lost.push(fault(&format!("/elements/{index}"), "prices a booking in a way that has no word here")),
        }
    }
    tariff.set("elements", Doc::List(others));
    if !fees.only(&[]) {
        tariff.set(FEES, fees);
    }
}

fn lower_fees(tariff: &mut Record) {
    let Some(Doc::Record(fees)) = tariff.take(FEES) else { return };
    let mut elements = match tariff.take("elements") {
        Some(Doc::List(elements)) => elements,
        Some(_) | None => Vec::new(),
    };
    for (name, word) in FEE_WORDS {
        let Some(fee) = fees.get(name).and_then(Doc::as_record) else { continue };
        let flat = Record::default()
            .with("type", "FLAT")
            .maybe("price", fee.get("price").cloned())
            .maybe("vat", fee.get("vat").cloned())
            .with("step_size", 1_u32);
        let restrictions = Record::default().with("booking", word);
        let components = vec![Doc::from(flat)];
        elements.push(Record::default().with("price_components", components).with("restrictions", restrictions).into());
    }
    tariff.set("elements", Doc::List(elements));
}

fn restrictions(element: &Doc) -> Option<&Record> {
    element.as_record()?.get("restrictions")?.as_record()
}

fn priced_booking(element: &Doc) -> Option<&str> {
    restrictions(element)?.text("booking")
}

/// What is asked once, whatever the time and the length of the booking.
fn flat_fee(element: &Doc) -> Option<Record> {
    let [component] = element.as_record()?.list("price_components") else { return None };
    let component = component.as_record().filter(|component| component.text("type") == Some("FLAT"))?;
    let fee = Record::default().with("price", component.get("price")?.clone());
    restrictions(element)?.only(&["booking"]).then(|| fee.maybe("vat", component.get("vat").cloned()))
}

fn lower_tariff(tariff: &mut Record) {
    for name in LIMITS {
        if let Some(limit) = tariff.record_mut(name) {
            limit.rename("excl_vat", "before_taxes");
            limit.rename("incl_vat", "after_taxes");
        }
    }
    lower_fees(tariff);
    tariff.set("tax_included", "NO");
}
