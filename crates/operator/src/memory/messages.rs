//! The message log: what stations and operator said to each other, masked by the tongue before it gets here.
//!
//! Lines are packed as they come and written some thousand at a time. A row and a place in an index for each line
//! would cost more than the message itself, so stations share a fixed number of drawers: the lines of one batch and
//! one drawer are one row, a sheet. A station's page is read from its drawer, newest sheet first; each sheet is marked
//! with the stations in it, so that those without the station are passed over unread. The invariant: a line's cursor is
//! unique in its drawer and grows with every line; it is the arrival time or a little more.

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::quirk::Quirks;
use charge::talk::line::{Direction, LogLine};
use store::{Migration, StoreError, Tx, values};

use crate::memory::{count, damaged, lines};
use crate::view::{LogEntry, LogFilter, LogPage};

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator messages", number: 1, name: "message log in sheets", sql: SCHEMA };

const SCHEMA: &str = "DROP TABLE operator_messages;
CREATE TABLE operator_sheets (
    drawer INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    lines BLOB NOT NULL,
    PRIMARY KEY (drawer, last)
) WITHOUT ROWID;";

/// The marks stand before the lines: the engine would walk through all lines to whatever is behind them. Sheets of
/// before have none and are read.
pub(crate) const MARKED: Migration =
    Migration { family: "operator messages", number: 2, name: "marked sheets", sql: MARKED_SCHEMA };

const MARKED_SCHEMA: &str = "CREATE TABLE operator_marked_sheets (
    drawer INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    marks BLOB,
    lines BLOB NOT NULL,
    PRIMARY KEY (drawer, last)
) WITHOUT ROWID;
INSERT INTO operator_marked_sheets (drawer, last, count, marks, lines)
    SELECT drawer, last, count, NULL, lines FROM operator_sheets;
DROP TABLE operator_sheets;
ALTER TABLE operator_marked_sheets RENAME TO operator_sheets;";

/// Lines of one drawer, packed: each is its length, the time, the direction, and four texts with their lengths.
#[derive(Clone, Default)]
pub(crate) struct Sheet {
    count: u32,
    /// Of each station in it, once.
    marks: Vec<Mark>,
    bytes: Vec<u8>,
}

/// Part of a station's hash that the drawer does not use. Another station may have the same: then a sheet is read in
/// vain.
type Mark = [u8; 2];

impl Sheet {
    fn add(&mut self, station: &StationId, line: &LogLine) {
        let mark = mark(hash(station));
        if !self.marks.contains(&mark) {
            self.marks.push(mark);
        }
        let start = self.bytes.len();
        let remarks: usize = line.remarks.iter().map(|remark| remark.len() + 1).sum();
        let texts = station.as_str().len() + line.action.len() + line.text.len() + remarks;
        self.bytes.reserve(PACKED_WITHOUT_TEXTS + texts);
        self.bytes.extend_from_slice(&[0; LENGTH]);
        self.bytes.extend_from_slice(&line.at.micros().to_le_bytes());
        self.bytes.push(u8::from(line.direction == Direction::FromStation));
        for text in [station.as_str(), &line.action, &line.text] {
            self.bytes.extend_from_slice(&length(text.len()));
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self.bytes.extend_from_slice(&length(remarks));
        for remark in &line.remarks {
            self.bytes.extend_from_slice(remark.as_bytes());
            self.bytes.push(b'\n');
        }
        let packed = length(self.bytes.len() - start - LENGTH);
        self.bytes[start..start + LENGTH].copy_from_slice(&packed);
        self.count += 1;
    }
}

/// Lines that wait for their batch, bounded in number and bytes.
#[derive(Default)]
pub(crate) struct Waiting {
    sheets: Vec<Sheet>,
    lines: usize,
    bytes: usize,
    /// What a sheet of the batch before held: a new one is laid out for as much, and need not grow.
    sheet_bytes: usize,
}

impl Waiting {
    /// Packs a line. `false`: there is no room for it.
    pub(crate) fn add(&mut self, station: &StationId, line: &LogLine) -> bool {
        if self.lines >= LINES_WAITING_MAX || self.bytes >= BYTES_WAITING_MAX {
            return false;
        }
        if self.sheets.is_empty() {
            self.sheets = vec![Sheet::default(); DRAWERS];
        }
        if let Some(sheet) = self.sheets.get_mut(drawer(station)) {
            let before = sheet.bytes.len();
            if before == 0 {
                sheet.bytes.reserve_exact(self.sheet_bytes);
            }
            sheet.add(station, line);
            self.lines += 1;
            self.bytes += sheet.bytes.len() - before;
        }
        true
    }

