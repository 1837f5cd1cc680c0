//! The curve of a session: what was measured, moment by moment.
//!
//! A session's row is written with every reading anyway, so its newest points lie in it, as its tail, and go to the
//! table together: a page for each some, not for each one. Whoever asks for the curve gets both. The invariant: a point
//! is in the same commit as the reading that it came from, and the same moment again completes the first, wherever
//! that one lies.

use std::collections::BTreeMap;

use charge::Timestamp;
use charge::id::SessionId;
use charge::units::{Energy, Power};
use store::{Migration, StoreError, Tx, values};

use crate::memory::{damaged, word_opt};
use crate::metering::Point;

/// Points are most of what is kept, and come with every reading: one tree instead of two.
pub(crate) const POINTS_IN_ONE: Migration =
    Migration { family: "operator points", number: 1, name: "points in one tree", sql: POINTS_SCHEMA };

const POINTS_SCHEMA: &str = "CREATE TABLE operator_points_in_one (
    session TEXT NOT NULL,
    at INTEGER NOT NULL,
    register INTEGER,
    power INTEGER,
    charged_percent TEXT,
    flaw TEXT,
    PRIMARY KEY (session, at)
) WITHOUT ROWID;
INSERT INTO operator_points_in_one (session, at, register, power, charged_percent, flaw)
    SELECT session, at, register, power, charged_percent, flaw FROM operator_points;
DROP TABLE operator_points;
ALTER TABLE operator_points_in_one RENAME TO operator_points;";

pub(crate) const TAILS: Migration = Migration {
    family: "operator points",
    number: 2,
    name: "the newest points in the session's row",
    sql: "ALTER TABLE operator_sessions ADD COLUMN tail BLOB;",
};

/// The newest points of a session, packed: the time, what there is, and each of that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail(Vec<u8>);

impl Tail {
    pub(crate) const fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn as_bytes(&self) -> Option<&[u8]> {
        (!self.0.is_empty()).then_some(&*self.0)
    }

    fn pack(points: &[(Timestamp, Point)]) -> Self {
        let mut bytes = Vec::with_capacity(points.len() * POINT_BYTES_USUALLY);
        for (at, point) in points {
            bytes.extend_from_slice(&at.micros().to_le_bytes());
            let percent = point.charged_percent.map(|percent| percent.to_string());
            let (register, power) = (point.register.map(Energy::mwh), point.power.map(Power::milliwatts));
            let texts = [percent.as_deref(), point.flaw.as_deref()];
            let present = [register.is_some(), power.is_some(), texts[0].is_some(), texts[1].is_some()];
            bytes.push(present.into_iter().rev().fold(0, |bits, here| bits << 1 | u8::from(here)));
            for number in [register, power].into_iter().flatten() {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            for text in texts.into_iter().flatten() {
                // our own words, and far shorter
                let text = &text.as_bytes()[..text.floor_char_boundary(u8::MAX.into())];
                bytes.push(text.len() as u8);
                bytes.extend_from_slice(text);
            }
        }
        Self(bytes)
    }

    fn unpack(&self) -> Result<Vec<(Timestamp, Point)>, StoreError> {
        let (mut bytes, mut points) = (&*self.0, Vec::with_capacity(TAIL_POINTS_MAX + 1));
        while !bytes.is_empty() {
            points.push(next(&mut bytes).ok_or_else(|| damaged("tail"))?);
        }
        Ok(points)
    }
}

fn next(bytes: &mut &[u8]) -> Option<(Timestamp, Point)> {
    let at = Timestamp::from_micros(number(bytes)?);
    let present = *bytes.split_off_first()?;
    let here = |bit: u8| present & 1 << bit != 0;
    let mut point = Point::default();
    if here(0) {
        point.register = Some(Energy::from_mwh(number(bytes)?));
    }
    if here(1) {
        point.power = Some(Power::from_milliwatts(number(bytes)?));
    }
    if here(2) {
        point.charged_percent = Some(text(bytes)?.parse().ok()?);
    }
    if here(3) {
        point.flaw = Some(text(bytes)?.to_owned());
    }
    Some((at, point))
}

fn number(bytes: &mut &[u8]) -> Option<i64> {
    Some(i64::from_le_bytes(*bytes.split_off(..8)?.first_chunk()?))
}

fn text<'b>(bytes: &mut &'b [u8]) -> Option<&'b str> {
    let length = *bytes.split_off_first()?;
    str::from_utf8(bytes.split_off(..length.into())?).ok()
}

