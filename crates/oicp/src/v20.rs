//! The messages of OICP 2.0 as shapes: six SOAP services, each in its name space, members in the order of the schemas.
//!
//! Deliberately no behaviour and no SOAP: [`crate::xml`] reads and writes by these tables, [`crate::cross`] carries
//! documents to and from OICP 2.3. Invariant: the tables are the published schemas (tested against them).

use crate::form;
use crate::shape::{Kind, Shape, choice, key, may, must};

use Kind::{Bool, Form, List, Number, Text, Time, Whole, Word};

const fn one(shape: &'static Shape) -> Kind {
    Kind::Record(shape)
}

const fn within(shape: Shape, space: &'static str) -> Shape {
    Shape { space, ..shape }
}

macro_rules! shape {
    ($space:expr, $name:literal, [$($member:expr),* $(,)?]) => {
        Shape { name: $name, space: $space, choice: false, members: &[$($member),*] }
    };
}

pub const COMMON: &str = "http://www.hubject.com/b2b/services/commontypes/v2.0";
pub const AUTHORIZATION: &str = "http://www.hubject.com/b2b/services/authorization/v2.0";
pub const AUTHENTICATION_DATA: &str = "http://www.hubject.com/b2b/services/authenticationdata/v2.0";
pub const EVSE_DATA: &str = "http://www.hubject.com/b2b/services/evsedata/v2.0";
pub const EVSE_STATUS: &str = "http://www.hubject.com/b2b/services/evsestatus/v2.0";
pub const EVSE_SEARCH: &str = "http://www.hubject.com/b2b/services/evsesearch/v2.0";
pub const MOBILE: &str = "http://www.hubject.com/b2b/services/mobileauthorization/v2.0";

/// See [`crate::v23::PUSH_RECORDS_MAX`].
const RECORDS_MAX: usize = crate::v23::PUSH_RECORDS_MAX;
/// The schema allows any number; none in the field has more.
const PARTS_MAX: usize = 64;
/// eRoamingPullEvseStatusById.
const STATUS_IDS_MAX: usize = 100;
const SESSION: Kind = Form(form::SESSION_ID);
const PARTNER_SESSION: Kind = Text(50);
const OPERATOR: Kind = Form(form::OPERATOR_ID);
const PROVIDER: Kind = Form(form::PROVIDER_ID);
const EVSE: Kind = Form(form::EVSE_ID);
const EVCO: Kind = Form(form::EVCO_ID_20);
const PRODUCT: Kind = Text(100);
const ACTION: Kind = Word(&["fullLoad", "update", "insert", "delete"]);
const DEGREES: Kind = Text(20);

pub static STATUS_CODE: Shape = shape!(
    COMMON,
    "StatusCode",
    [key("Code", Text(3)), may("Description", Text(200)), may("AdditionalInfo", Text(1000))]
);
pub static ACKNOWLEDGEMENT: Shape = shape!(
    COMMON,
    "eRoamingAcknowledgement",
    [
        key("Result", Bool),
        must("StatusCode", one(&STATUS_CODE)),
        may("SessionID", SESSION),
        may("PartnerSessionID", PARTNER_SESSION),
    ]
);
static MIFARE: Shape = shape!(COMMON, "RFIDmifarefamilyIdentificationType", [key("UID", Form(form::UID))]);
static HASH: Shape = shape!(
    COMMON,
    "HashType",
    [key("Value", Form(form::HASH)), must("Function", Word(&["MD5", "SHA-1"])), must("Salt", Text(100))]
);
static QR_CODE: Shape = shape!(
    COMMON,
    "QRCodeIdentificationType",
    [key("EVCOID", EVCO), may("PIN", Text(20)), may("HashedPIN", one(&HASH))]
);
static CONTRACT: Shape = shape!(COMMON, "RemoteIdentificationType", [key("EVCOID", EVCO)]);
pub static IDENTIFICATION: Shape = within(
    choice(
        "IdentificationType",
        &[
            may("RFIDmifarefamilyIdentification", one(&MIFARE)),
            may("QRCodeIdentification", one(&QR_CODE)),
            may("PlugAndChargeIdentification", one(&CONTRACT)),
            may("RemoteIdentification", one(&CONTRACT)),
        ],
    ),
    COMMON,
);
static GOOGLE: Shape = shape!(COMMON, "GeoCoordinatesGoogleType", [key("Coordinates", Form(form::GOOGLE))]);
static DECIMAL_DEGREE: Shape = shape!(
    COMMON,
    "GeoCoordinatesDecimalDegreeType",
    [key("Longitude", Form(form::DEGREE)), key("Latitude", Form(form::DEGREE))]
);
static MINUTES: Shape =
    shape!(COMMON, "GeoCoordinatesDegreeMinuteSecondsType", [key("Longitude", DEGREES), key("Latitude", DEGREES)]);
