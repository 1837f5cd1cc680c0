//! OCPP 1.5 (name spaces of 2012/06): no smart charging, no triggers, fewer words, and some under other names.
//!
//! Where a word of 1.6 has a true enough neighbour in 1.5 the list says which; where it has none, what holds the word
//! is left out or refused.

use charge::talk::line::Version;

use super::v16::{BOOT, DATA, DATA_ANSWER, DIAGNOSTICS, FIRMWARE, RESERVE, SETTINGS, START, STATUS, TAG};
use super::{Dialect, Field, Kind, Operation, Words, field, operation, text, whole};

pub(super) static DIALECT: Dialect = Dialect {
    version: Version::S15,
    central: "urn://Ocpp/Cs/2012/06/",
    charge_point: "urn://Ocpp/Cp/2012/06/",
    upward: UPWARD,
    downward: DOWNWARD,
};

static UPWARD: &[Operation] = &[
    operation("Authorize", fields![text("idTag")], fields![field("idTagInfo", TAG)]),
    operation("StartTransaction", START, fields![whole("transactionId"), field("idTagInfo", TAG)]),
    operation(
        "StopTransaction",
        fields![
            whole("transactionId"),
            text("idTag").optional(),
            text("timestamp"),
            whole("meterStop"),
            field("transactionData", Kind::Layer(&VALUES)).optional(),
        ],
        fields![field("idTagInfo", TAG).optional()],
    ),
    operation("Heartbeat", &[], fields![text("currentTime")]),
    operation("MeterValues", fields![whole("connectorId"), whole("transactionId").optional(), VALUES], &[]),
    operation(
        "BootNotification",
        BOOT,
        fields![
            field("status", Kind::Word(&REGISTRATION)),
            text("currentTime"),
            whole("heartbeatInterval").called("interval"),
        ],
    ),
    operation(
        "StatusNotification",
        fields![
            whole("connectorId"),
            field("status", Kind::Word(&CONNECTOR)),
            field("errorCode", Kind::Word(&ERROR)),
            text("info").optional(),
            text("timestamp").optional(),
            text("vendorId").optional(),
            text("vendorErrorCode").optional(),
        ],
        &[],
    ),
    operation("FirmwareStatusNotification", fields![field("status", Kind::Word(&FIRMWARE_STATUS))], &[]),
    operation("DiagnosticsStatusNotification", fields![field("status", Kind::Word(&DIAGNOSTICS_STATUS))], &[]),
    operation("DataTransfer", DATA, DATA_ANSWER),
];

static DOWNWARD: &[Operation] = &[
    operation("UnlockConnector", fields![whole("connectorId")], fields![field("status", Kind::Word(&UNLOCK))]),
    operation("Reset", fields![text("type")], STATUS),
    operation("ChangeAvailability", fields![whole("connectorId"), text("type")], STATUS),
    operation("GetDiagnostics", DIAGNOSTICS, fields![text("fileName").optional()]),
    operation("ClearCache", &[], STATUS),
    operation("UpdateFirmware", FIRMWARE, &[]),
    operation(
        "ChangeConfiguration",
        fields![text("key"), text("value")],
        fields![field("status", Kind::Word(&CONFIGURATION))],
    ),
    operation("RemoteStartTransaction", fields![text("idTag"), whole("connectorId").optional()], STATUS),
    operation("RemoteStopTransaction", fields![whole("transactionId")], STATUS),
    operation("CancelReservation", fields![whole("reservationId")], STATUS),
    operation("DataTransfer", DATA, DATA_ANSWER),
    operation("GetConfiguration", fields![text("key").optional().many()], SETTINGS),
    operation("GetLocalListVersion", &[], fields![whole("listVersion")]),
    operation("ReserveNow", RESERVE, STATUS),
    operation(
        "SendLocalList",
        fields![
            text("updateType"),
            whole("listVersion"),
            field("localAuthorisationList", Kind::Object(fields![text("idTag"), field("idTagInfo", TAG).optional()]))
                .called("localAuthorizationList")
                .optional()
                .many(),
            field("hash", Kind::Void).optional(),
        ],
        fields![field("status", Kind::Word(&UPDATE)), field("hash", Kind::Void).optional()],
    ),
];

