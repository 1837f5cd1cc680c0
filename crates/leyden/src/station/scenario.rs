//! Scenarios: which stations there are and what happens to them, as a TOML file tells it.
//!
//! Reading only; who plays it is `fleet`. Spans are seconds of the stations' time. What is unknown is refused with its
//! place in the file: a misspelt step must not be a step that silently does not happen.

use std::path::{Path, PathBuf};

use charge::talk::line::Version;
use serde::Deserialize;

use super::preset;
use super::quirk::Quirk;
use super::wiretap::Override;
use crate::Failure;

/// A whole scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// The same seed gives the same scenario.
    #[serde(default = "one")]
    pub(crate) seed: u64,
    /// How many times faster than real the stations live.
    #[serde(default = "sixty")]
    pub(crate) speed: u32,
    pub(crate) station: Vec<Group>,
}

/// Stations of one kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Group {
    /// `{n}` is the number of the station, from 1 within its group.
    pub(crate) id: String,
    #[serde(default = "one_station")]
    pub(crate) count: u32,
    /// 1.6, 2.0.1 or 2.1; 1.5 SOAP or 1.6 SOAP.
    pub(crate) version: String,
    /// Where these call, instead of the address of the command line: SOAP has one of its own.
    pub(crate) url: Option<String>,
    #[serde(default = "plain")]
    pub(crate) preset: String,
    /// Of the cards that are held to the reader; `{n}` as in `id`.
    #[serde(default = "token")]
    pub(crate) token: String,
    /// Security profiles 1 and 2; `{id}` is the station's identity. A path is relative to the scenario.
    pub(crate) password_file: Option<String>,
    /// Security profile 3: key and certificate in PEM.
    pub(crate) identity: Option<String>,
    /// SOAP over TLS: key and certificate of the server that takes the operator's orders.
    pub(crate) server_identity: Option<String>,
    /// SOAP over TLS: the common name of the operator's client certificate.
    pub(crate) operator_name: Option<String>,
    #[serde(default)]
    pub(crate) quirks: Vec<Quirk>,
    #[serde(default)]
    pub(crate) answers: Vec<Override>,
    /// How often the steps are gone through.
    #[serde(default = "one_station")]
    pub(crate) repeat: u32,
    #[serde(default)]
    pub(crate) step: Vec<Step>,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Step {
    /// Time passes; `jitter` is the most that chance adds.
    Wait {
        seconds: u64,
        #[serde(default)]
        jitter: u64,
    },
    /// A car comes, is plugged in, and its driver holds the card to the reader.
    Arrive {
        #[serde(default = "first")]
        evse: u16,
        #[serde(default)]
        car: CarWish,
    },
    /// The driver ends with the card and pulls the cable.
    Leave {
        #[serde(default = "first")]
        evse: u16,
    },
    Plug {
        #[serde(default = "first")]
        evse: u16,
        #[serde(default)]
        car: CarWish,
    },
    Tap {
        #[serde(default = "first")]
        evse: u16,
        token: Option<String>,
    },
    Unplug {
        #[serde(default = "first")]
        evse: u16,
    },
    /// The limits of local load management over time: kilowatts, each for so many seconds.
    PowerCurve {
        #[serde(default = "first")]
        evse: u16,
        points: Vec<Point>,
    },
    Fault {
        #[serde(default = "first")]
        evse: u16,
        code: String,
    },
    Repair {
        #[serde(default = "first")]
        evse: u16,
    },
    /// The power fails and comes back: also in the middle of a transaction.
    PowerLoss,
    /// As the operator would order it.
    Reboot,
    /// The line breaks and stays away: so long, or until `online`.
    Offline {
        seconds: Option<u64>,
    },
    Online,
    /// The station's clock jumps ahead by so much.
    ClockDrift {
        seconds: u64,
    },
    /// The next messages are said twice.
    Duplicate {
        messages: u32,
    },
    /// The next messages are overtaken by others, and arrive again late.
    Reorder {
        messages: u32,
    },
    /// This text as a frame, whatever it is.
    Raw {
        frame: String,
    },
    Set {
        key: String,
        value: String,
    },
    /// Waits until the EVSE is in this state (`Charging`, `Available` and so on), or the step fails.
    Expect {
        #[serde(default = "first")]
        evse: u16,
        state: String,
        within: u64,
    },
    /// Waits until nothing is owed to the operator any more, or the step fails.
    Settled {
        within: u64,
    },
}

/// A point of a power curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Point {
    pub(crate) watts: i64,
    pub(crate) seconds: u64,
}

/// The car that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct CarWish {
    pub(crate) capacity_wh: i64,
    pub(crate) charged_percent: u8,
    pub(crate) max_watts: i64,
    /// What its driver wants; nothing fills the battery.
    pub(crate) wants_wh: Option<i64>,
    pub(crate) one_phase: bool,
}

impl Default for CarWish {
    fn default() -> Self {
        Self { capacity_wh: 60_000, charged_percent: 30, max_watts: 22_000, wants_wh: None, one_phase: false }
    }
}

const fn one() -> u64 {
    1
}

const fn one_station() -> u32 {
    1
}

const fn sixty() -> u32 {
    60
}

const fn first() -> u16 {
    1
}

fn plain() -> String {
    "plain".to_owned()
}

fn token() -> String {
    "04A2B3C4D5E6F7".to_owned()
}

/// More stations than this need several machines: each has a journal, a socket and two tasks.
const STATIONS_MAX: u32 = 10_000;

