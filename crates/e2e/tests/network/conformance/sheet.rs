//! The written result: tables between two marks of `docs/conformance.md`. Written with `LEYDEN_GOLDEN=write`, compared
//! otherwise.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use charge::talk::line::Version;

use super::VERSIONS;
use super::actions::{self, Starts, UNANSWERED};
use super::frames::{Kind, Record, Sender};
use super::judge::Verdicts;

pub(super) struct Table {
    pub text: String,
    /// What has no valid frame: version, action, and whose.
    pub missing: Vec<String>,
}

/// A short name for a test, explained above the table.
fn mark(test: &str) -> String {
    let kind = match test {
        _ if test.contains("message") => "M",
        _ if test.contains("order") => "O",
        _ if test.contains("expert") => "E",
        _ => "N",
    };
    let digits: String = test.chars().filter(char::is_ascii_digit).collect();
    format!("{kind}{digits}")
}

/// Of one cell: how many valid frames each test has.
type Cell = BTreeMap<&'static str, usize>;

/// Version label, action, who sent it, and whether it is an answer.
type Place = (&'static str, String, bool, bool);

fn place(version: Version, action: &str, sender: Sender, answer: bool) -> Place {
    (version.label(), action.to_owned(), sender == Sender::Station, answer)
}

pub(super) fn table(records: &[Record], verdicts: &Verdicts) -> Table {
    let mut cells: BTreeMap<Place, Cell> = BTreeMap::new();
    for (number, record) in records.iter().enumerate() {
        let answer = match record.kind {
            Kind::Call | Kind::Send => false,
            Kind::Result => true,
            Kind::Error | Kind::ResultError => continue,
        };
        if verdicts.fault(number).is_none() {
            let cell = cells.entry(place(record.version, &record.action, record.sender, answer)).or_default();
            *cell.entry(record.test).or_default() += 1;
        }
    }
    let mut missing = Vec::new();
    let tables = [Starts::Station, Starts::Operator].map(|starts| direction(starts, &cells, &mut missing));
    let mut text = String::new();
    text.push_str(&totals(records, verdicts, &cells));
    for table in tables {
        text.push_str(&table);
    }
    Table { text, missing }
}

fn totals(records: &[Record], verdicts: &Verdicts, cells: &BTreeMap<Place, Cell>) -> String {
    let mut text = String::from(
        "| version | actions | requests and responses shown | of | frames | valid by the official schemas |\n\
         |---|---|---|---|---|---|\n",
    );
    for version in VERSIONS {
        let mut wanted = Vec::new();
        for starts in [Starts::Station, Starts::Operator] {
            for action in actions::of(version, starts) {
                wanted.extend(places(version, starts, action).into_iter().flatten());
            }
        }
        let shown = wanted.iter().filter(|place| cells.contains_key(*place)).count();
        let own = || records.iter().enumerate().filter(|(_, record)| record.version == version);
        let valid = own().filter(|(number, _)| verdicts.fault(*number).is_none()).count();
        let mut names: Vec<_> = wanted.iter().map(|place| &place.1).collect();
        names.sort_unstable();
        names.dedup();
        let row = [names.len(), shown, wanted.len(), own().count(), valid].map(|number| number.to_string());
        let _written = writeln!(text, "| {} | {} |", version.label(), row.join(" | "));
    }
    text.push_str("\nThe tests behind the marks, all in `crates/e2e/tests/network/conformance.rs`:\n\n");
    let mut tests: Vec<&str> = records.iter().map(|record| record.test).collect();
    tests.dedup();
    for test in tests {
        let frames = records.iter().filter(|record| record.test == test).count();
        let _written = writeln!(text, "* {} `{test}`: {frames} frames", mark(test));
    }
    text
}

/// Where the request of an action belongs, and its response if there is one.
fn places(version: Version, starts: Starts, action: &str) -> [Option<Place>; 2] {
    let (asks, answers) = match starts {
        Starts::Station => (Sender::Station, Sender::Operator),
        Starts::Operator => (Sender::Operator, Sender::Station),
    };
    let answer = (action != UNANSWERED).then(|| place(version, action, answers, true));
    [Some(place(version, action, asks, false)), answer]
}

fn direction(starts: Starts, cells: &BTreeMap<Place, Cell>, missing: &mut Vec<String>) -> String {
    let (title, asks, answers) = match starts {
        Starts::Station => ("From the station", "station asks", "operator answers"),
        Starts::Operator => ("To the station", "operator asks", "station answers"),
    };
    let heads = VERSIONS.map(|version| format!("{0}: {asks} | {0}: {answers}", version.label()));
    let mut text = format!("\n### {title}\n\n| action | {} |\n|---{}|\n", heads.join(" | "), "|---".repeat(6));
    let mut all: Vec<&str> = VERSIONS.iter().flat_map(|version| actions::of(*version, starts)).collect();
    all.sort_unstable();
    all.dedup();
    for action in all {
        let mut row = Vec::new();
        for version in VERSIONS {
            let has = actions::of(version, starts).contains(&action);
            for place in places(version, starts, action) {
                row.push(match place {
                    Some(place) if has => cell(&place, cells.get(&place), missing),
                    _ => "–".to_owned(),
                });
            }
        }
        let _written = writeln!(text, "| {action} | {} |", row.join(" | "));
    }
    text
}

fn cell(place: &Place, found: Option<&Cell>, missing: &mut Vec<String>) -> String {
    let Some(found) = found else {
        missing.push(format!("{} {} {}", place.0, place.1, if place.3 { "response" } else { "request" }));
        return "missing".to_owned();
    };
    let each = |(test, count): (&&str, &usize)| format!("{} {count}", mark(test));
    found.iter().map(each).collect::<Vec<_>>().join(", ")
}

/// One writer at a time.
static PAGE: Mutex<()> = Mutex::new(());

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md")
}

/// Whether the page is to be written in the place of being compared.
pub(super) fn writes() -> bool {
    std::env::var_os("LEYDEN_GOLDEN").is_some_and(|wish| wish == "write")
}

/// Writes the part of the page between its two marks, or says that it is not what the run produced.
pub(super) fn keep(name: &str, text: &str) {
    let _alone = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let page_text = std::fs::read_to_string(page()).unwrap();
    let (begin, end) = (format!("<!-- begin {name}: written by a test -->\n"), format!("<!-- end {name} -->"));
    let from = page_text.find(&begin).expect("the page has the mark") + begin.len();
    let to = from + page_text[from..].find(&end).expect("the page has the second mark");
    let text = format!("\n{}\n\n", text.trim());
    if writes() {
        let whole = format!("{}{text}{}", &page_text[..from], &page_text[to..]);
        std::fs::write(page(), whole).unwrap();
        return;
    }
    let differs = page_text[from..to].lines().zip(text.lines()).find(|(kept, run)| kept != run);
    assert!(
        page_text[from..to] == text,
        "docs/conformance.md is not what this run produced (`{name}`, first at {differs:?}); LEYDEN_GOLDEN=write"
    );
}
