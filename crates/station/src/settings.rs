//! The station's settings: one table, two spellings (1.6 configuration keys, 2.x component variables).
//!
//! It checks what may be written and keeps what was; it does not act on anything. A value that needs a restart is
//! kept and comes into force then.
//!
//! Invariant: a write-only value never leaves, and every kept value has passed its own check.

mod table;

use std::collections::BTreeMap;
use std::time::Duration;

use charge::Secret;
use charge::talk::line::document::Document;
use charge::talk::line::{Setting, Version, Written};
use table::{DAY_S, TABLE};
use trust::totp::Totp;

/// What the station does differently when it is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    HeartbeatInterval,
    SampleInterval,
    ConnectionTimeOut,
    AuthorizeRemote,
    MasterPass,
    LocalPreAuthorize,
    LocalAuthorizeOffline,
    OfflineForUnknown,
    CacheEnabled,
    StopOnInvalidId,
    MessageAttempts,
    MessageRetryInterval,
    SignUpdates,
    PingInterval,
    AuthorizationKey,
    CarLeaves,
    UnlockOnCarSide,
    SampledData,
    StopTxnData,
    EndedData,
    AlignedInterval,
    AlignedData,
    AlignedEndedInterval,
    AlignedEndedData,
    AlignedIdleOnly,
    PhaseRotation,
    FeatureProfiles,
    KeysMax,
    ResetRetries,
    SignatureFormat,
    StartPoint,
    StopPoint,
    LocalListEnabled,
    LocalListMax,
    LocalListPerMessage,
    ReserveAnywhere,
    ReservationEnabled,
    ProfileStackLevel,
    RateUnits,
    PeriodsPerSchedule,
    ProfilesMax,
    OrganisationName,
    SecurityProfile,
    SignWait,
    SignRepeats,
    CertificatesMax,
    BackOffMinimum,
    BackOffRandom,
    BackOffRepeats,
    NetworkPriority,
    NetworkAttempts,
    OfflineThreshold,
    MonitoringEnabled,
    DisplayEnabled,
    CostEnabled,
    TariffEnabled,
    RunningCost,
    TariffInterval,
    SupportedLimits,
    TimeZone,
    Currency,
    TariffFallback,
    TotalCostFallback,
    OfflineTariffFallback,
    WebPayments,
    WebPaymentsUrl,
    WebPaymentsParameters,
    WebPaymentsVersion,
    WebPaymentsValidity,
    WebPaymentsSecret,
    WebPaymentsLength,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flag,
    /// Whole numbers between two bounds.
    Number(u32, u32),
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Numbers of network slots, the first to be tried first.
    Slots,
    /// A key as text (2.x: 16 to 40 characters, part 2, A01.FR.02) or as hexadecimal bytes (1.6 security, A.1.2).
    Password,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    ReadWrite,
    /// Kept at once, in force after the next start.
    AfterReboot,
    Write,
}

struct Row {
    key: Key,
    v16: Option<&'static str>,
    v201: Option<&'static str>,
    kind: Kind,
    access: Access,
    initial: &'static str,
}

/// The settings of one station.
#[derive(Debug)]
pub struct Settings {
    values: BTreeMap<Key, Secret<Box<str>>>,
    /// Facts of this station that are read like settings: both spellings and the value.
    facts: Vec<Fact>,
}

/// Something to be read and never written, such as the public key of a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    pub v16: Option<Box<str>>,
    pub v201: Option<Box<str>>,
    pub value: Box<str>,
}

/// What came of a write, and what is to be kept.
#[derive(Debug)]
pub struct Wrote {
    pub written: Written,
    pub kept: Option<(Key, Secret<Box<str>>)>,
}

impl Settings {
    pub const fn new(facts: Vec<Fact>) -> Self {
        Self { values: BTreeMap::new(), facts }
    }

    /// Back from a start with what was kept. What would not be accepted today is passed over.
    pub fn restore(&mut self, kept: &BTreeMap<Box<str>, Secret<Box<str>>>) {
        self.values.clear();
        for row in &TABLE {
            let value = kept.get(row.key.name()).filter(|value| row.allows(value.expose()));
            self.values.extend(value.map(|value| (row.key, value.clone())));
        }
    }

