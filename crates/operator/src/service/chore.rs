//! Work on stations that follows from something else and survives a restart: certificates to send, settings to write
//! after a boot, a boot to ask for, firmware to order, power to give to cars, payments to settle. One kind of job; the key names what to do.

use charge::id::StationId;
use futures_util::future::join_all;
use store::StoreError;
use store::outbox::{self, Job};

use super::Operator;

/// Jobs of this file.
pub(crate) const CHORE: &str = "operator.chore";

impl Operator {
    pub(super) async fn run_chores(&self, chores: Vec<Job>) -> Result<(), StoreError> {
        join_all(chores.into_iter().map(|job| self.chore(job))).await.into_iter().collect()
    }

    async fn chore(&self, job: Job) -> Result<(), StoreError> {
        let mut parts = job.key.splitn(3, '/');
        match (parts.next(), parts.next(), parts.next()) {
            (Some("certificate"), Some(id), None) => match id.parse() {
                Ok(id) => self.send_certificate(id, &job).await,
                Err(_) => self.drop_chore(&job).await,
            },
            (Some("firmware"), Some(campaign), Some(station)) => match StationId::new(station) {
                Ok(station) => self.order_firmware(campaign, &station, &job).await,
                Err(_) => self.drop_chore(&job).await,
            },
            (Some("settings"), Some(_), Some(station)) => match StationId::new(station) {
                Ok(station) => self.settle_station(&station, &job).await,
                Err(_) => self.drop_chore(&job).await,
            },
            (Some("boot"), Some(_), Some(station)) => match StationId::new(station) {
                Ok(station) => self.ask_boot(&station, &job).await,
                Err(_) => self.drop_chore(&job).await,
            },
            (Some("needs"), Some(_), Some(session)) => self.give_power(session, &job).await,
            // the third part is why it is looked at again
            (Some("payment"), Some(id), _) => match id.parse() {
                Ok(id) => self.settle_payment(id, &job).await,
                Err(_) => self.drop_chore(&job).await,
            },
            _ => self.drop_chore(&job).await,
        }
    }

    async fn drop_chore(&self, job: &Job) -> Result<(), StoreError> {
        let id = job.id;
        self.run("operator.chore.unknown", move |_, tx| outbox::give_up(tx, id, "names nothing to do").map(drop)).await
    }
}
