//! Why was this refused? One total function from what was written down to a plain sentence and what to do next.
//!
//! It decides nothing and looks nothing up: a denial is explained from its own facts, so that the same facts always
//! read the same. It names no driver and quotes no card.

use charge::token::Allowed;

use crate::order::Outcome;

/// What was denied, with the facts that were kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// A connection was turned away before the upgrade: the HTTP status and the technician's reason.
    Knock { status: u16, reason: String },
    /// A token may not charge.
    Tap { allowed: Allowed },
    /// An order was not carried out: how it ended, and the words that came with it.
    Order { outcome: Outcome, message: String },
}

/// A denial in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub what: String,
    /// What a person can do about it.
    pub next: &'static str,
}

/// Explains a denial.
pub fn explain(denied: &Denied) -> Explanation {
    match denied {
        Denied::Knock { status, reason } => {
            Explanation { what: format!("The connection was refused with {status}: {reason}."), next: knock(*status) }
        }
        Denied::Tap { allowed } => tap(*allowed),
        Denied::Order { outcome, message } => {
            Explanation { what: format!("The order was not carried out: {message}."), next: order(*outcome, message) }
        }
    }
}

/// The statuses are those of `admit::status`.
fn knock(status: u16) -> &'static str {
    match status {
        404 => "Enrol the station under exactly this identity, or correct the address that is set in the station.",
        401 => "Give the station the key or certificate it was enrolled with; a new key can be made on its page.",
        403 => "The station was retired here. Enrol it again if it is to come back.",
        400 => "Set the station to OCPP 1.6, 2.0.1 or 2.1 over JSON, and see that it sends the subprotocol.",
        503 => "Nothing at the station: it tries again by itself. Look at this server if it goes on.",
        _ => "Compare the station's settings with its page here.",
    }
}

fn tap(allowed: Allowed) -> Explanation {
    let (what, next) = match allowed {
        Allowed::Yes => ("The token may charge.", "Nothing."),
        Allowed::Blocked => {
            ("The token's provider has blocked it.", "The driver has to ask their provider; it cannot be opened here.")
        }
        Allowed::Expired => (
            "The token is no longer valid, or a start from afar came too late.",
            "Start again; if it is a card, the driver needs a new one from their provider.",
        ),
        Allowed::NoCredit => ("The contract has no credit left.", "The driver has to settle this with their provider."),
        Allowed::NotHere => (
            "The provider knows the token and does not let it charge here.",
            "Ask the provider whether it has an agreement with this operator for this place.",
        ),
        Allowed::Unknown => (
            "No provider on the network knows the token.",
            "Check that it is a charging card and that its provider is connected to the hub.",
        ),
        Allowed::Unanswered => (
            "Nobody could be asked in time; this says nothing about the token.",
            "Try again. If it goes on, look at the connection to the hub.",
        ),
    };
    Explanation { what: what.to_owned(), next }
}

fn order(outcome: Outcome, message: &str) -> &'static str {
    match outcome {
        Outcome::Accepted | Outcome::Scheduled => "Nothing: the station took it.",
        Outcome::Refused => refused(message),
        Outcome::TimedOut => "It may still happen. Look at the station's log before the order is given again.",
        Outcome::NotConnected => "Wait until the station is connected, or look why it is away.",
        Outcome::Error => "Look at the station's log for the whole answer; the station may not know this message.",
    }
}

/// The status words of OCPP that say what stands in the way.
fn refused(message: &str) -> &'static str {
    let word = message.rsplit(' ').next().unwrap_or_default();
    match word {
        "Occupied" => "End the session at this EVSE first.",
        "Faulted" => "The station reports a fault. Mend that first.",
        "Unavailable" => "Switch the EVSE on first.",
        "NotSupported" | "NotImplemented" | "UnknownVendorId" => "The station cannot do this.",
        "VersionMismatch" => "Send the whole list instead of its changes.",
        "UnlockFailed" => "Somebody has to look at the plug.",
        "OngoingAuthorizedTransaction" => "Stop the session first.",
        "InvalidCertificate" | "RevokedCertificate" | "InvalidSignature" => "Use a firmware that its maker has signed.",
        "UnknownTransaction" | "UnknownReservation" | "NotFound" => "It is gone already; read the station again.",
        "RebootRequired" => "Restart the station.",
        _ => "Read the station's settings and log; many stations refuse while something is switched off there.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_denial_says_what_and_what_next() {
        let knock = |status| Denied::Knock { status, reason: "the key is not the one".to_owned() };
        let taps = [
            Allowed::Blocked,
            Allowed::Expired,
            Allowed::NoCredit,
            Allowed::NotHere,
            Allowed::Unknown,
            Allowed::Unanswered,
        ];
        let order = |outcome, message: &str| Denied::Order { outcome, message: message.to_owned() };
        let mut told = Vec::new();
        told.extend([404, 401, 403, 400, 503].map(|status| explain(&knock(status)).next));
        told.extend(taps.map(|allowed| explain(&Denied::Tap { allowed }).next));
        told.push(explain(&order(Outcome::Refused, "the station answered Occupied")).next);
        told.push(explain(&order(Outcome::Refused, "the station answered Rejected")).next);
        told.push(explain(&order(Outcome::TimedOut, "no answer")).next);
        told.push(explain(&order(Outcome::NotConnected, "away")).next);
        let different: std::collections::BTreeSet<_> = told.iter().collect();
        assert_eq!(different.len(), told.len(), "each cause has advice of its own");
        assert!(explain(&knock(401)).what.contains("the key is not the one"));
    }
}
