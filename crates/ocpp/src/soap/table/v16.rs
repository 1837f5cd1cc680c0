//! OCPP 1.6 over SOAP (name spaces of 2015/10): the same names as in JSON, in the order of the schema.

use charge::talk::line::Version;

use super::{Dialect, Field, Kind, Operation, Words, field, operation, text, whole};

pub(super) static DIALECT: Dialect = Dialect {
    version: Version::S16,
    central: "urn://Ocpp/Cs/2015/10/",
    charge_point: "urn://Ocpp/Cp/2015/10/",
    upward: UPWARD,
    downward: DOWNWARD,
};

static UPWARD: &[Operation] = &[
    operation("Authorize", fields![text("idTag")], fields![field("idTagInfo", TAG)]),
    operation("BootNotification", BOOT, fields![text("status"), text("currentTime"), whole("interval")]),
    operation("DataTransfer", DATA, DATA_ANSWER),
    operation("DiagnosticsStatusNotification", STATUS, &[]),
    operation("FirmwareStatusNotification", STATUS, &[]),
    operation("Heartbeat", &[], fields![text("currentTime")]),
    operation(
        "MeterValues",
        fields![whole("connectorId"), whole("transactionId").optional(), field("meterValue", METER_VALUE).many()],
        &[],
    ),
    operation("StartTransaction", START, fields![whole("transactionId"), field("idTagInfo", TAG)]),
    operation(
        "StatusNotification",
        fields![
            whole("connectorId"),
            text("status"),
            text("errorCode"),
            text("info").optional(),
            text("timestamp").optional(),
            text("vendorId").optional(),
            text("vendorErrorCode").optional(),
        ],
        &[],
    ),
    operation(
        "StopTransaction",
        fields![
            whole("transactionId"),
            text("idTag").optional(),
            text("timestamp"),
            whole("meterStop"),
            text("reason").optional(),
            field("transactionData", METER_VALUE).optional().many(),
        ],
        fields![field("idTagInfo", TAG).optional()],
    ),
];

static DOWNWARD: &[Operation] = &[
    operation("CancelReservation", fields![whole("reservationId")], STATUS),
    operation("ChangeAvailability", fields![whole("connectorId"), text("type")], STATUS),
    operation("ChangeConfiguration", fields![text("key"), text("value")], STATUS),
    operation("ClearCache", &[], STATUS),
    operation(
        "ClearChargingProfile",
        fields![
            whole("id").optional(),
            whole("connectorId").optional(),
            text("chargingProfilePurpose").optional(),
            whole("stackLevel").optional(),
        ],
        STATUS,
    ),
    operation("DataTransfer", DATA, DATA_ANSWER),
    operation("GetConfiguration", fields![text("key").optional().many()], SETTINGS),
    operation("GetDiagnostics", DIAGNOSTICS, fields![text("fileName").optional()]),
    operation("GetLocalListVersion", &[], fields![whole("listVersion")]),
    operation(
        "RemoteStartTransaction",
        fields![whole("connectorId").optional(), text("idTag"), field("chargingProfile", PROFILE).optional()],
        STATUS,
    ),
    operation("RemoteStopTransaction", fields![whole("transactionId")], STATUS),
    operation(
        "GetCompositeSchedule",
        fields![whole("connectorId"), whole("duration"), text("chargingRateUnit").optional()],
        fields![
            text("status"),
            whole("connectorId").optional(),
            text("scheduleStart").optional(),
            field("chargingSchedule", SCHEDULE).optional(),
        ],
    ),
    operation("ReserveNow", RESERVE, STATUS),
    operation("Reset", fields![text("type")], STATUS),
    operation(
        "SendLocalList",
        fields![
            whole("listVersion"),
            field("localAuthorizationList", Kind::Object(fields![text("idTag"), field("idTagInfo", TAG).optional()]))
                .optional()
                .many(),
            text("updateType"),
        ],
        STATUS,
    ),
    operation("SetChargingProfile", fields![whole("connectorId"), field("csChargingProfiles", PROFILE)], STATUS),
    operation("TriggerMessage", fields![text("requestedMessage"), whole("connectorId").optional()], STATUS),
    operation("UnlockConnector", fields![whole("connectorId")], STATUS),
    operation("UpdateFirmware", FIRMWARE, &[]),
];

