//! The network behind a measured operator, reduced to a nod: every token may charge, every notice is taken.
//!
//! For bench servers only. It keeps nothing and asks nobody; what the operator does before and after the road is
//! the real thing. So a bench of the line holds no cost of the road's own messages (OCPI over HTTP), by intent.

use charge::id::{AuthorizationReference, PartyId};
use charge::talk::road::{Answer, Denial, Letter, OrderAck, Question, Road, RoadFault};
use charge::token::{Allowed, ContractId, Verdict};
use charge::{Personal, Soon};

/// Says yes for one provider.
#[derive(Clone, Debug)]
pub struct Nod {
    verdict: Verdict,
}

impl Nod {
    /// `None` if there can be no contract of this provider.
    pub fn of(provider: PartyId) -> Option<Self> {
        let contract = ContractId::of(provider, "BENCH000").ok()?;
        let verdict = Verdict {
            contract: Some(Personal::new(contract)),
            party: Some(provider),
            reference: AuthorizationReference::new("BENCH").ok(),
            ..Verdict::bare(Allowed::Yes)
        };
        Some(Self { verdict })
    }

    fn answer(&self, question: Question) -> Result<Answer, RoadFault> {
        match question {
            Question::MayCharge { .. } => Ok(Answer::May(self.verdict.clone())),
            Question::PostCdr(cdr) => Ok(Answer::Kept(cdr.id)),
            Question::PutSession(_)
            | Question::PutLocation(_)
            | Question::PatchEvse { .. }
            | Question::PutTariff(_)
            | Question::DropTariff(_)
            | Question::PutToken(_)
            | Question::Outcome { .. }
            | Question::ProfileOutcome { .. }
            | Question::Plan { .. } => Ok(Answer::Noted),
            Question::Start(_)
            | Question::Stop { .. }
            | Question::Unlock { .. }
            | Question::Reservation(_)
            | Question::Profile(_) => Ok(Answer::Order { ack: OrderAck::NotSupported, message: None }),
            Question::Locations(_) | Question::Tariffs(_) | Question::Fetch(_) | Question::Booking(_) => {
                Err(RoadFault::Denied(Denial::NotSupported))
            }
        }
    }
}

impl Road for Nod {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        let answer = self.answer(letter.question);
        Box::pin(async move { answer })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::token::{PresentedToken, TokenKind, TokenUid};
    use charge::{Purpose, id};

    use super::*;

    #[test]
    fn every_token_is_the_providers_and_orders_are_not_taken() {
        let provider = PartyId::new("DE", "8AA").unwrap();
        let nod = Nod::of(provider).unwrap();
        let token = PresentedToken::new(TokenUid::new("BENCH").unwrap(), TokenKind::Rfid);
        let Ok(Answer::May(verdict)) = nod.answer(Question::MayCharge { token }) else { panic!("no verdict") };
        assert_eq!(verdict.allowed, Allowed::Yes);
        assert_eq!(verdict.contract.unwrap().reveal(Purpose::Route).party(), Some(provider));
        let session = id::SessionId::new("S").unwrap();
        let stop = Question::Stop { order: id::OrderId::new("O").unwrap(), return_to: None, session };
        assert_eq!(nod.answer(stop), Ok(Answer::Order { ack: OrderAck::NotSupported, message: None }));
    }
}