static COORDINATES: Shape = within(
    choice(
        "GeoCoordinatesType",
        &[
            may("Google", one(&GOOGLE)),
            may("DecimalDegree", one(&DECIMAL_DEGREE)),
            may("DegreeMinuteSeconds", one(&MINUTES)),
        ],
    ),
    COMMON,
);
static ADDRESS: Shape = shape!(
    COMMON,
    "AddressIso19773Type",
    [
        key("Country", Form(form::COUNTRY_20)),
        key("City", Text(50)),
        key("Street", Text(100)),
        may("PostalCode", Text(10)),
        may("HouseNum", Text(10)),
        may("Floor", Text(5)),
        may("Region", Text(50)),
        may("TimeZone", Text(10)),
    ]
);
static SEARCH_CENTER: Shape =
    shape!(COMMON, "SearchCenterType", [key("GeoCoordinates", one(&COORDINATES)), key("Radius", Text(20))]);

pub static AUTHORIZE_START: Shape = shape!(
    AUTHORIZATION,
    "eRoamingAuthorizeStart",
    [
        may("SessionID", SESSION),
        may("PartnerSessionID", PARTNER_SESSION),
        key("OperatorID", OPERATOR),
        may("EVSEID", EVSE),
        key("Identification", one(&IDENTIFICATION)),
        may("PartnerProductID", PRODUCT),
    ]
);
static STOP_IDENTIFICATIONS: Shape = shape!(
    AUTHORIZATION,
    "AuthorizationStopIdentifications",
    [may("Identification", List(&one(&IDENTIFICATION), PARTS_MAX))]
);
pub static AUTHORIZATION_START: Shape = shape!(
    AUTHORIZATION,
    "eRoamingAuthorizationStart",
    [
        may("SessionID", SESSION),
        may("PartnerSessionID", PARTNER_SESSION),
        may("ProviderID", PROVIDER),
        key("AuthorizationStatus", Word(&["Authorized", "NotAuthorized"])),
        must("StatusCode", one(&STATUS_CODE)),
        may("AuthorizationStopIdentifications", one(&STOP_IDENTIFICATIONS)),
    ]
);
pub static AUTHORIZE_STOP: Shape = shape!(
    AUTHORIZATION,
    "eRoamingAuthorizeStop",
    [
        key("SessionID", SESSION),
        may("PartnerSessionID", PARTNER_SESSION),
        key("OperatorID", OPERATOR),
        may("EVSEID", EVSE),
        key("Identification", one(&IDENTIFICATION)),
    ]
);
pub static AUTHORIZATION_STOP: Shape = shape!(
    AUTHORIZATION,
    "eRoamingAuthorizationStop",
    [
        may("SessionID", SESSION),
        may("PartnerSessionID", PARTNER_SESSION),
        may("ProviderID", PROVIDER),
        key("AuthorizationStatus", Word(&["Authorized", "NotAuthorized"])),
        must("StatusCode", one(&STATUS_CODE)),
    ]
);
pub static REMOTE_START: Shape = shape!(
    AUTHORIZATION,
    "eRoamingAuthorizeRemoteStart",
    [
        may("SessionID", SESSION),
        may("PartnerSessionID", PARTNER_SESSION),
        key("ProviderID", PROVIDER),
        key("EVSEID", EVSE),
        key("Identification", one(&IDENTIFICATION)),
        may("PartnerProductID", PRODUCT),
    ]
);
pub static REMOTE_STOP: Shape = shape!(
    AUTHORIZATION,
    "eRoamingAuthorizeRemoteStop",
    [
        key("SessionID", SESSION),
        may("PartnerSessionID", PARTNER_SESSION),
        key("ProviderID", PROVIDER),
        must("EVSEID", EVSE),
    ]
);
static METER_VALUES: Shape =
    shape!(AUTHORIZATION, "MeterValueInBetween", [must("MeterValue", List(&Number(3), 1_000))]);
