//! Alarms: what stands, who has seen it. Nothing is switched off by seeing it.

use super::{Fault, Operator};
use crate::memory::{alarm, log};
use crate::view::Alarm;

impl Operator {
    /// Everything that a person should look at, what nobody has seen first.
    pub async fn alarms(&self) -> Result<Vec<Alarm>, Fault> {
        let now = self.0.now();
        Ok(self
            .read("operator.alarms", move |house, tx| alarm::standing(tx, now, house.setup.settings.away_grace))
            .await?)
    }

    /// Somebody has seen an alarm and deals with it. One that stands no longer is not there.
    pub async fn see_alarm(&self, actor: &str, id: &str) -> Result<(), Fault> {
        self.mark(actor, id, true).await
    }

    /// Takes that back.
    pub async fn unsee_alarm(&self, actor: &str, id: &str) -> Result<(), Fault> {
        self.mark(actor, id, false).await
    }

    async fn mark(&self, actor: &str, id: &str, seen: bool) -> Result<(), Fault> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        self.run("operator.alarm.mark", move |house, tx| {
            let now = house.now();
            let all = alarm::standing(tx, now, house.setup.settings.away_grace)?;
            let Some(one) = all.into_iter().find(|alarm| alarm.id() == id) else {
                return Err(Fault::NotFound("alarm"));
            };
            let act = if seen { "see alarm" } else { "reopen alarm" };
            if seen {
                alarm::see(tx, &one, now, &actor)?
            } else {
                alarm::unsee(tx, &one)?
            }
            log::audit(tx, now, &actor, act, &one.id(), "done").map_err(Fault::from)
        })
        .await
    }
}
