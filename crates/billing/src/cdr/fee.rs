//! The fee for a booking that no session came of: a CDR without energy, without periods of charging, without a meter
//! (OCPI 2.3.0, Bookings 1.1, `booking_id`).
//!
//! Whether a booking ended so is the room's word. Invariant: what is asked is the fee that the agreed tariff names for
//! that end, once, and nothing else of the tariff.

use charge::id::{AuthorizationReference, BookingId, CdrId, PartyId};
use charge::record::{AuthMethod, Cdr, Period, RecordPlace, RecordToken};
use charge::tariff::{BookingEnd, Tariff};
use charge::units::Energy;
use charge::{Decimal, Timestamp};

use super::audit::{Audit, Found, costs, order, tariff};
use crate::price::{PriceFault, price};
use crate::record::verify;

/// A booking that ended without a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    pub party: PartyId,
    pub id: CdrId,
    pub booking: BookingId,
    /// How and when it ended.
    pub end: BookingEnd,
    pub at: Timestamp,
    pub token: RecordToken,
    pub reference: AuthorizationReference,
    pub place: RecordPlace,
    /// As agreed when it was booked.
    pub tariff: Tariff,
}

/// The CDR of a booking that ended without a session. `None`: that costs nothing.
pub fn fee(of: Unused) -> Result<Option<Cdr>, PriceFault> {
    let Some(fee) = of.tariff.of_booking(of.end) else { return Ok(None) };
    let periods = vec![Period { start: of.at, energy: None, charging: false, max_power: None }];
    let priced = price(&fee, ANY_ZONE, &periods, of.at)?;
    let remark = match of.end {
        BookingEnd::Expires => "Nobody came for the booking in time.",
        BookingEnd::Cancellation => "The booking was cancelled too late for that to cost nothing.",
    };
    Ok(Some(Cdr {
        party: of.party,
        id: of.id,
        start: of.at,
        end: of.at,
        session: None,
        booking: Some(of.booking),
        token: of.token,
        auth_method: AuthMethod::Command,
        reference: Some(of.reference),
        place: of.place,
        meter: None,
        currency: of.tariff.currency,
        tariff: of.tariff,
        periods,
        signed: Vec::new(),
        energy: Energy::ZERO,
        total_time_h: Decimal::ZERO,
        parking_time_h: Decimal::ZERO,
        total_cost: priced.total,
        energy_cost: None,
        time_cost: None,
        parking_cost: None,
        fixed_cost: priced.fixed,
        remark: Some(remark.to_owned()),
        credit: false,
        credit_reference: None,
        last_updated: of.at,
    }))
}

/// The receiver's check of such a CDR. `end` is how the booking ended as far as the receiver knows; `None` where it did
/// not end in a way that costs anything.
pub fn audit_fee(cdr: &Cdr, agreed: Option<&Tariff>, end: Option<BookingEnd>) -> Audit {
    let mut found = Found::default();
    if let Some(agreed) = agreed {
        tariff(cdr, agreed, &mut found);
        if cdr.tariff.booking != agreed.booking {
            found.add("/tariffs/0/elements", "other fees for bookings", "those that were agreed");
        }
    }
    if cdr.energy != Energy::ZERO {
        found.add("/total_energy", cdr.energy, Energy::ZERO);
    }
    order(cdr, &mut found);
    let fee = end.and_then(|end| agreed.unwrap_or(&cdr.tariff).of_booking(end));
    let priced = match fee.map(|fee| price(&fee, ANY_ZONE, &cdr.periods, cdr.end)) {
        Some(Ok(priced)) => {
            costs(cdr, &priced, &mut found);
            Some(priced)
        }
        Some(Err(fault)) => {
            found.add("/charging_periods", "as sent", fault);
            None
        }
        None => {
            found.add("/booking_id", "a fee", "this booking costs nothing");
            None
        }
    };
    Audit { differences: found.into_all(), evidence: verify(&[], None), priced }
}

/// A fee does not ask for the time of day.
const ANY_ZONE: &str = "UTC";