pub static CHARGE_DETAIL_RECORD: Shape = shape!(
    AUTHORIZATION,
    "eRoamingChargeDetailRecord",
    [
        key("SessionID", SESSION),
        may("PartnerSessionID", PARTNER_SESSION),
        may("PartnerProductID", PRODUCT),
        key("EvseID", EVSE),
        key("Identification", one(&IDENTIFICATION)),
        may("ChargingStart", Time),
        may("ChargingEnd", Time),
        key("SessionStart", Time),
        key("SessionEnd", Time),
        may("MeterValueStart", Number(3)),
        may("MeterValueEnd", Number(3)),
        may("MeterValueInBetween", one(&METER_VALUES)),
        may("ConsumedEnergy", Number(3)),
        may("MeteringSignature", Text(200)),
        may("HubOperatorID", OPERATOR),
        may("HubProviderID", PROVIDER),
    ]
);
pub static GET_CHARGE_DETAIL_RECORDS: Shape = shape!(
    AUTHORIZATION,
    "eRoamingGetChargeDetailRecords",
    [key("ProviderID", PROVIDER), key("From", Time), key("To", Time)]
);
pub static CHARGE_DETAIL_RECORDS: Shape = shape!(
    AUTHORIZATION,
    "eRoamingChargeDetailRecords",
    [may("eRoamingChargeDetailRecord", List(&one(&CHARGE_DETAIL_RECORD), RECORDS_MAX))]
);

static AUTHENTICATION_RECORD: Shape =
    shape!(AUTHENTICATION_DATA, "AuthenticationDataRecordType", [key("Identification", one(&IDENTIFICATION))]);
static PROVIDER_AUTHENTICATION: Shape = shape!(
    AUTHENTICATION_DATA,
    "ProviderAuthenticationDataType",
    [key("ProviderID", PROVIDER), may("AuthenticationDataRecord", List(&one(&AUTHENTICATION_RECORD), RECORDS_MAX))]
);
pub static PUSH_AUTHENTICATION_DATA: Shape = shape!(
    AUTHENTICATION_DATA,
    "eRoamingPushAuthenticationData",
    [key("ActionType", ACTION), key("ProviderAuthenticationData", one(&PROVIDER_AUTHENTICATION))]
);
pub static PULL_AUTHENTICATION_DATA: Shape =
    shape!(AUTHENTICATION_DATA, "eRoamingPullAuthenticationData", [key("OperatorID", OPERATOR)]);
static ALL_AUTHENTICATION: Shape = shape!(
    AUTHENTICATION_DATA,
    "AuthenticationData",
    [may("ProviderAuthenticationData", List(&one(&PROVIDER_AUTHENTICATION), PARTS_MAX))]
);
pub static AUTHENTICATION: Shape = shape!(
    AUTHENTICATION_DATA,
    "eRoamingAuthenticationData",
    [key("AuthenticationData", one(&ALL_AUTHENTICATION)), may("StatusCode", one(&STATUS_CODE))]
);

const PLUG: Kind = Word(&[
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
    "Unspecified",
]);
/// What 2.3 says with voltage, current and power.
pub const FACILITIES: &[&str] = &[
    "100 - 120V, 1-Phase \u{2264}10A",
    "100 - 120V, 1-Phase \u{2264}16A",
    "100 - 120V, 1-Phase \u{2264}32A",
    "200 - 240V, 1-Phase \u{2264}10A",
    "200 - 240V, 1-Phase \u{2264}16A",
    "200 - 240V, 1-Phase \u{2264}32A",
    "200 - 240V, 1-Phase >32A",
    "380 - 480V, 3-Phase \u{2264}16A",
    "380 - 480V, 3-Phase \u{2264}32A",
    "380 - 480V, 3-Phase \u{2264}63A",
    "Battery exchange",
    "DC Charging \u{2264}20kW",
    "DC Charging \u{2264}50kW",
    "DC Charging >50kW",
    "Unspecified",
];
const FACILITY: Kind = Word(FACILITIES);
static PLUG_LIST: Shape = shape!(EVSE_DATA, "PlugList", [must("Plug", List(&PLUG, PARTS_MAX))]);
static FACILITY_LIST: Shape =
    shape!(EVSE_DATA, "ChargingFacilityList", [must("ChargingFacility", List(&FACILITY, PARTS_MAX))]);
