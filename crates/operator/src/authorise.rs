//! May this token charge here? The operator never decides by itself: it asks the road and keeps the answer.
//!
//! `decide` looks at what is already known (an alias of a remote start, a permit that was just given) and otherwise
//! asks one question without a place; `conclude` turns the answer into a verdict and, for a yes, into a [`Permit`].
//! A card's uid is needed for the question only: where the provider names a contract, the permit holds that instead.

use std::time::Duration;

use charge::id::{AuthorizationReference, PartyId};
use charge::money::Money;
use charge::record::{AuthMethod, RecordToken};
use charge::talk::line::terms::Words;
use charge::talk::road::{Answer, Denial, Question, RoadFault};
use charge::token::{Allowed, ContractId, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::Energy;
use charge::{Personal, Purpose, Timestamp};

/// A provider's yes, as long as it holds. Made by [`conclude`] and by an accepted remote start, nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    /// What session and CDR name: the provider's contract id, one-time where it gives one.
    pub(crate) token: RecordToken,
    pub(crate) reference: Option<AuthorizationReference>,
    pub(crate) method: AuthMethod,
    pub(crate) energy_cap: Option<Energy>,
    pub(crate) money_cap: Option<Money>,
    /// A transaction has to begin before this; one that runs is not ended by it.
    pub(crate) until: Timestamp,
    /// What stations are told of the token's group.
    pub(crate) group: Option<Personal<TokenUid>>,
}

/// What is known before anybody is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The token is the alias of a remote start at this station.
    pub alias: Option<Alias>,
    /// This token was permitted at this station a moment ago.
    pub permit: Option<Permit>,
}

/// An alias that this operator gave out for one EVSE and a short time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alias {
    Good(Permit),
    Over,
}

/// What to do about a token.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Permitted(Permit),
    Refused(Allowed),
    Ask(Question),
}

/// Decides from what is known. `standing` was loaded for this token at this station.
pub fn decide(now: Timestamp, token: &PresentedToken, standing: Standing) -> Step {
    match (standing.alias, standing.permit) {
        (Some(Alias::Good(permit)), _) => Step::Permitted(permit),
        // an alias is ours: nobody else can know it, so nobody is asked
        (Some(Alias::Over), _) => Step::Refused(Allowed::Expired),
        (None, Some(permit)) if permit.until > now => Step::Permitted(permit),
        // a payment's reference is ours as well: no provider has a customer behind it
        (None, _) if token.kind == TokenKind::DirectPayment => Step::Refused(Allowed::Unknown),
        (None, Some(_) | None) => Step::Ask(Question::MayCharge { token: token.clone() }),
    }
}

/// What the road's answer means.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    pub allowed: Allowed,
    /// There exactly where `allowed` is yes.
    pub permit: Option<Permit>,
    /// What the provider has to say to whoever presented the token.
    pub words: Option<Box<Words>>,
}

impl Conclusion {
    /// What the station hears: nothing of the contract behind it.
    pub(crate) fn told(&self) -> Verdict {
        let group = self.permit.as_ref().and_then(|permit| permit.group.clone());
        Verdict { group, words: self.words.clone(), ..Verdict::bare(self.allowed) }
    }
}

/// Turns the road's answer into a verdict. Silence is an answer too: [`Allowed::Unanswered`].
pub fn conclude(now: Timestamp, token: &PresentedToken, answer: Result<Answer, RoadFault>) -> Conclusion {
    match answer {
        Ok(Answer::May(verdict)) if verdict.allowed == Allowed::Yes => permitted(now, token, verdict),
        Ok(Answer::May(verdict)) => Conclusion { words: verdict.words, ..refused(verdict.allowed) },
        Err(RoadFault::Denied(Denial::UnknownToken)) => refused(Allowed::Unknown),
        Ok(_) | Err(_) => refused(Allowed::Unanswered),
    }
}

fn permitted(now: Timestamp, token: &PresentedToken, verdict: Verdict) -> Conclusion {
    let contract = verdict.contract.or_else(|| contract_of_uid(token));
    let party = verdict.party.or_else(|| contract.as_ref()?.reveal(Purpose::Route).party());
    let (Some(contract), Some(party)) = (contract, party) else {
        // a yes that names nobody who pays is no permission
        return refused(Allowed::Unanswered);
    };
    let token = record_token(token, party, contract);
    let permit = Permit {
        token,
        reference: verdict.reference,
        method: AuthMethod::Request,
        energy_cap: verdict.energy_cap,
        money_cap: verdict.money_cap,
        until: now.plus(PERMIT_HOLDS),
        group: verdict.group,
    };
    Conclusion { allowed: Allowed::Yes, permit: Some(permit), words: verdict.words }
}