    pub(crate) const fn lines(&self) -> usize {
        self.lines
    }

    /// Enough for a batch of its own.
    pub(crate) const fn is_batch(&self) -> bool {
        self.lines >= BATCH_LINES || self.bytes >= BATCH_BYTES
    }

    /// Takes all of them out.
    pub(crate) fn take(&mut self) -> Self {
        let sheet_bytes = self.bytes.min(BATCH_BYTES) / DRAWERS;
        std::mem::replace(self, Self { sheet_bytes, ..Self::default() })
    }

    /// Writes them, each drawer's as one row.
    pub(crate) fn put(self, tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
        for (drawer, sheet) in (0u32..).zip(self.sheets).filter(|(_, sheet)| sheet.count > 0) {
            let newest = tx.one(NEWEST, &values![drawer], |row| row.int(0))?.unwrap_or(0);
            let last = now.micros().max(newest.saturating_add(i64::from(sheet.count)));
            let marks = sheet.marks.as_flattened();
            tx.execute(PUT, &values![drawer, last, sheet.count, marks, sheet.bytes])?;
        }
        Ok(())
    }
}

/// A station's lines, newest first; `before` is where the page before said to go on. A rare word is not looked for in
/// the whole log at once.
pub(crate) fn page(tx: &Tx<'_>, station: &StationId, filter: &LogFilter) -> Result<LogPage, StoreError> {
    let before = filter.before.unwrap_or(i64::MAX);
    let wanted = filter.query.as_deref().unwrap_or_default().to_ascii_lowercase();
    let limit = filter.limit as usize;
    let (drawer, mark) = (drawer(station) as u32, mark(hash(station)));
    let (mut found, mut opened) = (Vec::new(), 0);
    let mut next = None;
    // a sheet's cursors end with `last`: the one that holds `before` may end later, but by no more than a sheet holds
    let mut from = before.saturating_add(LINES_WAITING_MAX as i64);
    for _ in 0..LOOKS_MAX {
        let sheets = tx.query(HEADS, &values![drawer, from, HEADS_AT_ONCE], |row| {
            Ok((row.int(0)?, count(row, 1)?, row.blob_opt(2)?))
        })?;
        for (last, count, marks) in &sheets {
            let first = last.saturating_sub(i64::from(*count) - 1);
            let may_hold = marks.as_ref().is_none_or(|marks| marks.as_chunks().0.contains(&mark));
            if first >= before || !may_hold {
                continue;
            }
            if opened == SHEETS_READ_MAX {
                return Ok(LogPage { entries: found, next: Some(last.saturating_add(1)) });
            }
            opened += 1;
            let bytes = tx.one(LINES, &values![drawer, *last], |row| row.blob(0))?.unwrap_or_default();
            read(station, first, &bytes, &mut |entry| {
                let fits = entry.cursor < before
                    && filter.direction.is_none_or(|direction| direction == entry.line.direction)
                    && (holds(&entry.line.action, &wanted) || holds(&entry.line.text, &wanted));
                fits.then_some(entry)
            })?
            .into_iter()
            .rev()
            .take(limit - found.len())
            .for_each(|entry| found.push(entry));
            if let Some(oldest) = found.last().filter(|_| found.len() >= limit) {
                let next = Some(oldest.cursor);
                return Ok(LogPage { entries: found, next });
            }
        }
        match sheets.last() {
            Some((last, count, _)) if sheets.len() == HEADS_AT_ONCE as usize => {
                (from, next) = (*last, Some(last.saturating_sub(i64::from(*count) - 1)));
            }
            Some(_) | None => return Ok(LogPage { entries: found, next: None }),
        }
    }
    Ok(LogPage { entries: found, next })
}

/// Drops the sheets that were written before `before`.
pub(crate) fn forget(tx: &mut Tx<'_>, before: Timestamp) -> Result<usize, StoreError> {
    (0..DRAWERS as u32).map(|drawer| tx.execute(FORGET, &values![drawer, before])).sum()
}

/// Which drawer a station's lines lie in: the same for ever.
fn drawer(station: &StationId) -> usize {
    hash(station) as usize % DRAWERS
}

/// The bits above those that chose the drawer.
fn mark(hash: u32) -> Mark {
    let [_, _, low, high] = hash.to_le_bytes();
    [low, high]
}

/// FNV-1a, 32 bits.
fn hash(station: &StationId) -> u32 {
    station.as_str().bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The lines of one station that `keep` keeps, oldest first.
fn read(
    station: &StationId,
    first: i64,
    mut bytes: &[u8],
    keep: &mut dyn FnMut(LogEntry) -> Option<LogEntry>,
) -> Result<Vec<LogEntry>, StoreError> {
    let mut kept = Vec::new();
    let mut cursor = first;
    while !bytes.is_empty() {
        let line = text(&mut bytes).and_then(|line| unpack(line, station));
        if let Some(line) = line.ok_or_else(|| damaged("lines"))? {
            kept.extend(keep(LogEntry { cursor, line }));
        }
        cursor += 1;
    }
    Ok(kept)
}

/// `Some(None)`: another station's.
fn unpack(mut line: &[u8], station: &StationId) -> Option<Option<LogLine>> {
    let at = i64::from_le_bytes(*line.split_off(..8)?.first_chunk()?);
    let direction = if *line.split_off_first()? == 0 { Direction::ToStation } else { Direction::FromStation };
    if text(&mut line)? != station.as_str().as_bytes() {
        return Some(None);
    }
    let mut next = || str::from_utf8(text(&mut line)?).ok();
    let (action, text, remarks) = (next()?, next()?, next()?);
    Some(Some(LogLine {
        at: Timestamp::from_micros(at),
        direction,
        action: action.into(),
        text: text.into(),
        remarks: lines(remarks).into_iter().map(Into::into).collect(),
        // counted when the line came in
        deviations: Quirks::NONE,
    }))
}

/// The next text, without its length.
fn text<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = u32::from_le_bytes(*bytes.split_off(..LENGTH)?.first_chunk()?);
    bytes.split_off(..usize::try_from(length).ok()?)
}

fn length(bytes: usize) -> [u8; LENGTH] {
    // the tongue bounds a frame far below this
    u32::try_from(bytes).unwrap_or(u32::MAX).to_le_bytes()
}

/// Without regard to letter case; `wanted` is in lower case.
fn holds(text: &str, wanted: &str) -> bool {
    wanted.is_empty() || text.to_ascii_lowercase().contains(wanted)
}

const LENGTH: usize = 4;
/// Its own length, the time, the direction, and the lengths of four texts.
const PACKED_WITHOUT_TEXTS: usize = LENGTH + 8 + 1 + 4 * LENGTH;
/// More drawers mean more rows a batch, fewer mean more of other stations' lines to pass over. Never changed: a
/// station's old lines would not be found.
const DRAWERS: usize = 64;
/// One transaction's worth: a few milliseconds for the writer.
const BATCH_LINES: usize = 4_000;
const BATCH_BYTES: usize = 1 << 20;
/// Some seconds of a large network's traffic; the log is a convenience and gives way to charging.
const LINES_WAITING_MAX: usize = 20_000;
const BYTES_WAITING_MAX: usize = 16 << 20;
/// Heads of sheets that are looked at in one go: some hundred bytes each.
const HEADS_AT_ONCE: u32 = 512;
/// Sheets that are opened for one page: some megabytes where all of them are full.
const SHEETS_READ_MAX: u32 = 256;
/// So often for one page: a quarter of a million sheets, which is three days of a network that never rests. A station
/// that was silent for longer is not worth more of a reader's time.
const LOOKS_MAX: u32 = 512;

const NEWEST: &str = "SELECT last FROM operator_sheets WHERE drawer = ?1 ORDER BY last DESC LIMIT 1";
const PUT: &str = "INSERT INTO operator_sheets (drawer, last, count, marks, lines) VALUES (?1, ?2, ?3, ?4, ?5)";
const HEADS: &str = "SELECT last, count, marks FROM operator_sheets
    WHERE drawer = ?1 AND last < ?2 ORDER BY last DESC LIMIT ?3";
const LINES: &str = "SELECT lines FROM operator_sheets WHERE drawer = ?1 AND last = ?2";
const FORGET: &str = "DELETE FROM operator_sheets WHERE drawer = ?1 AND last < ?2";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use std::time::Duration;

