//! A session's end becomes a CDR: evidence first, then energy, then the price of the tariff pinned at the start.
//!
//! A signed record that holds is what is billed; without one the CDR says by name why not. A record that holds but
//! speaks of another time is no evidence for this session. Amounts are worked out in `billing` and nowhere here.

use std::collections::BTreeMap;
use std::time::Duration;

use billing::cdr::{self, Closing, Evidence, Exception};
use billing::price;
use billing::record::{self, KeySource, PublicKey, Verdict};
use charge::Timestamp;
use charge::id::{AuthorizationReference, BookingId, CdrId, PartyId, SessionId};
use charge::meter::SignedRecord;
use charge::record::{AuthMethod, Cdr, Nature, Period, RecordPlace, RecordToken};
use charge::tariff::Tariff;
use charge::units::Energy;

use crate::metering::{self, Point};

/// All that is known of a session that ended.
#[derive(Clone, Debug)]
pub struct Case {
    pub party: PartyId,
    pub session: SessionId,
    /// The booking that it was for.
    pub booking: Option<BookingId>,
    pub start: Timestamp,
    pub end: Timestamp,
    pub token: RecordToken,
    pub method: AuthMethod,
    pub reference: Option<AuthorizationReference>,
    pub place: RecordPlace,
    pub time_zone: String,
    pub tariff: Tariff,
    pub points: BTreeMap<Timestamp, Point>,
    /// What the unsigned register counted.
    pub counted: Energy,
    pub records: Vec<SignedRecord>,
    pub key: Option<(PublicKey, KeySource)>,
    /// Why the signed records are no evidence here, although they hold.
    pub distrust: Option<&'static str>,
    pub closed_at: Timestamp,
}

/// A CDR and what its evidence was worth.
#[derive(Clone, Debug)]
pub struct Closed {
    pub cdr: Cdr,
    pub verdict: Verdict,
    /// What a person should look at.
    pub flags: Vec<String>,
}

/// Closes a session. The CDR has the session's own id: closing twice makes the same CDR.
pub fn close(mut case: Case) -> Result<Closed, CaseFault> {
    let mut flags = Vec::new();
    let uncounted = uncounted(&case.points);
    let verdict = record::verify(&case.records, case.key.as_ref().map(|(key, source)| (key, *source)));
    let evidence = weigh(&mut case, &verdict, &mut flags);
    let end = case.end.max(case.start);
    let periods = priced_periods(&case.tariff, &case.time_zone, &case.points, case.start, end)?;
    let id = CdrId::new(case.session.as_str()).map_err(|_| CaseFault::Id)?;
    let closing = Closing {
        party: case.party,
        id,
        session: Some(case.session),
        booking: case.booking,
        start: case.start,
        end,
        token: case.token,
        auth_method: case.method,
        permit: case.reference.map_or(cdr::Permit::Contract, cdr::Permit::Reference),
        place: case.place,
        time_zone: case.time_zone,
        tariff: case.tariff,
        periods,
        evidence,
        signed: case.records,
        flagged: Vec::new(),
        closed_at: case.closed_at,
    };
    let mut cdr = cdr::close(closing)?;
    cdr.remark = cdr.remark.into_iter().chain(uncounted).reduce(|told, more| format!("{told} {more}"));
    Ok(Closed { cdr, verdict, flags })
}

/// What was flagged on the way, for the CDR's remark.
fn uncounted(points: &BTreeMap<Timestamp, Point>) -> Option<String> {
    let flaws: Vec<&str> = points.values().filter_map(|point| point.flaw.as_deref()).collect();
    let first = flaws.first()?;
    Some(format!("{} readings were flagged and not billed; the first because {first}.", flaws.len()))
}

/// What the energy rests on. Verified readings replace the unsigned ones at begin and end.
fn weigh(case: &mut Case, verdict: &Verdict, flags: &mut Vec<String>) -> Evidence {
    let energy = case.counted;
    let Some(verified) = verdict.verified() else {
        let exception = if case.records.is_empty() {
            Exception::NoSignedMeter { energy }
        } else {
            flags.push(format!("the signed records are {verdict}"));
            Exception::SignatureFault { energy, reason: verdict.to_string() }
        };
        return Evidence::Exception(exception);
    };
    let (begin, end) = (verified.begin(), verified.end());
    let apart = |a: Timestamp, b: Timestamp| a.since(b).max(b.since(a)) > SIGNED_APART_MAX;
    let elsewhen = (apart(begin.at, case.start) || apart(end.at, case.end))
        .then_some("the signed records are of another time than the session");
    if let Some(reason) = case.distrust.or(elsewhen) {
        let reason = reason.to_owned();
        flags.push(reason.clone());
        return Evidence::Exception(Exception::SignatureFault { energy, reason });
    }
    let difference = verified.energy().mwh().abs_diff(energy.mwh());
    if difference > ROUNDED_AWAY_MAX.mwh().unsigned_abs() {
        flags.push(format!("the signed register says {}, the unsigned one {energy}", verified.energy()));
    }
    let signed = |register| Point { register: Some(register), ..Point::default() };
    case.points.retain(|_, point| point.register.is_none_or(|value| (begin.register..=end.register).contains(&value)));
    case.points.entry(case.start).or_default().register = Some(begin.register);
    case.points.entry(case.start).and_modify(|point| point.flaw = None);
    let last = case.points.entry(case.end).or_insert_with(|| signed(end.register));
    (last.register, last.flaw) = (Some(end.register), None);
    case.points.retain(|at, _| (case.start..=case.end).contains(at));
    Evidence::Verified(verified.clone())
}

/// The key to check with: the register's where a person confirmed it, otherwise whatever came along.
pub fn usable_key(
    registered: Option<(String, bool)>,
    records: &[(Nature, SignedRecord)],
) -> Option<(PublicKey, KeySource)> {
    if let Some((key, true)) = &registered {
        return PublicKey::read(key).ok().map(|key| (key, KeySource::Register));
    }
    let along = records.iter().filter_map(|(_, record)| record.public_key.as_deref());
    let seen = registered.as_ref().map(|(key, _)| key.as_str());
    along.chain(seen).find_map(|text| PublicKey::read(text).ok()).map(|key| (key, KeySource::InFile))
}

/// The periods as the tariff needs them, also for the cost of a session that still runs.
pub fn priced_periods(
    tariff: &Tariff,
    time_zone: &str,
    points: &BTreeMap<Timestamp, Point>,
    start: Timestamp,
    end: Timestamp,
) -> Result<Vec<Period>, CaseFault> {
    let cuts = price::changes(tariff, time_zone, start, end)?;
    Ok(metering::periods(points, start, end, &cuts, metering::needs_fine_periods(tariff)))
}

/// Why a session cannot be closed. Our own fault each time: the session waits until it is mended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseFault {
    #[error("the session cannot be priced")]
    Unpriced(#[from] price::PriceFault),
    #[error("the CDR cannot be closed")]
    Unclosed(#[from] cdr::CloseFault),
    #[error("the session's id is no id of a CDR")]
    Id,
}

/// A 1.6 station reports begin and end in whole watt-hours, while its meter signs finer ones.
const ROUNDED_AWAY_MAX: Energy = Energy::from_wh(2);
/// Meter and station stamp begin and end on their own clocks, and the meter's may only be informative.
const SIGNED_APART_MAX: Duration = Duration::from_secs(24 * 3_600);