impl Scenario {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|fault| Failure::io(path, &fault))?;
        Self::parse(&text).map_err(|why| Failure::misuse(format!("{}: {why}", path.display())))
    }

    /// One station as the command line describes it, with nothing to do.
    pub(crate) fn of_one(wish: &crate::cli::Station) -> Self {
        let file = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        let group = Group {
            id: wish.id.clone(),
            count: 1,
            version: wish.version.clone(),
            url: None,
            preset: plain(),
            token: wish.token.clone(),
            password_file: file(&wish.password_file),
            identity: file(&wish.identity),
            server_identity: None,
            operator_name: None,
            quirks: Vec::new(),
            answers: Vec::new(),
            repeat: 1,
            step: Vec::new(),
        };
        Self { name: wish.id.clone(), seed: wish.seed.unwrap_or(1), speed: wish.speed, station: vec![group] }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let scenario: Self = toml::from_str(text).map_err(|fault| fault.to_string())?;
        if !(1..=3_600).contains(&scenario.speed) {
            return Err("speed is between 1 and 3600".to_owned());
        }
        let all: u32 = scenario.station.iter().map(|group| group.count).fold(0, u32::saturating_add);
        if all == 0 || all > STATIONS_MAX {
            return Err(format!("a scenario has between 1 and {STATIONS_MAX} stations"));
        }
        for group in &scenario.station {
            let version = group.version().ok_or_else(|| {
                let labels = Version::ALL.map(Version::label).join(", ");
                format!("{}: version is one of {labels}", group.id)
            })?;
            let framed = |step: &Step| matches!(step, Step::Duplicate { .. } | Step::Reorder { .. } | Step::Raw { .. });
            let wire = !group.quirks.is_empty() || !group.answers.is_empty() || group.step.iter().any(framed);
            if version.subprotocol().is_none() && wire {
                return Err(format!("{}: quirks, answers and raw frames are of JSON, not of SOAP", group.id));
            }
            if version.subprotocol().is_none() && group.server_identity.is_some() != group.operator_name.is_some() {
                return Err(format!("{}: server-identity and operator-name come together", group.id));
            }
            preset::named(&group.preset).ok_or_else(|| {
                let names: Vec<&str> = preset::PRESETS.iter().map(|preset| preset.name).collect();
                format!("{}: no preset \"{}\"; there are {}", group.id, group.preset, names.join(", "))
            })?;
            if group.count > 1 && !group.id.contains("{n}") {
                return Err(format!("{}: several stations need {{n}} in their id", group.id));
            }
        }
        Ok(scenario)
    }
}

impl Group {
    pub(crate) fn version(&self) -> Option<Version> {
        Version::named(&self.version)
    }

    pub(crate) fn id(&self, n: u32) -> String {
        self.id.replace("{n}", &n.to_string())
    }

    pub(crate) fn token(&self, n: u32) -> String {
        self.token.replace("{n}", &n.to_string())
    }

    /// A file of a station, beside the scenario.
    pub(crate) fn file(beside: &Path, pattern: Option<&str>, id: &str) -> Option<PathBuf> {
        pattern.map(|pattern| beside.join(pattern.replace("{id}", id)))
    }
}

impl Step {
    /// A step as a line of the control says it: a word, and `key=value` pairs in TOML's notation.
    pub(crate) fn spoken(word: &str, pairs: &[(String, String)]) -> Result<Self, String> {
        let mut text = format!("do = {}\n", toml::Value::from(word));
        for (key, value) in pairs {
            text.push_str(&format!("{key} = {value}\n"));
        }
        toml::from_str(&text).map_err(|fault| fault.message().to_owned())
    }

    /// In a word, for the report.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Wait { .. } => "wait",
            Self::Arrive { .. } => "arrive",
            Self::Leave { .. } => "leave",
            Self::Plug { .. } => "plug",
            Self::Tap { .. } => "tap",
            Self::Unplug { .. } => "unplug",
            Self::PowerCurve { .. } => "power-curve",
            Self::Fault { .. } => "fault",
            Self::Repair { .. } => "repair",
            Self::PowerLoss => "power-loss",
            Self::Reboot => "reboot",
            Self::Offline { .. } => "offline",
            Self::Online => "online",
            Self::ClockDrift { .. } => "clock-drift",
            Self::Duplicate { .. } => "duplicate",
            Self::Reorder { .. } => "reorder",
            Self::Raw { .. } => "raw",
            Self::Set { .. } => "set",
            Self::Expect { .. } => "expect",
            Self::Settled { .. } => "settled",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_examples_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/scenarios");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let scenario = Scenario::read(&path).unwrap_or_else(|failure| panic!("{failure}"));
            assert!(!scenario.station.is_empty(), "{}", path.display());
            seen += 1;
        }
        assert!(seen >= 3);
    }

    #[test]
    fn what_is_misspelt_is_refused_with_its_place() {
        let station = "name = \"x\"\n[[station]]\nid = \"A\"\nversion = \"1.6\"\n";
        assert!(Scenario::parse(station).is_ok());
        for (more, told) in [
            ("[[station.step]]\ndo = \"wiat\"\n", "wiat"),
            ("[[station.step]]\ndo = \"wait\"\n", "seconds"),
            ("quirks = [\"nonsense\"]\n", "nonsense"),
            ("colour = 1\n", "colour"),
            ("count = 2\n", "{n}"),
            ("preset = \"tesla\"\n", "tesla"),
            ("[[station]]\nid = \"B\"\nversion = \"1.6 SOAP\"\nquirks = [\"zoneless\"]\n", "SOAP"),
            ("[[station]]\nid = \"B\"\nversion = \"1.5 SOAP\"\noperator-name = \"VLT\"\n", "server-identity"),
        ] {
            let why = Scenario::parse(&format!("{station}{more}")).unwrap_err();
            assert!(why.contains(told), "{why}");
        }
        assert!(Scenario::parse(&station.replace("1.6", "3.0")).is_err());
    }
}
