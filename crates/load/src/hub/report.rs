//! What `bench road` found: one JSON document, and the same as sections of the page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Full, Hop, Network, Pair, Plan, Round};
use crate::report::table::{line, row, section, spread, table, verdict, whole};
use crate::report::{Machine, RoundTrip, Spread, ratio};
use crate::spread::tenths;

/// Half the load is answered within this, to one in a hundred.
const HALF_P99_US_MAX: f64 = 10_000.0;
/// A hub with a full index stays below this: 1 GiB.
const RESIDENT_BYTES_MAX: u64 = 1 << 30;
/// Nothing on the way may depend on how many providers there are: what the largest network costs over the smallest
/// one. More than noise is allowed for more connections that are open.
const GROWTH_MAX: f64 = 1.25;

/// Everything that one run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub machine: Machine,
    pub planned: Planned,
    /// The bare proxy.
    pub floor: Cost,
    pub pairs: Vec<Crossing>,
    pub sizes: Vec<Size>,
    /// The dearest of the sizes over the smallest, and what is aimed at; `None` where none was measured.
    pub growth: Option<Growth>,
    pub index: Option<Index>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    pub rounds: u32,
    /// Authorisations of each kind in each round.
    pub taps: u32,
    pub outstanding: u32,
    pub operators: usize,
    /// Providers behind the pairs, of OCPI and of OICP.
    pub providers: [u32; 2],
}

/// One authorisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Processor microseconds of the process.
    pub cpu_us: Spread,
    /// The same by kind of thread, medians.
    pub threads_us: BTreeMap<String, f64>,
    /// Answered a second on the whole machine, loader included.
    pub per_second: Spread,
    /// Round trips with as many under way as the plan says.
    pub busy: RoundTrip,
    /// Round trips at half of what one core is to do.
    pub half: Option<RoundTrip>,
    /// Questions that reached providers, for each that was asked.
    pub messages: Spread,
}

/// Who asked whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    pub from: String,
    pub to: String,
    pub cost: Cost,
    /// Over the proxy's.
    pub ratio: f64,
    /// Authorisations a second that one core of the hub does, and what is aimed at.
    pub per_core: f64,
    pub per_core_min: u32,
    pub holds: bool,
    /// Half of what is aimed at, in authorisations a second.
    pub half_per_second: u32,
    pub half_p99_us_max: f64,
    pub half_holds: bool,
}

/// A network of so many providers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Size {
    pub providers: u32,
    pub cost: Cost,
    pub resident_bytes: Spread,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    pub ratio: f64,
    pub ratio_max: f64,
    pub messages_max: f64,
    pub holds: bool,
}

/// A hub with a full index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    pub locations: u32,
    pub tokens: u64,
    pub providers: u32,
    /// To fill it, through the hub's own desk.
    pub filled_s: f64,
    pub file_bytes: u64,
    /// When it has started, and after taps all over the index.
    pub resident_started_bytes: u64,
    pub resident_bytes: u64,
    pub resident_bytes_max: u64,
    pub holds: bool,
    pub cost: Cost,
}

impl Report {
    pub(super) fn of(machine: Machine, plan: &Plan, rounds: &[Round], full: Option<&Full>) -> Option<Self> {
        let Plan { rounds: planned, taps, outstanding, .. } = *plan;
        let (rounds_done, mixed) = (planned.max(1), &plan.mixed);
        let taps = taps / outstanding.max(1) * outstanding;
        let floor = Cost::of(rounds.iter().map(|round| &round.floor))?;
        let pair = |(number, pair): (usize, &Pair)| {
            Crossing::of(*pair, Cost::of(rounds.iter().filter_map(|round| round.pairs.get(number)))?, &floor)
        };
        let pairs = Pair::ALL.iter().enumerate().map(pair).collect::<Option<_>>()?;
        let size = |(number, network): (usize, &Network)| {
            let hops = || rounds.iter().filter_map(move |round| round.sizes.get(number));
            let resident_bytes = Spread::of(hops().map(|(_, resident)| *resident as f64))?;
            Some(Size { providers: network.ocpi, cost: Cost::of(hops().map(|(hop, _)| hop))?, resident_bytes })
        };
        let sizes = plan.sizes.iter().enumerate().map(size).collect::<Option<Vec<_>>>()?;
        let index = match (full, &plan.full) {
            (Some(full), Some(network)) => Some(Index::of(full, network)?),
            (_, _) => None,
        };
        let planned = Planned {
            rounds: rounds_done,
            taps,
            outstanding,
            operators: mixed.operators.len(),
            providers: [mixed.ocpi, mixed.oicp],
        };
        Some(Self { machine, planned, floor, pairs, growth: Growth::of(&sizes), sizes, index })
    }
}

