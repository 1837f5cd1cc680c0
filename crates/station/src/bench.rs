//! What the tests of this room share: a plan, keys, cars, and an operator that answers as it is told to.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::time::Duration;

use charge::id::{EvseId, EvseNo, MeterSerial, StationId};
use charge::meter::{Measured, SignedRecord};
use charge::place::Current;
use charge::talk::line::{Admission, BayState, FromStation, Heard, LineFault, Stage, TransactionReport, Version};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
use charge::units::{Energy, Power};
use charge::{Secret, Timestamp};
use trust::sign::SigningKey;

use crate::car::{Car, CarPlan, Curve, Inlet};
use crate::plan::{EvsePlan, Plan};

pub(crate) const START: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(crate) fn one() -> EvseNo {
    EvseNo::new(1).unwrap()
}

pub(crate) fn two() -> EvseNo {
    EvseNo::new(2).unwrap()
}

/// EVSE 1 is AC with 11 kW, EVSE 2 is DC with 150 kW.
pub(crate) fn plan(prefers: Version) -> Plan {
    let evse = |number: u8, watts, current| EvsePlan {
        evse_id: EvseId::new(format!("DE*LEY*E000{number}")).unwrap(),
        meter: MeterSerial::new(format!("M-{number}")).unwrap(),
        max_power: Power::from_watts(watts),
        current,
    };
    Plan {
        id: StationId::new("LEY-0001").unwrap(),
        prefers,
        vendor: "Leyden".to_owned(),
        model: "VS-2".to_owned(),
        serial: "SN-0001".to_owned(),
        firmware: "1.0.0".to_owned(),
        evses: vec![evse(1, 11_000, Current::Ac3Phase), evse(2, 150_000, Current::Dc)],
    }
}

pub(crate) fn keys() -> Vec<Secret<Vec<u8>>> {
    (0..2).map(|_| SigningKey::generate().unwrap().to_pkcs8_der().unwrap()).collect()
}

/// Takes 11 kW at EVSE 1 for hours.
pub(crate) fn car() -> Car {
    Car::new(CarPlan {
        capacity: Energy::from_wh(80_000),
        charged_percent: 10,
        max_power: Power::from_watts(11_000),
        inlet: Inlet::ThreePhase,
        curve: Curve::Flat,
        wants: None,
    })
    .unwrap()
}

pub(crate) fn dc_car() -> Car {
    Car::new(CarPlan { inlet: Inlet::Dc, max_power: Power::from_watts(120_000), ..*car().plan() }).unwrap()
}

pub(crate) fn uid(text: &str) -> TokenUid {
    TokenUid::new(text).unwrap()
}

pub(crate) fn card(text: &str) -> PresentedToken {
    PresentedToken::new(uid(text), TokenKind::Rfid)
}

pub(crate) fn alias(text: &str) -> PresentedToken {
    PresentedToken::new(uid(text), TokenKind::Other)
}

/// How the operator answers next, and what it heard.
#[derive(Default)]
pub(crate) struct Operator {
    pub heard: Vec<FromStation>,
    /// Outcomes to give instead of the usual, one per message, first come first served. `None` is the usual.
    pub instead: Vec<Option<Result<Heard, LineFault>>>,
    pub refuses: bool,
    /// What is thought of these cards; of the others it is as `refuses` says.
    pub verdicts: Vec<(PresentedToken, Verdict)>,
    pub last_number: i32,
}

impl Operator {
    pub(crate) fn answer(&mut self, now: Timestamp, said: &FromStation) -> Result<Heard, LineFault> {
        self.heard.push(said.clone());
        let instead = if self.instead.is_empty() { None } else { self.instead.remove(0) };
        instead.unwrap_or_else(|| Ok(self.usual(now, said)))
    }

