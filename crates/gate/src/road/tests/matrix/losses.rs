//! What each crossing loses, and that the parties read it over their own routes.
//!
//! [`expected`] is the table of what the receiver's protocol has no word for among what the letters of these tests say.
//! Invariant: a party reads its own lines alone, both ends of a line read the same, and what passes verbatim loses nothing.

use ::oicp::Version as Oicp;

use super::super::*;
use super::meeting::{Meeting, OPERATOR, PROVIDER};
use super::{OCHP14, OCPI211, OICP20, Tongue};

/// What was done before the losses are read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Tap,
    /// A start or a reservation.
    Order,
    Session,
    Cdr,
    Place,
    Status,
    Tariff,
}

/// From whom to whom.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Lane {
    /// To whom it was meant.
    ToProvider,
    ToOperator,
    /// To the hub, for everybody.
    OperatorToHub,
    ProviderToHub,
}

const fn is_oicp(tongue: Tongue) -> bool {
    matches!(tongue, Tongue::Oicp(_))
}

/// Letters of the same version pass as they came. OICP pushes lists, which are taken apart and given out of the index, and
/// OCHP's schemas are closed.
fn verbatim(function: Function, from: Tongue, to: Tongue) -> bool {
    let listed = matches!(function, Function::Place | Function::Status | Function::Tariff);
    from == to && from != OCHP14 && !(listed && is_oicp(from))
}