    /// Reads for the operator: all that there is where `keys` is empty.
    pub fn read(&self, version: Version, keys: &[Box<str>]) -> (Vec<Setting>, Vec<Box<str>>) {
        if keys.is_empty() {
            let rows = TABLE.iter().filter_map(|row| self.setting(row, version));
            let facts = self.facts.iter().filter_map(|fact| fact.setting(version));
            return (rows.chain(facts).collect(), Vec::new());
        }
        let mut known = Vec::new();
        let mut unknown = Vec::new();
        for key in keys {
            let row = find(version, key).and_then(|row| self.setting(row, version));
            let fact = || self.facts.iter().filter_map(|fact| fact.setting(version)).find(|fact| same(&fact.key, key));
            match row.or_else(fact) {
                Some(setting) => known.push(setting),
                None => unknown.push(key.clone()),
            }
        }
        (known, unknown)
    }

    /// Writes for the operator.
    pub fn write(&mut self, version: Version, key: &str, value: &Secret<Box<str>>) -> Wrote {
        let not = |written| Wrote { written, kept: None };
        let Some(row) = find(version, key) else {
            let known = self.facts.iter().filter_map(|fact| fact.setting(version)).any(|fact| same(&fact.key, key));
            return not(if known { Written::Rejected } else { Written::Unknown });
        };
        if row.access == Access::Read || !row.allows(value.expose()) {
            return not(Written::Rejected);
        }
        let kept = Some((row.key, value.clone()));
        if row.access == Access::AfterReboot {
            return Wrote { written: Written::AfterReboot, kept };
        }
        self.values.insert(row.key, value.clone());
        Wrote { written: Written::Accepted, kept }
    }

    /// Whether this spelling means that key.
    pub fn is(&self, version: Version, spelled: &str, key: Key) -> bool {
        find(version, spelled).is_some_and(|row| row.key == key)
    }

    pub fn flag(&self, key: Key) -> bool {
        self.text(key).eq_ignore_ascii_case("true")
    }

    pub fn number(&self, key: Key) -> u32 {
        self.text(key).parse().unwrap_or(0)
    }

    pub fn seconds(&self, key: Key) -> Duration {
        Duration::from_secs(u64::from(self.number(key)))
    }

    /// The password for the next connection, if the operator has set one.
    pub fn password(&self) -> Option<&Secret<Box<str>>> {
        self.values.get(&Key::AuthorizationKey)
    }

    /// How the passwords of payment codes are made, once codes are switched on, somebody is there to check them, and the
    /// operator has set a secret. Before that there is none: a code that nobody can check would only mislead.
    pub(crate) fn totp(&self) -> Option<Totp> {
        let ready = self.flag(Key::WebPayments) && !self.text(Key::WebPaymentsUrl).is_empty();
        let secret = self.values.get(&Key::WebPaymentsSecret).filter(|_| ready)?;
        Some(Totp {
            secret: Secret::new(secret.expose().to_string()),
            validity_s: self.number(Key::WebPaymentsValidity),
            length: self.number(Key::WebPaymentsLength),
        })
    }

    /// The operator's answer to a boot sets the interval, without being asked to keep it.
    pub fn pace(&mut self, heartbeat: Duration) {
        let seconds = heartbeat.as_secs().min(u64::from(DAY_S));
        if seconds > 0 {
            self.values.insert(Key::HeartbeatInterval, Secret::new(seconds.to_string().into()));
        }
    }

    /// What the station finds out about itself and nobody writes; it is kept like any other.
    pub fn note(&mut self, key: Key, value: &str) -> (&'static str, Secret<Box<str>>) {
        let value = Secret::new(Box::from(value));
        self.values.insert(key, value.clone());
        (key.name(), value)
    }