impl Cost {
    fn of<'h>(hops: impl Iterator<Item = &'h Hop>) -> Option<Self> {
        let hops: Vec<&Hop> = hops.collect();
        let spread = |pick: fn(&Hop) -> f64| Spread::of(hops.iter().map(|hop| pick(hop)));
        let mut threads: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (kind, us) in hops.iter().flat_map(|hop| &hop.threads) {
            threads.entry(kind.clone()).or_default().push(*us);
        }
        let threads = threads.into_iter().filter_map(|(kind, us)| Some((kind, Spread::of(us)?.median)));
        let half = || hops.iter().filter_map(|hop| hop.paced.as_ref());
        let half_p50_us = Spread::of(half().map(|trips| trips.p50_us));
        let half_p99_us = Spread::of(half().map(|trips| trips.p99_us));
        // four digits: one astray in a thousand is not one
        let messages = hops
            .iter()
            .map(|hop| hop.messages)
            .fold((f64::MAX, f64::MIN), |(least, most), each| (least.min(each), most.max(each)));
        Some(Self {
            cpu_us: spread(|hop| hop.cpu_us)?,
            threads_us: threads.filter(|(_, us)| *us > 0.0).collect(),
            per_second: spread(|hop| hop.per_second)?,
            busy: RoundTrip { p50_us: spread(|hop| hop.busy.p50_us)?, p99_us: spread(|hop| hop.busy.p99_us)? },
            half: half_p50_us.zip(half_p99_us).map(|(p50_us, p99_us)| RoundTrip { p50_us, p99_us }),
            messages: Spread { median: hops.first()?.messages, min: messages.0, max: messages.1 },
        })
    }
}

impl Crossing {
    fn of(pair: Pair, cost: Cost, floor: &Cost) -> Option<Self> {
        let per_core = (1e6 / cost.cpu_us.median).round();
        let half_p99 = cost.half.as_ref()?.p99_us.median;
        Some(Self {
            from: pair.ends().0.to_owned(),
            to: pair.ends().1.to_owned(),
            ratio: ratio(cost.cpu_us.median, floor.cpu_us.median),
            per_core,
            per_core_min: pair.per_core_min(),
            holds: per_core >= f64::from(pair.per_core_min()),
            half_per_second: pair.per_core_min() / 2,
            half_p99_us_max: HALF_P99_US_MAX,
            half_holds: half_p99 <= HALF_P99_US_MAX,
            cost,
        })
    }
}

impl Growth {
    fn of(sizes: &[Size]) -> Option<Self> {
        let smallest = sizes.iter().min_by_key(|size| size.providers)?.cost.cpu_us.median;
        let dearest = sizes.iter().map(|size| size.cost.cpu_us.median).fold(0.0, f64::max);
        let messages_max = sizes.iter().map(|size| size.cost.messages.max).fold(0.0, f64::max);
        let ratio = ratio(dearest, smallest);
        Some(Self { ratio, ratio_max: GROWTH_MAX, messages_max, holds: ratio <= GROWTH_MAX && messages_max <= 1.0 })
    }
}

impl Index {
    fn of(full: &Full, network: &Network) -> Option<Self> {
        let resident_bytes = full.asked.max(full.started);
        Some(Self {
            locations: network.locations,
            tokens: u64::from(network.tokens_each) * u64::from(network.ocpi + network.oicp),
            providers: network.ocpi + network.oicp,
            filled_s: tenths(network.filled_in.as_secs_f64()),
            file_bytes: network.file_bytes,
            resident_started_bytes: full.started,
            resident_bytes,
            resident_bytes_max: RESIDENT_BYTES_MAX,
            holds: resident_bytes <= RESIDENT_BYTES_MAX,
            cost: Cost::of(std::iter::once(&full.hop))?,
        })
    }
}

/// As sections of the page.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    authorisations(&mut text, report);
    round_trips(&mut text, report);
    sizes(&mut text, report);
    index(&mut text, report);
    text
}

