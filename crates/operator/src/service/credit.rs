//! Taking a CDR back: a credit with the same amounts below zero goes to the same provider.
//!
//! A CDR is never changed (OCPI 2.2.1, 10.2): what was wrong is credited whole. Both acts stay in the books, and who
//! did it stays in the audit.

use charge::id::CdrId;
use store::outbox;

use super::deliver::DELIVER;
use super::{Event, Fault, Operator};
use crate::memory::{cdr, credit, log};

/// A reason is shown to the provider's clerk as the credit's remark (OCPI 2.2.1, 10.3.1: 255 characters).
const WHY_CHARACTERS_MAX: usize = 255;
/// What makes a credit's id of its original's: 36 characters of a session id and these stay below 39.
const SUFFIX: &str = "-C";

impl Operator {
    /// Credits a CDR in whole. Its id is the original's with `-C`; asking twice makes one credit.
    pub async fn credit_cdr(&self, actor: &str, id: &CdrId, why: &str) -> Result<CdrId, Fault> {
        let why = why.trim().to_owned();
        if why.is_empty() || why.chars().count() > WHY_CHARACTERS_MAX || why.chars().any(char::is_control) {
            return Err(Fault::Invalid { path: "/why", why: "needs a reason of at most 255 characters".to_owned() });
        }
        let (actor, original, now) = (actor.to_owned(), id.clone(), self.0.now());
        let made = self
            .run("operator.credit", move |house, tx| {
                let Some(kept) = cdr::find(tx, house.seal(), house.setup.party, original.as_str())? else {
                    return Err(Fault::NotFound("CDR, or its person was forgotten"));
                };
                let id = CdrId::new(format!("{original}{SUFFIX}"))
                    .map_err(|_| Fault::Conflict("the CDR's id leaves no room for a credit's".to_owned()))?;
                if !credit::put(tx, &id, &kept, &why, now)? {
                    return Err(Fault::Conflict("this CDR was credited before".to_owned()));
                }
                outbox::put(tx, DELIVER, id.as_str(), now, &[])?;
                log::audit(tx, now, &actor, "credit CDR", original.as_str(), "done")?;
                Ok(id)
            })
            .await?;
        self.0.tell_of(Event::Cdr(made.clone()));
        self.0.wake();
        Ok(made)
    }
}
