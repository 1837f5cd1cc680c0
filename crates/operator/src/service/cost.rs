//! What a session costs so far, for stations that show it (OCPP 2.x I02, I03: `totalCost`).
//!
//! Only stations that say they can show a cost are told one: a price is computed for them at each event of their
//! transactions, and for nobody else.

use charge::Decimal;
use charge::id::{SessionId, StationId};
use store::StoreError;

use super::Operator;
use super::deliver::so_far;
use crate::memory::{session, station};

impl Operator {
    /// With VAT where the tariff names it, in the tariff's currency. `None` where the station shows no cost, or the
    /// session has no tariff.
    pub(super) async fn cost_for(&self, of: &StationId, id: Option<&SessionId>) -> Result<Option<Decimal>, StoreError> {
        let Some(id) = id else { return Ok(None) };
        if !self.shows_cost(of).await? {
            return Ok(None);
        }
        let id = id.clone();
        self.read("operator.cost", move |house, tx| {
            let Some(row) = session::find(tx, id.as_str())? else { return Ok(None) };
            if row.tariff.is_none() {
                return Ok(None);
            }
            let priced = so_far(house, tx, &row, house.now())?.priced;
            Ok(priced.map(|priced| priced.total.with_vat.unwrap_or(priced.total.before_vat)))
        })
        .await
    }

    /// Looked up once for a connection, and again after the station reported its settings.
    async fn shows_cost(&self, of: &StationId) -> Result<bool, StoreError> {
        let known = match self.0.presences().live.get(of) {
            Some(presence) if presence.version.is_2() => presence.shows_cost,
            Some(_) | None => Some(false),
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let name = of.clone();
        let shows = self
            .read("operator.cost.shown", move |_, tx| {
                let settings = station::settings(tx, &name)?;
                Ok::<_, StoreError>(settings.iter().any(|setting| {
                    SHOWS.iter().any(|key| setting.key.eq_ignore_ascii_case(key))
                        && setting.value.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("true"))
                }))
            })
            .await?;
        if let Some(presence) = self.0.presences().live.get_mut(of) {
            presence.shows_cost = Some(shows);
        }
        Ok(shows)
    }
}

/// OCPP 2.0.1 part 2, appendix 3: `TariffCostCtrlr.Enabled` with the instance `Cost`.
const SHOWS: [&str; 2] = ["TariffCostCtrlr.Enabled[Cost]", "TariffCostCtrlr[Cost].Enabled"];