pub(super) static STATUS: &[Field] = fields![text("status")];

pub(super) static BOOT: &[Field] = fields![
    text("chargePointVendor"),
    text("chargePointModel"),
    text("chargePointSerialNumber").optional(),
    text("chargeBoxSerialNumber").optional(),
    text("firmwareVersion").optional(),
    text("iccid").optional(),
    text("imsi").optional(),
    text("meterType").optional(),
    text("meterSerialNumber").optional(),
];

pub(super) static START: &[Field] = fields![
    whole("connectorId"),
    text("idTag"),
    text("timestamp"),
    whole("meterStart"),
    whole("reservationId").optional(),
];

pub(super) static DATA: &[Field] = fields![text("vendorId"), text("messageId").optional(), text("data").optional()];

pub(super) static DATA_ANSWER: &[Field] = fields![text("status"), text("data").optional()];

pub(super) static DIAGNOSTICS: &[Field] = fields![
    text("location"),
    text("startTime").optional(),
    text("stopTime").optional(),
    whole("retries").optional(),
    whole("retryInterval").optional(),
];

pub(super) static FIRMWARE: &[Field] =
    fields![text("retrieveDate"), text("location"), whole("retries").optional(), whole("retryInterval").optional()];

pub(super) static RESERVE: &[Field] = fields![
    whole("connectorId"),
    text("expiryDate"),
    text("idTag"),
    text("parentIdTag").optional(),
    whole("reservationId"),
];

pub(super) static SETTINGS: &[Field] = fields![
    field(
        "configurationKey",
        Kind::Object(fields![text("key"), field("readonly", Kind::Flag), text("value").optional()]),
    )
    .optional()
    .many(),
    text("unknownKey").optional().many(),
];

pub(super) const TAG: Kind =
    Kind::Object(fields![text("status"), text("expiryDate").optional(), text("parentIdTag").optional()]);

/// The schema of 1.6 JSON also allows the misspelling of its first edition.
static UNIT: Words = Words {
    list: &[
        "Celsius",
        "Fahrenheit",
        "Wh",
        "kWh",
        "varh",
        "kvarh",
        "W",
        "kW",
        "VA",
        "kVA",
        "var",
        "kvar",
        "A",
        "V",
        "K",
        "Percent",
    ],
    pairs: &[("Celsius", "Celcius")],
    otherwise: None,
};

const METER_VALUE: Kind = Kind::Object(fields![
    text("timestamp"),
    field(
        "sampledValue",
        Kind::Object(fields![
            text("value"),
            text("context").optional(),
            text("format").optional(),
            text("measurand").optional(),
            text("phase").optional(),
            text("location").optional(),
            field("unit", Kind::Word(&UNIT)).optional(),
        ]),
    )
    .many(),
]);

const SCHEDULE: Kind = Kind::Object(fields![
    whole("duration").optional(),
    text("startSchedule").optional(),
    text("chargingRateUnit"),
    field(
        "chargingSchedulePeriod",
        Kind::Object(fields![whole("startPeriod"), field("limit", Kind::Number), whole("numberPhases").optional()]),
    )
    .many(),
    field("minChargingRate", Kind::Number).optional(),
]);

const PROFILE: Kind = Kind::Object(fields![
    whole("chargingProfileId"),
    whole("transactionId").optional(),
    whole("stackLevel"),
    text("chargingProfilePurpose"),
    text("chargingProfileKind"),
    text("recurrencyKind").optional(),
    text("validFrom").optional(),
    text("validTo").optional(),
    field("chargingSchedule", SCHEDULE),
]);