    fn usual(&mut self, now: Timestamp, said: &FromStation) -> Heard {
        let token = match said {
            FromStation::Tap(tap) => Some(&tap.token),
            FromStation::Transaction(report) => report.token.as_ref(),
            _ => None,
        };
        let known =
            self.verdicts.iter().rev().find(|(known, _)| Some(known) == token).map(|(_, verdict)| verdict.clone());
        let usual = if self.refuses { Allowed::Blocked } else { Allowed::Yes };
        let verdict = known.unwrap_or_else(|| Verdict::bare(usual));
        match said {
            FromStation::Boot(_) => {
                Heard::Boot { admitted: Admission::Accepted, now, interval: Duration::from_secs(300) }
            }
            FromStation::Alive => Heard::Alive { now },
            FromStation::Tap(_) => Heard::Tap(verdict),
            FromStation::Transaction(report) if report.stage == Stage::Started => {
                self.last_number += 1;
                Heard::Transaction { number: Some(self.last_number), verdict: Some(verdict), cost: None, advice: None }
            }
            FromStation::Transaction(_) => Heard::Transaction { number: None, verdict: None, cost: None, advice: None },
            FromStation::Status(_)
            | FromStation::Meter(_)
            | FromStation::Security { .. }
            | FromStation::Charging(_)
            | FromStation::Reservation { .. }
            | FromStation::Progress(_)
            | FromStation::Certificate(_)
            | FromStation::Model(_)
            | FromStation::Display(_)
            | FromStation::Customer(_)
            | FromStation::Grid(_)
            | FromStation::Swap(_)
            | FromStation::Payment(_)
            | FromStation::Vendor(_)
            | FromStation::Foreign(_) => Heard::Noted,
        }
    }

    /// What was heard, each in a word, since the last time this was asked.
    pub(crate) fn words(&mut self) -> Vec<String> {
        self.heard.drain(..).map(|said| word(&said)).collect()
    }

    pub(crate) fn transactions(&self) -> Vec<TransactionReport> {
        let reports = self.heard.iter().filter_map(|said| match said {
            FromStation::Transaction(report) => Some(report.clone()),
            _ => None,
        });
        reports.collect()
    }

    pub(crate) fn states(&self, evse: EvseNo) -> Vec<BayState> {
        let states = self.heard.iter().filter_map(|said| match said {
            FromStation::Status(report) if report.evse == Some(evse) => Some(report.state),
            _ => None,
        });
        states.collect()
    }
}

fn word(said: &FromStation) -> String {
    match said {
        FromStation::Boot(_) => "boot".to_owned(),
        FromStation::Alive => "alive".to_owned(),
        FromStation::Status(report) => {
            format!("{} {}", report.evse.map_or(0, EvseNo::get), report.state.as_str())
        }
        FromStation::Tap(_) => "tap".to_owned(),
        FromStation::Transaction(report) => format!("{:?}", report.stage).to_lowercase(),
        FromStation::Meter(_) => "meter".to_owned(),
        FromStation::Security { kind, .. } => kind.to_string(),
        FromStation::Model(_) => "model".to_owned(),
        FromStation::Progress(_) => "progress".to_owned(),
        FromStation::Charging(_) => "charging".to_owned(),
        FromStation::Reservation { .. } => "reservation".to_owned(),
        FromStation::Certificate(_) => "certificate".to_owned(),
        FromStation::Display(_) => "display".to_owned(),
        FromStation::Customer(_) => "customer".to_owned(),
        FromStation::Grid(_) => "grid".to_owned(),
        FromStation::Swap(_) => "swap".to_owned(),
        FromStation::Payment(_) => "payment".to_owned(),
        FromStation::Vendor(_) => "vendor".to_owned(),
        FromStation::Foreign(_) => "foreign".to_owned(),
    }
}

/// All signed records of some reports, in their order.
pub(crate) fn records(reports: &[TransactionReport]) -> Vec<SignedRecord> {
    let readings = reports.iter().flat_map(|report| &report.readings);
    let signed = readings.filter_map(|reading| match &reading.measured {
        Measured::Signed(record) => Some(record.clone()),
        _ => None,
    });
    signed.collect()
}

/// The import register of a report.
pub(crate) fn register(report: &TransactionReport) -> Energy {
    let found = report.readings.iter().find_map(|reading| match reading.measured {
        Measured::EnergyImport(energy) => Some(energy),
        _ => None,
    });
    found.unwrap()
}
