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
            // nor do our tariffs, nor what was agreed with the driver
            report.terms = None;
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
        terms: None,
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
    report.key = Some(UNNUMBERED);
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
        terms: None,
    }
}

/// 1.6 has no start without a token: this word stands for all of them.
fn hidden_token() -> Option<PresentedToken> {
    TokenUid::new(HIDDEN).ok().map(|uid| PresentedToken::new(uid, TokenKind::Other))
}

/// In the place of the second's own number, which is put in when it is known. Readers of 1.6 take no zero.
const UNNUMBERED: TransactionKey = TransactionKey::Number(1);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::meter::SignedRecord;
    use charge::talk::line::{EndReason, Version};

    use super::*;
    use crate::proxy::tests::second;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn token(uid: &str) -> PresentedToken {
        PresentedToken::new(TokenUid::new(uid).unwrap(), TokenKind::Rfid)
    }

    fn reading(context: Context, wh: i64) -> Reading {
        Reading { at: NOW, context, phase: None, measured: Measured::EnergyImport(Energy::from_wh(wh)) }
    }

    fn signed() -> Reading {
        let record = SignedRecord { format: "OCMF".into(), bytes: Box::from(*b"OCMF|{}|{}"), public_key: None };
        Reading { at: NOW, context: Context::TransactionEnd, phase: None, measured: Measured::Signed(record) }
    }

    fn event(stage: Stage, seq: Option<u32>, readings: Vec<Reading>) -> TransactionReport {
        TransactionReport {
            stage,
            key: seq.map(|_| TransactionKey::Text("tx-1".into())),
            seq,
            at: NOW,
            evse: EvseNo::new(1).filter(|_| stage == Stage::Started),
            token: None,
            readings,
            reason: (stage == Stage::Ended).then_some(EndReason::Local),
            state: None,
            offline: false,
            remote_start: Some(5),
            reservation: Some(6),
            terms: None,
        }
    }

    /// What a second CSMS sees of a whole transaction, message by message.
    fn copies(second: &Second, key: &TransactionKey, said: Vec<(FromStation, Option<&str>)>) -> Vec<Copied> {
        let mut told = None;
        let each = |(said, masked): (FromStation, Option<&str>)| {
            let copied = copy(second, said, Some(key), told.clone(), masked.map(token));
            if copied.told.is_some() {
                told = copied.told.clone();
            }
            copied
        };
        said.into_iter().map(each).collect()
    }

    #[test]
    fn a_2x_transaction_begins_in_1_6_when_its_token_is_known() {
        let key = TransactionKey::Text("tx-1".into());
        let started = event(Stage::Started, Some(0), vec![reading(Context::TransactionBegin, 1_000)]);
        let authorised = event(Stage::Updated, Some(1), Vec::new());
        let course = event(Stage::Updated, Some(2), vec![reading(Context::SamplePeriodic, 1_500)]);
        let ended = event(Stage::Ended, Some(3), vec![signed()]);
        let word = |report: &TransactionReport| FromStation::Transaction(report.clone());
        let said = vec![
            (word(&started), None),
            (word(&authorised), Some("ALIAS")),
            (word(&authorised), Some("ALIAS")),
            (word(&course), None),
            (word(&ended), None),
        ];
        let [waits, begins, again, goes_on, ends] = copies(&second(), &key, said).try_into().unwrap();
        assert!(waits.words.is_empty() && !waits.lost && !waits.told.unwrap().began);
        match &begins.words[..] {
            [(FromStation::Transaction(start), Weight::Edge)] => {
                assert_eq!((start.stage, start.at, start.evse), (Stage::Started, NOW, EvseNo::new(1)));
                assert_eq!(start.token, Some(token("ALIAS")));
                assert_eq!(start.readings, vec![reading(Context::TransactionBegin, 1_000)]);
                assert_eq!((start.remote_start, start.reservation), (None, None));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(again, Copied::default(), "a repeated message is not copied again");
        assert!(matches!(&goes_on.words[..], [(FromStation::Meter(_), Weight::Course)]));
        match &ends.words[..] {
            [(FromStation::Transaction(stop), Weight::Edge)] => {
                assert_eq!(stop.readings, vec![reading(Context::TransactionEnd, 1_500)], "the newest register ends it");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_1_6_transaction_is_counted_in_2x() {
        let second = Second { version: Version::V21, ..second() };
        let key = TransactionKey::Number(7);
        let meter = MeterReport {
            evse: EvseNo::new(1),
            key: Some(key.clone()),
            readings: vec![reading(Context::SamplePeriodic, 1_200), signed()],
        };
        let said = vec![
            (
                FromStation::Transaction(event(Stage::Started, None, vec![reading(Context::TransactionBegin, 1_000)])),
                Some("ALIAS"),
            ),
            (FromStation::Meter(meter), None),
            (FromStation::Transaction(event(Stage::Ended, None, vec![reading(Context::TransactionEnd, 2_000)])), None),
            (FromStation::Transaction(event(Stage::Ended, None, Vec::new())), None),
        ];
        let copied = copies(&second, &key, said);
        let seen: Vec<_> = copied
            .iter()
            .flat_map(|one| &one.words)
            .map(|(word, _)| match word {
                FromStation::Transaction(report) => (report.stage, report.seq, report.key.clone()),
                other => panic!("{other:?}"),
            })
            .collect();
        let name = Some(TransactionKey::Text("7".into()));
        let wanted = [
            (Stage::Started, Some(0), name.clone()),
            (Stage::Updated, Some(1), name.clone()),
            (Stage::Ended, Some(2), name),
        ];
        assert_eq!(seen, wanted);
        let has_record = format!("{copied:?}").contains("OCMF");
        assert!(!has_record, "a signed record has the token in it");
    }

    #[test]
    fn a_dropped_token_is_one_word_for_all_and_a_stranger_is_not_told_of() {
        let hidden = Second { tokens: Tokens::Drop, ..second() };
        let started = event(Stage::Started, None, vec![reading(Context::TransactionBegin, 1)]);
        let copied = copy(&hidden, FromStation::Transaction(started), Some(&TransactionKey::Number(1)), None, None);
        match &copied.words[..] {
            [(FromStation::Transaction(start), _)] => assert_eq!(
                start.token,
                Some(token(HIDDEN)).map(|mut one| {
                    one.kind = TokenKind::Other;
                    one
                })
            ),
            other => panic!("{other:?}"),
        }
        let tap = FromStation::Tap(Tap { token: token("04A2B3C4"), contract: None });
        assert_eq!(copy(&hidden, tap, None, None, None), Copied::default());
        let ended = event(Stage::Ended, None, vec![reading(Context::TransactionEnd, 1)]);
        let unknown = copy(&hidden, FromStation::Transaction(ended), Some(&TransactionKey::Number(2)), None, None);
        assert_eq!(unknown, Copied::default(), "its begin was never told");
    }
}
