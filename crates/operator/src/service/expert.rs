//! The expert call: any action with a raw payload, and the raw answer.
//!
//! What is sent may hold anything, so the audit gets the form of it and no value; the caller makes that form. It is in
//! the audit before it is sent: whatever happens meanwhile, nobody has called without a trace.

use charge::id::StationId;
use charge::talk::line::{Foreign, LineFault, StationAnswer, ToStation};

use super::{Event, Fault, Operator};
use crate::desk::{ExpertAnswer, ExpertFault};
use crate::memory::{log, station};
use crate::order::outcome;

impl Operator {
    /// Sends an action of any name. `masked` is the payload without its values, for the audit.
    pub async fn expert(
        &self,
        actor: &str,
        of: &StationId,
        call: Foreign,
        masked: &str,
    ) -> Result<ExpertAnswer, Fault> {
        if call.action.is_empty()
            || call.action.len() > ACTION_MAX
            || !call.action.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Err(Fault::Invalid { path: "/action", why: "letters and digits, at most 60".to_owned() });
        }
        let masked: String = masked.chars().take(MASKED_MAX).collect();
        let subject = format!("{of} {} {masked}", call.action);
        let begun = self.0.now();
        let (name, by, what) = (of.clone(), actor.to_owned(), subject.clone());
        self.run("operator.expert.begun", move |_, tx| {
            station::find(tx, &name)?.ok_or(Fault::NotFound("station"))?;
            log::audit(tx, begun, &by, "expert call", &what, "sent").map_err(Fault::from)
        })
        .await?;
        let answer = self.tell(of, ToStation::Foreign(call)).await;
        let now = self.0.now();
        let word = outcome(answer.clone()).outcome.as_str();
        let (actor, station) = (actor.to_owned(), of.clone());
        self.run("operator.expert.audit", move |_, tx| log::audit(tx, now, &actor, "expert call", &subject, word))
            .await?;
        self.0.tell_of(Event::Station(station));
        let took_ms = u64::try_from(now.since(begun).as_millis()).unwrap_or(u64::MAX);
        Ok(ExpertAnswer { answer: read(answer), took_ms })
    }
}

fn read(answer: Result<StationAnswer, LineFault>) -> Result<String, ExpertFault> {
    match answer {
        Ok(StationAnswer::Foreign(foreign)) => Ok(foreign.body.into()),
        Ok(_) => Err(ExpertFault { code: None, message: "the answer is none to an expert call".to_owned() }),
        Err(LineFault::Error { code, description }) => {
            Err(ExpertFault { code: Some(code.into()), message: description.into() })
        }
        Err(
            fault @ (LineFault::NotConnected
            | LineFault::TimedOut
            | LineFault::Lost
            | LineFault::Unreadable(_)
            | LineFault::Overloaded
            | LineFault::NotInVersion),
        ) => Err(ExpertFault { code: None, message: fault.to_string() }),
    }
}

/// OCPP-J: an action has at most 36 characters; vendors add some.
const ACTION_MAX: usize = 60;
/// A line of the audit is read by a person.
const MASKED_MAX: usize = 500;
