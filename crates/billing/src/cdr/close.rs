//! Closing: a session with its evidence, its agreed tariff and its permission becomes a charge detail record.
//!
//! The energy is what the verified record says; the periods, which come from unsigned readings, are fitted to it and
//! the record says so. Whatever was flagged on the way is told in the remark, never silently dropped.

use charge::id::{AuthorizationReference, BookingId, CdrId, PartyId, SessionId};
use charge::meter::SignedRecord;
use charge::record::{AuthMethod, Cdr, Nature, Period, RecordPlace, RecordToken, SignedValue};
use charge::tariff::Tariff;
use charge::units::Energy;
use charge::{Decimal, Timestamp};
use rust_decimal::RoundingStrategy;

use crate::price::{PriceFault, QUOTIENT_PLACES, price};
use crate::reading::Flaw;
use crate::record::{Obstacle, Verdict, Verified};

/// On which permission a session ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Permit {
    /// The provider gave this reference with its permission.
    Reference(AuthorizationReference),
    /// By the contract of the token alone.
    Contract,
}

/// What the energy of a CDR rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    Verified(Verified),
    Exception(Exception),
}

impl Evidence {
    /// What follows from a verdict; `unsigned` is what the register counted, for where no record holds.
    pub fn of(verdict: Verdict, unsigned: Energy) -> Self {
        let energy = unsigned;
        match verdict {
            Verdict::Valid(verified) | Verdict::ValidWithRemarks(verified, _) => Self::Verified(verified),
            Verdict::CannotBeChecked(Obstacle::NoRecord) => Self::Exception(Exception::NoSignedMeter { energy }),
            Verdict::CannotBeChecked(_) | Verdict::NotValid(_) => {
                Self::Exception(Exception::SignatureFault { energy, reason: verdict.to_string() })
            }
        }
    }
}

/// Why a CDR is closed without a verified record. The energy is what the unsigned register counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exception {
    /// The meter does not sign.
    NoSignedMeter { energy: Energy },
    /// The signed records do not hold or cannot be checked; the reason goes into the CDR's remark.
    SignatureFault { energy: Energy, reason: String },
}

/// All that a CDR is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    pub party: PartyId,
    pub id: CdrId,
    pub session: Option<SessionId>,
    /// The booking that the session was for.
    pub booking: Option<BookingId>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub token: RecordToken,
    pub auth_method: AuthMethod,
    pub permit: Permit,
    pub place: RecordPlace,
    /// IANA name, of the location.
    pub time_zone: String,
    /// As agreed at the start.
    pub tariff: Tariff,
    pub periods: Vec<Period>,
    pub evidence: Evidence,
    /// Signed records as received, in their order.
    pub signed: Vec<SignedRecord>,
    /// Readings that were flagged and did not count.
    pub flagged: Vec<Flaw>,
    /// When the CDR is closed.
    pub closed_at: Timestamp,
}

/// Why a CDR cannot be closed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseFault {
    #[error("the session ends before it starts")]
    EndsBeforeStart,
    #[error("there is no charging period")]
    NoPeriod,
    #[error("period {index} lies outside the session or out of order")]
    PeriodOutside { index: usize },
    #[error("the session delivered less than nothing")]
    NegativeEnergy,
    #[error("the session cannot be priced: {0}")]
    Unpriced(PriceFault),
}

/// Closes a CDR: fits the periods to the evidence, prices them with the agreed tariff and writes it all down.
pub fn close(c: Closing) -> Result<Cdr, CloseFault> {
    in_order(&c)?;
    let mut remarks: Vec<String> = Vec::new();
    let (energy, meter) = match &c.evidence {
        Evidence::Verified(verified) => (verified.energy(), verified.meter_serial().map(str::to_owned)),
        Evidence::Exception(Exception::NoSignedMeter { energy }) => {
            remarks.push("The meter does not sign: the energy is its unsigned register.".to_owned());
            (*energy, None)
        }
        Evidence::Exception(Exception::SignatureFault { energy, reason }) => {
            remarks.push(format!("The energy is unsigned, the signed record does not count: {reason}."));
            (*energy, None)
        }
    };
    if energy < Energy::ZERO {
        return Err(CloseFault::NegativeEnergy);
    }
    let mut periods = c.periods;
    let counted = total_energy(&periods).ok_or(CloseFault::NegativeEnergy)?;
    if counted != energy {
        fit(&mut periods, counted, energy);
        remarks.push(format!("Unsigned readings counted {counted}; the periods are fitted to {energy}."));
    }
    remarks.extend(flags(&c.flagged));
    let priced = price(&c.tariff, &c.time_zone, &periods, c.end).map_err(CloseFault::Unpriced)?;
    let too_large = CloseFault::Unpriced(PriceFault::TooLarge);
    Ok(Cdr {
        party: c.party,
        id: c.id,
        start: c.start,
        end: c.end,
        session: c.session,
        booking: c.booking,
        token: c.token,
        auth_method: c.auth_method,
        reference: match c.permit {
            Permit::Reference(reference) => Some(reference),
            Permit::Contract => None,
        },
        place: c.place,
        meter,
        currency: c.tariff.currency,
        total_time_h: hours(c.end.secs() - c.start.secs()).ok_or(too_large.clone())?,
        parking_time_h: hours(parked(&periods, c.end)).ok_or(too_large)?,
        tariff: c.tariff,
        periods,
        signed: natures(c.signed),
        energy,
        total_cost: priced.total,
        energy_cost: priced.energy,
        time_cost: priced.time,
        parking_cost: priced.parking,
        fixed_cost: priced.fixed,
        remark: (!remarks.is_empty()).then(|| remarks.join(" ")),
        credit: false,
        credit_reference: None,
        last_updated: c.closed_at,
    })
}