    /// How the connection is to be tried again, as the operator wishes it (2.x `RetryBackOff*`; part 4, 5.3): the least
    /// wait, the random part on top, and how often it doubles.
    pub fn back_off(&self) -> (Duration, Duration, u32) {
        (self.seconds(Key::BackOffMinimum), self.seconds(Key::BackOffRandom), self.number(Key::BackOffRepeats))
    }

    /// `VariableCharacteristics` of a setting, as a document.
    pub fn characteristics(&self, version: Version, key: &str) -> Option<Document> {
        let row = find(version, key)?;
        Some(Document::new(match row.kind {
            Kind::Flag => r#"{"dataType":"boolean","supportsMonitoring":true}"#.to_owned(),
            Kind::Number(low, high) => {
                format!(r#"{{"dataType":"integer","minLimit":{low},"maxLimit":{high},"supportsMonitoring":true}}"#)
            }
            Kind::Text => r#"{"dataType":"string","supportsMonitoring":true}"#.to_owned(),
            Kind::OneOf(words) => {
                let words = words.join(",");
                format!(r#"{{"dataType":"OptionList","valuesList":"{words}","supportsMonitoring":true}}"#)
            }
            // the slots that there are, whether set or not (B10, remark)
            Kind::Slots => {
                let slots: Vec<String> = crate::network::SLOTS.map(|slot| slot.to_string()).collect();
                let slots = slots.join(",");
                format!(r#"{{"dataType":"SequenceList","valuesList":"{slots}","supportsMonitoring":false}}"#)
            }
            Kind::Password => {
                format!(r#"{{"dataType":"string","maxLimit":{PASSWORD_MAX},"supportsMonitoring":false}}"#)
            }
        }))
    }

    pub(crate) fn text(&self, key: Key) -> &str {
        let initial = || TABLE.iter().find(|row| row.key == key).map_or("", |row| row.initial);
        self.values.get(&key).map_or_else(initial, |value| value.expose())
    }

    fn setting(&self, row: &Row, version: Version) -> Option<Setting> {
        let value = match row.access {
            Access::Write => None,
            Access::Read | Access::ReadWrite | Access::AfterReboot => Some(self.text(row.key).into()),
        };
        Some(Setting { key: row.spelled(version)?.into(), value, read_only: row.access == Access::Read })
    }
}

impl Key {
    /// The station's own name of it, for its journal.
    pub fn name(self) -> &'static str {
        let row = TABLE.iter().find(|row| row.key == self);
        row.and_then(|row| row.v16.or(row.v201)).unwrap_or("")
    }
}

impl Fact {
    fn setting(&self, version: Version) -> Option<Setting> {
        let key = match version {
            Version::S15 | Version::S16 | Version::V16 => self.v16.clone(),
            Version::V201 | Version::V21 => self.v201.clone(),
        };
        Some(Setting { key: key?, value: Some(self.value.clone()), read_only: true })
    }
}

impl Row {
    const fn spelled(&self, version: Version) -> Option<&'static str> {
        match version {
            Version::S15 | Version::S16 | Version::V16 => self.v16,
            Version::V201 | Version::V21 => self.v201,
        }
    }

    fn allows(&self, value: &str) -> bool {
        match self.kind {
            Kind::Flag => value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false"),
            Kind::Number(low, high) => value.parse::<u32>().is_ok_and(|number| (low..=high).contains(&number)),
            Kind::OneOf(words) => words.contains(&value),
            // which of them are set is not known here
            Kind::Text | Kind::Slots => value.len() <= TEXT_MAX,
            Kind::Password => (PASSWORD_MIN..=PASSWORD_MAX).contains(&value.len()),
        }
    }
}

/// OCPP 1.6, 6.7 `ConfigurationKey`: 500 characters.
const TEXT_MAX: usize = 500;
/// The shortest Basic password of OCPP 2.x (part 2, A00.FR.205).
const PASSWORD_MIN: usize = 16;
/// The longest: 40 bytes in hexadecimal.
const PASSWORD_MAX: usize = 80;

fn find(version: Version, key: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.spelled(version).is_some_and(|spelled| same(spelled, key)))
}

/// Keys are compared without case (OCPP 1.6, 7.2 `CiString50`; 2.x names are case-insensitive as well).
const fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::new(vec![Fact {
            v16: Some("MeterPublicKey1".into()),
            v201: Some("FiscalMetering[1].PublicKey".into()),
            value: "3059".into(),
        }])
    }

    fn write(settings: &mut Settings, version: Version, key: &str, value: &str) -> Written {
        settings.write(version, key, &Secret::new(value.into())).written
    }

    #[test]
    fn what_may_be_written_is_and_both_versions_read_it() {
        // proves: B05.FR.10, B06.FR.10
        let mut settings = settings();
        assert_eq!(write(&mut settings, Version::V16, "metervaluesampleinterval", "15"), Written::Accepted);
        let keys: [Box<str>; 1] = ["SampledDataCtrlr.TxUpdatedInterval".into()];
        let (known, unknown) = settings.read(Version::V201, &keys);
        assert_eq!(known.first().and_then(|setting| setting.value.as_deref()), Some("15"));
        assert!(unknown.is_empty());
        assert_eq!(settings.seconds(Key::SampleInterval), Duration::from_secs(15));
    }

    #[test]
    fn what_may_not_be_written_is_told_apart() {
        // proves: B05.FR.07, B05.FR.09
        let mut settings = settings();
        for (version, key, value, told) in [
            (Version::V16, "StopTxnSampledData", "Voltage", Written::Rejected),
            (Version::V16, "MeterPublicKey1", "00", Written::Rejected),
            (Version::V16, "HeartbeatInterval", "0", Written::Rejected),
            (Version::V16, "HeartbeatInterval", "soon", Written::Rejected),
            (Version::V16, "AuthorizationKey", "short", Written::Rejected),
            (Version::V16, "Nonsense", "1", Written::Unknown),
            (Version::V16, "TxCtrlr.TxStartPoint", "1", Written::Unknown),
            (Version::V201, "HeartbeatInterval", "60", Written::Unknown),
            (Version::V201, "OCPPCommCtrlr.WebSocketPingInterval", "30", Written::AfterReboot),
            (Version::V201, "AuthCtrlr.LocalPreAuthorize", "TRUE", Written::Accepted),
        ] {
            assert_eq!(write(&mut settings, version, key, value), told, "{key}");
        }
        assert_eq!(settings.number(Key::PingInterval), 60, "in force only after a restart");
    }

    #[test]
    fn a_password_goes_in_and_never_comes_out() {
        // proves: A01.FR.01, B06.FR.09
        let mut settings = settings();
        let password = "correct horse battery";
        assert_eq!(write(&mut settings, Version::V16, "AuthorizationKey", password), Written::Accepted);
        for version in [Version::V16, Version::V201] {
            let (all, _) = settings.read(version, &[]);
            assert!(all.iter().all(|setting| setting.value.as_deref() != Some(password)));
            assert!(all.iter().any(|setting| setting.value.is_none() && !setting.read_only));
        }
        assert!(!format!("{settings:?}").contains(password));
    }

    #[test]
    fn every_key_has_one_row_and_a_value_that_its_own_rule_allows() {
        for row in &TABLE {
            assert_eq!(TABLE.iter().filter(|other| other.key == row.key).count(), 1, "{:?}", row.key);
            assert!(row.access == Access::Write || row.allows(row.initial), "{:?}", row.key);
            assert!(row.v16.is_some() || row.v201.is_some(), "{:?}", row.key);
        }
    }

    #[test]
    fn what_was_kept_is_in_force_after_a_start() {
        let mut settings = settings();
        let kept = |name: &str, value: &str| (Box::from(name), Secret::new(Box::from(value)));
        let kept = BTreeMap::from([kept("WebSocketPingInterval", "30"), kept("HeartbeatInterval", "-1")]);
        settings.restore(&kept);
        assert_eq!(settings.number(Key::PingInterval), 30);
        assert_eq!(settings.number(Key::HeartbeatInterval), 300, "a spoilt value is passed over");
    }
}
