//! A party's figures in the text format of Prometheus. Numbers and fixed names only: nothing of a person, no id.

use std::fmt::Write as _;
use std::sync::Arc;

use gate::{line, road};
use store::Store;
use web::Metrics;

/// Reads a listener's figures.
pub(crate) type Gauge = Box<dyn Fn() -> line::Figures + Send + Sync>;

pub(crate) fn of(store: &Store, road: &Arc<road::Figures>, line: Option<Gauge>) -> Metrics {
    let (store, road) = (store.clone(), Arc::clone(road));
    Arc::new(move || {
        let mut text = String::new();
        if let Some(line) = &line {
            of_line(&mut text, &line());
        }
        of_road(&mut text, &road);
        of_store(&mut text, &store);
        text
    })
}

fn metric(text: &mut String, name: &str, kind: &str, help: &str, values: &[(String, u64)]) {
    // writing to a String cannot fail
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in values {
        let _ = writeln!(text, "{name}{labels} {value}");
    }
}

fn of_line(text: &mut String, line: &line::Figures) {
    let bare = |value| vec![(String::new(), value)];
    metric(text, "leyden_line_stations", "gauge", "Stations connected now", &bare(line.stations));
    metric(text, "leyden_line_sockets", "gauge", "TCP connections now", &bare(line.sockets));
    let ended = [
        ("accepted", line.accepted),
        ("broken_handshake", line.broken_handshakes),
        ("refused", line.refused),
        ("overloaded", line.overloaded),
        ("crowded_out", line.crowded_out),
        ("let_in", line.arrived),
        ("replaced", line.replaced),
    ];
    let ended: Vec<_> = ended.iter().map(|(what, n)| (format!("{{outcome=\"{what}\"}}"), *n)).collect();
    metric(text, "leyden_line_connections_total", "counter", "Connections of stations by what became of them", &ended);
    let frames = [("in", line.frames_in), ("out", line.frames_out)];
    let frames: Vec<_> = frames.iter().map(|(way, n)| (format!("{{direction=\"{way}\"}}"), *n)).collect();
    metric(text, "leyden_line_frames_total", "counter", "OCPP frames", &frames);
    metric(
        text,
        "leyden_line_slowed_total",
        "counter",
        "Messages of stations that talked too fast",
        &bare(line.slowed),
    );
    metric(text, "leyden_line_panics_total", "counter", "Connections ended by a fault of ours", &bare(line.panics));
}

fn of_road(text: &mut String, road: &road::Figures) {
    let lines: Vec<_> = road
        .lines()
        .iter()
        .map(|line| {
            (format!("{{direction=\"{}\",errand=\"{}\"}}", line.direction.as_str(), line.errand), line.requests)
        })
        .collect();
    metric(text, "leyden_road_requests_total", "counter", "OCPI requests by direction and template", &lines);
}

fn of_store(text: &mut String, store: &Store) {
    let figures = store.figures();
    let bare = |value| vec![(String::new(), value)];
    metric(
        text,
        "leyden_store_commits_total",
        "counter",
        "Group commits, each at most one sync",
        &bare(figures.commits),
    );
    metric(text, "leyden_store_commit_micros_total", "counter", "Time in commits", &bare(figures.commit_micros));
    metric(
        text,
        "leyden_store_refused_total",
        "counter",
        "Transactions refused by a full queue",
        &bare(figures.refused),
    );
    let named = |pick: fn(&store::Figure) -> u64| -> Vec<(String, u64)> {
        figures.transactions.iter().map(|(name, f)| (format!("{{name=\"{name}\"}}"), pick(f))).collect()
    };
    metric(text, "leyden_store_runs_total", "counter", "Transactions by name", &named(|f| f.runs));
    metric(text, "leyden_store_failures_total", "counter", "Transactions that did not commit", &named(|f| f.failures));
    metric(text, "leyden_store_micros_total", "counter", "Time inside transactions", &named(|f| f.micros));
}
