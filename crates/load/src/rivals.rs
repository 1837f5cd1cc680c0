//! `bench rivals`: other central systems under the same loader, beside ours and the bare echo.
//!
//! The same stations say the same messages in OCPP 1.6 over TLS, and the servers' processor time and memory are read
//! from the kernel. It tells what an answer costs and says nothing of what else a server does for it: ours has
//! committed a durable message to the disk and logged it; whether a rival does stands in its name.

use std::io;
use std::sync::Arc;

use charge::Clock;
use serde::{Deserialize, Serialize};

use crate::Fault;
use crate::dialect::{Dialect, Message};
use crate::line::{Kind, Plan, say};
use crate::linux;
use crate::report::table::{line, row, section, table};
use crate::report::{Machine, ratio};
use crate::round::{Alone, alone};
use crate::server::Server;
use crate::spread::tenths;

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub machine: Machine,
    /// The echo first, then ours, then the others.
    pub servers: Vec<Measured>,
    pub remarks: Vec<String>,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub name: String,
    /// Server CPU microseconds of connect and boot.
    pub connect_cpu_us: f64,
    /// Bytes that one more idle connection adds.
    pub idle_bytes: f64,
    pub messages: Vec<Cost>,
}

/// One kind of message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    pub action: String,
    pub cpu_us: f64,
    pub per_second: f64,
}

/// A server to be measured: its name, what it is, and how it is started.
pub type Rival<'s> = (String, Kind, Box<dyn FnMut() -> io::Result<Server> + Send + 's>);

/// Runs the bench over the servers in their order; the second is ours, which ratios are told of.
pub async fn measure(plan: &Plan, clock: Arc<dyn Clock>, servers: Vec<Rival<'_>>) -> Result<Report, Fault> {
    let load_before = linux::load_average()?;
    let mut remarks = Vec::new();
    let work = plan.work(linux::descriptors_max(std::process::id())?, &mut remarks)?;
    let mut measured = Vec::new();
    for (name, kind, mut start) in servers {
        say(&name);
        let server = start().map_err(|why| Fault::Server(kind, why))?;
        measured.push(Measured::of(name, &alone(plan, &work, &clock, kind, server).await?));
    }
    Ok(Report { machine: Machine::now(load_before)?, servers: measured, remarks })
}

impl Measured {
    fn of(name: String, alone: &Alone) -> Self {
        let cost = |(message, said): (&Message, &crate::round::Said)| Cost {
            action: message.action().to_owned(),
            cpu_us: tenths(said.cpu_us),
            per_second: said.per_second.round(),
        };
        Self {
            name,
            connect_cpu_us: tenths(alone.connecting.cpu_us),
            idle_bytes: tenths(alone.idle.resident),
            messages: Dialect::V16.messages().iter().zip(&alone.said).map(cost).collect(),
        }
    }
}

/// As a section of the page.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    section(&mut text, "Beside others");
    let mut head = row(["server", "connect + boot (µs)", "idle (KiB)"]);
    let ours = report.servers.get(1);
    for cost in ours.iter().flat_map(|ours| &ours.messages) {
        head.extend([format!("{} (µs)", cost.action), "times ours".to_owned(), "answers/s".to_owned()]);
    }
    let mut rows = vec![head];
    for server in &report.servers {
        let mut cells = row([
            &server.name,
            &format!("{:.1}", server.connect_cpu_us),
            &format!("{:.1}", server.idle_bytes / 1024.0),
        ]);
        for (number, cost) in server.messages.iter().enumerate() {
            let base = ours.and_then(|ours| ours.messages.get(number)).map_or(cost.cpu_us, |ours| ours.cpu_us);
            let figures = [cost.cpu_us, ratio(cost.cpu_us, base)];
            cells.extend([format!("{:.1}", figures[0]), format!("{:.2}", figures[1]), cost.per_second.to_string()]);
        }
        rows.push(cells);
    }
    table(&mut text, &rows);
    line(&mut text, "");
    line(
        &mut text,
        "Server CPU for the same messages of the same loader in OCPP 1.6 over TLS, written by `make rivals` \
         (`scripts/rivals.sh`). The two packages of PyPI and npm answer and keep nothing. `codetics-ocpp-service` keeps what \
         it hears in PostgreSQL, whose processor time and memory are counted with its own; its stations have no passwords \
         here. Ours has statuses and readings on the disk before it answers, keeps a masked log of all messages, and checks \
         a key at each connect.",
    );
    for remark in &report.remarks {
        line(&mut text, &format!("- {remark}"));
    }
    text
}
