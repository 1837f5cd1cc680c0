//! The field's odd frames over a socket: tolerated for a station with the usual tolerances, judged by the letter for
//! one that has none. The same 65 frames are looked into, word for word, by the bridges' own tests.

use std::fmt::Write as _;

use charge::talk::line::Version;
use charge::talk::line::quirk::Quirks;
use serde_json::Value;

use super::ends::Ends;
use super::frames::{Kind, Record, Sender};
use super::judge::{judge, spec};

/// What came of one row of the collection.
#[derive(Debug)]
pub(super) struct Row {
    pub id: String,
    quirk: String,
    pub tolerant: Outcome,
    pub strict: Outcome,
    /// Whether the payloads are valid by the official schemas; `None` where that is no question or nobody judged.
    pub valid: Option<bool>,
}

#[derive(Debug)]
pub(super) struct Outcome {
    /// One word for each frame: `answered`, a code, or nothing.
    replies: Vec<String>,
    remarks: Vec<String>,
}

impl Outcome {
    /// What the collection expects of a tolerant operator, by the reply alone.
    pub(super) fn served_as_expected(&self, id: &str) -> bool {
        match id {
            // answers to nothing, and a kind of message that 1.6 passes over
            "R01" | "R06" | "R08" | "R09" | "T04" => self.replies.is_empty(),
            "R02" => self.replies == ["FormationViolation"],
            "R10" => self.replies == ["OccurrenceConstraintViolation"],
            _ => !self.replies.is_empty() && self.replies.iter().all(|reply| reply == "answered"),
        }
    }

    fn refused(&self) -> bool {
        self.replies.iter().any(|reply| reply != "answered")
    }

    fn told(&self) -> String {
        let replies = if self.replies.is_empty() { "no answer".to_owned() } else { self.replies.join(", ") };
        match self.remarks.len() {
            0 => replies,
            1 => format!("{replies}; 1 remark"),
            number => format!("{replies}; {number} remarks"),
        }
    }
}

impl Row {
    /// Without tolerances a call is answered where the official schemas find it valid, and refused where not.
    pub(super) fn strict_is_the_letter(&self) -> bool {
        match (self.id.as_str(), self.valid) {
            (_, None) => true,
            // the payload is fine, the message id is a number
            ("R05", _) => self.strict.replies == ["ProtocolError"],
            // JSON Schema knows no 32-bit integer, the standard does
            ("X04", _) => self.strict.replies == ["PropertyConstraintViolation"],
            (_, Some(valid)) => self.strict.refused() != valid,
        }
    }
}

/// All rows of the collection that are frames of a WebSocket. `None`, loudly, where the collection is not there.
pub(super) async fn replayed() -> Option<Vec<Row>> {
    let path = spec().join("quirks/quirk-frames.jsonl");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("SKIPPED: the quirk frames are not at {}", path.display());
        return None;
    };
    let mut rows = Vec::new();
    let mut records = Vec::new();
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let word = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let (Some(version), Some(raw)) = (Version::named(&word("version")), row["raw"].as_str()) else { continue };
        if version.subprotocol().is_none() {
            continue;
        }
        let frames: Vec<&str> = raw.split('\u{0}').collect();
        let tolerant = replay(version, Quirks::USUAL, &frames).await;
        let strict = replay(version, Quirks::NONE, &frames).await;
        let calls: Vec<Record> = frames.iter().filter_map(|frame| call(version, frame)).collect();
        let judged = records.len()..records.len() + calls.len();
        records.extend(calls);
        rows.push((
            Row {
                id: word("id"),
                quirk: row["quirk"].to_string().trim_matches('"').to_owned(),
                tolerant,
                strict,
                valid: None,
            },
            judged,
        ));
    }
    let verdicts = judge(&records).await;
    let with = |(row, judged): (Row, std::ops::Range<usize>)| {
        let is = !judged.is_empty() && verdicts.judged;
        let valid = is.then(|| judged.into_iter().all(|number| verdicts.fault(number).is_none()));
        Row { valid, ..row }
    };
    Some(rows.into_iter().map(with).collect())
}

/// The frame for the validator, if it is a call at all.
fn call(version: Version, frame: &str) -> Option<Record> {
    let frame: Value = serde_json::from_str(frame).ok()?;
    (frame[0] == 2).then(|| Record {
        version,
        test: "quirks",
        sender: Sender::Station,
        kind: Kind::Call,
        action: frame[2].as_str().unwrap_or_default().to_owned(),
        payload: frame[3].clone(),
    })
}

