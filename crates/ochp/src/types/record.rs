//! Charge detail records and what they are made of.

use charge::Personal;
use rust_decimal::Decimal;

use crate::scalar::{CdrId, Contract, Currency, Duration, EvseId, LocalDateTime, Text};
use crate::types::place::{Address, Connector, PowerType, Ratings};
use crate::types::tariff::BillingItem;
use crate::types::token::EmtId;

words! {
    /// OCHP, `CdrStatusType`. The clearing house alone changes it.
    CdrStatus in "CdrStatusType" {
        /// Before it was handed in.
        New = "new",
        /// Plausible; waits for its owner.
        Accepted = "accepted",
        /// Given up by the operator.
        Rejected = "rejected",
        /// The owner does not pay it like this.
        Declined = "declined",
        Approved = "approved",
        /// Handed in again after it was declined.
        Revised = "revised",
    }
}

record! {
    /// One billing item of a session (OCHP, `CdrPeriodType`). Periods may overlap.
    CdrPeriod {
        start: one LocalDateTime = "startDateTime",
        end: one LocalDateTime = "endDateTime",
        item: one BillingItem = "billingItem",
        /// In the unit of the item.
        value: one Decimal = "billingValue",
        /// Per unit, without tax; zero where the parties do not rate.
        price: one Decimal = "itemPrice",
        /// Value times price.
        cost: exact Decimal = "periodCost",
        /// Percent.
        tax_rate: exact u32 = "taxrate",
    }
}

record! {
    /// OCHP, `CDRInfo`.
    CdrInfo {
        id: one CdrId = "CdrId",
        evse: one EvseId = "evseId",
        token: one EmtId = "emtId",
        contract: one Personal<Contract> = "contractId",
        status: one CdrStatus = "status",
        start: one LocalDateTime = "startDateTime",
        end: one LocalDateTime = "endDateTime",
        duration: maybe Duration = "duration",
        address: one Address = "chargePointAddress",
        power_type: one PowerType = "chargePointType",
        connector: one Connector = "connectorType",
        ratings: maybe Ratings = "ratings",
        meter: maybe Text<1, 20> = "meterId",
        periods: one_of_many CdrPeriod = "chargingPeriods",
        /// Without tax.
        total_cost: exact Decimal = "totalCost",
        currency: one Currency = "currency",
    }
}

record! {
    /// A record by its two names, in `ConfirmCDRs`.
    CdrName {
        cdr: one CdrId = "cdrId",
        evse: one EvseId = "evseId",
    }
}
