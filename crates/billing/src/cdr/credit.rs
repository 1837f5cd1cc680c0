//! The only correction of a CDR: a second one that takes the whole of it back.
//!
//! All original data stay (OCPI 2.2.1, 10.3.1 `credit`); the amounts are negative, and so they are when a credit CDR is
//! audited. Energy and times stay positive: they were delivered.

use charge::Timestamp;
use charge::id::CdrId;
use charge::money::Price;
use charge::record::Cdr;

/// A credit CDR for `cdr`, made at `at`.
pub fn credit(cdr: &Cdr, id: CdrId, at: Timestamp) -> Cdr {
    Cdr {
        id,
        credit: true,
        credit_reference: Some(cdr.id.clone()),
        total_cost: negative(cdr.total_cost),
        energy_cost: cdr.energy_cost.map(negative),
        time_cost: cdr.time_cost.map(negative),
        parking_cost: cdr.parking_cost.map(negative),
        fixed_cost: cdr.fixed_cost.map(negative),
        last_updated: at,
        ..cdr.clone()
    }
}

pub(super) fn negative(price: Price) -> Price {
    Price { before_vat: -price.before_vat, with_vat: price.with_vat.map(|gross| -gross) }
}