fn in_order(c: &Closing) -> Result<(), CloseFault> {
    if c.end < c.start {
        return Err(CloseFault::EndsBeforeStart);
    }
    if c.periods.is_empty() {
        return Err(CloseFault::NoPeriod);
    }
    let mut earliest = c.start;
    for (index, period) in c.periods.iter().enumerate() {
        if period.start < earliest || period.start > c.end {
            return Err(CloseFault::PeriodOutside { index });
        }
        if period.energy.is_some_and(|energy| energy < Energy::ZERO) {
            return Err(CloseFault::NegativeEnergy);
        }
        earliest = period.start;
    }
    Ok(())
}

/// Energy of all periods; `None` on overflow.
pub(super) fn total_energy(periods: &[Period]) -> Option<Energy> {
    periods.iter().filter_map(|period| period.energy).try_fold(Energy::ZERO, Energy::checked_add)
}

/// Makes the periods sum up to what was signed: a surplus goes to the last period with energy, a shortfall is taken
/// from the last ones.
fn fit(periods: &mut [Period], counted: Energy, signed: Energy) {
    let mut surplus = signed.mwh() - counted.mwh();
    if surplus > 0 {
        let last = periods.iter().rposition(|period| period.energy.is_some()).unwrap_or(periods.len() - 1);
        let known = periods[last].energy.unwrap_or(Energy::ZERO).mwh();
        periods[last].energy = Some(Energy::from_mwh(known + surplus));
        return;
    }
    for energy in periods.iter_mut().rev().filter_map(|period| period.energy.as_mut()) {
        let taken = energy.mwh().min(-surplus);
        *energy = Energy::from_mwh(energy.mwh() - taken);
        surplus += taken;
    }
}

/// One sentence per kind of flaw, with how often it was seen.
fn flags(flagged: &[Flaw]) -> Option<String> {
    let mut kinds: Vec<(String, usize)> = Vec::new();
    for flaw in flagged.iter().map(ToString::to_string) {
        match kinds.iter_mut().find(|(kind, _)| *kind == flaw) {
            Some((_, seen)) => *seen += 1,
            None => kinds.push((flaw, 1)),
        }
    }
    if kinds.is_empty() {
        return None;
    }
    /// A remark is read by people; more kinds than this say nothing new.
    const KINDS_SHOWN: usize = 3;
    let shown = kinds.iter().take(KINDS_SHOWN).map(|(kind, seen)| format!("{kind} ({seen}x)")).collect::<Vec<_>>();
    Some(format!("{} readings were flagged and did not count: {}.", flagged.len(), shown.join(", ")))
}

/// Seconds in which the car was connected and not charging.
pub(super) fn parked(periods: &[Period], end: Timestamp) -> i64 {
    let stops = periods.iter().skip(1).map(|period| period.start).chain([end]);
    let seconds = |(period, stop): (&Period, Timestamp)| stop.secs() - period.start.secs();
    periods.iter().zip(stops).filter(|(period, _)| !period.charging).map(seconds).sum()
}

/// Seconds as hours.
pub(super) fn hours(seconds: i64) -> Option<Decimal> {
    let hours = Decimal::from(seconds).checked_div(Decimal::from(3_600))?;
    Some(hours.round_dp_with_strategy(QUOTIENT_PLACES, RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// The first record is the start and the last one the end; a single one closes the session.
fn natures(records: Vec<SignedRecord>) -> Vec<SignedValue> {
    let last = records.len().saturating_sub(1);
    let nature = |at: usize| {
        if at == last {
            Nature::End
        } else if at == 0 {
            Nature::Start
        } else {
            Nature::Intermediate
        }
    };
    records.into_iter().enumerate().map(|(at, record)| SignedValue { nature: nature(at), record }).collect()
}