static MODE_LIST: Shape = shape!(
    EVSE_DATA,
    "ChargingModeList",
    [must("ChargingMode", List(&Word(&["Mode_1", "Mode_2", "Mode_3", "Mode_4", "CHAdeMO"]), PARTS_MAX))]
);
static AUTHENTICATION_LIST: Shape = shape!(
    EVSE_DATA,
    "AuthenticationModeList",
    [must(
        "AuthenticationMode",
        List(&Word(&["NFC RFID Classic", "NFC RFID DESFire", "PnC", "REMOTE", "Direct Payment"]), PARTS_MAX)
    )]
);
static PAYMENT_LIST: Shape = shape!(
    EVSE_DATA,
    "PaymentOptionsList",
    [must("PaymentOption", List(&Word(&["No Payment", "Direct", "Contract"]), PARTS_MAX))]
);
pub static EVSE_DATA_RECORD: Shape = shape!(
    EVSE_DATA,
    "EvseDataRecordType",
    [
        may("@deltaType", Word(&["insert", "update", "delete"])),
        may("@lastUpdate", Time),
        key("EvseId", EVSE),
        may("ChargingStationId", Text(50)),
        may("ChargingStationName", Text(50)),
        may("EnChargingStationName", Text(50)),
        key("Address", one(&ADDRESS)),
        key("GeoCoordinates", one(&COORDINATES)),
        must("Plugs", one(&PLUG_LIST)),
        may("ChargingFacilities", one(&FACILITY_LIST)),
        may("ChargingModes", one(&MODE_LIST)),
        must("AuthenticationModes", one(&AUTHENTICATION_LIST)),
        may("MaxCapacity", Whole(99_999)),
        may("PaymentOptions", one(&PAYMENT_LIST)),
        must(
            "Accessibility",
            Word(&["Unspecified", "Free publicly accessible", "Restricted access", "Paying publicly accessible"])
        ),
        must("HotlinePhoneNum", Form(form::PHONE)),
        may("AdditionalInfo", Text(200)),
        may("EnAdditionalInfo", Text(2000)),
        may("GeoChargingPointEntrance", one(&COORDINATES)),
        must("IsOpen24Hours", Bool),
        may("OpeningTime", Text(200)),
        may("HubOperatorID", OPERATOR),
        may("ClearinghouseID", Text(20)),
        must("IsHubjectCompatible", Bool),
        must("DynamicInfoAvailable", Word(&["true", "false", "auto"])),
    ]
);
/// What eRoamingGetEvseById is answered with.
pub static ONE_EVSE: Shape = Shape { name: "eRoamingEvseDataRecord", ..EVSE_DATA_RECORD };
pub static OPERATOR_EVSE_DATA: Shape = shape!(
    EVSE_DATA,
    "OperatorEvseDataType",
    [
        key("OperatorID", OPERATOR),
        may("OperatorName", Text(100)),
        may("EvseDataRecord", List(&one(&EVSE_DATA_RECORD), RECORDS_MAX)),
    ]
);
pub static PUSH_EVSE_DATA: Shape = shape!(
    EVSE_DATA,
    "eRoamingPushEvseData",
    [key("ActionType", ACTION), key("OperatorEvseData", one(&OPERATOR_EVSE_DATA))]
);
pub static PULL_EVSE_DATA: Shape = shape!(
    EVSE_DATA,
    "eRoamingPullEvseData",
    [
        key("ProviderID", PROVIDER),
        may("SearchCenter", one(&SEARCH_CENTER)),
        may("LastCall", Time),
        must("GeoCoordinatesResponseFormat", Word(&["Google", "DegreeMinuteSeconds", "DecimalDegree"])),
    ]
);
pub static GET_EVSE_BY_ID: Shape = shape!(EVSE_DATA, "eRoamingGetEvseById", [key("EvseId", EVSE)]);
static ALL_EVSE_DATA: Shape =
    shape!(EVSE_DATA, "EvseData", [may("OperatorEvseData", List(&one(&OPERATOR_EVSE_DATA), RECORDS_MAX))]);
pub static EVSES: Shape =
    shape!(EVSE_DATA, "eRoamingEvseData", [key("EvseData", one(&ALL_EVSE_DATA)), may("StatusCode", one(&STATUS_CODE))]);

const STATUS: Kind = Word(&["Available", "Reserved", "Occupied", "OutOfService", "Unknown", "EvseNotFound"]);
static STATUS_RECORD: Shape =
    shape!(EVSE_STATUS, "EvseStatusRecordType", [key("EvseId", EVSE), key("EvseStatus", STATUS)]);
