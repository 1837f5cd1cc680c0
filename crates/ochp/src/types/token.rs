//! Tokens and who stands behind them.

use charge::Personal;

use crate::scalar::{Contract, DateTime, Text};

words! {
    /// OCHP, `tokenType`.
    TokenType {
        Rfid = "rfid",
        /// In records alone: the instance is the id of the remote session.
        Remote = "remote",
        Iso15118 = "15118",
    }
}

words! {
    /// OCHP, `tokenSubType`.
    TokenSubType {
        MifareClassic = "mifareCls",
        MifareDesfire = "mifareDes",
        Calypso = "calypso",
    }
}

words! {
    /// How the instance stands there (OCHP, `tokenRepresentation`). A hash of a uid is a spelling, not a protection: there
    /// are few enough uids to try them all.
    Representation {
        Plain = "plain",
        Sha160 = "sha-160",
        Sha256 = "sha-256",
    }
}

record! {
    /// A token (OCHP, `EmtId`).
    EmtId {
        instance: one Personal<Text<1, 512>> = "instance",
        kind: one TokenType = "tokenType",
        sub_kind: maybe TokenSubType = "tokenSubType",
        /// Plain where it is not said.
        representation: maybe_attribute Representation = "representation",
    }
}

impl EmtId {
    pub fn representation(&self) -> Representation {
        self.representation.unwrap_or(Representation::Plain)
    }
}

record! {
    /// A token that may charge until a day, and its contract (OCHP, `RoamingAuthorisationInfo`).
    RoamingAuthorisation {
        token: one EmtId = "EmtId",
        contract: one Personal<Contract> = "contractId",
        printed: maybe Personal<Text<1, 150>> = "printedNumber",
        expires: one DateTime = "expiryDate",
    }
}
