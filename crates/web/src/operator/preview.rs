//! What a tariff would cost and whether it is sound, before anybody is charged by it. Nothing is kept.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use billing::price::{Note, PriceFault, Severity, changes, headline, knows_zone, lint, price};
use charge::Timestamp;
use charge::record::Period;
use charge::tariff::{Dimension, Tariff};
use charge::units::{Energy, Power};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Desk;
use super::tariffs::WriteTariff;
use crate::evidence::CostLine;
use crate::fault::{ErrorBody, Fault};
use crate::shape::Amount;
use crate::stage::Body;

/// A week: longer stays are no example any more.
const STAY_MINUTES_MAX: u32 = 7 * 24 * 60;
/// More than any car takes.
const ENERGY_WH_MAX: i64 = 1_000_000;
const MINUTE: Duration = Duration::from_secs(60);

/// A tariff and an example of a session.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewWish {
    tariff: WriteTariff,
    /// When the example begins; now where it is not said.
    #[serde(default)]
    start: Option<String>,
    /// IANA name: times of day are the location's.
    time_zone: String,
    energy_wh: i64,
    charging_min: u32,
    /// Connected after charging.
    #[serde(default)]
    parking_min: u32,
}

/// What drivers see, what the example costs, what is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Preview {
    offers: Vec<PreviewOffer>,
    lines: Vec<CostLine>,
    net: Amount,
    /// With VAT.
    gross: Amount,
    /// In plain words: what of the example is free, or priced coarsely.
    notes: Vec<String>,
    findings: Vec<PreviewFinding>,
}

/// A price as drivers see it before the start.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewOffer {
    dimension: &'static str,
    /// With VAT.
    gross: String,
    /// `kWh`, `min` or `session`.
    unit: &'static str,
    condition: Option<String>,
    /// Can it apply when the example begins?
    now: bool,
}

/// A flaw of the tariff.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewFinding {
    /// It must not be offered like this.
    error: bool,
    path: String,
    text: &'static str,
}

#[utoipa::path(post, path = "/api/p/operator/tariffs/preview", tag = "operator", request_body = PreviewWish,
    responses((status = 200, body = Preview), (status = 400, body = ErrorBody)))]
pub(crate) async fn preview(State(desk): State<Desk>, Body(wish): Body<PreviewWish>) -> Result<Json<Preview>, Fault> {
    let now = desk.clock.now();
    let start = match &wish.start {
        Some(text) => text.parse().map_err(|_| Fault::malformed("/start", "A time like 2026-11-22T10:00:00Z."))?,
        None => now,
    };
    let example = Example::of(&wish, start)?;
    let id = charge::id::TariffId::new("PREVIEW").map_err(|_| Fault::Internal)?;
    let tariff = wish.tariff.read(desk.room.setup().party, id, now)?;
    shown(&tariff, &wish.time_zone, &example).map(Json).map_err(refused)
}

/// Charging evenly, then connected without charging.
struct Example {
    start: Timestamp,
    energy: Energy,
    charged: Timestamp,
    end: Timestamp,
}

impl Example {
    fn of(wish: &PreviewWish, start: Timestamp) -> Result<Self, Fault> {
        if !knows_zone(&wish.time_zone) {
            return Err(Fault::malformed("/time_zone", "No such time zone is known."));
        }
        if !(0..=ENERGY_WH_MAX).contains(&wish.energy_wh) {
            return Err(Fault::malformed("/energy_wh", format!("0 to {ENERGY_WH_MAX} Wh.")));
        }
        if wish.charging_min == 0 || wish.charging_min > STAY_MINUTES_MAX {
            return Err(Fault::malformed("/charging_min", format!("1 to {STAY_MINUTES_MAX} minutes.")));
        }
        if wish.parking_min > STAY_MINUTES_MAX {
            return Err(Fault::malformed("/parking_min", format!("At most {STAY_MINUTES_MAX} minutes.")));
        }
        let charged = start.plus(MINUTE * wish.charging_min);
        let end = charged.plus(MINUTE * wish.parking_min);
        Ok(Self { start, energy: Energy::from_wh(wish.energy_wh), charged, end })
    }

    /// Mean power over the charging.
    fn power(&self) -> Power {
        let seconds = i64::try_from(self.charged.since(self.start).as_secs()).unwrap_or(i64::MAX).max(1);
        Power::from_milliwatts(self.energy.mwh().saturating_mul(3_600) / seconds)
    }

