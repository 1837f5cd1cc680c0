//! Words by the names that the standards give their messages.
//!
//! One word has one name in each generation: a transaction's begin is `StartTransaction` in 1.6 and
//! `TransactionEvent` in 2.x, and a list that has either means it. A word without a name here is never copied and
//! never obeyed, because it could take the station or its people from their operator: certificates, lists of tokens,
//! firmware, logs, customers, and everything that is answered by a report with a number of ours.

use charge::talk::line::charging::{ChargingNews, ChargingOrder};
use charge::talk::line::{FromStation, Stage, ToStation, Trigger};

/// Messages of stations that can be copied.
pub const COPIED: &[&str] = &[
    "StatusNotification",
    "StartTransaction",
    "StopTransaction",
    "MeterValues",
    "TransactionEvent",
    "Authorize",
    "SecurityEventNotification",
    "NotifyChargingLimit",
    "ClearedChargingLimit",
    "FirmwareStatusNotification",
    "DiagnosticsStatusNotification",
    "LogStatusNotification",
];

/// Orders that can be relayed.
pub const OBEYED: &[&str] = &[
    "RemoteStartTransaction",
    "RequestStartTransaction",
    "RemoteStopTransaction",
    "RequestStopTransaction",
    "Reset",
    "UnlockConnector",
    "ChangeAvailability",
    "TriggerMessage",
    "GetConfiguration",
    "GetVariables",
    "ChangeConfiguration",
    "SetVariables",
    "ClearCache",
    "SetChargingProfile",
    "ClearChargingProfile",
    "GetCompositeSchedule",
];

/// The names of what a station says; none where it is never copied.
pub(crate) fn said(said: &FromStation) -> &'static [&'static str] {
    match said {
        FromStation::Status(_) => &["StatusNotification"],
        FromStation::Tap(_) => &["Authorize"],
        FromStation::Transaction(report) => match report.stage {
            Stage::Started => &["StartTransaction", "TransactionEvent"],
            Stage::Updated => &["TransactionEvent"],
            Stage::Ended => &["StopTransaction", "TransactionEvent"],
        },
        FromStation::Meter(report) if report.key.is_some() => &["MeterValues", "TransactionEvent"],
        FromStation::Meter(_) => &["MeterValues"],
        FromStation::Security { .. } => &["SecurityEventNotification"],
        FromStation::Charging(ChargingNews::Limit { .. }) => &["NotifyChargingLimit"],
        FromStation::Charging(ChargingNews::LimitCleared { .. }) => &["ClearedChargingLimit"],
        FromStation::Progress(_) => {
            &["FirmwareStatusNotification", "DiagnosticsStatusNotification", "LogStatusNotification"]
        }
        // boot and heartbeat are between each line and its CSMS
        FromStation::Boot(_) | FromStation::Alive => &[],
        FromStation::Charging(
            ChargingNews::Profiles { .. }
            | ChargingNews::Needs { .. }
            | ChargingNews::CarSchedule { .. }
            | ChargingNews::Priority { .. }
            | ChargingNews::Pull { .. },
        )
        | FromStation::Reservation { .. }
        | FromStation::Certificate(_)
        | FromStation::Model(_)
        | FromStation::Display(_)
        | FromStation::Customer(_)
        | FromStation::Grid(_)
        | FromStation::Swap(_)
        | FromStation::Payment(_)
        | FromStation::Vendor(_)
        | FromStation::Foreign(_) => &[],
    }
}

/// The names of an order; none where it is never relayed.
pub(crate) fn ordered(order: &ToStation) -> &'static [&'static str] {
    match order {
        ToStation::Start { .. } => &["RemoteStartTransaction", "RequestStartTransaction"],
        ToStation::Stop { .. } => &["RemoteStopTransaction", "RequestStopTransaction"],
        ToStation::Reset(_) => &["Reset"],
        ToStation::Unlock { .. } => &["UnlockConnector"],
        ToStation::Availability { .. } => &["ChangeAvailability"],
        ToStation::Trigger { what, .. } => match what {
            Trigger::Boot
            | Trigger::Status
            | Trigger::Alive
            | Trigger::Meter
            | Trigger::Firmware
            | Trigger::Log
            | Trigger::Diagnostics
            | Trigger::Transaction => &["TriggerMessage"],
            // a new certificate is between the station and its operator
            Trigger::Sign(_) | Trigger::Publishing => &[],
        },
        ToStation::ReadSettings { .. } => &["GetConfiguration", "GetVariables"],
        ToStation::WriteSettings { .. } => &["ChangeConfiguration", "SetVariables"],
        ToStation::ClearCache => &["ClearCache"],
        ToStation::Charging(ChargingOrder::Set { .. }) => &["SetChargingProfile"],
        ToStation::Charging(ChargingOrder::Clear(_)) => &["ClearChargingProfile"],
        ToStation::Charging(ChargingOrder::Composite { .. }) => &["GetCompositeSchedule"],
        ToStation::Charging(
            ChargingOrder::Read { .. }
            | ChargingOrder::Update { .. }
            | ChargingOrder::Priority { .. }
            | ChargingOrder::AllowedTransfer { .. },
        )
        | ToStation::Reservation(_)
        | ToStation::List(_)
        | ToStation::Upkeep(_)
        | ToStation::Certificate(_)
        | ToStation::Model(_)
        | ToStation::Display(_)
        | ToStation::Customer(_)
        | ToStation::Tariff(_)
        | ToStation::Grid(_)
        | ToStation::Swap(_)
        | ToStation::Payment(_)
        | ToStation::Vendor(_)
        | ToStation::Foreign(_) => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_name_can_be_listed() {
        let status = FromStation::Security { kind: "x".into(), at: charge::Timestamp::from_secs(0), detail: None };
        assert!(said(&status).iter().all(|name| COPIED.contains(name)));
        assert!(ordered(&ToStation::ClearCache).iter().all(|name| OBEYED.contains(name)));
        assert!(said(&FromStation::Alive).is_empty());
    }
}
