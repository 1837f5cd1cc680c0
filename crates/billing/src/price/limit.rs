//! Minimum and maximum of a tariff: they bind net and gross separately (OCPI 2.2.1, 11.3.1 `min_price`, `max_price`).
//!
//! Where only the net is bound, its VAT moves with it: at the one rate of the session if there is one, else in
//! proportion.

use charge::Decimal;
use charge::money::Price;
use charge::tariff::Tariff;
use rust_decimal::RoundingStrategy;

use super::engine::gross;
use super::{Adjustment, Line, QUOTIENT_PLACES};

/// The total within the tariff's bounds, and what they did; `None` on overflow.
pub(super) fn apply(tariff: &Tariff, lines: &[Line], raw: Price) -> Option<(Price, Option<Adjustment>)> {
    let mut total = raw;
    let mut rule = "";
    if let Some(min) = tariff.min_price {
        let raised = bound(tariff, lines, total, min, Decimal::max)?;
        if raised != total {
            (total, rule) = (raised, "the tariff's minimum price");
        }
    }
    if let Some(max) = tariff.max_price {
        let lowered = bound(tariff, lines, total, max, Decimal::min)?;
        if lowered != total {
            (total, rule) = (lowered, "the tariff's maximum price");
        }
    }
    if rule.is_empty() {
        return Some((total, None));
    }
    let with_vat = match total.with_vat {
        Some(gross) => Some(gross.checked_sub(raw.with_vat.unwrap_or(raw.before_vat))?),
        None => None,
    };
    let amount = Price { before_vat: total.before_vat.checked_sub(raw.before_vat)?, with_vat };
    Some((total, Some(Adjustment { rule, amount })))
}

fn bound(
    tariff: &Tariff,
    lines: &[Line],
    total: Price,
    limit: Price,
    pick: fn(Decimal, Decimal) -> Decimal,
) -> Option<Price> {
    let net = pick(total.before_vat, limit.before_vat);
    let moved = match total.with_vat {
        Some(_) if net != total.before_vat => Some(with_vat(tariff, lines, total, net)?),
        unmoved => unmoved,
    };
    let with_vat = match (moved, limit.with_vat) {
        (moved, None) => moved,
        (moved, Some(limit)) => Some(pick(moved.unwrap_or(net), limit)),
    };
    // a gross maximum below the net would ask for negative VAT: it binds both
    let net = with_vat.filter(|_| !net.is_sign_negative()).map_or(net, |gross| net.min(gross));
    Some(Price { before_vat: net, with_vat })
}

/// The gross amount of a net that a limit has moved.
fn with_vat(tariff: &Tariff, lines: &[Line], total: Price, net: Decimal) -> Option<Decimal> {
    let mut used: Vec<Option<Decimal>> = lines.iter().map(|line| line.vat_percent).collect();
    if used.is_empty() {
        used = tariff.elements.iter().flat_map(|e| &e.components).map(|c| c.vat_percent).collect();
    }
    used.dedup();
    match (used.as_slice(), total.with_vat) {
        ([Some(rate)], _) => gross(net, *rate),
        (_, Some(gross)) if !total.before_vat.is_zero() => {
            let scaled = gross.checked_mul(net)?.checked_div(total.before_vat)?;
            Some(scaled.round_dp_with_strategy(QUOTIENT_PLACES, RoundingStrategy::MidpointAwayFromZero).normalize())
        }
        _ => Some(net),
    }
}
