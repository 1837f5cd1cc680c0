//! A session as the driver's provider sees it: what its operator told last, and what it costs by the tariff that was
//! agreed at its start.
//!
//! The operator's word may come twice, late or out of order; what is known never goes back. It deliberately judges no
//! price: that is the CDR's business.

use charge::id::{EvseId, EvseUid, LocationId, PartyId, SessionId};
use charge::money::{Currency, Price};
use charge::record::SessionStatus;
use charge::tariff::Dimension;
use charge::units::{Energy, Power};
use charge::{Decimal, Timestamp};

use crate::learned::Learned;
use crate::{CdrNo, DriverId, SessionNo};

/// A session in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub no: SessionNo,
    pub operator: PartyId,
    /// As the operator counts it.
    pub id: SessionId,
    pub driver: DriverId,
    pub start: Timestamp,
    pub end: Option<Timestamp>,
    pub energy: Energy,
    pub status: SessionStatus,
    pub currency: Currency,
    /// So far, or as the CDR says; without VAT and with it.
    pub cost: Option<Price>,
    /// `None` once the dispute window is over.
    pub place: Option<SessionPlace>,
    /// The word on the CDR's signed records, once there is one.
    pub verdict: Option<String>,
}

/// Where a session took place, as it was called then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPlace {
    pub location: LocationId,
    pub evse: EvseUid,
    pub evse_id: Option<EvseId>,
    pub name: Option<String>,
    pub address: String,
    pub city: String,
}

/// A session with everything about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDetail {
    pub row: SessionRow,
    /// Now, or at the last word of the operator.
    pub power: Option<Power>,
    pub curve: Vec<Point>,
    pub lines: Vec<CostLine>,
    /// The tariff that was agreed, in plain words.
    pub tariff: Option<String>,
    pub evidence: Option<Evidence>,
    pub learned: Vec<Learned>,
    pub cdr: Option<CdrNo>,
}

/// What the signed records say, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// One of the four words of verification.
    pub verdict: String,
    pub reasons: Vec<String>,
    pub lines: Vec<(String, String)>,
    pub warnings: Vec<String>,
}

/// Power and energy at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub at: Timestamp,
    /// Mean since the point before.
    pub power: Power,
    /// Since the beginning.
    pub energy: Energy,
}

/// One line of a price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostLine {
    /// What it is for; `None` for a minimum or maximum that moved the total.
    pub dimension: Option<Dimension>,
    pub text: String,
    pub quantity: Decimal,
    pub unit: String,
    /// Before VAT, unrounded.
    pub amount: Decimal,
}

/// Who a session belongs to and on what it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) driver: DriverId,
    /// The one-time id, or for a session on a bare card the session itself.
    pub(crate) subject: String,
    /// The one-time id, if there is one.
    pub(crate) code: Option<String>,
}

/// What a word of the operator changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Update {
    /// The first word.
    New,
    Newer,
    /// Older than what is known, or a step back: acknowledged and left.
    Stale,
}

/// Compares a word with what is known.
pub(crate) fn update(known: Option<(SessionStatus, Timestamp)>, status: SessionStatus, at: Timestamp) -> Update {
    let Some((before, updated)) = known else { return Update::New };
    if at < updated || !may_follow(before, status) { Update::Stale } else { Update::Newer }
}

/// A session never runs again after its end.
const fn may_follow(before: SessionStatus, after: SessionStatus) -> bool {
    use SessionStatus as S;
    match (before, after) {
        (S::Pending, S::Pending | S::Active | S::Completed | S::Invalid)
        | (S::Active, S::Active | S::Completed | S::Invalid)
        | (S::Completed, S::Completed | S::Invalid)
        | (S::Invalid, S::Invalid) => true,
        (S::Active, S::Pending)
        | (S::Completed, S::Pending | S::Active)
        | (S::Invalid, S::Pending | S::Active | S::Completed) => false,
    }
}

/// For rows; the spelling of OCPI.
pub(crate) const fn status_name(status: SessionStatus) -> &'static str {
    match status {
        SessionStatus::Pending => "PENDING",
        SessionStatus::Active => "ACTIVE",
        SessionStatus::Completed => "COMPLETED",
        SessionStatus::Invalid => "INVALID",
    }
}

pub(crate) fn status_named(text: &str) -> Option<SessionStatus> {
    let all = [SessionStatus::Pending, SessionStatus::Active, SessionStatus::Completed, SessionStatus::Invalid];
    all.into_iter().find(|status| status_name(*status) == text)
}

/// Whether the session is over.
pub(crate) const fn is_over(status: SessionStatus) -> bool {
    match status {
        SessionStatus::Pending | SessionStatus::Active => false,
        SessionStatus::Completed | SessionStatus::Invalid => true,
    }
}

/// Mean power between two words, exact to the milliwatt. `None` where no time went by.
pub(crate) fn mean_power(before: (Timestamp, Energy), after: (Timestamp, Energy)) -> Option<Power> {
    let micros = after.0.micros().checked_sub(before.0.micros()).filter(|micros| *micros > 0)?;
    let mwh = after.1.checked_sub(before.1)?.mwh();
    let milliwatts = i128::from(mwh).checked_mul(MICROS_PER_HOUR)? / i128::from(micros);
    i64::try_from(milliwatts).ok().map(Power::from_milliwatts)
}

const MICROS_PER_HOUR: i128 = 3_600_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_never_goes_back() {
        use SessionStatus as S;
        let (early, late) = (Timestamp::from_secs(1), Timestamp::from_secs(2));
        let table = [
            (None, S::Active, early, Update::New),
            (Some((S::Pending, early)), S::Active, late, Update::Newer),
            (Some((S::Active, early)), S::Active, early, Update::Newer),
            (Some((S::Active, late)), S::Active, early, Update::Stale),
            (Some((S::Active, early)), S::Pending, late, Update::Stale),
            (Some((S::Completed, early)), S::Active, late, Update::Stale),
            (Some((S::Completed, early)), S::Invalid, late, Update::Newer),
            (Some((S::Invalid, early)), S::Completed, late, Update::Stale),
        ];
        for (known, status, at, expected) in table {
            assert_eq!(update(known, status, at), expected, "{known:?} {status:?}");
        }
    }

    #[test]
    fn mean_power_is_energy_over_time() {
        let at = |secs, wh| (Timestamp::from_secs(secs), Energy::from_wh(wh));
        assert_eq!(mean_power(at(0, 0), at(1_800, 5_500)), Some(Power::from_watts(11_000)));
        assert_eq!(mean_power(at(5, 0), at(5, 10)), None);
    }
}
