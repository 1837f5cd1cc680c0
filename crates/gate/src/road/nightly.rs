//! CDRs for providers that want them once a night: read, put away sealed, acknowledged, and told shuffled.
//!
//! Whoever hears of a CDR hours later and beside others cannot tell from its coming when a session ended. Deliberately
//! for CDRs alone: sessions are what drivers look at. Invariant: what was acknowledged here is told until its receiver
//! has taken it, and once.

use std::sync::Arc;
use std::time::Duration;

use charge::id::{CdrId, CorrelationId, PartyId};
use charge::talk::road::{Answer, Denial, Envelope, Errand, Letter, Question};
use charge::talk::thrift::Measure;
use charge::{Dice, Timestamp};
use ocpi::cross::Beside;
use ocpi::wire::{Incoming, Kind, LOCATION, Method, Module, Reply, Side, Target};
use ocpi::{Version, answer, hear, status};

use super::across::owned;
use super::neighbour::Hop;
use super::partners::Protocol;
use super::relay::{Parcel, WayOut};
use super::speaker::Told;
use super::vault::{Mail, Put, Slip};

/// When the night's CDRs are told: 02:00 UTC, when few sessions end.
const NIGHT: Duration = Duration::from_secs(2 * 3_600);
const DAY_S: i64 = 86_400;

/// The first night after a moment.
fn next_night(now: Timestamp) -> Timestamp {
    let midnight = Timestamp::from_secs(now.secs().div_euclid(DAY_S) * DAY_S);
    let tonight = midnight.plus(NIGHT);
    if tonight > now { tonight } else { tonight.plus(Duration::from_secs(DAY_S.unsigned_abs())) }
}

/// The night that has been.
pub(crate) fn last_night(now: Timestamp) -> Timestamp {
    next_night(now).minus(Duration::from_secs(DAY_S.unsigned_abs()))
}

impl WayOut {
    /// Puts a CDR away whose receiver wants it at night. What its sender hears then; `None` where it is told at once.
    pub(crate) async fn put_off(&self, to: PartyId, parcel: &Parcel) -> Result<Option<Reply>, Denial> {
        let Some(vault) = self.spare.vault().filter(|_| parcel.kind == Kind::PostCdr) else { return Ok(None) };
        // a clearing house keeps records itself until the night is over
        let fetches = matches!(self.speakers.protocol(to), Some(Protocol::Ochp14 | Protocol::OchpDirect));
        if fetches || !self.exchange.thrift(to).await.on(Measure::NightlyCdrs) {
            return Ok(None);
        }
        let (body, now) = (parcel.body.as_deref().unwrap_or_default(), self.clock.now());
        let id = cdr_of(to, parcel)?;
        let text = std::str::from_utf8(body).map_err(|_| Denial::Internal)?;
        let text = format!("{}\n{text}", parcel.hop.correlation.as_str());
        let slip = Slip {
            receiver: to,
            sender: parcel.envelope.from,
            name: id.as_str(),
            tongue: Protocol::Ocpi(parcel.version).as_str(),
            due: next_night(now),
        };
        match vault.put(slip, &text, now).await? {
            Put::New(_) | Put::Same { .. } => {}
            Put::Another => {
                let why = "is another CDR's, which is kept here".into();
                return Err(Denial::Malformed { path: "/id".into(), why });
            }
        }
        let mut reply = status::done(now);
        reply.headers.push((LOCATION, answer::cdr_url(&self.base, parcel.version, id.as_str())));
        Ok(Some(reply))
    }

    /// The same for a CDR of another protocol.
    pub(crate) async fn put_off_letter(
        &self,
        to: PartyId,
        letter: &Letter,
        envelope: &Envelope,
    ) -> Result<Option<Told>, Denial> {
        let Question::PostCdr(cdr) = &letter.question else { return Ok(None) };
        let parcel = self.parcel(letter, to, envelope.clone())?;
        let kept = self.put_off(to, &parcel).await?;
        Ok(kept.map(|_| Told { by: Some(to), ..Told::new(Answer::Kept(cdr.id.clone())) }))
    }

    /// Tells what is due. A receiver that is away gets it when it is back; one that refuses is asked again another night.
    pub(crate) async fn night(self: &Arc<Self>, now: Timestamp, dice: &dyn Dice) -> Result<(), Denial> {
        let Some(vault) = self.spare.vault() else { return Ok(()) };
        let mut due = Vec::new();
        for version in [Version::V211, Version::V221, Version::V230] {
            let mail = vault.due(Protocol::Ocpi(version).as_str(), now).await?;
            due.extend(mail.into_iter().map(|mail| (dice.uuid(), version, mail)));
        }
        due.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let mut away = Vec::new();
        for (_, version, mail) in due {
            if away.contains(&mail.receiver) {
                continue;
            }
            let (number, receiver, sender) = (mail.number, mail.receiver, mail.sender);
            match self.pass_now(receiver, posted(version, mail)?).await {
                Ok(reply)
                    if status::code_of(reply.body.as_bytes()).is_some_and(|code| (1000..2000).contains(&code)) =>
                {
                    vault.taken(number, now).await?;
                }
                Err(Denial::ReceiverUnreachable | Denial::ReceiverSilent | Denial::Overloaded) => away.push(receiver),
                Ok(_) | Err(_) => {
                    let what = ["/ was refused by its receiver when the night came".into()];
                    self.exchange.lost(sender, receiver, &Errand::Cdr, &what);
                    vault.later(number, next_night(now)).await?;
                }
            }
        }
        Ok(())
    }
}

/// What cannot be read, or is in another's name, is refused while its sender listens.
fn cdr_of(to: PartyId, parcel: &Parcel) -> Result<CdrId, Denial> {
    let from = parcel.envelope.from;
    let incoming = Incoming::new(parcel.version, Method::Post, (Module::Cdrs, Side::Receiver), "", "")?;
    let beside = Beside { owner: Some(from), payer: Some(to), ..Beside::default() };
    let body = hear::lifted(&incoming, hear::body(parcel.body.as_deref().unwrap_or_default())?, beside)?.value;
    let question = hear::question(&incoming, &body, to, &|_| None)?.value;
    owned(&question, from)?;
    match question {
        Question::PostCdr(cdr) => Ok(cdr.id),
        _another => Err(Denial::Internal),
    }
}

/// A kept CDR as the letter that it was.
fn posted(version: Version, mail: Mail) -> Result<Parcel, Denial> {
    let (correlation, body) = mail.text.split_once('\n').ok_or(Denial::Internal)?;
    let correlation = CorrelationId::new(correlation).map_err(|_| Denial::Internal)?;
    let (from, to) = (mail.sender, Some(mail.receiver));
    let envelope = Envelope { from, to, correlation: correlation.clone(), errand: Errand::Cdr, bytes: body.len() };
    Ok(Parcel {
        version,
        kind: Kind::PostCdr,
        method: Method::Post,
        target: Target::Endpoint { module: Module::Cdrs, side: Side::Receiver, rest: String::new() },
        query: String::new(),
        body: Some(body.to_owned().into()),
        hop: Hop { from, to, correlation },
        envelope,
        origin: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_is_always_to_come() {
        let midnight = 20_000 * DAY_S;
        let table = [(0, 2), (1, 2), (2, 26), (3, 26), (23, 26)];
        for (hour, night) in table {
            let at = |hours: i64| Timestamp::from_secs(midnight + hours * 3_600);
            assert_eq!((next_night(at(hour)), last_night(at(hour))), (at(night), at(night - 24)), "{hour}");
        }
    }
}
