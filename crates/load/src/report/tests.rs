#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use super::*;
use crate::dialect::Dialect;
use crate::round::{Said, Trips};

fn said(cpu_us: f64) -> Said {
    let trips = |p50_us| Trips { p50_us, p99_us: p50_us * 3.0 };
    Said { cpu_us, per_second: 9_000.0, busy: trips(4_000.0), paced: trips(200.0) }
}

/// A round in which everything costs `times` what it cost in the plainest one.
fn round(times: f64) -> Round {
    let connecting = |cpu_us| round::Connecting { cpu_us: cpu_us * times, per_second: 900.0 / times };
    let bytes = |resident| round::Bytes { resident: resident * times, private: resident };
    let cost = |cpu, wall| commit::Cost {
        cpu: Duration::from_micros(cpu).mul_f64(times),
        wall: Duration::from_micros(wall).mul_f64(times),
    };
    let talk = |message: &crate::dialect::Message| round::Talk {
        message: *message,
        text_bytes: 53,
        of: Both { echo: said(20.0 * times), operator: said(if message.durable() { 70.0 } else { 30.0 } * times) },
    };
    Round {
        dialect: Dialect::V16,
        connecting: Both { echo: connecting(300.0), operator: connecting(450.0) },
        idle: Some(Both { echo: bytes(12_000.0), operator: bytes(18_000.0) }),
        commit: commit::Commit { alone: cost(60, 900), grouped: cost(10, 30) },
        talks: Dialect::V16.messages().iter().map(talk).collect(),
    }
}

fn report(rounds: &[Round]) -> Report {
    let machine = Machine {
        processor: Some("Some Core".to_owned()),
        cores: 2,
        load_before: [0.25, 0.5, 1.0],
        load_after: [2.0, 1.0, 1.0],
        descriptors_max: Some(20_000),
    };
    let planned =
        Planned { stations: 200, idle: 2_000, rounds: 3, messages: 20_000, outstanding: 64, paced_per_second: 1_000 };
    Report::of(machine, planned, &[Dialect::V16], rounds, vec!["one remark".to_owned()]).unwrap()
}

#[test]
fn ratios_are_of_medians_and_of_the_right_floor() {
    let report = report(&[round(3.0), round(1.0), round(1.1)]);
    let [version] = report.versions.as_slice() else { panic!("one version") };
    let [heartbeat, status, meter] = version.messages.as_slice() else { panic!("three kinds") };
    assert_eq!(heartbeat.operator.cpu_us, Spread { median: 33.0, min: 30.0, max: 90.0 });
    assert_eq!((heartbeat.floor_cpu_us, heartbeat.ratio, heartbeat.holds), (22.0, 1.5, false));
    // 77 over 22 of the echo and 11 of the commit
    assert_eq!((status.floor_cpu_us, status.ratio, status.holds), (33.0, 2.33, true));
    assert_eq!(status.ratio, meter.ratio);
    assert_eq!(version.connecting.ratio, 1.5);
    assert!(version.idle.as_ref().unwrap().holds);
    assert!(!report.holds());
}

#[test]
fn no_rounds_are_no_report() {
    let one = report(&[round(1.0)]);
    assert_eq!(Report::of(one.machine, one.planned, &[Dialect::V16], &[], Vec::new()), None);
}

#[test]
fn the_document_is_read_back() {
    let report = report(&[round(1.0), round(2.0)]);
    let text = serde_json::to_string_pretty(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
}

#[test]
fn people_see_every_figure_in_aligned_tables() {
    let text = render(&report(&[round(1.0)]));
    for needed in [
        "2 cores (Some Core), load 0.25 0.50 1.00 before and 2.00 1.00 1.00 after, 20000 descriptors a process.",
        "200 stations sent 20000 messages of each kind, 64 under way at a time; 2000 connections stayed; 3 rounds.",
        "| 1.6     |          Heartbeat |    53 | 20.0 (20.0–20.0) |  20.0 | 30.0 (30.0–30.0) |  1.50 | ≤ 1.4 |  missed |",
        "| 1.6     | StatusNotification |    53 | 20.0 (20.0–20.0) |  30.0 | 70.0 (70.0–70.0) |  2.33 | ≤ 2.5 | reached |",
        "≤ 20 KiB resident, reached.",
        "|        MeterValues | operator |      200 (200–200) |      600 (600–600) |  4000 (4000–4000) | 12000 (12000–12000) |",
        "| 1       | 60.0 (60.0–60.0) | 900.0 (900.0–900.0) |",
        "- one remark",
    ] {
        assert!(text.contains(needed), "{needed}\n{text}");
    }
    let widths = |table: &str| table.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
    for table in text.split("\n\n").filter(|part| part.starts_with('|')) {
        let widths = widths(table.trim_end());
        assert!(widths.iter().all(|width| *width == widths[0]), "{table}");
    }
}
