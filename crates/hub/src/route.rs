//! Where a letter goes, decided from its envelope and the register of parties.
//!
//! It deliberately looks up nothing: what a decision still needs (the owner of a tag, a return address) is named in
//! its [`Step`]. The invariants: nobody writes in another party's name, and no step sends one token's question to
//! more than one party.

use charge::id::PartyId;
use charge::talk::road::{Denial, Envelope, Errand};

use crate::party::{Party, PartyStatus, Role};

/// What has to be done with a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Hand it to this party.
    Pass(PartyId),
    /// The same, and remember where its outcome is to go.
    PassOrder(PartyId),
    /// Find the return address of the order that this is the outcome of.
    Return,
    /// Find the provider that owns the token.
    FindOwner,
    /// Keep or drop the public object and tell every provider.
    Publish,
    /// Write the token's tag into the index.
    Index,
}

/// Judges a letter. `register` holds at least the rows of the sender and of the addressed party.
pub(crate) fn decide(hub: PartyId, envelope: &Envelope, register: &[Party]) -> Result<Step, Denial> {
    sender_may(envelope, register)?;
    let addressed = envelope.to.filter(|to| *to != hub);
    match &envelope.errand {
        Errand::MayCharge { .. } => match addressed {
            Some(to) => reachable(to, Role::Provider, register).map(Step::Pass),
            None => Ok(Step::FindOwner),
        },
        Errand::Order(_) => {
            let to = addressed.ok_or_else(|| Denial::Incomplete("the receiver of the order".into()))?;
            reachable(to, Role::Operator, register).map(Step::PassOrder)
        }
        Errand::Outcome { .. } => Ok(Step::Return),
        Errand::Session { owner } => {
            own(*owner, envelope)?;
            to_provider(addressed, register)
        }
        Errand::Cdr => to_provider(addressed, register),
        Errand::Location { owner, .. } | Errand::Tariff { owner, .. } => {
            own(*owner, envelope)?;
            match addressed {
                Some(to) => reachable(to, Role::Provider, register).map(Step::Pass),
                None => Ok(Step::Publish),
            }
        }
        Errand::Token { owner, .. } => {
            own(*owner, envelope)?;
            Ok(Step::Index)
        }
        Errand::Passing(_) => {
            let to = addressed.ok_or(Denial::UnknownReceiver)?;
            let known =
                Role::ALL.into_iter().find(|role| register.iter().any(|row| row.party == to && row.role == *role));
            reachable(to, known.ok_or(Denial::UnknownReceiver)?, register).map(Step::Pass)
        }
    }
}

/// The party as a receiver of such letters: unknown, closed or reachable.
pub(crate) fn reachable(to: PartyId, role: Role, register: &[Party]) -> Result<PartyId, Denial> {
    let row = register.iter().find(|row| row.party == to && row.role == role).ok_or(Denial::UnknownReceiver)?;
    match row.status {
        PartyStatus::Connected => Ok(to),
        PartyStatus::Planned | PartyStatus::Suspended => Err(Denial::ReceiverUnreachable),
    }
}

fn sender_may(envelope: &Envelope, register: &[Party]) -> Result<(), Denial> {
    let entitled = register.iter().any(|row| {
        row.party == envelope.from && row.status == PartyStatus::Connected && row.role.may_write(&envelope.errand)
    });
    if entitled { Ok(()) } else { Err(Denial::NotYours) }
}

fn own(owner: PartyId, envelope: &Envelope) -> Result<(), Denial> {
    if owner == envelope.from { Ok(()) } else { Err(Denial::NotYours) }
}