async fn replay(version: Version, quirks: Quirks, frames: &[&str]) -> Outcome {
    let ends = Ends::meet(version, quirks).await;
    for (number, frame) in frames.iter().enumerate() {
        ends.put(Sender::Station, frame, &format!("fence{number}")).await;
    }
    let own =
        |(sender, text): (Sender, String)| (sender == Sender::Operator && !text.contains("\"fence")).then_some(text);
    let word = |text: String| {
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame[0] == 3 { "answered".to_owned() } else { frame[2].as_str().unwrap_or_default().to_owned() }
    };
    let replies = ends.relay.frames().into_iter().filter_map(own).map(word).collect();
    let remarks = ends.desk.remarks();
    ends.part().await;
    Outcome { replies, remarks }
}

/// The rows of the collection that are no frames of a WebSocket, and the tests that replay them: id, file, test.
const ELSEWHERE: [(&str, &str, &str); 14] = [
    ("H01", "operator/src/tests/quirks.rs", "a_station_without_a_subprotocol_comes_in_by_permission"),
    ("H02", "gate/src/line/tests/door.rs", "of_a_mixed_offer_the_newest_known_version_is_echoed"),
    ("H03", "gate/src/line/tests/door.rs", "of_a_mixed_offer_the_newest_known_version_is_echoed"),
    ("H04", "gate/src/line/head.rs", "odd_paths_name_the_station_that_is_meant"),
    ("H05", "gate/src/line/head.rs", "odd_paths_name_the_station_that_is_meant"),
    ("H06", "gate/src/line/head.rs", "odd_paths_name_the_station_that_is_meant"),
    ("H07", "gate/src/line/head.rs", "odd_paths_name_the_station_that_is_meant"),
    ("H08", "operator/src/tests/door.rs", "the_right_key_opens_in_any_letter_case_of_the_identity"),
    ("H09", "trust/src/station_key.rs", "a_chosen_hex_key_has_both_forms_too"),
    ("H10", "gate/src/line/head.rs", "a_password_of_raw_bytes_is_split_at_the_first_colon"),
    ("H11", "gate/src/line/head.rs", "an_upgrade_without_its_header_is_told_so"),
    ("H12", "gate/src/line/tests/talk.rs", "frames_that_are_no_ocpp_end_the_connection_with_their_code"),
    ("H13", "trust/src/tls/tests.rs", "tls_1_1_is_impossible"),
    ("H14", "gate/src/line/tests/talk.rs", "the_newest_connection_wins_and_the_old_one_cannot_harm_it"),
];

/// The same of SOAP, one test for all three.
const SOAP: (&str, &str) = ("ocpp/src/soap/tests/odd.rs", "the_fields_frames_do_what_the_collection_expects");

/// Where the rows without a frame are replayed; a test that is not where it is said to be is a fault.
fn elsewhere() -> String {
    let soap = ["P01", "P02", "P03"].map(|id| (id, SOAP.0, SOAP.1));
    let mut text = String::from("\n\n| handshake or SOAP | test |\n|---|---|\n");
    for (id, file, test) in ELSEWHERE.into_iter().chain(soap) {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        let source = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(source.contains(&format!("fn {test}(")), "{id}: no test {test} in {file}");
        let owner = file.split('/').next().unwrap_or_default();
        let _written = writeln!(text, "| {id} | `{owner}`: `{test}` |");
    }
    text
}

pub(super) fn table(rows: &[Row]) -> String {
    let mut text =
        String::from("| frame | quirk | tolerant | strict | valid by the schemas |\n|---|---|---|---|---|\n");
    for row in rows {
        let valid = row.valid.map_or("–", |valid| if valid { "yes" } else { "no" });
        let cells = [row.id.as_str(), row.quirk.as_str(), &row.tolerant.told(), &row.strict.told(), valid];
        let _written = writeln!(text, "| {} |", cells.join(" | "));
    }
    let count = |is: fn(&Row) -> bool| rows.iter().filter(|row| is(row)).count();
    let _written = write!(
        text,
        "\n{} rows; {} served by a tolerant operator, {} by a strict one.",
        rows.len(),
        count(|row| !row.tolerant.refused()),
        count(|row| !row.strict.refused()),
    );
    text.push_str(&elsewhere());
    text
}
