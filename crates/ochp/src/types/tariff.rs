//! Tariffs: one for everybody, and others for named providers.

use rust_decimal::Decimal;

use crate::scalar::{Currency, DateTime, PartyCode, TariffId};
use crate::types::place::RegularHours;

words! {
    /// What is charged for (OCHP, `BillingItemType`), with its unit.
    BillingItem in "BillingItemType" {
        /// Hours.
        ParkingTime = "parkingtime",
        /// Hours.
        UsageTime = "usagetime",
        /// Kilowatt-hours.
        Energy = "energy",
        /// Kilowatts, the highest.
        Power = "power",
        /// Once.
        ServiceFee = "serviceFee",
        /// Once.
        Reservation = "reservation",
        /// Hours.
        ReservationTime = "reservationtime",
    }
}

record! {
    PriceComponent {
        item: one BillingItem = "billingItem",
        /// Per unit, in the tariff's currency, without tax.
        price: one Decimal = "itemPrice",
        /// In units; zero is exact.
        step: one Decimal = "stepSize",
    }
}

record! {
    /// When an element applies. Energies in kilowatt-hours, powers in kilowatts, durations in seconds.
    TariffRestriction {
        hours: many RegularHours = "regularHours",
        start: exact DateTime = "startDateTime",
        end: exact DateTime = "endDateTime",
        min_energy: exact Decimal = "minEnergy",
        max_energy: exact Decimal = "maxEnergy",
        min_power: exact Decimal = "minPower",
        max_power: exact Decimal = "maxPower",
        min_duration: exact u32 = "minDuration",
        max_duration: exact u32 = "maxDuration",
    }
}

record! {
    TariffElement {
        component: one PriceComponent = "priceComponent",
        restriction: one TariffRestriction = "tariffRestriction",
    }
}

record! {
    /// For the recipients; for everybody else where there are none.
    IndividualTariff {
        elements: one_of_many TariffElement = "tariffElement",
        recipients: many PartyCode = "recipient",
        currency: one Currency = "currency",
    }
}

record! {
    /// OCHP, `TariffInfo`.
    TariffInfo {
        id: one TariffId = "tariffId",
        individual: one_of_many IndividualTariff = "individualTariff",
    }
}