fn to_provider(addressed: Option<PartyId>, register: &[Party]) -> Result<Step, Denial> {
    let to = addressed.ok_or(Denial::UnknownReceiver)?;
    reachable(to, Role::Provider, register).map(Step::Pass)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::id::{CorrelationId, LocationId, OrderId, TariffId};
    use charge::talk::road::OrderKind;
    use charge::token::{PresentedToken, TokenKind, TokenUid};

    use super::*;

    fn party(text: &str) -> PartyId {
        text.parse().unwrap()
    }

    fn register() -> Vec<Party> {
        let row =
            |id: &str, role, status| Party { party: party(id), role, name: id.to_owned(), status, last_seen: None };
        vec![
            row("DE-OPA", Role::Operator, PartyStatus::Connected),
            row("DE-OPB", Role::Operator, PartyStatus::Suspended),
            row("DE-8AA", Role::Provider, PartyStatus::Connected),
            row("DE-8BB", Role::Provider, PartyStatus::Planned),
        ]
    }

    fn token() -> PresentedToken {
        PresentedToken::new(TokenUid::new("04A2B3C4").unwrap(), TokenKind::Rfid)
    }

    #[test]
    fn every_errand_has_its_way_and_its_refusals() {
        let own_place = || Errand::Location { owner: party("DE-OPA"), id: LocationId::new("L1").unwrap(), evse: None };
        let foreign_tariff = Errand::Tariff { owner: party("DE-OPB"), id: TariffId::new("T").unwrap(), dropped: false };
        let own_token = |valid| Errand::Token { owner: party("DE-8AA"), token: token(), valid };
        let outcome = || Errand::Outcome { hub_order: OrderId::new("o").unwrap() };
        let session = |owner| Errand::Session { owner: party(owner) };
        let tap = || Errand::MayCharge { token: token() };
        let start = || Errand::Order(OrderKind::Start);
        let table: Vec<(&str, &str, Errand, Result<Step, Denial>)> = vec![
            ("DE-OPA", "", tap(), Ok(Step::FindOwner)),
            ("DE-OPA", "DE-HUB", tap(), Ok(Step::FindOwner)),
            ("DE-OPA", "DE-8AA", tap(), Ok(Step::Pass(party("DE-8AA")))),
            ("DE-OPA", "DE-OPB", tap(), Err(Denial::UnknownReceiver)),
            ("DE-OPB", "", tap(), Err(Denial::NotYours)),
            ("DE-8AA", "", tap(), Err(Denial::NotYours)),
            ("DE-XXX", "", tap(), Err(Denial::NotYours)),
            ("DE-8AA", "DE-OPA", start(), Ok(Step::PassOrder(party("DE-OPA")))),
            ("DE-8AA", "DE-OPB", start(), Err(Denial::ReceiverUnreachable)),
            ("DE-8AA", "DE-OPX", start(), Err(Denial::UnknownReceiver)),
            ("DE-8AA", "", start(), Err(Denial::Incomplete("the receiver of the order".into()))),
            ("DE-OPA", "DE-OPA", start(), Err(Denial::NotYours)),
            ("DE-OPA", "", outcome(), Ok(Step::Return)),
            ("DE-8AA", "", outcome(), Err(Denial::NotYours)),
            ("DE-OPA", "DE-8AA", session("DE-OPA"), Ok(Step::Pass(party("DE-8AA")))),
            ("DE-OPA", "DE-8AA", session("DE-OPB"), Err(Denial::NotYours)),
            ("DE-OPA", "DE-8BB", Errand::Cdr, Err(Denial::ReceiverUnreachable)),
            ("DE-OPA", "", Errand::Cdr, Err(Denial::UnknownReceiver)),
            ("DE-OPA", "DE-HUB", own_place(), Ok(Step::Publish)),
            ("DE-OPA", "", own_place(), Ok(Step::Publish)),
            ("DE-8AA", "", own_place(), Err(Denial::NotYours)),
            ("DE-OPA", "", foreign_tariff, Err(Denial::NotYours)),
            ("DE-8AA", "DE-HUB", own_token(true), Ok(Step::Index)),
            ("DE-8BB", "DE-HUB", own_token(true), Err(Denial::NotYours)),
        ];
        for (from, to, errand, expected) in table {
            let label = format!("{from} -> {to}: {errand:?}");
            let envelope = Envelope {
                from: party(from),
                to: to.parse().ok(),
                correlation: CorrelationId::new("c").unwrap(),
                errand,
                bytes: 0,
            };
            assert_eq!(decide(party("DE-HUB"), &envelope, &register()), expected, "{label}");
        }
    }
}
