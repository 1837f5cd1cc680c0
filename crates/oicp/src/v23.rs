//! The messages of OICP 2.3 as shapes, service by service in the order of the paper.
//!
//! Where the papers of the two sides disagree, the one that both accept is written: `HubProviderID`, `ChargingStationID`,
//! `EMPPartnerSessionID`; other spellings are read ([`crate::shape`]). Deliberately no behaviour.

use crate::form;
use crate::shape::{Kind, Member, Shape, choice, key, may, must, record};

use Kind::{Bool, Form, List, Number, Text, Time, Whole, Word};

const fn one(shape: &'static Shape) -> Kind {
    Kind::Record(shape)
}

/// How many records one push may have. Hubject's own limit is not published; a full load of an operator has some ten
/// thousand EVSEs.
pub const PUSH_RECORDS_MAX: usize = 20_000;
/// The largest page of EVSE data and of CDRs (OICP 2.3, eRoamingGetChargeDetailRecords).
pub const PAGE_RECORDS_MAX: usize = 2_000;
/// EVSE ids of one status request (OICP 2.3, eRoamingPullEvseStatusByID).
pub const STATUS_IDS_MAX: usize = 100;
/// Lists inside one record: names, plugs, opening times. The longest in the field has some twenty.
const PARTS_MAX: usize = 64;
const PARTNER_SESSION: Kind = Text(250);
const PRODUCT: Kind = Text(50);

const ACTION: Kind = Word(&["fullLoad", "update", "insert", "delete"]);
const STATUSES: &[&str] = &["Available", "Reserved", "Occupied", "OutOfService", "EvseNotFound", "Unknown"];
const PLUGS: &[&str] = &[
    "Small Paddle Inductive",
    "Large Paddle Inductive",
    "AVCON Connector",
    "Tesla Connector",
    "NEMA 5-20",
    "Type E French Standard",
    "Type F Schuko",
    "Type G British Standard",
    "Type J Swiss Standard",
    "Type 1 Connector (Cable Attached)",
    "Type 2 Outlet",
    "Type 2 Connector (Cable Attached)",
    "Type 3 Outlet",
    "IEC 60309 Single Phase",
    "IEC 60309 Three Phase",
    "CCS Combo 2 Plug (Cable Attached)",
    "CCS Combo 1 Plug (Cable Attached)",
    "CHAdeMO",
];
const ACCESS: &[&str] =
    &["Free publicly accessible", "Restricted access", "Paying publicly accessible", "Test Station"];
const AUTHENTICATION: &[&str] =
    &["NFC RFID Classic", "NFC RFID DESFire", "PnC", "REMOTE", "Direct Payment", "No Authentication Required"];
