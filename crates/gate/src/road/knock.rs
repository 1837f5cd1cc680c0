//! The last step of a partner's trial: one harmless question in the partner's own protocol.
//!
//! [`Knock`] is what a protocol's client brings to [`super::probe`]: the TLS with which it dials, and a question for each
//! role that is about nothing that anybody has. It deliberately judges no answer beyond "it was understood": a refusal of
//! something unheard-of is the right answer. Invariant: nothing changes at either side, and nobody's data is asked for.

use std::sync::Arc;

use charge::Soon;
use charge::talk::partner::TrialStep;
use charge::talk::road::{Denial, RoadFault};
use ocpi::credentials::Role;

use super::partners::Partner;
use super::probe::{failed, held};

/// Asks a partner of one protocol.
pub trait Knock: Send + Sync {
    /// With which it dials, where that is not what every road of the hub dials with: it shows the hub's certificate.
    fn tls(&self) -> Option<Arc<rustls::ClientConfig>>;

    /// Asks a partner in one of its roles. `Ok` says in plain words what was understood.
    fn knock(&self, partner: Arc<Partner>, role: Role) -> Soon<'_, Result<Box<str>, RoadFault>>;
}

/// The step in plain words. `hub`: our own id, which the partner has to know.
pub(crate) fn step(role: Role, hub: &str, said: Result<Box<str>, RoadFault>) -> TrialStep {
    let what = if role == Role::Operator { "As operator" } else { "As provider" };
    let fault = match said {
        Ok(found) => return held(what, found),
        Err(fault) => fault,
    };
    match fault {
        RoadFault::Unreachable => {
            failed(what, "the request got no answer of their protocol", "Ask what their log says about it.")
        }
        RoadFault::TimedOut => failed(what, "no answer in time", "Ask what their log says about our request."),
        RoadFault::Unreadable(why) => {
            let advice = "Ask whether this is the address of this very service and version, and what their log says.";
            failed(what, format!("the answer is not one of their protocol: {why}"), advice)
        }
        RoadFault::NoRoad => {
            let advice = "Enter the address of this role, and the name and password with which we come.";
            failed(what, "no address, or no login, is entered for it", advice)
        }
        RoadFault::Denied(Denial::NotYours) => {
            let advice = format!("Ask whether they have entered {hub}, and our certificate or our name and password.");
            failed(what, "they do not accept who we are", &advice)
        }
        RoadFault::Denied(Denial::NotSupported) => {
            failed(what, "nothing of this service is at this address", "Ask for the exact address of the service.")
        }
        RoadFault::Denied(denial) => failed(
            what,
            format!("they refuse the request: {}", words(&denial)),
            "Ask what is wrong with it in their eyes.",
        ),
    }
}

const fn words(denial: &Denial) -> &'static str {
    match denial {
        Denial::Malformed { .. } => "something in it is not as they want it",
        Denial::Incomplete(_) => "they miss something in it",
        Denial::UnknownToken => "they do not know the token",
        Denial::UnknownLocation => "they do not know the EVSE",
        Denial::UnknownObject => "they do not know the session",
        Denial::UnknownReceiver => "nobody behind them is meant",
        Denial::ReceiverSilent => "somebody behind them does not answer",
        Denial::ReceiverUnreachable => "somebody behind them is not reached, or a service of theirs is down",
        Denial::NotYours => "it is not ours to ask",
        Denial::NotSupported => "they do not serve it",
        Denial::Overloaded => "it is too much for them now",
        Denial::Internal => "something went wrong at their side",
    }
}