    use store::Store;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn station(name: &str) -> StationId {
        StationId::new(name).unwrap()
    }

    fn line(text: &str, direction: Direction) -> LogLine {
        let remarks = vec!["/a: taken as 1".into(), "two".into()];
        LogLine { at: NOW, direction, action: "Heartbeat".into(), text: text.into(), remarks, deviations: Quirks::NONE }
    }

    async fn store_of(batches: Vec<Waiting>) -> Store {
        let store = Store::in_memory(crate::memory::MIGRATIONS).unwrap();
        for batch in batches {
            // all at the same moment: cursors grow nevertheless
            store.run::<(), StoreError>("put", move |tx| batch.put(tx, NOW)).await.unwrap();
        }
        store
    }

    async fn texts(store: &Store, name: &str, filter: LogFilter) -> Vec<(i64, String)> {
        let station = station(name);
        let found = store.read("page", move |tx| page(tx, &station, &filter)).await;
        let found: Result<_, StoreError> = found;
        found.unwrap().entries.into_iter().map(|entry| (entry.cursor, entry.line.text.into_string())).collect()
    }

    /// Ten batches with lines of `A` and of a crowd that shares its drawer.
    async fn crowded() -> Store {
        let batch = |number: u32| {
            let mut waiting = Waiting::default();
            for turn in 0..10 {
                for other in 0..100 {
                    assert!(waiting.add(&station(&format!("S{other}")), &line("x", Direction::ToStation)));
                }
                let direction = if turn % 2 == 0 { Direction::FromStation } else { Direction::ToStation };
                assert!(waiting.add(&station("A"), &line(&format!("Line {number}-{turn} ü"), direction)));
            }
            waiting
        };
        store_of((0..40).map(batch).collect()).await
    }