    /// What had flowed by then.
    fn register(&self, at: Timestamp) -> Energy {
        let (gone, all) = (at.since(self.start).as_micros(), self.charged.since(self.start).as_micros().max(1));
        let mwh = u128::from(self.energy.mwh().unsigned_abs()) * gone.min(all) / all;
        Energy::from_mwh(i64::try_from(mwh).unwrap_or(i64::MAX))
    }

    /// Cut wherever a price may change: by the clock exactly, by energy and power to the minute, as readings would.
    fn periods(&self, tariff: &Tariff, time_zone: &str) -> Result<Vec<Period>, PriceFault> {
        let mut cuts = vec![self.start, self.charged];
        cuts.extend(changes(tariff, time_zone, self.start, self.end)?);
        let measured = tariff.elements.iter().map(|element| &element.restrictions).any(|r| {
            [r.min_energy.is_some(), r.max_energy.is_some(), r.min_power.is_some(), r.max_power.is_some()]
                .contains(&true)
        });
        let mut at = self.start;
        while measured && at < self.charged {
            cuts.push(at);
            at = at.plus(MINUTE);
        }
        cuts.retain(|cut| *cut < self.end);
        cuts.sort_unstable();
        cuts.dedup();
        let ends = cuts.iter().skip(1).copied().chain([self.end]);
        let period = |(from, until): (Timestamp, Timestamp)| {
            let charging = from < self.charged;
            let energy = self.register(until).checked_sub(self.register(from)).unwrap_or(Energy::ZERO);
            Period { start: from, energy: Some(energy), charging, max_power: charging.then(|| self.power()) }
        };
        Ok(cuts.iter().copied().zip(ends).map(period).collect())
    }
}

fn shown(tariff: &Tariff, time_zone: &str, example: &Example) -> Result<Preview, PriceFault> {
    let offers = headline(tariff, time_zone, example.start)?;
    let priced = price(tariff, time_zone, &example.periods(tariff, time_zone)?, example.end)?;
    let offer = |offer: billing::price::Offer| PreviewOffer {
        dimension: CostLine::name(offer.dimension),
        gross: crate::provider::invoices::fine(offer.gross),
        unit: offer.unit,
        condition: offer.condition,
        now: offer.now,
    };
    let finding = |finding: billing::price::Finding| PreviewFinding {
        error: finding.severity == Severity::Error,
        path: finding.path,
        text: finding.text,
    };
    let currency = tariff.currency;
    Ok(Preview {
        offers: offers.into_iter().map(offer).collect(),
        lines: priced.lines.iter().map(|line| CostLine::of(line, currency)).collect(),
        net: Amount::shown(priced.total.before_vat, currency),
        gross: Amount::gross(&priced.total, currency),
        notes: notes(tariff, &priced.notes),
        findings: lint(tariff, example.power()).into_iter().map(finding).collect(),
    })
}

/// Each thing once, however many periods say it. What the tariff never prices is meant to be free.
fn notes(tariff: &Tariff, notes: &[Note]) -> Vec<String> {
    let prices = |dimension| tariff.elements.iter().flat_map(|e| &e.components).any(|c| c.dimension == dimension);
    let what = |dimension| match dimension {
        Dimension::Energy => "energy",
        Dimension::Flat => "the session",
        Dimension::ParkingTime => "time after charging",
        Dimension::Time => "charging time",
    };
    let mut told: Vec<String> = Vec::new();
    for note in notes {
        let words = match note {
            Note::Free { dimension, .. } if prices(*dimension) => {
                format!("Where no condition holds, {} is free.", what(*dimension))
            }
            Note::OutlastsItsPrice { dimension, .. } => {
                format!(
                    "The price of {} changes within a minute; it counts as at the minute's begin.",
                    what(*dimension)
                )
            }
            Note::Free { .. } => continue,
        };
        if !told.contains(&words) {
            told.push(words);
        }
    }
    told
}

fn refused(fault: PriceFault) -> Fault {
    match fault {
        PriceFault::UnknownTimeZone(_) => Fault::malformed("/time_zone", "No such time zone is known."),
        PriceFault::OutOfOrder { .. } => Fault::Internal,
        PriceFault::TooLarge => Fault::malformed("/tariff", "A number is too large to be priced."),
    }
}
