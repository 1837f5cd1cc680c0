//! Every example document of the specifications: parsed, written again unchanged, and read where it is an object of
//! ours; what is faulty or not for us is listed here with the place.

use std::path::PathBuf;

use super::*;
use crate::cross::{self, Noun};

/// Examples that are refused, with the member: a party of five letters, an example without a mandatory member, restrictions that cannot be
/// applied, prices that include unnamed taxes, and places that must not be shown.
const REFUSED: [(&str, &str); 7] = [
    ("booking_example.json", "/party_id"),
    ("tariff_put_example.json", "/last_updated"),
    ("tariff_4_complex.json", "/elements/1/restrictions/max_current"),
    ("tariff_20_simple_north_american_inclusive.json", "/tax_included"),
    ("location_example_uc3_destination_charger_not_published.json", "/publish"),
    ("location_example_uc4_limited_visibility.json", "/publish"),
    ("location_example_uc5_home_charge_point.json", "/publish"),
];

/// What is listed here, for people.
const PAGE: &str = include_str!("../../../../docs/faulty-examples.md");

#[test]
fn the_page_lists_what_is_refused() {
    let rows: Vec<&str> = PAGE.lines().filter(|line| line.starts_with("| OCPI ")).collect();
    for (file, path) in REFUSED {
        assert!(rows.iter().any(|row| row.ends_with(&format!("| `{file}` | `{path}` |"))), "{file} {path}");
    }
    for fault in FAULTY_2_1_1 {
        let row = format!("| OCPI 2.1.1 | {} |", fault.replacen(": ", " | ", 1));
        assert!(rows.contains(&row.as_str()), "{row}");
    }
    assert_eq!(rows.len(), REFUSED.len() + FAULTY_2_1_1.len());
}

fn folder(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ocpi").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: the standard's examples are not at ../shared/spec/ocpi/{name}");
    None
}

/// Read in its version; `None`: not an object that rooms know.
fn outcome(version: Version, name: &str, text: &str) -> Option<Result<(), crate::Fault>> {
    if name.starts_with("booking_") && !name.contains("patch") {
        let body = crate::parse(text.as_bytes()).unwrap();
        let (at, mut lost) = (At::root(&body), Lost::new());
        return Some(match name.starts_with("booking_location") {
            true => crate::booking::read_location(&at, &mut lost).map(drop),
            false => crate::booking::read(&at, &mut lost).map(drop),
        });
    }
    let noun = noun(name)?;
    let beside = Beside { owner: Some(party("DE-OPA")), payer: Some(party("DE-8AA")), ..Beside::default() };
    let mut json = crate::parse(text.as_bytes()).unwrap();
    if let Err(fault) = cross::lift(version, noun, &mut json, beside, &mut Lost::new()) {
        return Some(Err(fault));
    }
    let body = crate::parse(json.to_string().as_bytes()).unwrap();
    let (at, mut lost) = (At::root(&body), Lost::new());
    Some(match noun {
        Noun::Location => crate::location::read(&at, &mut lost).map(drop),
        Noun::Cdr => crate::cdr::read(&at, &mut lost).map(drop),
        Noun::Session => crate::session::read(&at, &mut lost).map(drop),
        Noun::Token => crate::token::read(&at, &mut lost).map(drop),
        Noun::Tariff => crate::tariff::read(&at, &mut lost).map(drop),
        Noun::Plain => crate::credentials::Credentials::read(&body).map(drop),
        Noun::Verdict | Noun::Evse | Noun::Connector | Noun::TokenOrder | Noun::Ack | Noun::Outcome => Ok(()),
    })
}

fn noun(name: &str) -> Option<Noun> {
    let begins = |word: &str| name.starts_with(word);
    if begins("location_example") {
        Some(Noun::Location)
    } else if begins("cdr_example") {
        Some(Noun::Cdr)
    } else if begins("session_example") {
        Some(Noun::Session)
    } else if begins("token_example") || begins("token_put") {
        Some(Noun::Token)
    } else if begins("tariff_") {
        Some(Noun::Tariff)
    } else if begins("credentials_example") {
        Some(Noun::Plain)
    } else {
        None
    }
}

#[test]
fn every_example_is_written_again_unchanged_and_read_where_we_know_it() {
    let folders = [
        ("2.2.1/examples", Version::V221, 55),
        ("2.3.0-core/examples", Version::V230, 55),
        ("2.3.0-payments/examples", Version::V230, 10),
        ("2.3.0-bookings/examples", Version::V230, 10),
    ];
    for (name, version, at_least) in folders {
        let Some(folder) = folder(name) else { continue };
        let mut count = 0;
        for file in std::fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if !name.ends_with(".json") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let Ok(json) = crate::parse(text.as_bytes()) else { panic!("{name} is JSON") };
            let (ours, theirs): (Value, Value) =
                (serde_json::from_str(&json.to_string()).unwrap(), serde_json::from_str(&text).unwrap());
            assert_eq!(ours, theirs, "{name}");
            count += 1;
            let Some(outcome) = outcome(version, &name, &text) else { continue };
            let expected = REFUSED.iter().find(|(file, _)| *file == name).map(|(_, path)| *path);
            assert_eq!(outcome.err().map(|fault| fault.path).as_deref(), expected, "{name} of {}", version.as_str());
        }
        assert!(count >= at_least, "only {count} examples in {name}");
    }
}

/// The examples of 2.1.1 stand inside of its chapters.
#[test]
fn the_examples_inside_of_the_chapters_are_read() {
    let Some(folder) = folder("2.1.1") else { return };
    let chapters = [
        ("mod_cdrs.md", "cdr_example"),
        ("mod_locations.md", "location_example"),
        ("mod_sessions.md", "session_example"),
        ("mod_tokens.md", "token_example"),
        ("mod_tariffs.md", "tariff_"),
        ("credentials.md", "credentials_example"),
    ];
    let (mut read, mut parts, mut faulty) = (0, 0, Vec::new());
    for (chapter, name) in chapters {
        let text = std::fs::read_to_string(folder.join(chapter)).unwrap();
        for (index, block) in text.split("```json").skip(1).enumerate() {
            // some begin with the line of their request
            let block = block.split("```").next().unwrap();
            let block = block.find(['{', '[']).and_then(|begin| block.get(begin..)).unwrap_or(block);
            let label = format!("{chapter} {index}");
            let Ok(json) = crate::parse(block.as_bytes()) else {
                faulty.push(format!("{label}: is not JSON"));
                continue;
            };
            let whole = json.as_record().is_some_and(|object| {
                object.text("last_updated").is_some()
                    && (object.text("id").is_some() || object.text("uid").is_some())
                    && object.get("connectors").is_none()
                    || object.text("token").is_some()
            });
            if !whole {
                parts += 1;
                continue;
            }
            match outcome(Version::V211, name, block).unwrap() {
                Ok(()) => read += 1,
                Err(fault) => faulty.push(format!("{label}: {fault}")),
            }
        }
    }
    assert!(read > 8, "only {read} whole objects, {parts} parts");
    assert_eq!(faulty, FAULTY_2_1_1);
}

/// The country of the CDR's place is `NLD` in the table and two letters in the example.
const FAULTY_2_1_1: [&str; 1] = ["mod_cdrs.md 0: /cdr_location/country is not a country code of three letters"];
