//! The life of a record in a clearing house: handed in, judged by its owner, revised or given up (OCHP, "Process Charge
//! Data Records").
//!
//! Pure decisions about one status; who may ask and where records are kept is the door's. Invariant: what was approved
//! or given up never changes again.

use crate::types::record::CdrStatus;

/// Why a step is not taken: always the sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misstep {
    #[error("no such record was handed in")]
    NotKept,
    #[error("another record of this id was handed in before")]
    Taken,
    #[error("only what was accepted or declined can be revised")]
    NotOpen,
    #[error("only what was declined can be given up")]
    NotDeclined,
    #[error("the record was judged otherwise before")]
    Judged,
    #[error("an operator hands records in as new, revised or rejected")]
    NotAnOperatorsWord,
}

/// What an operator's handing in makes of a record. `kept` is the standing of the one of the same id, `same` whether it
/// says the same. The same again changes nothing, so a lost answer costs nothing.
pub fn handed_in(kept: Option<CdrStatus>, said: CdrStatus, same: bool) -> Result<CdrStatus, Misstep> {
    use CdrStatus::{Accepted, Approved, Declined, New, Rejected, Revised};
    match (said, kept) {
        (New, None) => Ok(Accepted),
        (New, Some(kept)) if same => Ok(kept),
        (New, Some(_)) => Err(Misstep::Taken),
        (Revised | Rejected, None) => Err(Misstep::NotKept),
        (Revised, Some(Accepted | Declined | Revised)) => Ok(Revised),
        (Revised, Some(New | Approved | Rejected)) => Err(Misstep::NotOpen),
        (Rejected, Some(Declined | Rejected)) => Ok(Rejected),
        (Rejected, Some(New | Accepted | Approved | Revised)) => Err(Misstep::NotDeclined),
        (Accepted | Approved | Declined, _) => Err(Misstep::NotAnOperatorsWord),
    }
}

/// What its owner's judgement makes of a record.
pub fn judged(kept: Option<CdrStatus>, approved: bool) -> Result<CdrStatus, Misstep> {
    use CdrStatus::{Accepted, Approved, Declined, New, Rejected, Revised};
    match (kept, approved) {
        (Some(Accepted | Revised | Approved), true) => Ok(Approved),
        (Some(Accepted | Revised | Declined), false) => Ok(Declined),
        (Some(Approved | Rejected), false) | (Some(Declined | Rejected), true) => Err(Misstep::Judged),
        (Some(New) | None, _) => Err(Misstep::NotKept),
    }
}

/// The records that a provider gets: what waits for its judgement, or what it asked for.
pub fn for_provider(wanted: Option<CdrStatus>, status: CdrStatus) -> bool {
    match wanted {
        None => matches!(status, CdrStatus::Accepted | CdrStatus::Revised),
        Some(wanted) => wanted == status && !matches!(status, CdrStatus::Declined | CdrStatus::New),
    }
}

/// The records that an operator gets back: what was declined, or what it asked for.
pub fn for_operator(wanted: Option<CdrStatus>, status: CdrStatus) -> bool {
    let wanted = wanted.unwrap_or(CdrStatus::Declined);
    wanted == status && matches!(status, CdrStatus::Declined | CdrStatus::Approved | CdrStatus::Rejected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use CdrStatus::{Accepted, Approved, Declined, New, Rejected, Revised};

    #[test]
    fn a_record_is_declined_revised_and_approved() {
        let accepted = handed_in(None, New, false);
        assert_eq!(accepted, Ok(Accepted));
        assert_eq!(judged(Some(Accepted), false), Ok(Declined));
        assert!(for_operator(None, Declined) && !for_provider(None, Declined));
        assert_eq!(handed_in(Some(Declined), Revised, false), Ok(Revised));
        assert!(for_provider(None, Revised));
        assert_eq!(judged(Some(Revised), true), Ok(Approved));
        assert_eq!(handed_in(Some(Approved), Revised, false), Err(Misstep::NotOpen));
    }

    #[test]
    fn what_is_final_stays_and_what_is_repeated_changes_nothing() {
        for last in [Approved, Rejected] {
            for said in [New, Revised] {
                assert!(handed_in(Some(last), said, false).is_err());
            }
            assert!(judged(Some(last), last != Approved).is_err());
        }
        assert_eq!(handed_in(Some(Approved), New, true), Ok(Approved));
        assert_eq!(judged(Some(Approved), true), Ok(Approved));
        assert_eq!(judged(Some(Declined), false), Ok(Declined));
        assert_eq!(judged(Some(Declined), true), Err(Misstep::Judged));
        assert_eq!(judged(None, true), Err(Misstep::NotKept));
        assert_eq!(handed_in(Some(Declined), Rejected, true), Ok(Rejected));
        assert_eq!(handed_in(Some(Accepted), Rejected, true), Err(Misstep::NotDeclined));
        assert_eq!(handed_in(None, Approved, false), Err(Misstep::NotAnOperatorsWord));
    }
}
