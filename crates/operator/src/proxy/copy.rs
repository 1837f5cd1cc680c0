//! What a second CSMS sees of a station's word: people taken out, and transactions in the way of its version.
//!
//! The generations tell a transaction differently: 1.6 begins with a token and a register and hears a number, 2.x
//! begins with anything and counts its messages. What is told here follows the second's way, whatever the station
//! speaks. Invariants: a message that was copied once is not copied again; a transaction is told from its begin or
//! not at all.

use charge::Timestamp;
use charge::id::{EvseNo, TransactionKey};
use charge::meter::{Context, Measured, Reading};
use charge::talk::line::{FromStation, MeterReport, Stage, Tap, TransactionReport};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::units::Energy;

use super::{Second, Tokens};

/// What is dropped first when the second CSMS is away for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Says how things are; newer news replaces it.
    News,
    /// The course of a transaction.
    Course,
    /// Begin and end of a transaction: never dropped.
    Edge,
}

impl Weight {
    pub(crate) const fn number(self) -> i64 {
        match self {
            Self::News => 0,
            Self::Course => 1,
            Self::Edge => 2,
        }
    }
}

/// What was told of a transaction so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The number of the last message, the station's own where it counts.
    pub seq: u32,
    /// The begin was told. In 1.6 it may have to wait for a token or a register.
    pub began: bool,
    pub ended: bool,
    pub start: Option<Timestamp>,
    pub evse: Option<EvseNo>,
    /// The newest register.
    pub register: Option<Energy>,
}

/// What comes of a word.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Copied {
    pub words: Vec<(FromStation, Weight)>,
    /// What is told of the transaction from now on.
    pub told: Option<Told>,
    /// Something could not be told at all.
    pub lost: bool,
}

/// The name under which we know the transaction that a word is of. `number` is what we answered to a start of 1.6.
pub(crate) fn key(said: &FromStation, number: Option<i32>) -> Option<TransactionKey> {
    match said {
        FromStation::Transaction(report) => report.key.clone().or(number.map(TransactionKey::Number)),
        FromStation::Meter(report) => report.key.clone(),
        _ => None,
    }
}

/// What the second CSMS sees of a word. `masked` is its pseudonym for the token in it.
pub(crate) fn copy(
    second: &Second,
    said: FromStation,
    key: Option<&TransactionKey>,
    told: Option<Told>,
    masked: Option<PresentedToken>,
) -> Copied {
    let pass = second.tokens == Tokens::DangerPass;
    let news = |word| Copied { words: vec![(word, Weight::News)], ..Copied::default() };
    match said {
        FromStation::Tap(_) => match masked {
            Some(token) => news(FromStation::Tap(Tap { token, contract: None })),
            None => Copied::default(),
        },
        FromStation::Security { kind, at, detail } => {
            news(FromStation::Security { kind, at, detail: detail.filter(|_| pass) })
        }
        FromStation::Transaction(mut report) => {
            let Some(key) = key else { return Copied { lost: true, ..Copied::default() } };
            report.token = masked;
            // our numbers and reservations mean nothing to others
            (report.remote_start, report.reservation) = (None, None);
            strip(&mut report.readings, pass);
            transaction(second, report, key, told)
        }
        FromStation::Meter(mut report) => {
            strip(&mut report.readings, pass);
            if report.readings.is_empty() {
                return Copied::default();
            }
            match key {
                Some(key) => course(second, report, key, told),
                None => news(FromStation::Meter(report)),
            }
        }
        other => news(other),
    }
}

/// A signed record has the token in it, and cannot be changed without its signature.
fn strip(readings: &mut Vec<Reading>, pass: bool) {
    if !pass {
        readings.retain(|reading| !matches!(reading.measured, Measured::Signed(_)));
    }
}

/// Readings of a transaction in a message of their own.
fn course(second: &Second, report: MeterReport, key: &TransactionKey, told: Option<Told>) -> Copied {
    let Some(at) = report.readings.first().map(|reading| reading.at) else { return Copied::default() };
    let report = TransactionReport {
        stage: Stage::Updated,
        key: report.key,
        seq: None,
        at,
        evse: report.evse,
        token: None,
        readings: report.readings,
        reason: None,
        state: None,
        offline: false,
        remote_start: None,
        reservation: None,
    };
    transaction(second, report, key, told)
}