/// The uid of session and CDR is the contract's own compact form: the card stays between driver and provider
/// (handbook privacy 4). Only where a provider names no other contract does the uid remain what it was.
fn record_token(token: &PresentedToken, party: PartyId, contract: Personal<ContractId>) -> RecordToken {
    let compact = contract.reveal(Purpose::Bill).compact();
    let same = compact == token.uid.reveal(Purpose::Bill).normal();
    match TokenUid::new(&compact) {
        Ok(uid) if !same => RecordToken { party, uid: Personal::new(uid), kind: TokenKind::AdHocUser, contract },
        Ok(_) | Err(_) => RecordToken { party, uid: token.uid.clone(), kind: token.kind, contract },
    }
}

/// A car presents its contract id as the uid; another uid is no contract.
fn contract_of_uid(token: &PresentedToken) -> Option<Personal<ContractId>> {
    matches!(token.kind, TokenKind::Emaid | TokenKind::AdHocUser).then_some(())?;
    ContractId::new(token.uid.reveal(Purpose::Bill).as_delivered()).ok().map(Personal::new)
}

const fn refused(allowed: Allowed) -> Conclusion {
    Conclusion { allowed, permit: None, words: None }
}

/// From the tap to the plug: a permit that is not used within this time has to be asked for again.
pub const PERMIT_HOLDS: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn card() -> PresentedToken {
        PresentedToken::new(TokenUid::new("04a2b3c4").unwrap(), TokenKind::Rfid)
    }

    fn yes() -> Verdict {
        Verdict {
            contract: Some(Personal::new(ContractId::new("DE-8AA-CA2B3C4D5-N").unwrap())),
            party: "DE-8AA".parse().ok(),
            ..Verdict::bare(Allowed::Yes)
        }
    }

    #[test]
    fn a_yes_becomes_a_permit_without_the_cards_uid() {
        let concluded = conclude(NOW, &card(), Ok(Answer::May(yes())));
        let permit = concluded.permit.unwrap();
        assert_eq!(permit.token.uid, Personal::new(TokenUid::new("DE8AACA2B3C4D5").unwrap()));
        assert_eq!(permit.token.kind, TokenKind::AdHocUser);
        assert_eq!(permit.until, NOW.plus(PERMIT_HOLDS));
    }

    #[test]
    fn every_answer_has_a_verdict() {
        let nameless = Verdict { contract: None, party: None, ..yes() };
        let table = [
            (Ok(Answer::May(yes())), Allowed::Yes),
            (Ok(Answer::May(nameless)), Allowed::Unanswered),
            (Ok(Answer::May(Verdict::bare(Allowed::Blocked))), Allowed::Blocked),
            (Ok(Answer::May(Verdict::bare(Allowed::NoCredit))), Allowed::NoCredit),
            (Ok(Answer::Noted), Allowed::Unanswered),
            (Err(RoadFault::Denied(Denial::UnknownToken)), Allowed::Unknown),
            (Err(RoadFault::Denied(Denial::ReceiverSilent)), Allowed::Unanswered),
            (Err(RoadFault::TimedOut), Allowed::Unanswered),
            (Err(RoadFault::Unreachable), Allowed::Unanswered),
        ];
        for (answer, allowed) in table {
            let concluded = conclude(NOW, &card(), answer.clone());
            assert_eq!(concluded.allowed, allowed, "{answer:?}");
            assert_eq!(concluded.permit.is_some(), allowed == Allowed::Yes);
        }
    }

    #[test]
    fn what_is_known_is_not_asked_again() {
        let permit = conclude(NOW, &card(), Ok(Answer::May(yes()))).permit.unwrap();
        let ask = Step::Ask(Question::MayCharge { token: card() });
        let known = |alias, permit| Standing { alias, permit };
        let given = Some(permit.clone());
        assert_eq!(decide(NOW, &card(), known(None, None)), ask);
        assert_eq!(decide(NOW, &card(), known(None, given.clone())), Step::Permitted(permit.clone()));
        assert_eq!(decide(permit.until, &card(), known(None, given.clone())), ask);
        assert_eq!(decide(NOW, &card(), known(Some(Alias::Over), given)), Step::Refused(Allowed::Expired));
        let good = Some(Alias::Good(permit.clone()));
        assert_eq!(decide(NOW, &card(), known(good, None)), Step::Permitted(permit));
    }
}
