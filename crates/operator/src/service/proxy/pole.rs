//! A station as a second back-end meets it: its orders are judged, relayed, audited and counted.
//!
//! What the station answers goes back in the second's version. A refused order is counted with why; one that was
//! obeyed is in the audit, because it did something to a station.

use std::sync::Arc;

use charge::Soon;
use charge::id::StationId;
use charge::talk::line::{LineFault, Pole, StationAnswer, ToStation, Version};
use store::StoreError;

use super::copying::named_by;
use super::{Known, Live};
use crate::memory::log;
use crate::memory::proxy::{self, Counted, Pair};
use crate::proxy::relay::{self, Named, REFUSED};
use crate::proxy::{Tokens, action};
use crate::service::Operator;

/// One station at one second back-end.
pub(super) struct SecondPole {
    pub operator: Operator,
    pub known: Arc<Known>,
    pub station: StationId,
    pub live: Arc<Live>,
}

impl Pole for SecondPole {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        Box::pin(async move {
            let told = self.relay(order).await;
            told.unwrap_or_else(|error| {
                tracing::error!(%error, second = self.known.second.name, "an order could not be judged");
                StationAnswer::Refused(REFUSED.into())
            })
        })
    }

    fn line_up(&self, _version: Version) {
        self.live.up.send_replace(true);
    }

    fn line_down(&self, why: &str) {
        self.live.up.send_replace(false);
        self.live.failed(why);
    }

    fn unreached(&self, why: &str) {
        self.live.failed(why);
    }
}

impl SecondPole {
    async fn relay(&self, order: ToStation) -> Result<StationAnswer, StoreError> {
        let name = action::ordered(&order).first().copied().unwrap_or("an order");
        let ours = self.ours(relay::names(&order)).await?;
        let operator = &self.operator;
        let speaks = operator.0.version_of(&self.station);
        let remote_id = i32::try_from(operator.0.dice.below(i32::MAX as u64)).unwrap_or(0).saturating_add(1);
        let order = match relay::judge(&self.known.second, speaks, order, ours, remote_id) {
            Ok(order) => order,
            Err(why) => {
                self.count(Counted::Denied, format!("{name} refused: {why}"), None).await?;
                return Ok(StationAnswer::Refused(REFUSED.into()));
            }
        };
        let charging = match &order {
            ToStation::Charging(order) => Some(order.clone()),
            _no_power => None,
        };
        let answer = operator.tell(&self.station, order).await;
        if let (Some(order), Ok(StationAnswer::Accepted)) = (charging, &answer) {
            operator.charging_ordered(&self.station, order).await?;
        }
        let outcome = match &answer {
            Ok(StationAnswer::Refused(word)) => format!("refused by the station: {word}"),
            Ok(_) => "answered".to_owned(),
            Err(fault) => fault.to_string(),
        };
        self.count(Counted::Obeyed, outcome, Some(name)).await?;
        Ok(match answer {
            Ok(answer) => relay::answer(&self.known.second, answer),
            Err(LineFault::NotInVersion) => StationAnswer::Refused("NotImplemented".into()),
            Err(
                LineFault::NotConnected
                | LineFault::TimedOut
                | LineFault::Lost
                | LineFault::Error { .. }
                | LineFault::Unreadable(_)
                | LineFault::Overloaded,
            ) => StationAnswer::Refused("Rejected".into()),
        })
    }

    /// Our names for what an order names.
    async fn ours(&self, named: Named) -> Result<Named, StoreError> {
        if named == Named::default() {
            return Ok(named);
        }
        let (known, station) = (Arc::clone(&self.known), self.station.clone());
        self.operator
            .read("operator.second.names", move |house, tx| {
                let pair = Pair { second: &known.second.name, station: &station };
                let token = match &named.token {
                    Some(token) if known.second.tokens == Tokens::DangerPass => Some(token.clone()),
                    Some(token) => proxy::token(tx, house.seal(), pair.second, &named_by(token))?,
                    None => None,
                };
                let key = named.key.map(|key| proxy::ours(tx, pair, &key)).transpose()?.flatten();
                Ok(Named { token, key })
            })
            .await
    }

    /// Counts an order; `audited` is its name where it went to the station.
    async fn count(&self, what: Counted, outcome: String, audited: Option<&'static str>) -> Result<(), StoreError> {
        let (known, station) = (Arc::clone(&self.known), self.station.clone());
        self.operator
            .run("operator.second.order", move |house, tx| {
                let second = &known.second.name;
                let why = Some(outcome.as_str()).filter(|_| audited.is_none());
                proxy::add(tx, Pair { second, station: &station }, what, 1, why)?;
                match audited {
                    Some(name) => {
                        let actor = format!("second back-end {second}");
                        log::audit(tx, house.now(), &actor, name, station.as_str(), &outcome)
                    }
                    None => Ok(()),
                }
            })
            .await
    }
}
