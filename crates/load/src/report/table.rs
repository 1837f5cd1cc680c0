//! The report as Markdown, with columns aligned so that a terminal shows the same.

use std::fmt::Write;

use super::{Bytes, IDLE_BYTES_MAX, Machine, Message, Planned, Report, Spread, Talk, Version};

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    head(&mut text, &report.machine, &report.planned);
    messages(&mut text, &report.versions);
    round_trips(&mut text, report);
    connections(&mut text, &report.versions);
    commits(&mut text, report);
    if !report.remarks.is_empty() {
        section(&mut text, "Remarks");
        for remark in &report.remarks {
            line(&mut text, &format!("- {remark}"));
        }
    }
    text
}

fn head(text: &mut String, machine: &Machine, planned: &Planned) {
    line(text, &machine.told());
    line(
        text,
        &format!(
            "{} stations sent {} messages of each kind, {} under way at a time; {} connections stayed; {} rounds.",
            planned.stations, planned.messages, planned.outstanding, planned.idle, planned.rounds
        ),
    );
    line(text, "Figures are medians of the rounds, with the lowest and the highest in brackets.");
}

fn messages(text: &mut String, versions: &[Version]) {
    section(text, "Server CPU per message (µs)");
    let mut rows =
        vec![row(["version", "message", "bytes", "echo", "floor", "operator", "ratio", "aim", "", "answers/s"])];
    for (version, message) in each(versions) {
        rows.push(row([
            version,
            &message.action,
            &message.text_bytes.to_string(),
            &spread(message.echo.cpu_us),
            &format!("{:.1}", message.floor_cpu_us),
            &spread(message.operator.cpu_us),
            &format!("{:.2}", message.ratio),
            &format!("≤ {}", message.ratio_max),
            verdict(message.holds),
            &whole(message.operator.per_second),
        ]));
    }
    table(text, &rows);
    line(text, "");
    line(text, "The floor is the echo of the same bytes; for a durable message with one grouped commit added.");
}

fn each(versions: &[Version]) -> impl Iterator<Item = (&str, &Message)> {
    versions.iter().flat_map(|version| version.messages.iter().map(|message| (version.version.as_str(), message)))
}

fn round_trips(text: &mut String, report: &Report) {
    let Planned { outstanding, paced_per_second, .. } = report.planned;
    section(text, "Round trips (µs)");
    let (busy, paced) = (format!("{outstanding} under way"), format!("{paced_per_second} a second"));
    let heads = [&paced, &busy].map(|load| ["p50", "p99"].map(|of| format!("{of}, {load}")));
    let mut rows = vec![row(["version", "message", "server", &heads[0][0], &heads[0][1], &heads[1][0], &heads[1][1]])];
    for (version, message) in each(&report.versions) {
        for (server, Talk { paced, busy, .. }) in [("echo", &message.echo), ("operator", &message.operator)] {
            let figures = [paced.p50_us, paced.p99_us, busy.p50_us, busy.p99_us].map(whole);
            rows.push(row([version, &message.action, server, &figures[0], &figures[1], &figures[2], &figures[3]]));
        }
    }
    table(text, &rows);
}

fn connections(text: &mut String, versions: &[Version]) {
    section(text, "Connections");
    let mut rows = vec![row([
        "version",
        "server",
        "CPU of connect + boot (µs)",
        "ratio",
        "connects/s",
        "idle resident (KiB)",
        "idle private (KiB)",
    ])];
    for Version { version, connecting, idle, .. } in versions {
        let sides = [
            ("echo", &connecting.echo, 1.0, idle.as_ref().map(|idle| &idle.echo)),
            ("operator", &connecting.operator, connecting.ratio, idle.as_ref().map(|idle| &idle.operator)),
        ];
        for (server, connect, ratio, idle) in sides {
            let memory = |pick: fn(&Bytes) -> Spread| idle.map_or("–".to_owned(), |bytes| kibibytes(pick(bytes)));
            rows.push(row([
                version,
                server,
                &spread(connect.cpu_us),
                &format!("{ratio:.2}"),
                &whole(connect.per_second),
                &memory(|bytes| bytes.resident),
                &memory(|bytes| bytes.private),
            ]));
        }
    }
    table(text, &rows);
    line(text, "");
    let held = versions.iter().filter_map(|version| version.idle.as_ref()).all(|idle| idle.holds);
    line(
        text,
        &format!(
            "Full handshakes, never resumed. Aim for an idle connection: ≤ {:.0} KiB resident, {}.",
            IDLE_BYTES_MAX / 1024.0,
            verdict(held)
        ),
    );
}

fn commits(text: &mut String, report: &Report) {
    section(text, "Bare durable commit (µs a row)");
    let mut rows = vec![row(["writers", "CPU", "wall"])];
    for (writers, cost) in [(1, &report.commit.alone), (report.planned.outstanding, &report.commit.grouped)] {
        rows.push(row([&writers.to_string(), &spread(cost.cpu_us), &spread(cost.wall_us)]));
    }
    table(text, &rows);
}

pub(crate) const fn verdict(holds: bool) -> &'static str {
    if holds { "reached" } else { "missed" }
}

pub(crate) fn spread(of: Spread) -> String {
    format!("{:.1} ({:.1}–{:.1})", of.median, of.min, of.max)
}

pub(crate) fn whole(of: Spread) -> String {
    format!("{:.0} ({:.0}–{:.0})", of.median, of.min, of.max)
}

fn kibibytes(of: Spread) -> String {
    spread(Spread { median: of.median / 1024.0, min: of.min / 1024.0, max: of.max / 1024.0 })
}

pub(crate) fn section(text: &mut String, title: &str) {
    line(text, &format!("\n## {title}\n"));
}

pub(crate) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// A Markdown table: the first row is its head, all columns but the first are right-aligned.
pub(crate) fn table(text: &mut String, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width_of = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<usize> = (0..columns).map(width_of).collect();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        });
        line(text, &format!("| {} |", cells.collect::<Vec<_>>().join(" | ")));
        if number == 0 {
            let rules = widths.iter().enumerate().map(|(column, width)| match column {
                0 => "-".repeat(*width),
                _ => format!("{}:", "-".repeat(width - 1)),
            });
            line(text, &format!("| {} |", rules.collect::<Vec<_>>().join(" | ")));
        }
    }
}

pub(crate) fn line(text: &mut String, what: &str) {
    // writing to a string cannot fail
    let _written = writeln!(text, "{what}");
}
