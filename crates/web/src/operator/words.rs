//! Everything else that can be told to a station, one `kind` each: power, reports, monitors, displays, prices, grid.
//!
//! A body becomes one word of the line. What the station's version has no message for comes back as an error in
//! plain words. Answers that come later come under the number in `request`.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use charge::id::{EvseNo, TariffId, TransactionKey};
use charge::talk::line::charging::{
    ChargingOrder, Period, Profile, ProfileFilter, ProfileKind, ProfilePurpose, RateUnit, Schedule,
};
use charge::talk::line::display::{Customer, CustomerOrder, DisplayMessage, DisplayOrder, TariffOrder};
use charge::talk::line::document::Document;
use charge::talk::line::grid::{GridOrder, SwapOrder};
use charge::talk::line::model::{ModelOrder, Monitor, MonitorKind, MonitoringBase, Network, ReportKind, StreamPace};
use charge::talk::line::payment::{PaymentOrder, Vendor};
use charge::talk::line::{ResetKind, ToStation, Trigger, certificate};
use charge::tariff::Tariff;
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::{Decimal, Timestamp};
use operator::StationOrder;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Desk;
use super::orders::Told;
use super::stations::station;
use crate::accounts::Actor;
use crate::fault::{ErrorBody, Fault};
use crate::stage::{Body, Path};

/// One word. The names of OCPP where it has them.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(as = StationWord)]
pub(crate) enum Word {
    /// At once, and what ran goes on afterwards (2.1).
    ResetAndResume,
    /// One connector of an EVSE that has several (2.x).
    SwitchConnector {
        evse: u16,
        connector: u16,
        operative: bool,
    },
    Trigger {
        what: TriggerWhat,
        evse: Option<u16>,
    },
    SetProfile {
        evse: Option<u16>,
        profile: Box<ProfileBody>,
    },
    ClearProfiles {
        evse: Option<u16>,
        #[serde(default)]
        whole_station: bool,
        #[serde(default)]
        ids: Vec<i32>,
        purpose: Option<Purpose>,
        stack_level: Option<u32>,
    },
    ReadProfiles {
        evse: Option<u16>,
        #[serde(default)]
        whole_station: bool,
        #[serde(default)]
        ids: Vec<i32>,
        purpose: Option<Purpose>,
        stack_level: Option<u32>,
        /// Who has set them: EMS, Other, SO, CSO.
        #[serde(default)]
        sources: Vec<String>,
    },
    Composite {
        evse: Option<u16>,
        duration_s: u32,
        unit: Option<Unit>,
    },
    UpdateDynamic {
        profile: i32,
        limits: Value,
    },
    Priority {
        transaction: String,
        on: bool,
    },
    /// What its car may do from now on, in the words of `EnergyTransferModeEnumType` (2.1).
    AllowEnergy {
        transaction: String,
        modes: Vec<String>,
    },
    BaseReport {
        report: ReportWhat,
    },
    Report {
        #[serde(default)]
        variables: Vec<String>,
        #[serde(default)]
        criteria: Vec<String>,
    },
    MonitoringBase {
        base: BaseWhat,
    },
    MonitoringLevel {
        severity: u8,
    },
    SetMonitors {
        monitors: Vec<MonitorBody>,
    },
    ClearMonitors {
        ids: Vec<i32>,
    },
    ReadMonitors {
        #[serde(default)]
        variables: Vec<String>,
        #[serde(default)]
        criteria: Vec<String>,
    },
    ReadStreams,
    AdjustStream {
        id: i32,
        every_s: Option<u64>,
        values: Option<u32>,
    },
    NetworkProfile {
        slot: i32,
        connection: Value,
    },
    TransactionStatus {
        transaction: Option<String>,
    },
    SetDisplay {
        message: Box<DisplayBody>,
    },
    ReadDisplays {
        #[serde(default)]
        ids: Vec<i32>,
        /// AlwaysFront, InFront, NormalCycle.
        priority: Option<String>,
        state: Option<String>,
    },
    ClearDisplay {
        id: i32,
    },
    /// The answer is handed out once, at `/requests/{number}/customer`.
    Customer {
        card: Option<String>,
        identifier: Option<String>,
        #[serde(default)]
        clear: bool,
        /// To forget, and to tell no more than that.
        #[serde(default)]
        silently: bool,
    },
    /// One of this operator's tariffs as the station's default (2.1).
    SetTariff {
        evse: Option<u16>,
        tariff: String,
    },
    /// One of this operator's tariffs for a transaction that runs (2.1).
    ChangeTariff {
        transaction: String,
        tariff: String,
    },
    ReadTariffs {
        evse: Option<u16>,
    },
    ClearTariffs {
        evse: Option<u16>,
        #[serde(default)]
        ids: Vec<String>,
    },
    ShowCost {
        transaction: String,
        /// Decimal text.
        total: String,
    },
    SetGridControl {
        id: String,
        control: String,
        #[serde(default)]
        default: bool,
        body: Value,
    },
    ReadGridControls {
        id: Option<String>,
        control: Option<String>,
    },
    ClearGridControl {
        id: Option<String>,
        control: Option<String>,
        #[serde(default)]
        default: bool,
    },
    FrequencySignal {
        signal: i32,
    },
    Swap {
        card: String,
    },
    WebPayment {
        evse: u16,
        seconds: u32,
    },
    Vendor {
        vendor: String,
        message: Option<String>,
        data: Option<Value>,
    },
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TriggerWhat {
    Boot,
    Status,
    Heartbeat,
    Meter,
    Transaction,
    Firmware,
    Log,
    Diagnostics,
    Certificate,
    Publishing,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProfilePurpose)]