const CALIBRATION: &[&str] = &["Local", "External", "Not Available"];
const DAYS: &[&str] =
    &["Everyday", "Workdays", "Weekend", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const UNIT: Kind = Word(&["HOUR", "KILOWATT_HOUR", "MINUTE"]);

pub static STATUS_CODE: Shape =
    record("StatusCode", &[key("Code", Text(3)), may("Description", Text(200)), may("AdditionalInfo", Text(1000))]);

pub static ACKNOWLEDGEMENT: Shape = record(
    "eRoamingAcknowledgement",
    &[
        key("Result", Bool),
        must("StatusCode", one(&STATUS_CODE)),
        may("SessionID", Form(form::SESSION_ID)),
        may("CPOPartnerSessionID", PARTNER_SESSION),
        may("EMPPartnerSessionID", PARTNER_SESSION),
    ],
);

static LEGACY_HASH: Shape = record(
    "LegacyHashData",
    &[key("Function", Word(&["MD5", "SHA-1"])), may("Salt", Text(100)), may("Value", Text(20))],
);
static HASHED_PIN: Shape = record(
    "HashedPIN",
    &[key("Value", Form(form::HASH)), must("Function", Word(&["Bcrypt"])), may("LegacyHashData", one(&LEGACY_HASH))],
);
static MIFARE: Shape = record("RFIDMifareFamilyIdentification", &[key("UID", Form(form::UID))]);
static RFID: Shape = record(
    "RFIDIdentification",
    &[
        key("UID", Form(form::UID)),
        may("EvcoID", Form(form::EVCO_ID)),
        must("RFID", Word(&["mifareCls", "mifareDes", "calypso", "nfc", "mifareFamily"])),
        may("PrintedNumber", Text(150)),
        may("ExpiryDate", Time),
    ],
);
static QR_CODE: Shape = record(
    "QRCodeIdentification",
    &[key("EvcoID", Form(form::EVCO_ID)), may("HashedPIN", one(&HASHED_PIN)), may("PIN", Text(20))],
);
static CONTRACT: Shape = record("EvcoIdentification", &[key("EvcoID", Form(form::EVCO_ID))]);

/// Exactly one of these (OICP 2.3, IdentificationType).
pub static IDENTIFICATION: Shape = choice(
    "Identification",
    &[
        may("RFIDMifareFamilyIdentification", one(&MIFARE)),
        may("RFIDIdentification", one(&RFID)),
        may("QRCodeIdentification", one(&QR_CODE)),
        may("PlugAndChargeIdentification", one(&CONTRACT)),
        may("RemoteIdentification", one(&CONTRACT)),
    ],
);

static INFO: Shape = record("InfoText", &[must("lang", Form(form::LANGUAGE)), key("value", Text(150))]);
static DECIMAL_DEGREE: Shape =
    record("DecimalDegree", &[key("Longitude", Form(form::DEGREE)), key("Latitude", Form(form::DEGREE))]);
static MINUTES: Shape = record("DegreeMinuteSeconds", &[key("Longitude", Text(20)), key("Latitude", Text(20))]);
static GOOGLE: Shape = record("Google", &[key("Coordinates", Form(form::GOOGLE))]);
pub static COORDINATES: Shape = choice(
    "GeoCoordinates",
    &[
        may("Google", one(&GOOGLE)),
        may("DecimalDegree", one(&DECIMAL_DEGREE)),
        may("DegreeMinuteSeconds", one(&MINUTES)),
    ],
);
static ADDRESS: Shape = record(
    "Address",
    &[
        key("Country", Form(form::COUNTRY)),
        key("City", Text(50)),
        key("Street", Text(100)),
        must("PostalCode", Text(10)),
        must("HouseNum", Text(10)),
        may("Floor", Text(5)),
        may("Region", Text(50)),
        may("ParkingFacility", Bool),
        may("ParkingSpot", Text(5)),
        may("TimeZone", Form(form::TIME_ZONE)),
    ],
);
static FACILITY: Shape = record(
    "ChargingFacility",
    &[
        must("PowerType", Word(&["AC_1_PHASE", "AC_3_PHASE", "DC"])),
        may("Voltage", Whole(999)),
        may("Amperage", Whole(99)),
        must("Power", Number(3)),
        may("ChargingModes", List(&Word(&["Mode_1", "Mode_2", "Mode_3", "Mode_4", "CHAdeMO"]), PARTS_MAX)),
    ],
);
static ENERGY_SOURCE: Shape = record("EnergySource", &[may("Energy", Text(50)), may("Percentage", Whole(100))]);
static IMPACT: Shape = record("EnvironmentalImpact", &[may("CO2Emission", Number(3)), may("NuclearWaste", Number(3))]);
static PERIOD: Shape = record("Period", &[key("begin", Form(form::CLOCK)), key("end", Form(form::CLOCK))]);
static OPENING: Shape =
    record("OpeningTimes", &[must("Period", List(&one(&PERIOD), PARTS_MAX)), must("on", Word(DAYS))]);

/// What follows is shared by pushed and pulled records; the latter end with whose they are.
macro_rules! evse_data_record {
    ($($more:expr,)*) => {
        &[
            may("deltaType", Word(&["update", "insert", "delete"])),
            may("lastUpdate", Time),
            key("EvseID", Form(form::EVSE_ID)),
            may("ChargingPoolID", Form(form::POOL_ID)),
            may("ChargingStationID", Text(50)),
            must("ChargingStationNames", List(&one(&INFO), PARTS_MAX)),
            may("HardwareManufacturer", Text(50)),
            may("ChargingStationImage", Text(200)),
            may("SubOperatorName", Text(100)),
            key("Address", one(&ADDRESS)),
            key("GeoCoordinates", one(&COORDINATES)),
            must("Plugs", List(&Word(PLUGS), PARTS_MAX)),
            may("DynamicPowerLevel", Bool),
            must("ChargingFacilities", List(&one(&FACILITY), PARTS_MAX)),
            must("RenewableEnergy", Bool),
            may("EnergySource", List(&one(&ENERGY_SOURCE), PARTS_MAX)),
            may("EnvironmentalImpact", one(&IMPACT)),
            must("CalibrationLawDataAvailability", Word(CALIBRATION)),
            must("AuthenticationModes", List(&Word(AUTHENTICATION), PARTS_MAX)),
            may("MaxCapacity", Whole(99_999)),
            must("PaymentOptions", List(&Word(&["No Payment", "Direct", "Contract"]), PARTS_MAX)),
            must("ValueAddedServices", List(&Word(SERVICES), PARTS_MAX)),
            must("Accessibility", Word(ACCESS)),
            may("AccessibilityLocation", Word(&["OnStreet", "ParkingLot", "ParkingGarage", "UndergroundParkingGarage"])),
            must("HotlinePhoneNumber", Form(form::PHONE)),
            may("AdditionalInfo", List(&one(&INFO), PARTS_MAX)),
            may("ChargingStationLocationReference", List(&one(&INFO), PARTS_MAX)),
            may("GeoChargingPointEntrance", one(&COORDINATES)),
            must("IsOpen24Hours", Bool),
            may("OpeningTimes", List(&one(&OPENING), PARTS_MAX)),
            may("HubOperatorID", Form(form::OPERATOR_ID)),
            may("ClearinghouseID", Text(20)),
            must("IsHubjectCompatible", Bool),
            must("DynamicInfoAvailable", Word(&["true", "false", "auto"])),
            $($more,)*
        ]
    };
}

const SERVICES: &[&str] = &[
    "Reservation",
    "DynamicPricing",
    "ParkingSensors",
    "MaximumPowerCharging",
    "PredictiveChargePointUsage",
    "ChargingPlans",
    "RoofProvided",
    "None",
];

pub static EVSE_DATA_RECORD: Shape = record("EvseDataRecord", evse_data_record![]);
pub static PULL_EVSE_DATA_RECORD: Shape = record(
    "PullEvseDataRecord",
    evse_data_record![key("OperatorID", Form(form::OPERATOR_ID)), must("OperatorName", Text(100)),],
);

static OPERATOR_EVSE_DATA: Shape = record(
    "OperatorEvseData",
    &[
        key("OperatorID", Form(form::OPERATOR_ID)),
        must("OperatorName", Text(100)),
        must("EvseDataRecord", List(&one(&EVSE_DATA_RECORD), PUSH_RECORDS_MAX)),
    ],
);
pub static PUSH_EVSE_DATA: Shape =
    record("eRoamingPushEvseData", &[key("ActionType", ACTION), key("OperatorEvseData", one(&OPERATOR_EVSE_DATA))]);

static STATUS_RECORD: Shape =
    record("EvseStatusRecord", &[key("EvseID", Form(form::EVSE_ID)), key("EvseStatus", Word(STATUSES))]);
pub static OPERATOR_EVSE_STATUS: Shape = record(
    "OperatorEvseStatus",
    &[
        key("OperatorID", Form(form::OPERATOR_ID)),
        may("OperatorName", Text(100)),
        must("EvseStatusRecord", List(&one(&STATUS_RECORD), PUSH_RECORDS_MAX)),
    ],
);
pub static PUSH_EVSE_STATUS: Shape = record(
    "eRoamingPushEvseStatus",
    &[key("ActionType", ACTION), key("OperatorEvseStatus", one(&OPERATOR_EVSE_STATUS))],
);

static SEARCH_CENTER: Shape =
    record("SearchCenter", &[key("GeoCoordinates", one(&COORDINATES)), key("Radius", Number(3))]);
pub static PULL_EVSE_DATA: Shape = record(
    "eRoamingPullEvseData",
    &[
        key("ProviderID", Form(form::PROVIDER_ID)),
        may("SearchCenter", one(&SEARCH_CENTER)),
        may("LastCall", Time),
        must("GeoCoordinatesResponseFormat", Word(&["Google", "DegreeMinuteSeconds", "DecimalDegree"])),
        may("CountryCodes", List(&Form(form::COUNTRY), PARTS_MAX)),
        may("OperatorIds", List(&Form(form::OPERATOR_ID), PARTS_MAX)),
        may("AuthenticationModes", List(&Word(AUTHENTICATION), PARTS_MAX)),
        may("Accessibility", List(&Word(ACCESS), PARTS_MAX)),
        may("CalibrationLawDataAvailability", List(&Word(CALIBRATION), PARTS_MAX)),
        may("RenewableEnergy", Bool),
        may("IsHubjectCompatible", Bool),
        may("IsOpen24Hours", Bool),
    ],
);

static SORT: Shape = record("Sort", &[may("sorted", Bool), may("empty", Bool), may("unsorted", Bool)]);
static PAGEABLE: Shape = record(
    "Pageable",
    &[
        may("sort", one(&SORT)),
        may("pageSize", Whole(u32::MAX)),
        may("pageNumber", Whole(u32::MAX)),
        may("offset", Whole(u32::MAX)),
        may("paged", Bool),
        may("unpaged", Bool),
    ],
);

/// A page: its records, and where it stands in the whole.
macro_rules! page {
    ($item:expr) => {
        &[
            key("content", List(&one($item), PAGE_RECORDS_MAX)),
            must("number", Whole(u32::MAX)),
            must("size", Whole(u32::MAX)),
            must("totalElements", Whole(u32::MAX)),
            may("pageable", one(&PAGEABLE)),
            may("sort", one(&SORT)),
            may("empty", Bool),
            must("last", Bool),
            must("totalPages", Whole(u32::MAX)),
            must("first", Bool),
            must("numberOfElements", Whole(u32::MAX)),
            must("StatusCode", one(&STATUS_CODE)),
        ]
    };
}

pub static EVSE_DATA: Shape = record("eRoamingEvseData", page!(&PULL_EVSE_DATA_RECORD));

pub static PULL_EVSE_STATUS: Shape = record(
    "eRoamingPullEvseStatus",
    &[
        key("ProviderID", Form(form::PROVIDER_ID)),
        may("SearchCenter", one(&SEARCH_CENTER)),
        may("EvseStatus", Word(STATUSES)),
    ],
);
pub static PULL_EVSE_STATUS_BY_ID: Shape = record(
    "eRoamingPullEvseStatusByID",
    &[key("ProviderID", Form(form::PROVIDER_ID)), key("EvseID", List(&Form(form::EVSE_ID), STATUS_IDS_MAX))],
);
pub static PULL_EVSE_STATUS_BY_OPERATOR: Shape = record(
    "eRoamingPullEvseStatusByOperatorID",
    &[key("ProviderID", Form(form::PROVIDER_ID)), key("OperatorID", List(&Form(form::OPERATOR_ID), PARTS_MAX))],
);
static STATUSES_BY_OPERATOR: Shape =
    record("EvseStatuses", &[key("OperatorEvseStatus", List(&one(&OPERATOR_EVSE_STATUS), PAGE_RECORDS_MAX))]);
pub static EVSE_STATUS: Shape = record(
    "eRoamingEvseStatus",
    &[key("EvseStatuses", one(&STATUSES_BY_OPERATOR)), may("StatusCode", one(&STATUS_CODE))],
);
static STATUS_RECORDS: Shape =
    record("EVSEStatusRecords", &[key("EvseStatusRecord", List(&one(&STATUS_RECORD), STATUS_IDS_MAX))]);
pub static EVSE_STATUS_BY_ID: Shape = record(
    "eRoamingEvseStatusByID",
    &[key("EVSEStatusRecords", one(&STATUS_RECORDS)), may("StatusCode", one(&STATUS_CODE))],
);

pub static AUTHORIZE_START: Shape = record(
    "eRoamingAuthorizeStart",
    &[
        may("SessionID", Form(form::SESSION_ID)),
        may("CPOPartnerSessionID", PARTNER_SESSION),
        may("EMPPartnerSessionID", PARTNER_SESSION),
        key("OperatorID", Form(form::OPERATOR_ID)),
        may("EvseID", Form(form::EVSE_ID)),
        key("Identification", one(&IDENTIFICATION)),
        may("PartnerProductID", PRODUCT),
    ],
);
pub static AUTHORIZATION_START: Shape = record(
    "eRoamingAuthorizationStart",
    &[
        may("SessionID", Form(form::SESSION_ID)),
        may("CPOPartnerSessionID", PARTNER_SESSION),
        may("EMPPartnerSessionID", PARTNER_SESSION),
        may("ProviderID", Form(form::PROVIDER_ID)),
        key("AuthorizationStatus", Word(&["Authorized", "NotAuthorized"])),
        must("StatusCode", one(&STATUS_CODE)),
        may("AuthorizationStopIdentifications", List(&one(&IDENTIFICATION), PARTS_MAX)),
    ],
);
pub static AUTHORIZE_STOP: Shape = record(
    "eRoamingAuthorizeStop",
    &[
        key("SessionID", Form(form::SESSION_ID)),
        may("CPOPartnerSessionID", PARTNER_SESSION),
        may("EMPPartnerSessionID", PARTNER_SESSION),
        key("OperatorID", Form(form::OPERATOR_ID)),
        may("EvseID", Form(form::EVSE_ID)),
        key("Identification", one(&IDENTIFICATION)),
        may("PartnerProductID", PRODUCT),
    ],
);
pub static AUTHORIZATION_STOP: Shape = record(
    "eRoamingAuthorizationStop",
    &[
        may("SessionID", Form(form::SESSION_ID)),
        may("CPOPartnerSessionID", PARTNER_SESSION),
        may("EMPPartnerSessionID", PARTNER_SESSION),
        may("ProviderID", Form(form::PROVIDER_ID)),
        key("AuthorizationStatus", Word(&["Authorized", "NotAuthorized"])),
        must("StatusCode", one(&STATUS_CODE)),
    ],
);

/// The hub makes the session; a request of a provider has none yet.
macro_rules! remote_start {
    ($($more:expr,)*) => {
        &[
            may("SessionID", Form(form::SESSION_ID)),
            may("CPOPartnerSessionID", PARTNER_SESSION),
            may("EMPPartnerSessionID", PARTNER_SESSION),
            key("ProviderID", Form(form::PROVIDER_ID)),
            key("EvseID", Form(form::EVSE_ID)),
            key("Identification", one(&IDENTIFICATION)),
            may("PartnerProductID", PRODUCT),
            $($more,)*
        ]
    };
}
macro_rules! remote_stop {
    () => {
        &[
            key("SessionID", Form(form::SESSION_ID)),
            may("CPOPartnerSessionID", PARTNER_SESSION),
            may("EMPPartnerSessionID", PARTNER_SESSION),
            key("ProviderID", Form(form::PROVIDER_ID)),
            must("EvseID", Form(form::EVSE_ID)),
        ]
    };
}
pub static REMOTE_START: Shape = record("eRoamingAuthorizeRemoteStart", remote_start![]);
pub static REMOTE_STOP: Shape = record("eRoamingAuthorizeRemoteStop", remote_stop![]);
pub static RESERVATION_START: Shape =
    record("eRoamingAuthorizeRemoteReservationStart", remote_start![may("Duration", Whole(99)),]);
pub static RESERVATION_STOP: Shape = record("eRoamingAuthorizeRemoteReservationStop", remote_stop![]);

static METER_VALUES: Shape = record("MeterValueInBetween", &[may("meterValues", List(&Number(3), 1_000))]);
static SIGNED: Shape = record(
    "SignedMeteringValue",
    &[
        may("SignedMeteringValue", Text(SIGNED_CHARACTERS_MAX)),
        may("MeteringStatus", Word(&["Start", "Progress", "End"])),
    ],
);
static CALIBRATION_INFO: Shape = record(
    "CalibrationLawVerificationInfo",
    &[
        may("CalibrationLawCertificateID", Text(100)),
        may("PublicKey", Text(1000)),
        may("MeteringSignatureUrl", Text(200)),
        may("MeteringSignatureEncodingFormat", Text(50)),
        may("SignedMeteringValuesVerificationInstruction", Text(400)),
    ],
);
/// The paper says 3 000; longer ones are forwarded by brokers, and a signed value that is cut proves nothing.
const SIGNED_CHARACTERS_MAX: usize = 20_000;

pub static CHARGE_DETAIL_RECORD: Shape = record(
    "eRoamingChargeDetailRecord",
    &[
        key("SessionID", Form(form::SESSION_ID)),
        may("CPOPartnerSessionID", PARTNER_SESSION),
        may("EMPPartnerSessionID", PARTNER_SESSION),
        may("PartnerProductID", PRODUCT),
        key("EvseID", Form(form::EVSE_ID)),
        key("Identification", one(&IDENTIFICATION)),
        must("ChargingStart", Time),
        must("ChargingEnd", Time),
        key("SessionStart", Time),
        key("SessionEnd", Time),
        may("MeterValueStart", Number(3)),
        may("MeterValueEnd", Number(3)),
        may("MeterValueInBetween", one(&METER_VALUES)),
        key("ConsumedEnergy", Number(3)),
        may("SignedMeteringValues", List(&one(&SIGNED), 10)),
        may("CalibrationLawVerificationInfo", one(&CALIBRATION_INFO)),
        may("HubOperatorID", Form(form::OPERATOR_ID)),
        may("HubProviderID", Form(form::PROVIDER_ID)),
    ],
);
pub static GET_CHARGE_DETAIL_RECORDS: Shape = record(
    "eRoamingGetChargeDetailRecords",
    &[
        key("ProviderID", Form(form::PROVIDER_ID)),
        key("From", Time),
        key("To", Time),
        may("SessionID", List(&Form(form::SESSION_ID), PARTS_MAX)),
        may("OperatorID", Form(form::OPERATOR_ID)),
        may("CDRForwarded", Bool),
    ],
);
pub static CHARGE_DETAIL_RECORDS: Shape = record("eRoamingChargeDetailRecords", page!(&CHARGE_DETAIL_RECORD));

static AUTHENTICATION_RECORD: Shape =
    record("AuthenticationDataRecord", &[key("Identification", one(&IDENTIFICATION))]);
static PROVIDER_AUTHENTICATION: Shape = record(
    "ProviderAuthenticationData",
    &[
        key("ProviderID", Form(form::PROVIDER_ID)),
        must("AuthenticationDataRecord", List(&one(&AUTHENTICATION_RECORD), PUSH_RECORDS_MAX)),
    ],
);
pub static PUSH_AUTHENTICATION_DATA: Shape = record(
    "eRoamingPushAuthenticationData",
    &[key("ActionType", ACTION), key("ProviderAuthenticationData", one(&PROVIDER_AUTHENTICATION))],
);

static PRODUCT_TIMES: Shape =
    record("ProductAvailabilityTimes", &[key("Periods", List(&one(&PERIOD), PARTS_MAX)), key("on", Word(DAYS))]);
static ADDITIONAL: Shape = record(
    "AdditionalReferences",
    &[
        key("AdditionalReference", Word(&["START FEE", "FIXED FEE", "PARKING FEE", "MINIMUM FEE", "MAXIMUM FEE"])),
        key("AdditionalReferenceUnit", UNIT),
        key("PricePerAdditionalReferenceUnit", Number(6)),
    ],
);
/// Everything here is money: a record with an unreadable member is no product.
static PRODUCT_RECORD: Shape = record(
    "PricingProductDataRecord",
    &[
        key("ProductID", PRODUCT),
        key("ReferenceUnit", UNIT),
        key("ProductPriceCurrency", Form(form::CURRENCY)),
        key("PricePerReferenceUnit", Number(6)),
        must("MaximumProductChargingPower", Number(3)),
        key("IsValid24hours", Bool),
        must("ProductAvailabilityTimes", List(&one(&PRODUCT_TIMES), PARTS_MAX)),
        may("AdditionalReferences", List(&one(&ADDITIONAL), PARTS_MAX)),
    ],
);
pub static PRODUCT_DATA: Shape = record(
    "PricingProductData",
    &[
        key("OperatorID", Form(form::OPERATOR_ID)),
        may("OperatorName", Text(100)),
        must("ProviderID", Form(form::PROVIDER_OR_ALL)),
        must("PricingDefaultPrice", Number(6)),
        must("PricingDefaultPriceCurrency", Form(form::CURRENCY)),
        must("PricingDefaultReferenceUnit", UNIT),
        key("PricingProductDataRecords", List(&one(&PRODUCT_RECORD), PAGE_RECORDS_MAX)),
    ],
);
pub static PUSH_PRICING_PRODUCTS: Shape = record(
    "eRoamingPushPricingProductData",
    &[key("ActionType", ACTION), key("PricingProductData", one(&PRODUCT_DATA))],
);
static EVSE_PRICE: Shape = record(
    "EVSEPricing",
    &[
        key("EvseID", Form(form::EVSE_ID)),
        must("ProviderID", Form(form::PROVIDER_OR_ALL)),
        key("EvseIDProductList", List(&PRODUCT, PARTS_MAX)),
    ],
);
pub static PUSH_EVSE_PRICING: Shape = record(
    "eRoamingPushEVSEPricing",
    &[key("ActionType", ACTION), key("EVSEPricing", List(&one(&EVSE_PRICE), PUSH_RECORDS_MAX))],
);
macro_rules! pull_pricing {
    () => {
        &[
            may("ProviderID", Form(form::PROVIDER_ID)),
            may("LastCall", Time),
            must("OperatorIDs", List(&Form(form::OPERATOR_ID), PARTS_MAX)),
        ]
    };
}
pub static PULL_PRICING_PRODUCTS: Shape = record("eRoamingPullPricingProductData", pull_pricing!());
pub static PULL_EVSE_PRICING: Shape = record("eRoamingPullEVSEPricing", pull_pricing!());
pub static PRICING_PRODUCTS: Shape = record(
    "eRoamingPricingProductData",
    &[key("PricingProductData", List(&one(&PRODUCT_DATA), PAGE_RECORDS_MAX)), may("StatusCode", one(&STATUS_CODE))],
);
static OPERATOR_PRICING: Shape = record(
    "OperatorEVSEPricing",
    &[
        key("OperatorID", Form(form::OPERATOR_ID)),
        may("OperatorName", Text(100)),
        key("EVSEPricing", List(&one(&EVSE_PRICE), PUSH_RECORDS_MAX)),
    ],
);
pub static EVSE_PRICING: Shape = record(
    "eRoamingEVSEPricing",
    &[key("EVSEPricing", List(&one(&OPERATOR_PRICING), PAGE_RECORDS_MAX)), may("StatusCode", one(&STATUS_CODE))],
);

/// All four kinds of notification have these; what differs stands between them.
macro_rules! notification {
    ($name:literal, $kind:literal, $($member:expr),* $(,)?) => {
        record(
            $name,
            &[
                key("Type", Word(&[$kind])),
                key("SessionID", Form(form::SESSION_ID)),
                may("CPOPartnerSessionID", PARTNER_SESSION),
                may("EMPPartnerSessionID", PARTNER_SESSION),
                may("Identification", one(&IDENTIFICATION)),
                key("EvseID", Form(form::EVSE_ID)),
                $($member,)*
            ],
        )
    };
}
const OPERATOR: Member = must("OperatorID", Form(form::OPERATOR_ID));

pub static NOTIFICATION_START: Shape = notification!(
    "eRoamingChargingNotificationStart",
    "Start",
    key("ChargingStart", Time),
    may("SessionStart", Time),
    may("MeterValueStart", Number(3)),
    OPERATOR,
    may("PartnerProductID", PRODUCT),
);
pub static NOTIFICATION_PROGRESS: Shape = notification!(
    "eRoamingChargingNotificationProgress",
    "Progress",
    key("ChargingStart", Time),
    key("EventOccurred", Time),
    may("ChargingDuration", Whole(u32::MAX)),
    may("SessionStart", Time),
    may("ConsumedEnergyProgress", Number(3)),
    may("MeterValueStart", Number(3)),
    may("MeterValueInBetween", one(&METER_VALUES)),
    OPERATOR,
    may("PartnerProductID", PRODUCT),
);
pub static NOTIFICATION_END: Shape = notification!(
    "eRoamingChargingNotificationEnd",
    "End",
    may("ChargingStart", Time),
    key("ChargingEnd", Time),
    may("SessionStart", Time),
    may("SessionEnd", Time),
    may("ConsumedEnergy", Number(3)),
    may("MeterValueStart", Number(3)),
    may("MeterValueEnd", Number(3)),
    may("MeterValueInBetween", one(&METER_VALUES)),
    OPERATOR,
    may("PartnerProductID", PRODUCT),
    may("PenaltyTimeStart", Time),
);
pub static NOTIFICATION_ERROR: Shape = notification!(
    "eRoamingChargingNotificationError",
    "Error",
    key("ErrorType", Word(&["ConnectorError", "CriticalError"])),
    may("ErrorAdditionalInfo", Text(250)),
    OPERATOR,
);
