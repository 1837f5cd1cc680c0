//! The status codes of OICP (2.3, CodeType) and what they mean in the words of the house, both ways.
//!
//! Total tables; deliberately no texts of the standard: the description is ours and never repeats a value. A code that is
//! not in the table counts as a system error of the other side.

use charge::talk::road::{Denial, OrderAck, OrderResult, RoadFault};
use charge::token::{Allowed, TokenKind};

use crate::doc::Record;

/// A status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code(pub u16);

impl Code {
    pub const SUCCESS: Self = Self(0);
    pub const HUB_ERROR: Self = Self(1);
    /// The party may not act for this id.
    pub const NOT_PERMITTED: Self = Self(17);
    /// The EVSE is not the operator's.
    pub const FOREIGN_EVSE: Self = Self(18);
    pub const SYSTEM_ERROR: Self = Self(21);
    pub const BAD_DATA: Self = Self(22);
    pub const SESSION_INVALID: Self = Self(400);

    /// `StatusCode` of an answer.
    pub fn record(self, why: Option<&str>) -> Record {
        Record::default()
            .with("Code", format!("{:03}", self.0))
            .with("Description", self.meaning())
            .maybe("AdditionalInfo", why.map(|why| why.chars().take(1_000).collect::<String>()))
    }

    /// The code in a `StatusCode`; a system error where it is none.
    pub fn of(status: Option<&Record>) -> Self {
        let code = status.and_then(|status| status.text("Code")?.trim().parse().ok());
        code.map_or(Self::SYSTEM_ERROR, Self)
    }

    const fn meaning(self) -> &'static str {
        match self.0 {
            0 => "done",
            1 | 2 | 9 => "the hub failed",
            17 => "not permitted for this id",
            18 => "the EVSE is not the operator's",
            19 => "the contract is not the provider's",
            21 => "our system failed",
            22 => "the data cannot be read",
            101..=103 | 105 | 120 | 121 => "nobody knows this identification",
            106 => "not allowed here",
            110 | 122 => "the identification timed out",
            200 => "the contract is locked",
            210 => "no valid contract",
            300 => "the partner is not known",
            310 => "the partner did not answer",
            320 => "the service is not available",
            400 => "the session is not known",
            501 => "the EVSE did not answer",
            510 => "no vehicle is connected",
            601 => "the EVSE is reserved",
            602 => "the EVSE is in use",
            603 => "the EVSE is not known",
            604 => "the EVSE cannot do this",
            700 => "the EVSE is out of service",
            _ => "unknown",
        }
    }

    /// What a denial is called. Total.
    pub const fn of_denial(denial: &Denial) -> Self {
        match denial {
            Denial::Malformed { .. } | Denial::Incomplete(_) => Self::BAD_DATA,
            Denial::UnknownLocation => Self(603),
            Denial::UnknownToken => Self(102),
            Denial::UnknownObject => Self::SESSION_INVALID,
            Denial::NotYours => Self::NOT_PERMITTED,
            Denial::UnknownReceiver => Self(300),
            Denial::ReceiverSilent => Self(310),
            Denial::ReceiverUnreachable | Denial::Overloaded | Denial::NotSupported => Self(320),
            Denial::Internal => Self::SYSTEM_ERROR,
        }
    }

    /// What no means where a yes was hoped for, for everything but authorisations and orders.
    pub fn denial(self) -> Denial {
        match self.0 {
            17..=19 => Denial::NotYours,
            22 => Denial::Malformed { path: "".into(), why: "is refused with code 022".into() },
            101..=103 | 105 | 106 | 110 | 120..=122 | 200 | 210 => Denial::UnknownToken,
            300 => Denial::UnknownReceiver,
            310 => Denial::ReceiverSilent,
            320 => Denial::ReceiverUnreachable,
            400 => Denial::UnknownObject,
            603 => Denial::UnknownLocation,
            604 => Denial::NotSupported,
            _ => Denial::Internal,
        }
    }

    pub fn fault(self) -> RoadFault {
        RoadFault::Denied(self.denial())
    }

    /// The verdict's word, by the kind of token that was asked about.
    pub const fn of_allowed(allowed: Allowed, kind: TokenKind) -> Self {
        match (allowed, kind) {
            (Allowed::Yes, _) => Self::SUCCESS,
            (Allowed::Blocked, _) => Self(200),
            (Allowed::Expired | Allowed::NoCredit, _) => Self(210),
            (Allowed::NotHere, _) => Self(106),
            (Allowed::Unknown, TokenKind::Rfid) => Self(102),
            (Allowed::Unknown, TokenKind::Emaid) => Self(105),
            (
                Allowed::Unknown,
                TokenKind::AppUser | TokenKind::AdHocUser | TokenKind::DirectPayment | TokenKind::Other,
            ) => Self(101),
            (Allowed::Unanswered, _) => Self(310),
        }
    }

    /// What `NotAuthorized` means with this code.
    pub const fn allowed(self) -> Allowed {
        match self.0 {
            101..=103 | 105 | 120 | 121 => Allowed::Unknown,
            200 => Allowed::Blocked,
            210 => Allowed::Expired,
            106 => Allowed::NotHere,
            _ => Allowed::Unanswered,
        }
    }

    pub const fn of_result(result: OrderResult) -> Self {
        match result {
            OrderResult::Accepted => Self::SUCCESS,
            OrderResult::Failed | OrderResult::TimedOut | OrderResult::Rejected => Self(501),
            OrderResult::NotSupported => Self(604),
            OrderResult::EvseOccupied => Self(602),
            OrderResult::EvseInoperative => Self(700),
            OrderResult::UnknownReservation => Self::SESSION_INVALID,
        }
    }

    /// An order that was not taken.
    pub const fn of_ack(ack: OrderAck) -> Self {
        match ack {
            OrderAck::Accepted { .. } => Self::SUCCESS,
            OrderAck::Rejected | OrderAck::TooOften => Self(501),
            OrderAck::NotSupported => Self(604),
            OrderAck::UnknownSession => Self::SESSION_INVALID,
        }
    }

    /// What became of an order, or why it never was one.
    pub fn result(self) -> Result<OrderResult, Denial> {
        Ok(match self.0 {
            0 => OrderResult::Accepted,
            501 | 510 => OrderResult::Failed,
            601 | 602 => OrderResult::EvseOccupied,
            604 => OrderResult::NotSupported,
            700 => OrderResult::EvseInoperative,
            101..=210 => OrderResult::Rejected,
            _ => return Err(self.denial()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_comes_back_as_what_was_meant() {
        let kept = [Allowed::Blocked, Allowed::Expired, Allowed::NotHere, Allowed::Unknown, Allowed::Unanswered];
        for allowed in kept {
            for kind in [TokenKind::Rfid, TokenKind::Emaid, TokenKind::AdHocUser] {
                assert_eq!(Code::of_allowed(allowed, kind).allowed(), allowed);
            }
        }
        for result in
            [OrderResult::Accepted, OrderResult::Failed, OrderResult::EvseOccupied, OrderResult::EvseInoperative]
        {
            assert_eq!(Code::of_result(result).result(), Ok(result));
        }
        let denials = [
            Denial::UnknownLocation,
            Denial::NotYours,
            Denial::UnknownReceiver,
            Denial::ReceiverSilent,
            Denial::UnknownObject,
        ];
        for denial in denials {
            assert_eq!(Code::of_denial(&denial).denial(), denial);
        }
        assert_eq!(Code::of(Some(&Code(22).record(None))), Code::BAD_DATA);
        assert_eq!(Code::of(None), Code::SYSTEM_ERROR);
    }
}
