//! All operations of OCHP 1.4 and OCHPdirect 0.2: their records, their SOAP actions, and whose they are.
//!
//! A request is known by the name of its body's element; the action in the HTTP header is written and not believed.
//! Invariant: whatever stands in [`Operation::ALL`] can be read and written.

use charge::Personal;
use soap::Element;

use crate::read::{At, Ear, Fault, Lost};
use crate::scalar::{CdrId, DateTime, DirectId, EvseId, Text};
use crate::types::direct::{ControlEvse, DirectAnswer, InformProvider, OperatorEndpoint, ProviderEndpoint, SelectEvse};
use crate::types::place::ChargePoint;
use crate::types::record::{CdrInfo, CdrName, CdrStatus};
use crate::types::result::{DirectResult, ResultInfo};
use crate::types::status::{EvseLive, ParkingLive, StatusKind};
use crate::types::tariff::TariffInfo;
use crate::types::token::{EmtId, RoamingAuthorisation};
use crate::wire::Wire;

/// Which server an operation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// The clearing house.
    House,
    /// The clearing house's server for live status.
    Live,
    /// The clearing house's server for endpoints of direct partners.
    Endpoints,
    /// An operator's own server.
    Operator,
    /// A provider's own server.
    Provider,
}

/// A message that was read: what it says, what was repaired or passed over, which items of its list are refused.
#[derive(Debug)]
pub struct Heard<T> {
    pub said: T,
    pub lost: Lost,
    pub refused: Lost,
}

macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident: $service:ident $action:literal, $ask:literal $request:ty => $tell:literal $response:ty;)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Operation {
            $($(#[$doc])* $name,)+
        }

        impl Operation {
            pub const ALL: &[Self] = &[$(Self::$name),+];

            pub const fn service(self) -> Service {
                match self {
                    $(Self::$name => Service::$service,)+
                }
            }

            /// The SOAP action of its binding.
            pub const fn action(self) -> &'static str {
                match self {
                    $(Self::$name => $action,)+
                }
            }

            /// The element of its request.
            pub const fn request_name(self) -> &'static str {
                match self {
                    $(Self::$name => $ask,)+
                }
            }

            pub const fn response_name(self) -> &'static str {
                match self {
                    $(Self::$name => $tell,)+
                }
            }
        }

        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "one at a time, never in lists")]
        pub enum Request {
            $($name($request),)+
        }

        impl Request {
            pub const fn operation(&self) -> Operation {
                match self {
                    $(Self::$name(_) => Operation::$name,)+
                }
            }

            /// By the name of the element, without regard to its name space.
            pub fn read(body: &Element) -> Result<Heard<Self>, Unread> {
                let (at, mut ear) = (At::root(body), Ear::default());
                $(if body.name.local.eq_ignore_ascii_case($ask) {
                    let said = <$request as Wire>::read(&at, &mut ear).map(Self::$name);
                    let said = said.map_err(|fault| Unread::Fault(Operation::$name, fault))?;
                    return Ok(Heard { said, lost: ear.lost, refused: ear.refused });
                })+
                Err(Unread::NoOperation)
            }

            pub fn write(&self) -> Result<Element, Fault> {
                match self {
                    $(Self::$name(request) => request.write($ask),)+
                }
            }
        }

        #[derive(Clone, Debug, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "one at a time, never in lists")]
        pub enum Response {
            $($name($response),)+
        }

        impl Response {
            pub const fn operation(&self) -> Operation {
                match self {
                    $(Self::$name(_) => Operation::$name,)+
                }
            }

            pub fn read(operation: Operation, body: &Element) -> Result<Heard<Self>, Fault> {
                let (at, mut ear) = (At::root(body), Ear::default());
                if !body.name.local.eq_ignore_ascii_case(operation.response_name()) {
                    return Err(at.fault("is not the answer to this operation"));
                }
                let said = match operation {
                    $(Operation::$name => Self::$name(<$response as Wire>::read(&at, &mut ear)?),)+
                };
                Ok(Heard { said, lost: ear.lost, refused: ear.refused })
            }

            pub fn write(&self) -> Result<Element, Fault> {
                match self {
                    $(Self::$name(response) => response.write($tell),)+
                }
            }
        }
    };
}

/// Why a request cannot be acted on: always the sender's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    #[error("no operation of OCHP 1.4")]
    NoOperation,
    #[error("{1}")]
    Fault(Operation, Fault),
}

