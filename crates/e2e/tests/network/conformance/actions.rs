//! Which actions each version has, and who starts them (1.6 chapters 4 and 5 and the security whitepaper; 2.0.1 and 2.1
//! part 2). The list is ours on purpose, and a test compares it with the
//! files of the official schemas.

use charge::talk::line::Version;

const FROM_STATION_16: &str = "Authorize BootNotification DataTransfer DiagnosticsStatusNotification \
    FirmwareStatusNotification Heartbeat LogStatusNotification MeterValues SecurityEventNotification SignCertificate \
    SignedFirmwareStatusNotification StartTransaction StatusNotification StopTransaction";

const TO_STATION_16: &str = "CancelReservation CertificateSigned ChangeAvailability ChangeConfiguration ClearCache \
    ClearChargingProfile DataTransfer DeleteCertificate ExtendedTriggerMessage GetCompositeSchedule GetConfiguration \
    GetDiagnostics GetInstalledCertificateIds GetLocalListVersion GetLog InstallCertificate RemoteStartTransaction \
    RemoteStopTransaction ReserveNow Reset SendLocalList SetChargingProfile SignedUpdateFirmware TriggerMessage \
    UnlockConnector UpdateFirmware";

const FROM_STATION_201: &str = "Authorize BootNotification ClearedChargingLimit DataTransfer \
    FirmwareStatusNotification Get15118EVCertificate GetCertificateStatus Heartbeat LogStatusNotification MeterValues \
    NotifyChargingLimit NotifyCustomerInformation NotifyDisplayMessages NotifyEVChargingNeeds NotifyEVChargingSchedule \
    NotifyEvent NotifyMonitoringReport NotifyReport PublishFirmwareStatusNotification ReportChargingProfiles \
    ReservationStatusUpdate SecurityEventNotification SignCertificate StatusNotification TransactionEvent";

const TO_STATION_201: &str = "CancelReservation CertificateSigned ChangeAvailability ClearCache ClearChargingProfile \
    ClearDisplayMessage ClearVariableMonitoring CostUpdated CustomerInformation DataTransfer DeleteCertificate \
    GetBaseReport GetChargingProfiles GetCompositeSchedule GetDisplayMessages GetInstalledCertificateIds \
    GetLocalListVersion GetLog GetMonitoringReport GetReport GetTransactionStatus GetVariables InstallCertificate \
    PublishFirmware RequestStartTransaction RequestStopTransaction ReserveNow Reset SendLocalList SetChargingProfile \
    SetDisplayMessage SetMonitoringBase SetMonitoringLevel SetNetworkProfile SetVariableMonitoring SetVariables \
    TriggerMessage UnlockConnector UnpublishFirmware UpdateFirmware";

const NEW_FROM_STATION_21: &str = "BatterySwap ClosePeriodicEventStream GetCertificateChainStatus NotifyDERAlarm \
    NotifyDERStartStop NotifyPeriodicEventStream NotifyPriorityCharging NotifySettlement OpenPeriodicEventStream \
    PullDynamicScheduleUpdate ReportDERControl VatNumberValidation";

const NEW_TO_STATION_21: &str = "AFRRSignal AdjustPeriodicEventStream ChangeTransactionTariff ClearDERControl \
    ClearTariffs GetDERControl GetPeriodicEventStream GetTariffs NotifyAllowedEnergyTransfer NotifyWebPaymentStarted \
    RequestBatterySwap SetDERControl SetDefaultTariff UpdateDynamicSchedule UsePriorityCharging";

/// The one message that nobody answers (2.1 part 4, 4.1.5).
pub(super) const UNANSWERED: &str = "NotifyPeriodicEventStream";

/// Who starts an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Starts {
    Station,
    Operator,
}

/// The actions of a version that one side starts, in the order of their names.
pub(super) fn of(version: Version, starts: Starts) -> Vec<&'static str> {
    let lists: &[&'static str] = match (version, starts) {
        (Version::S15 | Version::S16, _) => &[],
        (Version::V16, Starts::Station) => &[FROM_STATION_16],
        (Version::V16, Starts::Operator) => &[TO_STATION_16],
        (Version::V201, Starts::Station) => &[FROM_STATION_201],
        (Version::V201, Starts::Operator) => &[TO_STATION_201],
        (Version::V21, Starts::Station) => &[FROM_STATION_201, NEW_FROM_STATION_21],
        (Version::V21, Starts::Operator) => &[TO_STATION_201, NEW_TO_STATION_21],
    };
    let mut all: Vec<_> = lists.iter().flat_map(|list| list.split_whitespace()).collect();
    all.sort_unstable();
    all
}

#[test]
fn the_lists_have_the_numbers_of_the_standards() {
    let both = |version| [Starts::Station, Starts::Operator].map(|starts| of(version, starts).len());
    assert_eq!(both(Version::V16), [14, 26]);
    assert_eq!(both(Version::V201), [25, 40]);
    assert_eq!(both(Version::V21), [37, 55]);
}

#[test]
fn the_lists_name_every_schema_of_the_standards_and_no_other() {
    let folders: [(Version, &[&str]); 3] = [
        (Version::V16, &["1.6/json", "1.6/json-security"]),
        (Version::V201, &["2.0.1/json"]),
        (Version::V21, &["2.1/json"]),
    ];
    for (version, folders) in folders {
        let Some(files) = super::judge::schemas(folders) else {
            return eprintln!("SKIPPED, names of the schemas: none at {}", super::judge::spec().display());
        };
        let both = [Starts::Station, Starts::Operator].map(|starts| of(version, starts)).concat();
        let question = if version.is_2() { "Request" } else { "" };
        let pair = |action: &&str| match *action {
            UNANSWERED => vec![UNANSWERED.to_owned()],
            action => vec![format!("{action}{question}"), format!("{action}Response")],
        };
        let mut expected: Vec<String> = both.iter().flat_map(pair).collect();
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(files, expected, "{version:?}");
    }
}
