//! What can be read of the station: its settings, what it finds out about itself, and what it can take, each with its
//! characteristics (OCPP 2.x blocks B05 to B08).
//!
//! It answers and changes nothing. Invariant: what is reported can be read by its name, and the other way round.

use charge::place::Current;
use charge::talk::line::document::Document;
use charge::talk::line::model::{Attribute, ReportRow};
use charge::talk::line::{BayState, Setting};

use super::Station;
use crate::display::MESSAGES_MAX;
use crate::evse::Evse;
use crate::local_list::ENTRIES_MAX;
use crate::monitors::MONITORS_MAX;

impl Station {
    /// The value of a variable now, or the status word for there being none (N04.FR.03, N04.FR.04).
    pub(super) fn value_of(&self, name: &str) -> Result<Box<str>, &'static str> {
        if let Some(row) = self.rows().into_iter().find(|row| row.variable.eq_ignore_ascii_case(name)) {
            return row.value.ok_or("Rejected");
        }
        let known = self.rows().iter().any(|row| component(&row.variable).eq_ignore_ascii_case(component(name)));
        Err(if known { "UnknownVariable" } else { "UnknownComponent" })
    }

    /// Everything there is to read, as rows of a report: the settings, and what the station finds out about itself.
    pub(super) fn rows(&self) -> Vec<ReportRow> {
        let (known, _) = self.settings.read(self.version, &[]);
        let version = self.version;
        let settings = known.into_iter().map(|setting| {
            let characteristics = self.settings.characteristics(version, &setting.key);
            // what is a fact and no setting is text
            report_row(setting, characteristics.unwrap_or_else(|| Document::new(TEXT)))
        });
        settings.chain(self.findings()).collect()
    }

    /// Of the image that runs, or of the plates.
    pub(super) fn firmware_version(&self) -> &str {
        self.blocks.firmware.as_deref().unwrap_or(&self.plan.firmware)
    }

    fn findings(&self) -> Vec<ReportRow> {
        let row = |variable: String, value: String, characteristics: &str| ReportRow {
            variable: variable.into(),
            attribute: Attribute::Actual,
            value: Some(value.into()),
            read_only: true,
            write_only: false,
            persistent: false,
            characteristics: Some(Document::new(characteristics)),
        };
        let plan = &self.plan;
        let state = if self.operative { "Available" } else { "Unavailable" };
        let faulted = self.evses.iter().any(|evse| evse.fault.is_some());
        let entries = format!(r#"{{"dataType":"integer","maxLimit":{ENTRIES_MAX},"supportsMonitoring":false}}"#);
        let messages = format!(r#"{{"dataType":"integer","maxLimit":{MESSAGES_MAX},"supportsMonitoring":false}}"#);
        let mut rows = vec![
            row("ChargingStation.AvailabilityState".into(), state.into(), STATES),
            row("ChargingStation.Problem".into(), faulted.to_string(), FLAG),
            row("ChargingStation.Available".into(), "true".into(), FLAG),
            row("ChargingStation.VendorName".into(), plan.vendor.clone(), TEXT),
            row("ChargingStation.Model".into(), plan.model.clone(), TEXT),
            row("ChargingStation.SerialNumber".into(), plan.serial.clone(), TEXT),
            row("ChargingStation.FirmwareVersion".into(), self.firmware_version().to_owned(), TEXT),
            row("LocalAuthListCtrlr.Entries".into(), self.blocks.list.len().to_string(), &entries),
            row("ClockCtrlr.DateTime".into(), self.now.whole_seconds().to_string(), MOMENT),
            row("DisplayMessageCtrlr.DisplayMessages".into(), self.blocks.board.count().to_string(), &messages),
            row("MonitoringCtrlr.ItemsPerMessage[SetVariableMonitoring]".into(), MONITORS_MAX.to_string(), NUMBER),
        ];
        rows.extend(CONSTANTS.iter().map(|(name, value, of)| row((*name).to_owned(), (*value).to_owned(), of)));
        for evse in &self.evses {
            let state = match self.shown(evse) {
                BayState::Available => "Available",
                BayState::Reserved => "Reserved",
                BayState::Unavailable => "Unavailable",
                BayState::Faulted => "Faulted",
                BayState::Preparing
                | BayState::Charging
                | BayState::SuspendedByCar
                | BayState::SuspendedByStation
                | BayState::Finishing
                | BayState::Occupied => "Occupied",
            };
            let no = evse.no;
            rows.push(row(format!("{no}/EVSE.AvailabilityState"), state.into(), STATES));
            rows.push(row(format!("{no}/EVSE.Available"), "true".into(), FLAG));
            let most = evse.max_power.watts();
            let power = format!(r#"{{"dataType":"decimal","unit":"W","maxLimit":{most},"supportsMonitoring":true}}"#);
            rows.push(row(format!("{no}/EVSE.Power"), evse.power().watts().to_string(), &power));
            rows.push(row(format!("{no}/EVSE.SupplyPhases"), phases(evse).to_string(), NUMBER));
            rows.push(row(format!("{no}.1/Connector.AvailabilityState"), state.into(), STATES));
            rows.push(row(format!("{no}.1/Connector.Available"), "true".into(), FLAG));
            rows.push(row(format!("{no}.1/Connector.ConnectorType"), plug(evse).into(), TEXT));
            rows.push(row(format!("{no}.1/Connector.SupplyPhases"), phases(evse).to_string(), NUMBER));
        }
        rows
    }

    /// Components that meet one of the criteria (B08.FR.13); a component without such a variable meets it (B08.FR.07,
    /// B08.FR.09, B08.FR.10).
    pub(super) fn meets(&self, variable: &str, criteria: &[Box<str>]) -> bool {
        let component = component(variable);
        criteria.is_empty()
            || criteria.iter().any(|word| match self.value_of(&format!("{component}.{word}")) {
                Ok(value) => value.eq_ignore_ascii_case("true"),
                Err(_) => &**word != "Problem",
            })
    }

    /// What of the findings was asked for among the settings.
    pub(super) fn find(&self, unknown: Vec<Box<str>>, known: &mut Vec<Setting>) -> Vec<Box<str>> {
        if !self.version.is_2() {
            return unknown;
        }
        let findings = self.findings();
        let (found, missing) = unknown
            .into_iter()
            .partition::<Vec<_>, _>(|key| findings.iter().any(|row| row.variable.eq_ignore_ascii_case(key)));
        known.extend(found.into_iter().map(|key| {
            let value =
                findings.iter().find(|row| row.variable.eq_ignore_ascii_case(&key)).and_then(|row| row.value.clone());
            Setting { key, value, read_only: true }
        }));
        missing.into_iter().map(|key| self.unknown(key)).collect()
    }

    /// The name of something that there is not: without its variable, where not even its component is (B05.FR.04, B05.FR.05,
    /// B06.FR.06, B06.FR.07).
    pub(super) fn unknown(&self, key: Box<str>) -> Box<str> {
        if self.value_of(&key) == Err("UnknownComponent") { component(&key).into() } else { key }
    }
}

const STATES: &str = r#"{"dataType":"OptionList","valuesList":"Available,Occupied,Reserved,Unavailable,Faulted","supportsMonitoring":true}"#;
const FLAG: &str = r#"{"dataType":"boolean","supportsMonitoring":true}"#;
const TEXT: &str = r#"{"dataType":"string","supportsMonitoring":false}"#;

/// What the station can take, as 2.x wants it known: the same for all (part 2, referenced components).
const CONSTANTS: [(&str, &str, &str); 22] = [
    ("OCPPCommCtrlr.MessageTimeout[Default]", "30", NUMBER),
    ("OCPPCommCtrlr.FileTransferProtocols", "HTTP,HTTPS", PROTOCOLS),
    ("OCPPCommCtrlr.UnlockOnEVSideDisconnect", "true", FLAG),
    ("OCPPCommCtrlr.ResetRetries", "0", NUMBER),
    ("DeviceDataCtrlr.ItemsPerMessage[GetReport]", "100", NUMBER),
    ("DeviceDataCtrlr.ItemsPerMessage[GetVariables]", "100", NUMBER),
    ("DeviceDataCtrlr.ItemsPerMessage[SetVariables]", "100", NUMBER),
    ("DeviceDataCtrlr.BytesPerMessage[GetReport]", "65536", NUMBER),
    ("DeviceDataCtrlr.BytesPerMessage[GetVariables]", "65536", NUMBER),
    ("DeviceDataCtrlr.BytesPerMessage[SetVariables]", "65536", NUMBER),
    ("ClockCtrlr.TimeSource", "Heartbeat", SOURCES),
    ("SampledDataCtrlr.TxStartedMeasurands", "Energy.Active.Import.Register", REGISTER),
    ("SampledDataCtrlr.TxEndedInterval", "0", NUMBER),
    ("SmartChargingCtrlr.RateUnit", "A,W", UNITS),
    ("SmartChargingCtrlr.LimitChangeSignificance", "1", r#"{"dataType":"decimal","supportsMonitoring":false}"#),
    ("DisplayMessageCtrlr.SupportedFormats", "ASCII,UTF8,URI", FORMATS),
    ("DisplayMessageCtrlr.SupportedPriorities", "AlwaysFront,InFront,NormalCycle", PRIORITIES),
    ("MonitoringCtrlr.BytesPerMessage[SetVariableMonitoring]", "65536", NUMBER),
    ("AuthCtrlr.Enabled", "true", FLAG),
    ("LocalAuthListCtrlr.Available", "true", FLAG),
    ("MonitoringCtrlr.Available", "true", FLAG),
    ("DisplayMessageCtrlr.Available", "true", FLAG),
];
const NUMBER: &str = r#"{"dataType":"integer","supportsMonitoring":false}"#;
const MOMENT: &str = r#"{"dataType":"dateTime","supportsMonitoring":false}"#;
const PROTOCOLS: &str = r#"{"dataType":"MemberList","valuesList":"HTTP,HTTPS","supportsMonitoring":false}"#;
const SOURCES: &str = r#"{"dataType":"SequenceList","valuesList":"Heartbeat","supportsMonitoring":false}"#;
const REGISTER: &str =
    r#"{"dataType":"MemberList","valuesList":"Energy.Active.Import.Register","supportsMonitoring":false}"#;
const UNITS: &str = r#"{"dataType":"MemberList","valuesList":"A,W","supportsMonitoring":false}"#;
const FORMATS: &str = r#"{"dataType":"MemberList","valuesList":"ASCII,UTF8,URI","supportsMonitoring":false}"#;
const PRIORITIES: &str =
    r#"{"dataType":"MemberList","valuesList":"AlwaysFront,InFront,NormalCycle","supportsMonitoring":false}"#;

/// What a socket of this kind is in Europe (`ConnectorEnumType`).
const fn plug(of: &Evse) -> &'static str {
    match of.current {
        Current::Dc => "cCCS2",
        Current::Ac1Phase | Current::Ac3Phase => "sType2",
    }
}

/// `SupplyPhases`: 0 is direct current.
const fn phases(of: &Evse) -> u8 {
    match of.current {
        Current::Dc => 0,
        Current::Ac1Phase => 1,
        Current::Ac3Phase => 3,
    }
}

/// A name in its parts; what is left out means all (B08.FR.20, B08.FR.21, B08.FR.22).
struct Named<'n> {
    /// EVSE, or EVSE and connector.
    place: Option<&'n str>,
    component: (&'n str, Option<&'n str>),
    variable: Option<(&'n str, Option<&'n str>)>,
}

impl<'n> Named<'n> {
    fn of(name: &'n str) -> Self {
        let (place, rest) = name.split_once('/').map_or((None, name), |(place, rest)| (Some(place), rest));
        let (component, variable) = rest.split_once('.').map_or((rest, ""), |parts| parts);
        let instance = |part: &'n str| {
            part.split_once('[').map_or((part, None), |(part, instance)| (part, Some(instance.trim_end_matches(']'))))
        };
        Self { place, component: instance(component), variable: (!variable.is_empty()).then(|| instance(variable)) }
    }

    fn means(&self, other: &Named<'_>) -> bool {
        let same = |a: (&str, Option<&str>), b: (&str, Option<&str>)| {
            a.0.eq_ignore_ascii_case(b.0)
                && a.1.is_none_or(|instance| b.1.is_some_and(|other| instance.eq_ignore_ascii_case(other)))
        };
        let here = |place: &str| {
            other.place.is_some_and(|other| {
                other.strip_prefix(place).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        self.place.is_none_or(here)
            && same(self.component, other.component)
            && self.variable.is_none_or(|variable| other.variable.is_some_and(|other| same(variable, other)))
    }
}

/// The component of a name, with its place.
fn component(name: &str) -> &str {
    let place = name.find('/').map_or(0, |slash| slash + 1);
    name.get(place..).and_then(|rest| rest.find('.')).map_or(name, |dot| name.get(..place + dot).unwrap_or(name))
}

/// Whether a variable is one of those that were named.
pub(super) fn wanted(variable: &str, names: &[Box<str>]) -> bool {
    let variable = Named::of(variable);
    names.is_empty() || names.iter().any(|name| Named::of(name).means(&variable))
}

/// A setting as a row of a report: its actual value and what may be written (B08.FR.12).
fn report_row(setting: Setting, characteristics: Document) -> ReportRow {
    ReportRow {
        write_only: setting.value.is_none(),
        variable: setting.key,
        attribute: Attribute::Actual,
        value: setting.value,
        read_only: setting.read_only,
        persistent: true,
        characteristics: Some(characteristics),
    }
}
