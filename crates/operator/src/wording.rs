//! The operator's name for each word that can be told to a station, and which of them are answered later.
//!
//! Names go into the audit and onto pages; they hold no value of an order, so nothing secret or personal gets there.

use charge::talk::line::certificate::CertificateOrder;
use charge::talk::line::charging::ChargingOrder;
use charge::talk::line::display::{DisplayOrder, TariffOrder};
use charge::talk::line::grid::GridOrder;
use charge::talk::line::model::ModelOrder;
use charge::talk::line::payment::PaymentOrder;
use charge::talk::line::reservation::{ListOrder, ReservationOrder};
use charge::talk::line::upkeep::UpkeepOrder;
use charge::talk::line::{ResetKind, ToStation};

use crate::request::Kind;

/// What the word does, for people.
pub const fn name(told: &ToStation) -> &'static str {
    match told {
        ToStation::Start { .. } => "start",
        ToStation::Stop { .. } => "stop",
        ToStation::Reset(ResetKind::Soft) => "reset soft",
        ToStation::Reset(ResetKind::Hard) => "reset hard",
        ToStation::Reset(ResetKind::Resume) => "reset and resume",
        ToStation::Unlock { .. } => "unlock",
        ToStation::Availability { operative: true, .. } => "switch on",
        ToStation::Availability { operative: false, .. } => "switch off",
        ToStation::Trigger { .. } => "trigger",
        ToStation::ReadSettings { .. } => "read settings",
        ToStation::WriteSettings { .. } => "write settings",
        ToStation::ClearCache => "clear cache",
        ToStation::Charging(order) => charging(order),
        ToStation::Reservation(ReservationOrder::Reserve { .. }) => "reserve",
        ToStation::Reservation(ReservationOrder::Cancel { .. }) => "cancel reservation",
        ToStation::List(ListOrder::Send { .. }) => "send token list",
        ToStation::List(ListOrder::Version) => "read token list version",
        ToStation::Upkeep(UpkeepOrder::FetchLog { .. }) => "fetch log",
        ToStation::Upkeep(UpkeepOrder::Firmware { .. }) => "update firmware",
        ToStation::Upkeep(UpkeepOrder::Publish { .. }) => "publish firmware",
        ToStation::Upkeep(UpkeepOrder::Unpublish { .. }) => "unpublish firmware",
        ToStation::Certificate(order) => certificate(order),
        ToStation::Model(order) => model(order),
        ToStation::Display(DisplayOrder::Set(_)) => "set display message",
        ToStation::Display(DisplayOrder::Read { .. }) => "read display messages",
        ToStation::Display(DisplayOrder::Clear { .. }) => "clear display message",
        ToStation::Customer(_) => "customer information",
        ToStation::Tariff(order) => tariff(order),
        ToStation::Grid(GridOrder::Set { .. }) => "set grid control",
        ToStation::Grid(GridOrder::Read { .. }) => "read grid controls",
        ToStation::Grid(GridOrder::Clear { .. }) => "clear grid control",
        ToStation::Grid(GridOrder::Afrr { .. }) => "send frequency signal",
        ToStation::Swap(_) => "request battery swap",
        ToStation::Payment(PaymentOrder::WebStarted { .. }) => "announce web payment",
        ToStation::Vendor(_) => "vendor message",
        ToStation::Foreign(_) => "expert call",
    }
}

const fn charging(order: &ChargingOrder) -> &'static str {
    match order {
        ChargingOrder::Set { .. } => "set charging profile",
        ChargingOrder::Clear(_) => "clear charging profiles",
        ChargingOrder::Read { .. } => "read charging profiles",
        ChargingOrder::Composite { .. } => "read composite schedule",
        ChargingOrder::Update { .. } => "update dynamic schedule",
        ChargingOrder::Priority { .. } => "priority charging",
        ChargingOrder::AllowedTransfer { .. } => "allowed energy transfer",
    }
}

const fn certificate(order: &CertificateOrder) -> &'static str {
    match order {
        CertificateOrder::Signed { .. } => "send certificate",
        CertificateOrder::Install { .. } => "install certificate",
        CertificateOrder::Delete(_) => "delete certificate",
        CertificateOrder::List(_) => "list certificates",
    }
}

const fn model(order: &ModelOrder) -> &'static str {
    match order {
        ModelOrder::Base { .. } | ModelOrder::Report { .. } => "read report",
        ModelOrder::MonitoringBase(_) => "set monitoring base",
        ModelOrder::MonitoringLevel(_) => "set monitoring level",
        ModelOrder::Watch(_) => "set monitors",
        ModelOrder::Unwatch(_) => "clear monitors",
        ModelOrder::Monitors { .. } => "read monitors",
        ModelOrder::Network { .. } => "set network profile",
        ModelOrder::TransactionStatus(_) => "read transaction status",
        ModelOrder::AdjustStream { .. } => "adjust stream",
        ModelOrder::Streams => "read streams",
    }
}

const fn tariff(order: &TariffOrder) -> &'static str {
    match order {
        TariffOrder::Cost { .. } => "show cost",
        TariffOrder::Californian { .. } => "show price",
        TariffOrder::SetDefault { .. } => "set tariff",
        TariffOrder::Read { .. } => "read tariffs",
        TariffOrder::Clear { .. } => "clear tariffs",
        TariffOrder::Change { .. } => "change tariff",
    }
}

/// The number that a later answer will carry, where the word is answered later, and what it is for.
pub const fn later(told: &mut ToStation) -> Option<(Kind, &mut i32)> {
    match told {
        ToStation::Charging(ChargingOrder::Read { request, .. }) => Some((Kind::Profiles, request)),
        ToStation::Upkeep(UpkeepOrder::FetchLog { request, legacy: true, .. }) => Some((Kind::Diagnostics, request)),
        ToStation::Upkeep(UpkeepOrder::FetchLog { request, legacy: false, .. }) => Some((Kind::Log, request)),
        ToStation::Upkeep(UpkeepOrder::Firmware { request, .. }) => Some((Kind::Firmware, request)),
        ToStation::Upkeep(UpkeepOrder::Publish { request, .. }) => Some((Kind::Publishing, request)),
        ToStation::Model(ModelOrder::Base { request, .. } | ModelOrder::Report { request, .. }) => {
            Some((Kind::Report, request))
        }
        ToStation::Model(ModelOrder::Monitors { request, .. }) => Some((Kind::Monitors, request)),
        ToStation::Display(DisplayOrder::Read { request, .. }) => Some((Kind::Displays, request)),
        ToStation::Customer(order) => Some((Kind::Customer, &mut order.request)),
        ToStation::Grid(GridOrder::Read { request, .. }) => Some((Kind::Grid, request)),
        ToStation::Swap(order) => Some((Kind::Swap, &mut order.request)),
        ToStation::Start { .. }
        | ToStation::Stop { .. }
        | ToStation::Reset(_)
        | ToStation::Unlock { .. }
        | ToStation::Availability { .. }
        | ToStation::Trigger { .. }
        | ToStation::ReadSettings { .. }
        | ToStation::WriteSettings { .. }
        | ToStation::ClearCache
        | ToStation::Charging(_)
        | ToStation::Reservation(_)
        | ToStation::List(_)
        | ToStation::Upkeep(_)
        | ToStation::Certificate(_)
        | ToStation::Model(_)
        | ToStation::Display(_)
        | ToStation::Tariff(_)
        | ToStation::Grid(_)
        | ToStation::Payment(_)
        | ToStation::Vendor(_)
        | ToStation::Foreign(_) => None,
    }
}
