//! What a CDR of OICP costs: by the product that its operator named, with the engine that prices everything else.
//!
//! OICP has records without a price, and who tells them to a provider that wants one has to work it out. Deliberately no
//! rounding and no default: what cannot be priced does not cross.

use billing::price::price;
use charge::record::Cdr;
use charge::tariff::Tariff;
use gate::road::oicp::Pricing;

pub(crate) struct ByProduct;

impl Pricing for ByProduct {
    fn priced(&self, tariff: &Tariff, time_zone: &str, unrated: Cdr) -> Option<Cdr> {
        let priced = price(tariff, time_zone, &unrated.periods, unrated.end).ok()?;
        Some(Cdr {
            currency: tariff.currency,
            tariff: tariff.clone(),
            total_cost: priced.total,
            energy_cost: priced.energy,
            time_cost: priced.time,
            parking_cost: priced.parking,
            fixed_cost: priced.fixed,
            remark: Some("Priced by the hub with the product that the operator named.".to_owned()),
            ..unrated
        })
    }
}
