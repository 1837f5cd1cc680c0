//! How a clearing house tries a direct partner: an operator is asked for the status of an EVSE that it does not have, a
//! provider is told of a session that nobody has.
//!
//! A partner of OCHP 1.4 without OCHPdirect only asks, so nothing can be asked of it. Invariant: the answer's code is
//! judged only as far as "they know us and understood".

use std::sync::Arc;

use charge::talk::road::RoadFault;
use charge::{Personal, Soon};
use ochp::message::{EvsesWanted, Request, Response};
use ochp::scalar::{Contract, DirectId, EvseId};
use ochp::types::direct::{DirectMessage, InformProvider};
use ochp::types::result::{DirectCode, DirectResult};
use ocpi::credentials::Role;

use super::super::knock::Knock;
use super::super::partners::{Partner, Protocol};
use super::endpoints::Side;
use super::house::House;

impl Knock for House {
    fn tls(&self) -> Option<Arc<rustls::ClientConfig>> {
        None
    }

    fn knock(&self, partner: Arc<Partner>, role: Role) -> Soon<'_, Result<Box<str>, RoadFault>> {
        Box::pin(async move {
            match (partner.protocol, role) {
                (Protocol::OchpDirect, Role::Provider) => self.an_unknown_session(&partner).await,
                (Protocol::OchpDirect, Role::Operator | Role::Hub | Role::Other) => {
                    self.an_unknown_evse(&partner).await
                }
                (Protocol::Ochp14 | Protocol::Ocpi(_) | Protocol::Oicp23 | Protocol::Oicp20, _) => {
                    Ok("only asks in OCHP 1.4: whether it comes in is seen when it comes".into())
                }
            }
        })
    }
}

impl House {
    async fn an_unknown_evse(&self, partner: &Partner) -> Result<Box<str>, RoadFault> {
        let evses = vec![no_evse_of(&partner.party.to_string())?];
        let caller = self.caller(partner.party, Side::Operator, None)?;
        match caller.ask(&Request::GetEvseStatus(EvsesWanted { evses })).await? {
            Response::GetEvseStatus(_) => Ok("answers a question for the status of an EVSE that nobody has".into()),
            _other => Err(RoadFault::Unreadable("the answer to another question".into())),
        }
    }

    async fn an_unknown_session(&self, partner: &Partner) -> Result<Box<str>, RoadFault> {
        let caller = self.caller(partner.party, Side::Provider, None)?;
        let direct = self.crossing.threshold.dice.uuid().to_uppercase();
        let direct = DirectId::new(&direct).ok_or(RoadFault::NoRoad)?;
        let contract = Contract::new(&format!("{}-C00000000", partner.party)).ok_or(RoadFault::NoRoad)?;
        let told = InformProvider {
            result: DirectResult::ok(),
            message: DirectMessage::Info,
            evse: no_evse_of(&self.crossing.party().to_string())?,
            contract: Personal::new(contract),
            direct: Personal::new(direct),
            ttl: None,
            max_power: None,
            max_current: None,
            one_phase: None,
            max_energy: None,
            min_energy: None,
            departure: None,
            current_power: None,
            charged_energy: None,
            meter: None,
            periods: Vec::new(),
            current_cost: None,
            currency: None,
        };
        match caller.ask(&Request::TellProgress(told)).await? {
            Response::TellProgress(done) if done.result.code == DirectCode::Ok => {
                Ok("answers, and takes news of a session that nobody has".into())
            }
            Response::TellProgress(_) => Ok("refuses news of a session that nobody has".into()),
            _other => Err(RoadFault::Unreadable("the answer to another question".into())),
        }
    }
}

/// An EVSE id of a party: OCHP has no EVSE without digits, and nobody numbers from naught.
fn no_evse_of(party: &str) -> Result<EvseId, RoadFault> {
    EvseId::new(&format!("{}*E0", party.replace('-', "*"))).ok_or(RoadFault::NoRoad)
}