const VALUES: Field = field(
    "values",
    Kind::Object(fields![
        text("timestamp"),
        field(
            "value",
            Kind::Attributed(fields![
                field("context", Kind::Word(&CONTEXT)).optional(),
                field("format", Kind::Word(&FORMAT)).optional(),
                field("measurand", Kind::Word(&MEASURAND)).optional(),
                field("location", Kind::Word(&LOCATION)).optional(),
                field("unit", Kind::Word(&UNIT)).optional(),
            ]),
        )
        .called("sampledValue")
        .many(),
    ]),
)
.called("meterValue")
.many();

/// A station that is not admitted yet asks again after the interval, which is what `Pending` wants of it.
static REGISTRATION: Words = Words { list: &["Accepted", "Rejected"], pairs: &[], otherwise: Some("Rejected") };

static CONNECTOR: Words = Words {
    list: &["Available", "Occupied", "Faulted", "Unavailable", "Reserved"],
    pairs: &[],
    // the finer words of 1.6 are all kinds of it
    otherwise: Some("Occupied"),
};

static ERROR: Words = Words {
    list: &[
        "ConnectorLockFailure",
        "HighTemperature",
        "NoError",
        "PowerMeterFailure",
        "PowerSwitchFailure",
        "ReaderFailure",
        "ResetFailure",
        "GroundFailure",
        "OverCurrentFailure",
        "UnderVoltage",
        "WeakSignal",
        "OtherError",
    ],
    pairs: &[("Mode3Error", "EVCommunicationError")],
    otherwise: Some("OtherError"),
};

static FIRMWARE_STATUS: Words =
    Words { list: &["Downloaded", "DownloadFailed", "InstallationFailed", "Installed"], pairs: &[], otherwise: None };

static DIAGNOSTICS_STATUS: Words = Words { list: &["Uploaded", "UploadFailed"], pairs: &[], otherwise: None };

static UNLOCK: Words = Words {
    list: &[],
    pairs: &[("Accepted", "Unlocked"), ("Rejected", "UnlockFailed"), ("Rejected", "NotSupported")],
    otherwise: Some("Rejected"),
};

/// What needs a reboot has been taken.
static CONFIGURATION: Words = Words {
    list: &["Accepted", "Rejected", "NotSupported"],
    pairs: &[("Accepted", "RebootRequired")],
    otherwise: None,
};

static UPDATE: Words = Words {
    list: &["Accepted", "Failed", "NotSupported", "VersionMismatch"],
    pairs: &[("HashError", "Failed")],
    otherwise: Some("Failed"),
};

static CONTEXT: Words = Words {
    list: &[
        "Interruption.Begin",
        "Interruption.End",
        "Sample.Clock",
        "Sample.Periodic",
        "Transaction.Begin",
        "Transaction.End",
    ],
    pairs: &[],
    otherwise: Some("Sample.Periodic"),
};

static FORMAT: Words = Words { list: &["Raw", "SignedData"], pairs: &[], otherwise: None };

static MEASURAND: Words = Words {
    list: &[
        "Energy.Active.Export.Register",
        "Energy.Active.Import.Register",
        "Energy.Reactive.Export.Register",
        "Energy.Reactive.Import.Register",
        "Energy.Active.Export.Interval",
        "Energy.Active.Import.Interval",
        "Energy.Reactive.Export.Interval",
        "Energy.Reactive.Import.Interval",
        "Power.Active.Export",
        "Power.Active.Import",
        "Power.Reactive.Export",
        "Power.Reactive.Import",
        "Current.Export",
        "Current.Import",
        "Voltage",
        "Temperature",
    ],
    pairs: &[],
    otherwise: None,
};

static LOCATION: Words = Words { list: &["Inlet", "Outlet", "Body"], pairs: &[], otherwise: None };

static UNIT: Words = Words {
    list: &["Wh", "kWh", "varh", "kvarh", "W", "kW", "var", "kvar", "Celsius"],
    pairs: &[("Amp", "A"), ("Volt", "V"), ("Celsius", "Celcius")],
    otherwise: None,
};
