//! Prices that a provider of ours agreed with operators beside the broker.
//!
//! OICP 2.0 has no word for a price, and not every broker of 2.3 carries products: without an agreement no driver could
//! accept a price there and no record could be rated. Deliberately simple: what an operator wants for a kilowatt-hour, an
//! hour and a session. Invariant: what a broker tells of an EVSE's products counts more than what was agreed.

use charge::id::PartyId;
use charge::money::Currency;
use charge::place::Location;
use charge::tariff::{BookingFees, Component, Dimension, Element, Restrictions, Tariff};
use charge::{Decimal, Timestamp};
use oicp::bridge::tariff::tariff_id;

/// What one operator is paid for one of its products. Prices without VAT, in the member's currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    pub operator: PartyId,
    /// As its records name it.
    pub product: String,
    pub per_kwh: Option<Decimal>,
    /// While it charges.
    pub per_hour: Option<Decimal>,
    pub per_session: Option<Decimal>,
}

impl Agreed {
    /// `None`: the product's name cannot be that of a tariff, or nothing has a price.
    pub fn tariff(&self, currency: Currency, now: Timestamp) -> Option<Tariff> {
        let priced =
            [(Dimension::Energy, self.per_kwh), (Dimension::Time, self.per_hour), (Dimension::Flat, self.per_session)];
        let component = |(dimension, price): (Dimension, Option<Decimal>)| {
            Some(Component { dimension, price: price?, vat_percent: None, step_size: 1 })
        };
        let components: Vec<Component> = priced.into_iter().filter_map(component).collect();
        let id = tariff_id(&self.product).filter(|_| !components.is_empty())?;
        Some(Tariff {
            party: self.operator,
            id,
            currency,
            text: None,
            elements: vec![Element { components, restrictions: Restrictions::default() }],
            min_price: None,
            max_price: None,
            valid_from: None,
            valid_until: None,
            booking: BookingFees::default(),
            last_updated: now,
        })
    }
}

/// A place whose EVSEs have no price yet gets what was agreed with its operator.
pub(super) fn priced(agreed: &[Tariff], mut location: Location) -> Location {
    let of_operator = || agreed.iter().filter(|tariff| tariff.party == location.party).map(|tariff| tariff.id.clone());
    let ids: Vec<_> = of_operator().collect();
    let connectors = location.evses.iter_mut().flat_map(|evse| &mut evse.connectors);
    for connector in connectors.filter(|connector| connector.tariffs.is_empty()) {
        connector.tariffs.clone_from(&ids);
    }
    location
}

/// What a record that names no product is rated by: the only thing that was agreed with its operator.
pub(super) fn only(agreed: &[Tariff], operator: PartyId) -> Option<&Tariff> {
    let mut own = agreed.iter().filter(|tariff| tariff.party == operator);
    own.next().filter(|_| own.next().is_none())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;
    use crate::road::tests::samples;

    fn agreed(product: &str) -> Agreed {
        let operator = samples::location().party;
        let per_kwh = Some("0.40".parse().unwrap());
        Agreed { operator, product: product.to_owned(), per_kwh, per_hour: None, per_session: None }
    }

    #[test]
    fn what_was_agreed_stands_where_no_price_was_told() {
        let tariff = |product: &str| agreed(product).tariff(Currency::EUR, Timestamp::from_secs(0));
        let (first, second) = (tariff("AC 1").unwrap(), tariff("DC 1").unwrap());
        assert_eq!((first.id.as_str(), first.elements[0].components.len()), ("AC_1", 1));
        let told = samples::location();
        let before = told.evses[0].connectors[0].tariffs.clone();
        assert!(!before.is_empty());
        let told = priced(std::slice::from_ref(&first), told);
        assert_eq!(told.evses[0].connectors[0].tariffs, before, "the broker knows better");
        let mut untold = told.clone();
        untold.evses[0].connectors[0].tariffs.clear();
        let mut elsewhere = untold.clone();
        elsewhere.party = "DE-XXX".parse().unwrap();
        let now = priced(std::slice::from_ref(&first), untold);
        assert_eq!(now.evses[0].connectors[0].tariffs, std::slice::from_ref(&first.id));
        assert!(priced(std::slice::from_ref(&first), elsewhere).evses[0].connectors[0].tariffs.is_empty());
        assert_eq!(only(std::slice::from_ref(&first), told.party), Some(&first));
        assert_eq!(only(&[first, second], told.party), None, "two agreements say nothing of a record without a name");
        assert_eq!(Agreed { per_kwh: None, ..agreed("AC 1") }.tariff(Currency::EUR, Timestamp::from_secs(0)), None);
    }
}
