//! May this token charge? Decided without a place: nobody has told one yet, and nobody asks.
//!
//! The invariant: whoever asks about an unknown token, about a one-time id that is not armed for him, or about
//! another provider's token gets the same word, so that answers cannot be used to try ids out.

use charge::Personal;
use charge::Timestamp;
use charge::id::{AuthorizationReference, PartyId};
use charge::money::Money;
use charge::token::{Allowed, ContractId, Verdict};

use crate::contracts::{self, Contract};
use crate::onetime::OneTime;

/// What is known about a presented card.
pub(crate) struct Standing {
    pub(crate) blocked: bool,
    pub(crate) contract: Contract,
    pub(crate) owed: Money,
}

/// `Ok` with the money cap to give, or the word that refuses.
pub(crate) fn card(now: Timestamp, standing: Option<&Standing>) -> Result<Option<Money>, Allowed> {
    let standing = standing.ok_or(Allowed::Unknown)?;
    if standing.blocked {
        return Err(Allowed::Blocked);
    }
    contracts::allowance(now, &standing.contract, standing.owed)
}

/// A one-time id that an operator asks about again, for example because the station sent it on its own.
pub(crate) fn one_time(now: Timestamp, asker: PartyId, known: Option<&OneTime>) -> Result<(), Allowed> {
    match known {
        Some(id) if id.is_armed_for(asker, now) => Ok(()),
        Some(_) | None => Err(Allowed::Unknown),
    }
}

/// The answer that permits.
pub(crate) fn yes(
    us: PartyId,
    contract: Personal<ContractId>,
    reference: AuthorizationReference,
    money_cap: Option<Money>,
) -> Verdict {
    let (contract, party, reference) = (Some(contract), Some(us), Some(reference));
    Verdict { contract, party, reference, money_cap, ..Verdict::bare(Allowed::Yes) }
}

/// The answer that refuses. Everything but `Unknown` says whose token it is, because the asker came to its provider.
pub(crate) fn no(us: PartyId, allowed: Allowed) -> Verdict {
    let party = (allowed != Allowed::Unknown).then_some(us);
    Verdict { party, ..Verdict::bare(allowed) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::money::Currency;

    use super::*;
    use crate::contracts::ContractState;

    #[test]
    fn a_card_is_judged_by_its_own_state_its_contract_and_its_credit() {
        use ContractState::{Ended, Good, Suspended};
        let now = Timestamp::from_secs(1_000);
        let later = Some(Timestamp::from_secs(1_001));
        let eur = |minor| Money::new(minor, Currency::EUR);
        let table = [
            (false, Good, None, None, 99_999, Ok(None)),
            (false, Good, later, Some(5_000), 4_999, Ok(Some(eur(1)))),
            (false, Good, later, Some(5_000), 5_000, Err(Allowed::NoCredit)),
            (false, Good, Some(now), Some(5_000), 0, Err(Allowed::Expired)),
            (true, Good, None, None, 0, Err(Allowed::Blocked)),
            (true, Ended, None, None, 0, Err(Allowed::Blocked)),
            (false, Suspended, None, None, 0, Err(Allowed::Blocked)),
            (false, Ended, None, None, 0, Err(Allowed::Expired)),
        ];
        for (blocked, state, valid_until, cap, owed, expected) in table {
            let contract = Contract { state, valid_until, credit_cap: cap.map(eur) };
            let standing = Standing { blocked, contract, owed: eur(owed) };
            assert_eq!(card(now, Some(&standing)), expected, "{blocked} {state:?} {valid_until:?} {cap:?} {owed}");
        }
        assert_eq!(card(now, None), Err(Allowed::Unknown));
    }

    #[test]
    fn an_unknown_token_gets_a_bare_word() {
        let us: PartyId = "DE-8AA".parse().unwrap();
        assert_eq!(no(us, Allowed::Unknown), Verdict::bare(Allowed::Unknown));
        assert_eq!(no(us, Allowed::Blocked).party, Some(us));
    }
}