/// Keeps points of a session's curve: in its tail, which is saved with its row, or with all that waited there in the
/// table.
pub(crate) fn put(
    tx: &mut Tx<'_>,
    session: &SessionId,
    tail: &mut Tail,
    points: &BTreeMap<Timestamp, Point>,
) -> Result<(), StoreError> {
    let mut waiting = tail.unpack()?;
    for (at, point) in points {
        match waiting.iter_mut().find(|(known, _)| known == at) {
            Some((_, known)) => known.complete(point.clone()),
            None => waiting.push((*at, point.clone())),
        }
    }
    if waiting.len() <= TAIL_POINTS_MAX {
        *tail = Tail::pack(&waiting);
        return Ok(());
    }
    for (at, point) in waiting {
        tx.execute(
            PUT_POINT,
            &values![
                session.as_str(),
                at,
                point.register.map(Energy::mwh),
                point.power.map(Power::milliwatts),
                point.charged_percent.map(|percent| percent.to_string()),
                point.flaw.as_deref(),
            ],
        )?;
    }
    *tail = Tail::default();
    Ok(())
}

/// The whole curve.
pub(crate) fn points(tx: &Tx<'_>, session: &SessionId, tail: &Tail) -> Result<BTreeMap<Timestamp, Point>, StoreError> {
    let rows = tx.query(POINTS, &values![session.as_str()], |row| {
        let point = Point {
            register: row.int_opt(1)?.map(Energy::from_mwh),
            power: row.int_opt(2)?.map(Power::from_milliwatts),
            charged_percent: word_opt(row, 3, "charged_percent")?,
            flaw: row.text_opt(4)?,
        };
        Ok((row.time(0)?, point))
    })?;
    let mut points: BTreeMap<_, _> = rows.into_iter().collect();
    for (at, point) in tail.unpack()? {
        points.entry(at).or_default().complete(point);
    }
    Ok(points)
}

/// So many points lie in a session's row before they go to the table: some hundred bytes, in a row of as many.
const TAIL_POINTS_MAX: usize = 16;
/// The time, what there is, energy and power.
const POINT_BYTES_USUALLY: usize = 25;

/// Completes what is there as [`Point::complete`] does.
const PUT_POINT: &str = "INSERT INTO operator_points (session, at, register, power, charged_percent, flaw)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (session, at) DO UPDATE SET
    register = COALESCE(operator_points.register, excluded.register),
    power = COALESCE(excluded.power, operator_points.power),
    charged_percent = COALESCE(excluded.charged_percent, operator_points.charged_percent),
    flaw = CASE WHEN operator_points.register IS NULL THEN excluded.flaw ELSE operator_points.flaw END";
const POINTS: &str = "SELECT at, register, power, charged_percent, flaw FROM operator_points
    WHERE session = ?1 ORDER BY at";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;
    use store::Store;

    use super::*;
    use crate::memory::MIGRATIONS;

    fn point() -> impl Strategy<Value = Point> {
        let flaw = prop::option::of(prop::sample::select(vec!["falls back", "is negative"]));
        let percent = prop::option::of(0..=100_i64);
        (prop::option::of(0..9_i64), prop::option::of(-9..9_i64), percent, flaw).prop_map(
            |(register, power, percent, flaw)| Point {
                register: register.map(Energy::from_mwh),
                power: power.map(Power::from_milliwatts),
                charged_percent: percent.map(Into::into),
                flaw: flaw.map(str::to_owned),
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However many come in whichever order, the curve is the one that a single map would be.
        #[test]
        fn a_point_is_found_wherever_it_lies(messages in prop::collection::vec((0..40_i64, point()), 0..90)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let store = Store::in_memory(MIGRATIONS).unwrap();
            let mut expected = BTreeMap::<Timestamp, Point>::new();
            for (at, point) in &messages {
                expected.entry(Timestamp::from_micros(*at)).or_default().complete(point.clone());
            }
            let found = runtime.block_on(store.run::<_, StoreError>("test", move |tx| {
                let (id, mut tail) = (SessionId::new("s").unwrap(), Tail::default());
                for (at, point) in messages {
                    put(tx, &id, &mut tail, &BTreeMap::from([(Timestamp::from_micros(at), point)]))?;
                    assert!(tail.unpack()?.len() <= TAIL_POINTS_MAX);
                }
                points(tx, &id, &tail)
            })).unwrap();
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_damaged_tail_is_reported() {
        let whole =
            Tail::pack(&[(Timestamp::from_micros(0), Point { flaw: Some("falls".to_owned()), ..Point::default() })]);
        let cut = Tail(whole.0[..whole.0.len() - 1].to_vec());
        assert!(matches!(cut.unpack(), Err(StoreError::Corrupt(_))));
    }
}
