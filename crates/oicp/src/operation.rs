//! The operations of both versions: names, paths, who calls whom, the shapes of request and answer.
//!
//! A table and nothing else; deliberately no behaviour. Invariant: an operation that a version does not have has no row
//! in its table, so it cannot be offered.

use crate::shape::Shape;
use crate::{v20, v23};

/// Which OICP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// SOAP 1.1.
    V20,
    /// JSON.
    V23,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    PushEvseData,
    PushEvseStatus,
    PullEvseData,
    PullEvseStatus,
    PullEvseStatusById,
    PullEvseStatusByOperator,
    AuthorizeStart,
    AuthorizeStop,
    RemoteStart,
    RemoteStop,
    ChargeDetailRecord,
    GetChargeDetailRecords,
    PushAuthenticationData,
    /// OICP 2.0 alone: an operator downloads the tokens of everybody.
    PullAuthenticationData,
    ReservationStart,
    ReservationStop,
    PushPricingProducts,
    PushEvsePricing,
    PullPricingProducts,
    PullEvsePricing,
    NotificationStart,
    NotificationProgress,
    NotificationEnd,
    NotificationError,
    /// OICP 2.0 alone, as all that follow.
    GetEvseById,
    SearchEvse,
    MobileAuthorizeStart,
    MobileRemoteStart,
    MobileRemoteStop,
}

/// Who begins it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    Operator,
    Provider,
}

/// One operation of one version.
#[derive(Debug)]
pub struct Row {
    pub operation: Operation,
    pub caller: Caller,
    /// 2.3: the path below `/api/oicp`, before and after the caller's id; both the same where it has none. 2.0: the
    /// name of the service that serves it.
    pub path: (&'static str, &'static str),
    pub request: &'static Shape,
    pub answer: &'static Shape,
}

impl Version {
    pub const fn rows(self) -> &'static [Row] {
        match self {
            Self::V20 => &V20,
            Self::V23 => &V23,
        }
    }

    pub fn row(self, operation: Operation) -> Option<&'static Row> {
        self.rows().iter().find(|row| row.operation == operation)
    }

    /// What an operation is answered with where it fails.
    pub const fn acknowledgement(self) -> &'static Shape {
        match self {
            Self::V20 => &v20::ACKNOWLEDGEMENT,
            Self::V23 => &v23::ACKNOWLEDGEMENT,
        }
    }
}

/// The path below which every service of OICP 2.3 stands.
pub const BASE: &str = "/api/oicp/";
/// The path of the services of OICP 2.0: the last segment is the service's name.
pub const SOAP_BASE: &str = "/ibis/ws/";

/// The path of an operation of 2.3 for the party that calls.
pub fn path(row: &Row, id: &str) -> String {
    match row.path {
        (path, "") => format!("{BASE}{path}"),
        (before, after) => format!("{BASE}{before}{}{after}", id.replace('*', "%2A").replace('+', "%2B")),
    }
}

/// The operation that a path of 2.3 names, and the id in it as it is written there. Notifications share one path: their
/// kind is in the body.
pub fn found(path: &str) -> Option<(Operation, &str)> {
    let rest = path.split_once(BASE)?.1.trim_end_matches('/');
    V23.iter().find_map(|row| match row.path {
        (whole, "") => (whole == rest).then_some((row.operation, "")),
        (before, after) => {
            let id = rest.strip_prefix(before)?.strip_suffix(after)?;
            (!id.is_empty() && !id.contains('/')).then_some((row.operation, id))
        }
    })
}

macro_rules! rows {
    ($version:ident: $($operation:ident $caller:ident $before:literal $after:literal $request:ident $answer:ident;)+) => {
        [$(Row {
            operation: Operation::$operation,
            caller: Caller::$caller,
            path: ($before, $after),
            request: &$version::$request,
            answer: &$version::$answer,
        },)+]
    };
}