/// The beginnings of what has to be told, of an operator that speaks `from` and a provider that speaks `to`.
fn expected(function: Function, from: Tongue, to: Tongue) -> Vec<(Lane, &'static str)> {
    use Lane::{OperatorToHub, ProviderToHub, ToOperator, ToProvider};
    if verbatim(function, from, to) {
        return Vec::new();
    }
    let (old_from, old_to) = (from == OCPI211, to == OCPI211);
    let rules: &[(bool, Lane, &'static str)] = match function {
        Function::Tap => &[
            (old_from || old_to, ToOperator, "/token "),
            (from == OCHP14 && to != OCHP14 && !old_to, ToOperator, "/authorization_reference "),
            (to == OCHP14, ProviderToHub, "/expiryDate "),
            (is_oicp(from), OperatorToHub, "/EvseID "),
        ],
        Function::Order => &[
            (old_from && !old_to, ToOperator, "/authorization_reference "),
            (old_from && !old_to, ToOperator, "/token/type "),
            (old_to && matches!(from, Tongue::Ocpi(_)), ToProvider, "/timeout "),
            (is_oicp(from) && !is_oicp(to), ToOperator, "/token/uid "),
            (from == OCHP14, ToOperator, "/token/uid "),
        ],
        Function::Session => &[
            (old_to, ToProvider, "/cdr_token "),
            (old_from, ToProvider, "/cdr_token/uid "),
            (old_from, ToProvider, "/location "),
            (is_oicp(to), ToProvider, "/currency "),
            (is_oicp(from), ToProvider, "/currency "),
            (to == OCHP14 && from != OCHP14, ToProvider, "/charging_periods "),
        ],
        Function::Cdr => &[
            (old_to, ToProvider, "/cdr_token "),
            (old_to, ToProvider, "/location/evses/0/connectors/0 "),
            (old_from, ToProvider, "/cdr_token/uid "),
            (old_from, ToProvider, "/location "),
            (is_oicp(to), ToProvider, "/total_cost "),
            (to == OICP20, ToProvider, "/EMPPartnerSessionID "),
            (to == OCHP14 && !old_from && matches!(from, Tongue::Ocpi(_)), ToProvider, "/total_cost/incl_vat "),
            (to == OCHP14 && is_oicp(from), ToProvider, "/authorization_reference "),
            (from == Tongue::Oicp(Oicp::V23) && !is_oicp(to), OperatorToHub, "/PricingProductDataRecords "),
        ],
        Function::Place => &[
            (old_to, ToProvider, "/evses/0/connectors/0/max_electric_power "),
            (is_oicp(to), ToProvider, "/EvseDataRecord "),
            (to == OCHP14, ToProvider, "/connectors "),
            (from == OCHP14, OperatorToHub, "/connectors "),
            (is_oicp(from), OperatorToHub, "/EvseDataRecord/PaymentOptions "),
        ],
        Function::Status => &[(is_oicp(from), OperatorToHub, "/EvseStatusRecord/EvseStatus ")],
        Function::Tariff => &[(is_oicp(from), OperatorToHub, "/PricingProductDataRecords ")],
    };
    rules.iter().filter(|(holds, ..)| *holds).map(|(_, lane, what)| (*lane, *what)).collect()
}

impl Meeting {
    /// A crossing was refused because it would have changed money; the two that it was between read so.
    pub async fn told_refusal(&self, what: &str, to: &str) {
        let line = (party(OPERATOR), party(to));
        let told = || {
            let lost = self.market.lost.lock().unwrap();
            lost.iter().any(|(from, to, text)| (*from, *to) == line && text.starts_with(what))
        };
        self.until(&format!("the refusal of {what}"), told).await;
        for end in [&self.operator, &self.provider] {
            let own = if std::ptr::eq(end, &self.operator) { party(OPERATOR) } else { party(PROVIDER) };
            let lines = self.losses(end).await;
            let here = lines.iter().any(|(from, to, text, _)| (*from, *to) == line && text.starts_with(what));
            assert_eq!(here, own == line.0 || own == line.1, "{}: {what}: {lines:?}", self.name);
        }
    }

    /// Reads the losses as each party reads them, and compares.
    pub async fn told_losses(&self, function: Function, from: Tongue, to: Tongue) {
        let name = format!("{function:?}: {}", self.name);
        let (operator, provider, hub) = (party(OPERATOR), party(PROVIDER), party("DE-HUB"));
        // what is published goes on behind the answer
        let ends = |lane: Lane| match lane {
            Lane::ToProvider => (operator, provider),
            Lane::ToOperator => (provider, operator),
            Lane::OperatorToHub => (operator, hub),
            Lane::ProviderToHub => (provider, hub),
        };
        let told = |(lane, what): &(Lane, &'static str)| {
            let lost = self.market.lost.lock().unwrap();
            lost.iter().any(|(from, to, text)| (*from, *to) == ends(*lane) && text.starts_with(what))
        };
        let expected = expected(function, from, to);
        for line in &expected {
            self.until(&format!("{line:?} of {function:?}"), || told(line)).await;
        }
        let (theirs, ours) = (self.losses(&self.operator).await, self.losses(&self.provider).await);
        for (lane, what) in &expected {
            let here = |(from, to, text, count): &&(PartyId, PartyId, String, i64)| {
                (*from, *to) == ends(*lane) && text.starts_with(what) && *count > 0
            };
            let (read_there, read_here) = (theirs.iter().find(here), ours.iter().find(here));
            match lane {
                Lane::ToProvider | Lane::ToOperator => {
                    assert!(read_there.is_some() && read_there == read_here, "{name}: {what}: {theirs:?} {ours:?}");
                }
                Lane::OperatorToHub => {
                    assert!(read_there.is_some() && read_here.is_none(), "{name}: {what}: {theirs:?}")
                }
                Lane::ProviderToHub => assert!(read_there.is_none() && read_here.is_some(), "{name}: {what}: {ours:?}"),
            }
        }
        for (own, lines) in [(operator, &theirs), (provider, &ours)] {
            assert!(lines.iter().all(|(from, to, ..)| *from == own || *to == own), "{name}: others' lines: {lines:?}");
        }
        if verbatim(function, from, to) {
            let between = |(from, to, ..): &&(PartyId, PartyId, String, i64)| *from != hub && *to != hub;
            let lost: Vec<_> = theirs.iter().chain(&ours).filter(between).collect();
            assert!(lost.is_empty(), "{name}: passed verbatim: {lost:?}");
        }
    }
}