pub(crate) enum Purpose {
    StationMax,
    Default,
    Transaction,
    Priority,
    LocalGeneration,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[schema(as = RateUnit)]
pub(crate) enum Unit {
    W,
    A,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReportWhat {
    Configuration,
    Full,
    Summary,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BaseWhat {
    All,
    FactoryDefault,
    HardWiredOnly,
}

/// A charging profile.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfileBody {
    id: i32,
    #[serde(default)]
    stack_level: u32,
    purpose: Purpose,
    kind: RepeatWhat,
    /// RFC 3339.
    valid_from: Option<String>,
    valid_until: Option<String>,
    /// For the purpose `transaction`: as the station names it.
    transaction: Option<String>,
    schedules: Vec<ScheduleBody>,
    /// Further members of the profile, as OCPP 2.1 names them: what holds while the line is down, updates.
    #[schema(value_type = Option<Object>)]
    more: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RepeatWhat {
    Absolute,
    Daily,
    Weekly,
    Relative,
    Dynamic,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleBody {
    #[serde(default)]
    id: i32,
    start: Option<String>,
    duration_s: Option<u64>,
    unit: Unit,
    periods: Vec<PeriodBody>,
    /// Further members of the schedule, as OCPP 2.x names them: limits at a charge, a random delay, prices.
    #[schema(value_type = Option<Object>)]
    more: Option<Map<String, Value>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PeriodBody {
    /// Seconds from the start.
    start: u32,
    /// Decimal text.
    limit: Option<String>,
    phases: Option<u8>,
    discharge_limit: Option<String>,
    setpoint: Option<String>,
    mode: Option<String>,
    /// Further members of the period, as OCPP 2.1 names them: phases, reactive power, curves.
    #[schema(value_type = Option<Object>)]
    more: Option<Map<String, Value>>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MonitorBody {
    id: Option<i32>,
    /// `Component[instance].Variable[instance]`.
    variable: String,
    monitor: MonitorWhat,
    /// Decimal text.
    value: String,
    severity: u8,
    #[serde(default)]
    in_transaction: bool,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MonitorWhat {
    UpperThreshold,
    LowerThreshold,
    Delta,
    Periodic,
    PeriodicClockAligned,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DisplayBody {
    id: i32,
    /// AlwaysFront, InFront, NormalCycle.
    priority: String,
    state: Option<String>,
    from: Option<String>,
    until: Option<String>,
    transaction: Option<String>,
    /// ASCII, HTML, URI, UTF8, QRCODE.
    format: String,
    language: Option<String>,
    text: String,
}

pub(crate) fn evse_no(no: Option<u16>) -> Result<Option<EvseNo>, Fault> {
    no.map(|no| EvseNo::new(no).ok_or_else(|| Fault::malformed("/evse", "EVSEs count from 1."))).transpose()
}

pub(crate) fn moment(text: Option<String>, path: &str) -> Result<Option<Timestamp>, Fault> {
    text.filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|_| Fault::malformed(path, "A time in RFC 3339.")))
        .transpose()
}

pub(crate) fn card(uid: &str, path: &str) -> Result<PresentedToken, Fault> {
    let uid = TokenUid::new(uid).map_err(|_| Fault::malformed(path, "This is no token."))?;
    Ok(PresentedToken::new(uid, TokenKind::Rfid))
}

fn decimal(text: Option<String>, path: &str) -> Result<Option<Decimal>, Fault> {
    text.map(|text| text.parse().map_err(|_| Fault::malformed(path, "A decimal number."))).transpose()
}

/// Always as a text: the tongue of 1.6 reads its number out of it, and in 2.x a text of digits is a name like any other.
fn transaction(text: String) -> TransactionKey {
    TransactionKey::Text(text.into())
}

fn boxed(texts: Vec<String>) -> Vec<Box<str>> {
    texts.into_iter().map(Into::into).collect()
}

const fn purpose(purpose: Purpose) -> ProfilePurpose {
    match purpose {
        Purpose::StationMax => ProfilePurpose::StationMax,
        Purpose::Default => ProfilePurpose::TxDefault,
        Purpose::Transaction => ProfilePurpose::Tx,
        Purpose::Priority => ProfilePurpose::Priority,
        Purpose::LocalGeneration => ProfilePurpose::LocalGeneration,
    }
}

const fn unit(unit: Unit) -> RateUnit {
    match unit {
        Unit::W => RateUnit::Watts,
        Unit::A => RateUnit::Amperes,
    }
}

impl ProfileBody {
    pub(crate) fn read(self) -> Result<Profile, Fault> {
        let kind = match self.kind {
            RepeatWhat::Absolute => ProfileKind::Absolute,
            RepeatWhat::Daily => ProfileKind::Daily,
            RepeatWhat::Weekly => ProfileKind::Weekly,
            RepeatWhat::Relative => ProfileKind::Relative,
            RepeatWhat::Dynamic => ProfileKind::Dynamic,
        };
        Ok(Profile {
            id: self.id,
            stack_level: self.stack_level,
            purpose: purpose(self.purpose),
            kind,
            valid_from: moment(self.valid_from, "/profile/valid_from")?,
            valid_until: moment(self.valid_until, "/profile/valid_until")?,
            key: self.transaction.map(transaction),
            schedules: self.schedules.into_iter().map(ScheduleBody::read).collect::<Result<_, _>>()?,
            more: more(self.more),
        })
    }
}

impl ScheduleBody {
    fn read(self) -> Result<Schedule, Fault> {
        let period = |body: PeriodBody| {
            Ok::<_, Fault>(Period {
                start: body.start,
                limit: decimal(body.limit, "/profile/schedules/periods/limit")?,
                phases: body.phases,
                discharge_limit: decimal(body.discharge_limit, "/profile/schedules/periods/discharge_limit")?,
                setpoint: decimal(body.setpoint, "/profile/schedules/periods/setpoint")?,
                mode: body.mode.map(Into::into),
                more: more(body.more),
                ..Period::default()
            })
        };
        Ok(Schedule {
            id: self.id,
            start: moment(self.start, "/profile/schedules/start")?,
            lasts: self.duration_s.map(Duration::from_secs),
            unit: unit(self.unit),
            min_rate: None,
            periods: self.periods.into_iter().map(period).collect::<Result<_, _>>()?,
            more: more(self.more),
        })
    }
}

impl MonitorBody {
    fn read(self) -> Result<Monitor, Fault> {
        let kind = match self.monitor {
            MonitorWhat::UpperThreshold => MonitorKind::UpperThreshold,
            MonitorWhat::LowerThreshold => MonitorKind::LowerThreshold,
            MonitorWhat::Delta => MonitorKind::Delta,
            MonitorWhat::Periodic => MonitorKind::Periodic,
            MonitorWhat::PeriodicClockAligned => MonitorKind::PeriodicClockAligned,
        };
        if self.severity > 9 {
            return Err(Fault::malformed("/monitors/severity", "0 (danger) to 9 (debug)."));
        }
        Ok(Monitor {
            id: self.id,
            variable: self.variable.into(),
            kind,
            value: decimal(Some(self.value), "/monitors/value")?.unwrap_or_default(),
            severity: self.severity,
            in_transaction: self.in_transaction,
            stream: None,
        })
    }
}

impl DisplayBody {
    fn read(self) -> Result<DisplayMessage, Fault> {
        Ok(DisplayMessage {
            id: self.id,
            priority: self.priority.into(),
            state: self.state.map(Into::into),
            from: moment(self.from, "/message/from")?,
            until: moment(self.until, "/message/until")?,
            key: self.transaction.map(transaction),
            format: self.format.into(),
            language: self.language.map(Into::into),
            text: self.text.into(),
            more: None,
        })
    }
}

fn filter(
    evse: Option<u16>,
    whole_station: bool,
    ids: Vec<i32>,
    of: Option<Purpose>,
    stack_level: Option<u32>,
) -> Result<ProfileFilter, Fault> {
    let evse = if whole_station { Some(None) } else { evse_no(evse)?.map(Some) };
    Ok(ProfileFilter { evse, ids, purpose: of.map(purpose), stack_level, sources: Vec::new() })
}

fn trigger(what: TriggerWhat) -> Trigger {
    match what {
        TriggerWhat::Boot => Trigger::Boot,
        TriggerWhat::Status => Trigger::Status,
        TriggerWhat::Heartbeat => Trigger::Alive,
        TriggerWhat::Meter => Trigger::Meter,
        TriggerWhat::Transaction => Trigger::Transaction,
        TriggerWhat::Firmware => Trigger::Firmware,
        TriggerWhat::Log => Trigger::Log,
        TriggerWhat::Diagnostics => Trigger::Diagnostics,
        TriggerWhat::Certificate => Trigger::Sign(certificate::StationKey::Line),
        TriggerWhat::Publishing => Trigger::Publishing,
    }
}

fn model(word: Word) -> Result<ToStation, Fault> {
    Ok(ToStation::Model(match word {
        Word::BaseReport { report } => ModelOrder::Base {
            request: 0,
            kind: match report {
                ReportWhat::Configuration => ReportKind::Configuration,
                ReportWhat::Full => ReportKind::Full,
                ReportWhat::Summary => ReportKind::Summary,
            },
        },
        Word::Report { variables, criteria } => {
            ModelOrder::Report { request: 0, variables: boxed(variables), criteria: boxed(criteria) }
        }
        Word::MonitoringBase { base } => ModelOrder::MonitoringBase(match base {
            BaseWhat::All => MonitoringBase::All,
            BaseWhat::FactoryDefault => MonitoringBase::FactoryDefault,
            BaseWhat::HardWiredOnly => MonitoringBase::HardWiredOnly,
        }),
        Word::MonitoringLevel { severity: 10.. } => {
            return Err(Fault::malformed("/severity", "0 (danger) to 9 (debug)."));
        }
        Word::MonitoringLevel { severity } => ModelOrder::MonitoringLevel(severity),
        Word::SetMonitors { monitors } => {
            ModelOrder::Watch(monitors.into_iter().map(MonitorBody::read).collect::<Result<_, _>>()?)
        }
        Word::ClearMonitors { ids } => ModelOrder::Unwatch(ids),
        Word::ReadMonitors { variables, criteria } => {
            ModelOrder::Monitors { request: 0, variables: boxed(variables), criteria: boxed(criteria) }
        }
        Word::ReadStreams => ModelOrder::Streams,
        Word::AdjustStream { id, every_s, values } => {
            ModelOrder::AdjustStream { id, pace: StreamPace { every: every_s.map(Duration::from_secs), values } }
        }
        Word::NetworkProfile { slot, connection } => ModelOrder::Network { slot, to: network(connection)? },
        Word::TransactionStatus { transaction: key } => ModelOrder::TransactionStatus(key.map(transaction)),
        _ => return Err(Fault::malformed("/kind", "There is no such kind here.")),
    }))
}

/// `NetworkConnectionProfile` as the standard spells it.
fn network(mut connection: Value) -> Result<Network, Fault> {
    let wrong = |path| Fault::malformed(path, "A connection has an ocppCsmsUrl and a securityProfile of 1, 2 or 3.");
    let members = connection.as_object_mut().ok_or_else(|| wrong("/connection"))?;
    let url = members.remove("ocppCsmsUrl").and_then(|url| Some(url.as_str()?.into()));
    let profile = members.remove("securityProfile").and_then(|profile| u8::try_from(profile.as_u64()?).ok());
    Ok(Network {
        url: url.ok_or_else(|| wrong("/connection/ocppCsmsUrl"))?,
        security_profile: profile.ok_or_else(|| wrong("/connection/securityProfile"))?,
        more: Document::new(connection.to_string()),
    })
}

fn charging(word: Word) -> Result<ToStation, Fault> {
    Ok(ToStation::Charging(match word {
        Word::ClearProfiles { evse, whole_station, ids, purpose, stack_level } => {
            ChargingOrder::Clear(filter(evse, whole_station, ids, purpose, stack_level)?)
        }
        Word::ReadProfiles { evse, whole_station, ids, purpose, stack_level, sources } => {
            let which = filter(evse, whole_station, ids, purpose, stack_level)?;
            ChargingOrder::Read { request: 0, which: ProfileFilter { sources: boxed(sources), ..which } }
        }
        Word::Composite { evse, duration_s, unit: of } => ChargingOrder::Composite {
            evse: evse_no(evse)?,
            lasts: Duration::from_secs(u64::from(duration_s)),
            unit: of.map(unit),
        },
        Word::UpdateDynamic { profile, limits } => {
            ChargingOrder::Update { profile, limits: Document::new(limits.to_string()) }
        }
        Word::Priority { transaction: key, on } => ChargingOrder::Priority { key: transaction(key), on },
        Word::AllowEnergy { transaction: key, modes } => {
            ChargingOrder::AllowedTransfer { key: transaction(key), modes: boxed(modes) }
        }
        other => return model(other),
    }))
}

fn customer(uid: Option<String>, identifier: Option<String>, clear: bool, silently: bool) -> Result<ToStation, Fault> {
    if silently && !clear {
        return Err(Fault::malformed("/silently", "Neither to forget nor to tell is nothing to do."));
    }
    let customer = match (uid, identifier) {
        (Some(uid), None) => Customer::Token(card(&uid, "/card")?),
        (None, Some(text)) => Customer::Identifier(charge::Personal::new(text.into())),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Fault::malformed("/card", "A card or an identifier, one of them."));
        }
    };
    Ok(ToStation::Customer(CustomerOrder { request: 0, report: !silently, clear, customer }))
}

fn rest(word: Word, now: Timestamp) -> Result<ToStation, Fault> {
    let text = |text: Option<String>| text.map(Box::<str>::from);
    Ok(match word {
        Word::ResetAndResume => ToStation::Reset(ResetKind::Resume),
        Word::SwitchConnector { evse, connector, operative } => {
            let evse = EvseNo::new(evse).ok_or_else(|| Fault::malformed("/evse", "EVSEs count from 1."))?;
            ToStation::Availability { evse: Some(evse), connector: Some(connector), operative }
        }
        Word::Trigger { what, evse } => ToStation::Trigger { what: trigger(what), evse: evse_no(evse)? },
        Word::SetDisplay { message } => ToStation::Display(DisplayOrder::Set(Box::new(message.read()?))),
        Word::ReadDisplays { ids, priority, state } => {
            let (priority, state) = (text(priority), text(state));
            ToStation::Display(DisplayOrder::Read { request: 0, ids, priority, state })
        }
        Word::ClearDisplay { id } => ToStation::Display(DisplayOrder::Clear { id }),
        Word::Customer { card, identifier, clear, silently } => customer(card, identifier, clear, silently)?,
        Word::ReadTariffs { evse } => ToStation::Tariff(TariffOrder::Read { evse: evse_no(evse)? }),
        Word::ClearTariffs { evse, ids } => {
            ToStation::Tariff(TariffOrder::Clear { evse: evse_no(evse)?, ids: boxed(ids) })
        }
        Word::ShowCost { transaction: key, total } => {
            let total = decimal(Some(total), "/total")?.unwrap_or_default();
            ToStation::Tariff(TariffOrder::Cost { key: transaction(key), total })
        }
        Word::SetGridControl { id, control, default, body } => ToStation::Grid(GridOrder::Set {
            id: id.into(),
            kind: control.into(),
            default,
            control: Document::new(body.to_string()),
        }),
        Word::ReadGridControls { id, control } => {
            ToStation::Grid(GridOrder::Read { request: 0, id: text(id), kind: text(control), default: None })
        }
        Word::ClearGridControl { id, control, default } => {
            ToStation::Grid(GridOrder::Clear { id: text(id), kind: text(control), default })
        }
        Word::FrequencySignal { signal } => ToStation::Grid(GridOrder::Afrr { at: now, signal }),
        Word::Swap { card: uid } => ToStation::Swap(SwapOrder { request: 0, token: card(&uid, "/card")? }),
        Word::WebPayment { evse, seconds } => {
            let evse = EvseNo::new(evse).ok_or_else(|| Fault::malformed("/evse", "EVSEs count from 1."))?;
            ToStation::Payment(PaymentOrder::WebStarted { evse, seconds })
        }
        Word::Vendor { vendor, message, data } => ToStation::Vendor(Vendor {
            vendor: vendor.into(),
            message: text(message),
            data: data.map(|data| Document::new(data.to_string())),
        }),
        other => charging(other)?,
    })
}

#[utoipa::path(post, path = "/api/p/operator/stations/{id}/words", tag = "operator", request_body = Word,
    params(("id" = String, Path)),
    responses((status = 200, body = Told), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub(crate) async fn say(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
    Body(word): Body<Word>,
) -> Result<Json<Told>, Fault> {
    let id = station(&id)?;
    let told = match word {
        Word::SetProfile { evse, profile } => {
            let done = desk.room.set_profile(&actor.name, &id, evse_no(evse)?, profile.read()?).await?;
            return Ok(Json(done.into()));
        }
        Word::SetTariff { evse, tariff } => {
            let (evse, tariff) = (evse_no(evse)?, Box::new(ours(&desk, tariff).await?));
            ToStation::Tariff(TariffOrder::SetDefault { evse, tariff })
        }
        Word::ChangeTariff { transaction: key, tariff } => {
            let (key, tariff) = (transaction(key), Box::new(ours(&desk, tariff).await?));
            ToStation::Tariff(TariffOrder::Change { key, tariff })
        }
        other => match rest(other, desk.clock.now())? {
            ToStation::Customer(order) => {
                return Ok(Json(desk.room.customer(&actor.name, &id, order).await?.into()));
            }
            told => told,
        },
    };
    let done = desk.room.order(&actor.name, &id, StationOrder::Word(Box::new(told))).await?;
    Ok(Json(done.into()))
}

/// One of this operator's tariffs, by its id.
async fn ours(desk: &Desk, tariff: String) -> Result<Tariff, Fault> {
    let wanted = TariffId::new(tariff).map_err(|_| Fault::NotFound)?;
    Ok(desk.room.tariff(&wanted).await?)
}

/// Members that have no field here; a field wins where both name it.
fn more(members: Option<Map<String, Value>>) -> Option<Document> {
    let members = members.filter(|members| !members.is_empty())?;
    Some(Document::new(Value::Object(members).to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_transaction_of_digits_is_a_name_like_any_other() {
        let word = serde_json::json!({"kind": "show_cost", "transaction": "100234", "total": "3.20"});
        let told = rest(serde_json::from_value(word).unwrap(), Timestamp::from_secs(0));
        let Ok(ToStation::Tariff(TariffOrder::Cost { key, .. })) = told else { panic!("a cost") };
        assert_eq!(key, TransactionKey::Text("100234".into()), "2.x has no numbers, and 1.6 reads its own out of this");
    }

    #[test]
    fn what_has_no_field_of_ours_goes_along_as_the_standard_names_it() {
        let profile = serde_json::json!({
            "id": 5, "purpose": "default", "kind": "dynamic", "more": {"dynUpdateInterval": 60},
            "schedules": [{
                "unit": "W", "more": {"limitAtSoC": {"soc": 80, "limit": 3000.5}},
                "periods": [{"start": 0, "setpoint": "-4000", "mode": "CentralSetpoint", "more": {"setpoint_L2": -1.5}}],
            }],
        });
        let profile = serde_json::from_value::<ProfileBody>(profile).unwrap().read().unwrap();
        let text = |more: &Option<Document>| more.as_ref().map(|more| more.as_str().to_owned());
        assert_eq!(text(&profile.more).as_deref(), Some(r#"{"dynUpdateInterval":60}"#));
        let schedule = &profile.schedules[0];
        assert_eq!(text(&schedule.more).as_deref(), Some(r#"{"limitAtSoC":{"limit":3000.5,"soc":80}}"#));
        assert_eq!(text(&schedule.periods[0].more).as_deref(), Some(r#"{"setpoint_L2":-1.5}"#));
        let word = serde_json::json!({"kind": "allow_energy", "transaction": "t", "modes": ["DC", "DC_BPT"]});
        let told = rest(serde_json::from_value(word).unwrap(), Timestamp::from_secs(0));
        let Ok(ToStation::Charging(ChargingOrder::AllowedTransfer { modes, .. })) = told else { panic!("modes") };
        assert_eq!(modes, [Box::from("DC"), Box::from("DC_BPT")]);
    }
}