fn authorisations(text: &mut String, report: &Report) {
    let Planned { rounds, taps, outstanding, operators, providers: [ocpi, oicp] } = report.planned;
    section(text, "An authorisation through the hub");
    line(text, &report.machine.told());
    line(
        text,
        &format!(
            "{operators} operators asked {taps} times in each of {rounds} rounds, {outstanding} under way at a time, for \
             tokens of {ocpi} providers of OCPI and {oicp} of OICP. Figures are medians of the rounds, with the lowest \
             and the highest in brackets."
        ),
    );
    line(text, "");
    let head = ["operator → provider", "hub CPU (µs)", "times the proxy", "a second and core", "aim", "", "messages"];
    let mut rows = vec![row(head)];
    rows.push(row([
        "bare proxy",
        &spread(report.floor.cpu_us),
        "1.00",
        &format!("{:.0}", 1e6 / report.floor.cpu_us.median),
        "",
        "",
        &messages(&report.floor),
    ]));
    for pair in &report.pairs {
        rows.push(row([
            &format!("{} → {}", pair.from, pair.to),
            &spread(pair.cost.cpu_us),
            &format!("{:.2}", pair.ratio),
            &format!("{:.0}", pair.per_core),
            &format!("≥ {}", pair.per_core_min),
            verdict(pair.holds),
            &messages(&pair.cost),
        ]));
    }
    table(text, &rows);
    line(text, "");
    let threads = |cost: &Cost| {
        let kinds = cost.threads_us.iter().map(|(kind, us)| format!("{kind} {us:.1}"));
        kinds.collect::<Vec<_>>().join(", ")
    };
    for pair in &report.pairs {
        line(text, &format!("- {} → {}, by kind of thread: {} µs", pair.from, pair.to, threads(&pair.cost)));
    }
}

fn round_trips(text: &mut String, report: &Report) {
    section(text, "Round trips through the hub (µs)");
    let busy = |of: &str| format!("{of}, {} under way", report.planned.outstanding);
    let mut rows = vec![row([
        "operator → provider",
        "half the load",
        "p50",
        "p99",
        "aim",
        "",
        &busy("p50"),
        &busy("p99"),
        "answers/s",
    ])];
    let cells = |name: &str, at: &str, cost: &Cost, aim: &str, held: &str| {
        let half =
            |pick: fn(&RoundTrip) -> Spread| cost.half.as_ref().map_or("–".to_owned(), |half| whole(pick(half)));
        row([
            name,
            at,
            &half(|half| half.p50_us),
            &half(|half| half.p99_us),
            aim,
            held,
            &whole(cost.busy.p50_us),
            &whole(cost.busy.p99_us),
            &whole(cost.per_second),
        ])
    };
    let first = report.pairs.first().map_or(0, |pair| pair.half_per_second);
    rows.push(cells("bare proxy", &format!("{first} a second"), &report.floor, "", ""));
    for pair in &report.pairs {
        let (name, at) = (format!("{} → {}", pair.from, pair.to), format!("{} a second", pair.half_per_second));
        rows.push(cells(&name, &at, &pair.cost, &format!("≤ {:.0}", pair.half_p99_us_max), verdict(pair.half_holds)));
    }
    table(text, &rows);
}

fn sizes(text: &mut String, report: &Report) {
    let Some(growth) = &report.growth else { return };
    section(text, "From few providers to many");
    let mut rows = vec![row(["providers", "hub CPU (µs)", "messages a tap", "resident (MiB)", ""])];
    let dearest = report.sizes.iter().map(|size| size.cost.cpu_us.median).fold(1.0, f64::max);
    for size in &report.sizes {
        let bar = "█".repeat((size.cost.cpu_us.median / dearest * BAR_CELLS).round() as usize);
        rows.push(row([
            &size.providers.to_string(),
            &spread(size.cost.cpu_us),
            &messages(&size.cost),
            &format!("{:.0}", size.resident_bytes.median / MIB),
            &bar,
        ]));
    }
    table(text, &rows);
    line(text, "");
    line(
        text,
        &format!(
            "OCPI 2.2.1 at both ends. The dearest costs {:.2} times the smallest network (aim ≤ {}) at {} messages a tap: \
             {}.",
            growth.ratio,
            growth.ratio_max,
            digits(growth.messages_max),
            verdict(growth.holds)
        ),
    );
}

fn index(text: &mut String, report: &Report) {
    let Some(index) = &report.index else { return };
    section(text, "A full index");
    line(
        text,
        &format!(
            "{} tokens of {} providers and {} locations, filled in {:.0} s through the hub's own desk, {:.0} MiB on the \
             disk: tags of tokens and whose they are, and the public objects as they came. The hub holds {:.0} MiB \
             resident when it has started and {:.0} MiB after taps all over the index (aim ≤ {:.0} MiB, {}); one costs \
             {:.1} µs there. The broker for partners of OICP has its index of EVSEs on the disk as well, and has filled \
             it before.",
            index.tokens,
            index.providers,
            index.locations,
            index.filled_s,
            index.file_bytes as f64 / MIB,
            index.resident_started_bytes as f64 / MIB,
            index.resident_bytes as f64 / MIB,
            index.resident_bytes_max as f64 / MIB,
            verdict(index.holds),
            index.cost.cpu_us.median,
        ),
    );
}

const MIB: f64 = 1_048_576.0;
/// The longest bar of a table.
const BAR_CELLS: f64 = 30.0;

fn messages(cost: &Cost) -> String {
    digits(cost.messages.max)
}

fn digits(messages: f64) -> String {
    format!("{messages:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
}
