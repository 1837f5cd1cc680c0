//! A verdict as lines for a person: what a driver-facing verifier must show, for terminal and page alike.
//!
//! Lines carry values as the meter wrote them. Whoever was identified is shown shortened, because a report is passed
//! on; the whole is in the record itself. Nothing here decides anything.

use charge::Purpose;
use charge::meter::SignedRecord;

use super::{ClockQuality, KeySource, Point, Side, Verdict, Verified};

/// What a page or a terminal shows about signed records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// One of the four words.
    pub verdict: &'static str,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
    /// Label and value, in the order in which they are shown.
    pub lines: Vec<(&'static str, String)>,
    pub warnings: Vec<String>,
}

/// Everything that a driver-facing verifier must show. `records` are those that the verdict was about.
pub fn explain(verdict: &Verdict, records: &[SignedRecord]) -> Report {
    let mut report = Report { verdict: verdict.words(), reasons: verdict.reasons(), ..Report::default() };
    if let Some(verified) = verdict.verified() {
        energy(verified, &mut report);
        time(verified, &mut report);
        devices(verified, &mut report);
        identified(verified, &mut report);
        proof(verified, &mut report);
        warn(verified, &mut report);
    }
    let formats: Vec<&str> = records.iter().map(|record| &*record.format).collect();
    report.lines.push(("Records", format!("{} ({})", records.len(), formats.join(", "))));
    report
}

fn energy(verified: &Verified, report: &mut Report) {
    let side = match verified.side() {
        Side::Mains => "at the meter, losses of the cable not compensated",
        Side::Device => "at the car, losses of the cable compensated",
        Side::Unsaid => "not said by the record",
    };
    report.lines.extend([
        ("Begin", verified.begin().register_written.clone()),
        ("End", verified.end().register_written.clone()),
        ("Delivered", verified.energy().to_string()),
        ("Register", format!("{} (import)", or_none(Some(&verified.begin().obis)))),
        ("Measured", side.to_owned()),
    ]);
    if let Some(resistance) = verified.loss_compensation() {
        report.lines.push(("Cable resistance", resistance.to_owned()));
    }
}

fn time(verified: &Verified, report: &mut Report) {
    let shown = |point: &Point| format!("{} (clock: {})", written(point), point.clock.words());
    report.lines.push(("Begin time", shown(verified.begin())));
    report.lines.push(("End time", shown(verified.end())));
    let duration = if verified.duration_is_billable() {
        let secs = verified.end().at.since(verified.begin().at).as_secs();
        format!("{} h {:02} min {:02} s", secs / 3_600, secs / 60 % 60, secs % 60)
    } else {
        "not measured lawfully".to_owned()
    };
    report.lines.push(("Duration", duration));
}

/// The time without the letter of the clock, which is said in words.
fn written(point: &Point) -> &str {
    point.at_written.split_once(' ').map_or(point.at_written.as_str(), |(time, _)| time)
}

fn devices(verified: &Verified, report: &mut Report) {
    let (meter, gateway) = (verified.meter(), verified.gateway());
    report.lines.extend([
        ("Meter", joined([meter.vendor.as_deref(), meter.model.as_deref()])),
        ("Meter serial number", or_none(meter.serial.as_deref())),
        ("Meter firmware", or_none(meter.firmware.as_deref())),
        ("Signing device", joined([gateway.id.as_deref(), gateway.serial.as_deref(), gateway.version.as_deref()])),
        ("Controller firmware", or_none(gateway.controller_firmware.as_deref())),
        ("Charging point", or_none(verified.charge_point())),
    ]);
}

fn identified(verified: &Verified, report: &mut Report) {
    let who = verified.identification();
    let assigned = match who.assigned {
        Some(true) => "assigned to a user",
        Some(false) => "not assigned to a user",
        None => "not said by the record",
    };
    report.lines.push(("User", assigned.to_owned()));
    report.lines.push(("Identification", joined([who.kind.as_deref(), who.level.as_deref()])));
    if let Some(data) = &who.data {
        report.lines.push(("Identified as", shortened(data.reveal(Purpose::ShowOwner))));
    }
    if !who.flags.is_empty() {
        report.lines.push(("Identification flags", who.flags.join(", ")));
    }
}

/// First and last characters of an id, so that its owner knows it and nobody else learns it.
fn shortened(id: &str) -> String {
    const SHOWN: usize = 2;
    let characters: Vec<char> = id.chars().collect();
    if characters.len() < 3 * SHOWN {
        return "…".to_owned();
    }
    let (head, tail) = (&characters[..SHOWN], &characters[characters.len() - SHOWN..]);
    format!("{}…{}", head.iter().collect::<String>(), tail.iter().collect::<String>())
}

fn proof(verified: &Verified, report: &mut Report) {
    report.lines.extend([
        ("Pages", or_none(Some(&verified.pagination().join(", ")))),
        ("Meter state", "good at every reading, no error flag".to_owned()),
        ("Algorithm", verified.algorithm().to_owned()),
        ("SHA-256 of the signed content", trust::hex::encode(&verified.digest())),
        ("Key from", verified.key_source().words().to_owned()),
        ("Key fingerprint", verified.key().fingerprint()),
        ("Public key", verified.key().spki_hex()),
    ]);
    if let Some(text) = verified.tariff_text() {
        report.lines.push(("Signed tariff text", text.to_owned()));
    }
}

fn warn(verified: &Verified, report: &mut Report) {
    // of a key that came with the file the verdict itself says so
    if verified.key_source() == KeySource::GivenByUser {
        report.warnings.push("A key proves something only if it belongs to this meter: compare it.".to_owned());
    }
    let informative = |point: &Point| point.clock == ClockQuality::Informative;
    if informative(verified.begin()) || informative(verified.end()) {
        report.warnings.push("Times may be minutes off; do not accept a price by time.".to_owned());
    }
    let departs = |text: &String| format!("The record departs from the standard: {text}.");
    report.warnings.extend(verified.departures().iter().map(departs));
}

fn or_none(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).unwrap_or("–").to_owned()
}

fn joined<const N: usize>(parts: [Option<&str>; N]) -> String {
    let said: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    or_none(Some(&said.join(" ")))
}