    #[tokio::test]
    async fn a_line_comes_back_whole() {
        let mut waiting = Waiting::default();
        let whole = line("[2,\"1\",\"Heartbeat\",{}]", Direction::FromStation);
        assert!(waiting.add(&station("A"), &whole));
        let store = store_of(vec![waiting]).await;
        let filter = LogFilter { limit: 5, ..LogFilter::default() };
        let found: Result<_, StoreError> = store.read("page", move |tx| page(tx, &station("A"), &filter)).await;
        let found = found.unwrap();
        assert_eq!((found.entries.len(), found.next), (1, None));
        assert_eq!(found.entries[0].line, whole);
    }

    #[tokio::test]
    async fn pages_follow_each_other_without_a_gap_or_a_repeat() {
        let store = crowded().await;
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let some = texts(&store, "A", LogFilter { before, limit: 7, ..LogFilter::default() }).await;
            let Some((cursor, _)) = some.last() else { break };
            before = Some(*cursor);
            seen.extend(some.into_iter().map(|(_, text)| text));
        }
        let all = (0..40).rev().flat_map(|batch| (0..10).rev().map(move |turn| format!("Line {batch}-{turn} ü")));
        assert_eq!(seen, all.collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn lines_are_found_by_word_and_direction() {
        let store = crowded().await;
        let filter = LogFilter { query: Some("lINE 3-".to_owned()), limit: 100, ..LogFilter::default() };
        assert_eq!(texts(&store, "A", filter.clone()).await.len(), 10);
        let inward = LogFilter { direction: Some(Direction::FromStation), ..filter };
        assert_eq!(texts(&store, "A", inward).await.len(), 5);
        assert!(texts(&store, "nobody", LogFilter { limit: 9, ..LogFilter::default() }).await.is_empty());
    }

    /// A sheet without the station is passed over unread, and one of before marks were written is read.
    #[tokio::test]
    async fn sheets_are_passed_over_by_their_marks() {
        let store = crowded().await;
        let spoil = |marks: &'static str| {
            let sql = format!("UPDATE operator_sheets SET lines = x'ff', marks = {marks} WHERE drawer = ?1");
            store.run::<_, StoreError>("spoil", move |tx| tx.execute(&sql, &values![drawer(&station("A")) as u32]))
        };
        let filter = LogFilter { limit: 9, ..LogFilter::default() };
        let look = |filter: LogFilter| {
            store.read::<_, StoreError>("page", move |tx| {
                page(tx, &station("A"), &filter).map(|found| found.entries.len())
            })
        };
        assert!(spoil("x'0000'").await.unwrap() > 0);
        assert_eq!(look(filter.clone()).await, Ok(0));
        spoil("NULL").await.unwrap();
        assert!(look(filter).await.is_err(), "lines that cannot be read are told");
    }