operations! {
    SetTokens: House "http://ochp.eu/1.4/SetRoamingAuthorisationList",
        "SetRoamingAuthorisationListRequest" Tokens => "SetRoamingAuthorisationListResponse" TokensTaken;
    UpdateTokens: House "http://ochp.eu/1.4/UpdateRoamingAuthorisationList",
        "UpdateRoamingAuthorisationListRequest" Tokens => "UpdateRoamingAuthorisationListResponse" TokensTaken;
    GetTokens: House "http://ochp.eu/1.4/GetRoamingAuthorisationList",
        "GetRoamingAuthorisationListRequest" Nothing => "GetRoamingAuthorisationListResponse" TokensGiven;
    GetTokenUpdates: House "http://ochp.eu/1.4/GetRoamingAuthorisationListUpdates",
        "GetRoamingAuthorisationListUpdatesRequest" Since => "GetRoamingAuthorisationListUpdatesResponse" TokenUpdates;
    /// `RequestSingleRoamingAuthorisation` in the text of the standard.
    GetToken: House "http://ochp.eu/1.4/GetSingleRoamingAuthorisation",
        "GetSingleRoamingAuthorisationRequest" TokenWanted => "GetSingleRoamingAuthorisationResponse" TokenGiven;
    AddCdrs: House "http://ochp.eu/1.4/AddCDRs", "AddCDRsRequest" Cdrs => "AddCDRsResponse" CdrsTaken;
    GetCdrs: House "http://ochp.eu/1.4/GetCDRs", "GetCDRsRequest" CdrsWanted => "GetCDRsResponse" CdrsGiven;
    CheckCdrs: House "http://ochp.eu/1.4/CheckCDRs", "CheckCDRsRequest" CdrsWanted => "CheckCDRsResponse" CdrsGiven;
    ConfirmCdrs: House "http://ochp.eu/1.4/ConfirmCDRs", "ConfirmCDRsRequest" Judged => "ConfirmCDRsResponse" Done;
    SetChargePoints: House "http://ochp.eu/1.4/SetChargepointList",
        "SetChargePointListRequest" ChargePoints => "SetChargePointListResponse" ChargePointsTaken;
    UpdateChargePoints: House "http://ochp.eu/1.4/UpdateChargePointList",
        "UpdateChargePointListRequest" ChargePoints => "UpdateChargePointListResponse" ChargePointsTaken;
    GetChargePoints: House "http://ochp.eu/1.4/GetChargePointList",
        "GetChargePointListRequest" Nothing => "GetChargePointListResponse" ChargePointsGiven;
    GetChargePointUpdates: House "http://ochp.eu/1.4/GetChargePointListUpdates",
        "GetChargePointListUpdatesRequest" Since => "GetChargePointListUpdatesResponse" ChargePointsGiven;
    UpdateTariffs: House "http://ochp.eu/1.4/UpdateTariffs",
        "UpdateTariffsRequest" Tariffs => "UpdateTariffsResponse" TariffsTaken;
    GetTariffUpdates: House "http://ochp.eu/1.4/GetTariffUpdates",
        "GetTariffUpdatesRequest" MaybeSince => "GetTariffUpdatesResponse" TariffsGiven;
    UpdateStatus: Live "http://ochp.e-clearing.net/service/UpdateStatus",
        "UpdateStatusRequest" Statuses => "UpdateStatusResponse" Done;
    GetStatus: Live "http://ochp.e-clearing.net/service/GetStatus",
        "GetStatusRequest" StatusesWanted => "GetStatusResponse" StatusesGiven;
    AddServiceEndpoints: Endpoints "http://ochp.eu/direct/0.2/AddServiceEndpoints",
        "AddServiceEndpointsRequest" EndpointsAdded => "AddServiceEndpointsResponse" Done;
    GetServiceEndpoints: Endpoints "http://ochp.eu/direct/0.2/GetServiceEndpoints",
        "GetServiceEndpointsRequest" Nothing => "GetServiceEndpointsResponse" EndpointsGiven;
    GetEvseStatus: Operator "http://ochp.eu/direct/0.2/GetEvseStatus",
        "DirectEvseStatusRequest" EvsesWanted => "GetStatusResponse" StatusesGiven;
    ReportDiscrepancy: Operator "http://ochp.eu/direct/0.2/ReportDiscrepancy",
        "ReportDiscrepancyRequest" Discrepancy => "ReportDiscrepancyResponse" Nothing;
    SelectEvse: Operator "http://ochp.eu/direct/0.2/SelectEvse",
        "SelectEvseRequest" SelectEvse => "SelectEvseResponse" DirectAnswer;
    ControlEvse: Operator "http://ochp.eu/direct/0.2/ControlEvse",
        "ControlEvseRequest" ControlEvse => "ControlEvseResponse" DirectAnswer;
    ReleaseEvse: Operator "http://ochp.eu/direct/0.2/ReleaseEvse",
        "ReleaseEvseRequest" DirectNamed => "ReleaseEvseResponse" DirectAnswer;
    /// The provider asks how a session goes.
    AskProgress: Operator "http://ochp.eu/direct/0.2/InformProviderCPO",
        "InformProviderRequest" DirectNamed => "InformProviderMessage" InformProvider;
    /// The operator tells how a session goes.
    TellProgress: Provider "http://ochp.eu/direct/0.2/InformProviderEMP",
        "InformProviderMessage" InformProvider => "InformProviderResponse" DirectDone;
}