static V23: [Row; 23] = rows! { v23:
    PushEvseData Operator "evsepush/v23/operators/" "/data-records" PUSH_EVSE_DATA ACKNOWLEDGEMENT;
    PushEvseStatus Operator "evsepush/v21/operators/" "/status-records" PUSH_EVSE_STATUS ACKNOWLEDGEMENT;
    PullEvseData Provider "evsepull/v23/providers/" "/data-records" PULL_EVSE_DATA EVSE_DATA;
    PullEvseStatus Provider "evsepull/v21/providers/" "/status-records" PULL_EVSE_STATUS EVSE_STATUS;
    PullEvseStatusById Provider "evsepull/v21/providers/" "/status-records-by-id" PULL_EVSE_STATUS_BY_ID EVSE_STATUS_BY_ID;
    PullEvseStatusByOperator Provider "evsepull/v21/providers/" "/status-records-by-operator-id"
        PULL_EVSE_STATUS_BY_OPERATOR EVSE_STATUS;
    AuthorizeStart Operator "charging/v21/operators/" "/authorize/start" AUTHORIZE_START AUTHORIZATION_START;
    AuthorizeStop Operator "charging/v21/operators/" "/authorize/stop" AUTHORIZE_STOP AUTHORIZATION_STOP;
    RemoteStart Provider "charging/v21/providers/" "/authorize-remote/start" REMOTE_START ACKNOWLEDGEMENT;
    RemoteStop Provider "charging/v21/providers/" "/authorize-remote/stop" REMOTE_STOP ACKNOWLEDGEMENT;
    ChargeDetailRecord Operator "cdrmgmt/v22/operators/" "/charge-detail-record" CHARGE_DETAIL_RECORD ACKNOWLEDGEMENT;
    GetChargeDetailRecords Provider "cdrmgmt/v22/providers/" "/get-charge-detail-records-request"
        GET_CHARGE_DETAIL_RECORDS CHARGE_DETAIL_RECORDS;
    PushAuthenticationData Provider "authdata/v21/providers/" "/push-request" PUSH_AUTHENTICATION_DATA ACKNOWLEDGEMENT;
    ReservationStart Provider "reservation/v11/providers/" "/reservation-start-request" RESERVATION_START ACKNOWLEDGEMENT;
    ReservationStop Provider "reservation/v11/providers/" "/reservation-stop-request" RESERVATION_STOP ACKNOWLEDGEMENT;
    PushPricingProducts Operator "dynamicpricing/v10/operators/" "/pricing-products" PUSH_PRICING_PRODUCTS ACKNOWLEDGEMENT;
    PushEvsePricing Operator "dynamicpricing/v10/operators/" "/evse-pricing" PUSH_EVSE_PRICING ACKNOWLEDGEMENT;
    PullPricingProducts Provider "dynamicpricing/v10/providers/" "/pricing-products" PULL_PRICING_PRODUCTS PRICING_PRODUCTS;
    PullEvsePricing Provider "dynamicpricing/v10/providers/" "/evse-pricing" PULL_EVSE_PRICING EVSE_PRICING;
    NotificationStart Operator "notificationmgmt/v11/charging-notifications" "" NOTIFICATION_START ACKNOWLEDGEMENT;
    NotificationProgress Operator "notificationmgmt/v11/charging-notifications" "" NOTIFICATION_PROGRESS ACKNOWLEDGEMENT;
    NotificationEnd Operator "notificationmgmt/v11/charging-notifications" "" NOTIFICATION_END ACKNOWLEDGEMENT;
    NotificationError Operator "notificationmgmt/v11/charging-notifications" "" NOTIFICATION_ERROR ACKNOWLEDGEMENT;
};

static V20: [Row; 18] = rows! { v20:
    AuthorizeStart Operator "eRoamingAuthorization_V2.0" "" AUTHORIZE_START AUTHORIZATION_START;
    AuthorizeStop Operator "eRoamingAuthorization_V2.0" "" AUTHORIZE_STOP AUTHORIZATION_STOP;
    RemoteStart Provider "eRoamingAuthorization_V2.0" "" REMOTE_START ACKNOWLEDGEMENT;
    RemoteStop Provider "eRoamingAuthorization_V2.0" "" REMOTE_STOP ACKNOWLEDGEMENT;
    ChargeDetailRecord Operator "eRoamingAuthorization_V2.0" "" CHARGE_DETAIL_RECORD ACKNOWLEDGEMENT;
    GetChargeDetailRecords Provider "eRoamingAuthorization_V2.0" "" GET_CHARGE_DETAIL_RECORDS CHARGE_DETAIL_RECORDS;
    PushAuthenticationData Provider "eRoamingAuthenticationData_V2.0" "" PUSH_AUTHENTICATION_DATA ACKNOWLEDGEMENT;
    PullAuthenticationData Operator "eRoamingAuthenticationData_V2.0" "" PULL_AUTHENTICATION_DATA AUTHENTICATION;
    PushEvseData Operator "eRoamingEvseData_V2.0" "" PUSH_EVSE_DATA ACKNOWLEDGEMENT;
    PullEvseData Provider "eRoamingEvseData_V2.0" "" PULL_EVSE_DATA EVSES;
    GetEvseById Provider "eRoamingEvseData_V2.0" "" GET_EVSE_BY_ID ONE_EVSE;
    PushEvseStatus Operator "eRoamingEvseStatus_V2.0" "" PUSH_EVSE_STATUS ACKNOWLEDGEMENT;
    PullEvseStatus Provider "eRoamingEvseStatus_V2.0" "" PULL_EVSE_STATUS STATUSES;
    PullEvseStatusById Provider "eRoamingEvseStatus_V2.0" "" PULL_EVSE_STATUS_BY_ID STATUSES_BY_ID;
    SearchEvse Provider "eRoamingEvseSearch_V2.0" "" SEARCH_EVSE SEARCH_RESULT;
    MobileAuthorizeStart Provider "eRoamingMobileAuthorization_V2.0" "" MOBILE_AUTHORIZE_START MOBILE_AUTHORIZATION_START;
    MobileRemoteStart Provider "eRoamingMobileAuthorization_V2.0" "" MOBILE_REMOTE_START ACKNOWLEDGEMENT;
    MobileRemoteStop Provider "eRoamingMobileAuthorization_V2.0" "" MOBILE_REMOTE_STOP ACKNOWLEDGEMENT;
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_found_again_with_its_id() {
        for row in Version::V23.rows() {
            let id = match row.caller {
                Caller::Operator => "DE*ABC",
                Caller::Provider => "DE-DCB",
            };
            let whole = format!("/below{}", path(row, id));
            let found = found(&whole);
            let written = id.replace('*', "%2A");
            let expected = if row.path.1.is_empty() { "" } else { &*written };
            assert_eq!(found.map(|(_, id)| id), Some(expected), "{row:?}");
            let same_path = Version::V23.rows().iter().find(|each| each.path == row.path).map(|each| each.operation);
            assert_eq!(found.map(|(operation, _)| operation), same_path);
        }
        for strange in ["/api/oicp/", "/api/oicp/charging/v21/operators//authorize/start", "/charging/v21", ""] {
            assert_eq!(found(strange), None, "{strange}");
        }
    }
}