    #[tokio::test]
    async fn a_search_for_what_is_rare_stops_now_and_then_and_says_where() {
        let batch = |number: u32| {
            let mut waiting = Waiting::default();
            assert!(waiting.add(&station("A"), &line(&format!("Line {number}."), Direction::ToStation)));
            waiting
        };
        let store = store_of((0..600).map(batch).collect()).await;
        let (mut before, mut looks, mut seen) = (None, 0, Vec::new());
        loop {
            let filter = LogFilter { query: Some("line 5.".to_owned()), before, limit: 9, ..LogFilter::default() };
            let found = store.read::<_, StoreError>("page", move |tx| page(tx, &station("A"), &filter)).await.unwrap();
            looks += 1;
            seen.extend(found.entries);
            let Some(next) = found.next else { break };
            assert!(before.is_none_or(|before| next < before), "it goes on");
            before = Some(next);
        }
        assert_eq!((seen.len(), looks), (1, 3), "600 sheets, 256 at a time");
    }

    #[tokio::test]
    async fn old_sheets_are_forgotten() {
        let store = crowded().await;
        let forgotten = |before| store.run::<_, StoreError>("forget", move |tx| forget(tx, before));
        assert_eq!(forgotten(NOW).await.unwrap(), 0);
        assert!(forgotten(NOW.plus(Duration::from_secs(1))).await.unwrap() > 0);
        assert!(texts(&store, "A", LogFilter { limit: 9, ..LogFilter::default() }).await.is_empty());
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut waiting = Waiting::default();
        let short = line("x", Direction::ToStation);
        while waiting.add(&station("A"), &short) {}
        assert_eq!(waiting.lines(), LINES_WAITING_MAX);
        let mut waiting = Waiting::default();
        let long = line(&"x".repeat(1 << 20), Direction::ToStation);
        while waiting.add(&station("A"), &long) {}
        assert_eq!(waiting.lines(), 16);
    }
}