record! {
    Nothing {}
}

record! {
    Since {
        since: one DateTime = "lastUpdate",
    }
}

record! {
    MaybeSince {
        since: maybe DateTime = "lastUpdate",
    }
}

record! {
    Done {
        result: one ResultInfo = "result",
    }
}

record! {
    DirectDone {
        result: one DirectResult = "result",
    }
}

record! {
    Tokens {
        tokens: each_of_many RoamingAuthorisation = "roamingAuthorisationInfoArray",
    }
}

record! {
    TokensTaken {
        result: one ResultInfo = "result",
        refused: each RoamingAuthorisation = "refusedRoamingAuthorisationInfo",
    }
}

record! {
    TokensGiven {
        result: one ResultInfo = "result",
        tokens: each RoamingAuthorisation = "roamingAuthorisationInfoArray",
    }
}

record! {
    TokenUpdates {
        result: one ResultInfo = "result",
        tokens: each RoamingAuthorisation = "roamingAuthorisationInfo",
    }
}

record! {
    TokenWanted {
        token: one EmtId = "emtId",
    }
}

record! {
    TokenGiven {
        result: one ResultInfo = "result",
        /// Missing where the token may not charge.
        token: maybe RoamingAuthorisation = "roamingAuthorisationInfo",
    }
}

record! {
    Cdrs {
        cdrs: each_of_many CdrInfo = "cdrInfoArray",
    }
}

record! {
    CdrsTaken {
        result: one ResultInfo = "result",
        implausible: each CdrId = "implausibleCdrsArray",
    }
}

record! {
    CdrsWanted {
        status: maybe CdrStatus = "cdrStatus",
    }
}

record! {
    CdrsGiven {
        result: one ResultInfo = "result",
        cdrs: each CdrInfo = "cdrInfoArray",
    }
}

record! {
    Judged {
        approved: each CdrName = "approved",
        declined: each CdrName = "declined",
    }
}

record! {
    ChargePoints {
        points: each_of_many ChargePoint = "chargePointInfoArray",
    }
}

record! {
    ChargePointsTaken {
        result: one ResultInfo = "result",
        refused: each ChargePoint = "refusedChargePointInfo",
    }
}

record! {
    ChargePointsGiven {
        result: one ResultInfo = "result",
        points: each ChargePoint = "chargePointInfoArray",
    }
}

record! {
    Tariffs {
        tariffs: each_of_many TariffInfo = "TariffInfoArray",
    }
}

record! {
    TariffsTaken {
        result: one ResultInfo = "result",
        refused: each TariffInfo = "refusedTariffInfo",
    }
}

record! {
    TariffsGiven {
        result: one ResultInfo = "result",
        tariffs: each TariffInfo = "TariffInfoArray",
    }
}

record! {
    Statuses {
        evses: each EvseLive = "evse",
        parkings: each ParkingLive = "parking",
        /// For those that have none of their own.
        ttl: maybe DateTime = "ttl",
    }
}

record! {
    StatusesWanted {
        /// Younger than this.
        since: maybe DateTime = "startDateTime",
        kind: maybe StatusKind = "statusType",
    }
}

record! {
    /// One of the three lists alone may have anything in it (OCHP, `GetStatus.conf` is a choice).
    StatusesGiven {
        combined: each EvseLive = "combined",
        evses: each EvseLive = "evse",
        parkings: each ParkingLive = "parking",
    }
}

record! {
    EndpointsAdded {
        providers: each ProviderEndpoint = "providerEndpointArray",
        operators: each OperatorEndpoint = "operatorEndpointArray",
    }
}

record! {
    EndpointsGiven {
        result: one ResultInfo = "result",
        providers: each ProviderEndpoint = "providerEndpointArray",
        operators: each OperatorEndpoint = "operatorEndpointArray",
    }
}

record! {
    EvsesWanted {
        evses: each_of_many EvseId = "requestedEvseId",
    }
}

record! {
    Discrepancy {
        evse: one EvseId = "evseId",
        /// What somebody wrote: never logged.
        report: one Personal<Text<0, 2000>> = "report",
    }
}

record! {
    DirectNamed {
        direct: one Personal<DirectId> = "directId",
    }
}
