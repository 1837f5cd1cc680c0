//! OCHPdirect: where partners' servers are, and what is said about a session between them.

use std::borrow::Cow;

use charge::{Personal, Secret};
use rust_decimal::Decimal;

use crate::scalar::{
    Contract, ContractPattern, Currency, DateTime, Day, DirectId, EvseId, EvsePattern, LocalDateTime, SecureUrl, Text,
};
use crate::types::record::CdrPeriod;
use crate::types::result::DirectResult;
use crate::wire::Scalar;

words! {
    /// The version that a server speaks, by its name space.
    Namespace {
        V13 = "http://ochp.eu/1.3",
        V14 = "http://ochp.eu/1.4",
    }
}

words! {
    DirectOperation in "operation" {
        Start = "start",
        Change = "change",
        End = "end",
    }
}

words! {
    /// What made an operator tell a provider about a session.
    DirectMessage in "message" {
        Start = "start",
        Change = "change",
        Info = "info",
        End = "end",
        /// The record was handed in.
        Finish = "finish",
    }
}

/// The half of the Basic credentials that a partner chose for one day.
#[derive(Clone, Debug)]
pub struct AccessToken(pub Secret<Text<1, 255>>);

/// For tests and de-duplication; a token that is presented is compared by its digest, in constant time.
impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose() == other.0.expose()
    }
}

impl Scalar for AccessToken {
    fn parse(text: &str) -> Result<Self, &'static str> {
        Text::parse(text).map(|text| Self(Secret::new(text)))
    }

    fn text(&self) -> Cow<'_, str> {
        self.0.expose().text()
    }
}

record! {
    /// A provider's server, on one day (OCHPdirect, `ProviderEndpoint`).
    ProviderEndpoint {
        url: one SecureUrl = "url",
        namespace: one Namespace = "namespaceUrl",
        token: one AccessToken = "accessToken",
        day: one Day = "validDate",
        whitelist: one_of_many ContractPattern = "whitelist",
        blacklist: many ContractPattern = "blacklist",
    }
}

record! {
    /// An operator's server, on one day (OCHPdirect, `OperatorEndpoint`).
    OperatorEndpoint {
        url: one SecureUrl = "url",
        namespace: one Namespace = "namespaceUrl",
        token: one AccessToken = "accessToken",
        day: one Day = "validDate",
        whitelist: one_of_many EvsePattern = "whitelist",
        blacklist: many EvsePattern = "blacklist",
    }
}

record! {
    MeterReading {
        /// As the display shows it.
        value: one Decimal = "meterValue",
        at: one LocalDateTime = "meterTime",
    }
}

record! {
    /// What an operator tells a provider about a session (OCHPdirect, `InformProviderMessage`). Kilowatts, amperes,
    /// kilowatt-hours.
    InformProvider {
        result: one DirectResult = "result",
        message: one DirectMessage = "message",
        evse: one EvseId = "evseId",
        contract: one Personal<Contract> = "contractId",
        direct: one Personal<DirectId> = "directId",
        ttl: maybe DateTime = "ttl",
        max_power: maybe Decimal = "maxPower",
        max_current: maybe Decimal = "maxCurrent",
        one_phase: maybe bool = "onePhase",
        max_energy: maybe Decimal = "maxEnergy",
        min_energy: maybe Decimal = "minEnergy",
        departure: maybe DateTime = "departure",
        current_power: maybe Decimal = "currentPower",
        charged_energy: maybe Decimal = "chargedEnergy",
        meter: maybe MeterReading = "meterReading",
        periods: many CdrPeriod = "chargingPeriods",
        current_cost: maybe Decimal = "currentCost",
        currency: maybe Currency = "currency",
    }
}

record! {
    SelectEvse {
        evse: one EvseId = "evseId",
        contract: one Personal<Contract> = "contractId",
        reserve_until: maybe DateTime = "reserveUntil",
    }
}

record! {
    ControlEvse {
        direct: one Personal<DirectId> = "directId",
        operation: one DirectOperation = "operation",
        max_power: maybe Decimal = "maxPower",
        max_current: maybe Decimal = "maxCurrent",
        one_phase: maybe bool = "onePhase",
        max_energy: maybe Decimal = "maxEnergy",
        min_energy: maybe Decimal = "minEnergy",
        departure: maybe DateTime = "departure",
    }
}

record! {
    /// The answer to select, control and release.
    DirectAnswer {
        result: one DirectResult = "result",
        direct: maybe Personal<DirectId> = "directId",
        ttl: maybe DateTime = "ttl",
    }
}