static OPERATOR_STATUS: Shape = shape!(
    EVSE_STATUS,
    "OperatorEvseStatusType",
    [
        key("OperatorID", OPERATOR),
        may("OperatorName", Text(100)),
        may("EvseStatusRecord", List(&one(&STATUS_RECORD), RECORDS_MAX)),
    ]
);
pub static PUSH_EVSE_STATUS: Shape = shape!(
    EVSE_STATUS,
    "eRoamingPushEvseStatus",
    [key("ActionType", ACTION), key("OperatorEvseStatus", one(&OPERATOR_STATUS))]
);
pub static PULL_EVSE_STATUS: Shape = shape!(
    EVSE_STATUS,
    "eRoamingPullEvseStatus",
    [key("ProviderID", PROVIDER), may("SearchCenter", one(&SEARCH_CENTER)), may("EvseStatus", STATUS)]
);
pub static PULL_EVSE_STATUS_BY_ID: Shape = shape!(
    EVSE_STATUS,
    "eRoamingPullEvseStatusById",
    [key("ProviderID", PROVIDER), key("EvseId", List(&EVSE, STATUS_IDS_MAX))]
);
static ALL_STATUSES: Shape =
    shape!(EVSE_STATUS, "EvseStatuses", [may("OperatorEvseStatus", List(&one(&OPERATOR_STATUS), RECORDS_MAX))]);
pub static STATUSES: Shape = shape!(
    EVSE_STATUS,
    "eRoamingEvseStatus",
    [key("EvseStatuses", one(&ALL_STATUSES)), may("StatusCode", one(&STATUS_CODE))]
);
static STATUS_RECORDS: Shape =
    shape!(EVSE_STATUS, "EvseStatusRecords", [may("EvseStatusRecord", List(&one(&STATUS_RECORD), STATUS_IDS_MAX))]);
pub static STATUSES_BY_ID: Shape = shape!(
    EVSE_STATUS,
    "eRoamingEvseStatusById",
    [may("EvseStatusRecords", one(&STATUS_RECORDS)), may("StatusCode", one(&STATUS_CODE))]
);

pub static SEARCH_EVSE: Shape = shape!(
    EVSE_SEARCH,
    "eRoamingSearchEvse",
    [
        may("GeoCoordinates", one(&COORDINATES)),
        may("Address", one(&ADDRESS)),
        key("ProviderID", PROVIDER),
        key("Range", Whole(1_000)),
        may("Plug", PLUG),
        may("ChargingFacility", FACILITY),
    ]
);
static EVSE_MATCH: Shape =
    shape!(EVSE_SEARCH, "EvseMatchType", [key("Distance", Number(1)), key("EVSE", one(&EVSE_DATA_RECORD))]);
static EVSE_MATCHES: Shape =
    shape!(EVSE_SEARCH, "EvseMatches", [may("EvseMatch", List(&one(&EVSE_MATCH), RECORDS_MAX))]);
pub static SEARCH_RESULT: Shape =
    shape!(EVSE_SEARCH, "eRoamingEvseSearchResult", [key("EvseMatches", one(&EVSE_MATCHES))]);

pub static MOBILE_AUTHORIZE_START: Shape = shape!(
    MOBILE,
    "eRoamingMobileAuthorizeStart",
    [
        key("EvseID", EVSE),
        key("QRCodeIdentification", one(&QR_CODE)),
        may("PartnerProductID", Text(100)),
        may("GetNewSession", Bool),
    ]
);
pub static MOBILE_AUTHORIZATION_START: Shape = shape!(
    MOBILE,
    "eRoamingMobileAuthorizationStart",
    [
        may("SessionID", SESSION),
        key("AuthorizationStatus", Word(&["Authorized", "NotAuthorized"])),
        may("StatusCode", one(&STATUS_CODE)),
        may("TermsOfUse", Text(1000)),
        must("GeoCoordinates", one(&COORDINATES)),
        may("Address", one(&ADDRESS)),
        may("AdditionalInfo", Text(200)),
        may("EnAdditionalInfo", Text(2000)),
        may("ChargingStationName", Text(50)),
        may("EnChargingStationName", Text(50)),
    ]
);
pub static MOBILE_REMOTE_START: Shape = shape!(MOBILE, "eRoamingMobileRemoteStart", [key("SessionID", SESSION)]);
pub static MOBILE_REMOTE_STOP: Shape = shape!(MOBILE, "eRoamingMobileRemoteStop", [key("SessionID", SESSION)]);