fn transaction(second: &Second, report: TransactionReport, key: &TransactionKey, told: Option<Told>) -> Copied {
    let Some(mut told) = advance(&report, told) else { return Copied::default() };
    if let Some(register) = register(&report.readings) {
        told.register = Some(register);
    }
    told.evse = told.evse.or(report.evse);
    let ended = report.stage == Stage::Ended;
    let mut words = Vec::new();
    let mut lost = false;
    if second.version.is_2() {
        let weight = if report.stage == Stage::Updated { Weight::Course } else { Weight::Edge };
        told.began = true;
        let report = TransactionReport {
            key: Some(TransactionKey::Text(key.to_string().into())),
            seq: Some(told.seq),
            ..report
        };
        words.push((FromStation::Transaction(report), weight));
    } else {
        lost = in_three_messages(second, report, &mut told, &mut words);
    }
    told.ended = ended;
    Copied { words, told: Some(told), lost }
}

/// What is known after this message; nothing where it was told before, or its begin was not.
fn advance(report: &TransactionReport, told: Option<Told>) -> Option<Told> {
    let Some(told) = told else {
        let fresh = Told { seq: report.seq.unwrap_or(0), start: Some(report.at), ..Told::default() };
        return (report.stage == Stage::Started).then_some(fresh);
    };
    let again = report.seq.is_some_and(|seq| seq <= told.seq);
    if told.ended || again || report.stage == Stage::Started {
        return None;
    }
    Some(Told { seq: report.seq.unwrap_or(told.seq.saturating_add(1)), ..told })
}

/// The way of 1.6: a start, readings, a stop. `true`: something could not be told.
fn in_three_messages(
    second: &Second,
    mut report: TransactionReport,
    told: &mut Told,
    words: &mut Vec<(FromStation, Weight)>,
) -> bool {
    let ended = report.stage == Stage::Ended;
    let began_before = told.began;
    if !told.began {
        let hidden = ended || second.tokens == Tokens::Drop;
        let token = report.token.clone().or_else(|| hidden.then(hidden_token).flatten());
        match (token, told.register, told.evse, told.start) {
            (Some(token), Some(register), Some(evse), Some(at)) => {
                words.push((FromStation::Transaction(start(token, register, evse, at, report.offline)), Weight::Edge));
                told.began = true;
            }
            (_, _, _, _) if ended => return true,
            // a later message brings what is missing
            (_, _, _, _) => return false,
        }
    }
    // the second's number is put in when it is known
    report.key = Some(TransactionKey::Number(0));
    report.seq = None;
    match report.stage {
        Stage::Ended => {
            let has_end = report.readings.iter().any(|one| one.context == Context::TransactionEnd && is_register(one));
            if let (false, Some(energy)) = (has_end, told.register) {
                let measured = Measured::EnergyImport(energy);
                let last = Reading { at: report.at, context: Context::TransactionEnd, phase: None, measured };
                report.readings.push(last);
            }
            words.push((FromStation::Transaction(report), Weight::Edge));
        }
        // the register of the begin is in the start
        Stage::Started | Stage::Updated if report.readings.is_empty() || !began_before => {}
        Stage::Started | Stage::Updated => {
            let readings = MeterReport { evse: told.evse, key: report.key, readings: report.readings };
            words.push((FromStation::Meter(readings), Weight::Course));
        }
    }
    false
}

fn start(token: PresentedToken, register: Energy, evse: EvseNo, at: Timestamp, offline: bool) -> TransactionReport {
    let measured = Measured::EnergyImport(register);
    TransactionReport {
        stage: Stage::Started,
        key: None,
        seq: None,
        at,
        evse: Some(evse),
        token: Some(token),
        readings: vec![Reading { at, context: Context::TransactionBegin, phase: None, measured }],
        reason: None,
        state: None,
        offline,
        remote_start: None,
        reservation: None,
    }
}

/// 1.6 has no start without a token: this word stands for all of them.
fn hidden_token() -> Option<PresentedToken> {
    TokenUid::new(HIDDEN).ok().map(|uid| PresentedToken::new(uid, TokenKind::Other))
}

/// The word in the place of every token that is dropped.
const HIDDEN: &str = "HIDDEN";

fn register(readings: &[Reading]) -> Option<Energy> {
    readings.iter().rev().find_map(|reading| match (&reading.measured, &reading.phase) {
        (Measured::EnergyImport(energy), None) => Some(*energy),
        (_, _) => None,
    })
}

fn is_register(reading: &Reading) -> bool {
    reading.phase.is_none() && matches!(reading.measured, Measured::EnergyImport(_))
}

/// The token of a word, for which a pseudonym is wanted.
pub(crate) fn token(said: &FromStation) -> Option<&PresentedToken> {
    match said {
        FromStation::Tap(tap) => Some(&tap.token),
        FromStation::Transaction(report) => report.token.as_ref(),
        _ => None,
    }
}
