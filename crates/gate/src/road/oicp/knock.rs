//! How a broker tries a partner of OICP: a provider is asked about a token that was made up just now, an operator to stop
//! a session that nobody has, at an EVSE that it does not have.
//!
//! What was asked is named as the standard names it, in the partner's version. Invariant: the answer's code is judged only as
//! far as "they know us and understood".

use std::sync::Arc;

use charge::Soon;
use charge::id::{OrderId, SessionId};
use charge::talk::road::{Answer, Denial, Question, RoadFault};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid};
use ocpi::credentials::Role;
use oicp::bridge::answer;
use oicp::bridge::ask::{Toward, requests};
use oicp::message::Reply;
use oicp::status::Code;
use oicp::{Version, form};

use super::broker::{Broker, Unrated, version_of};
use super::index::Index;
use crate::road::knock::Knock;
use crate::road::partners::Partner;

/// An RFID UID of seven bytes.
const UID_DIGITS: usize = 14;

/// What came of a question.
struct Heard {
    /// As the standard names it.
    asked: String,
    said: Result<Answer, RoadFault>,
}

impl Knock for Broker {
    fn tls(&self) -> Option<Arc<rustls::ClientConfig>> {
        Some(Arc::clone(&self.0.setup.tls))
    }

    fn knock(&self, partner: Arc<Partner>, role: Role) -> Soon<'_, Result<Box<str>, RoadFault>> {
        Box::pin(async move {
            match role {
                Role::Provider => self.an_unknown_token(&partner).await,
                Role::Operator | Role::Hub | Role::Other => self.an_unknown_session(&partner).await,
            }
        })
    }
}

impl Broker {
    async fn an_unknown_token(&self, partner: &Arc<Partner>) -> Result<Box<str>, RoadFault> {
        let made_up = self.0.setup.dice.uuid();
        let uid: String = made_up.chars().filter(char::is_ascii_hexdigit).take(UID_DIGITS).collect();
        let uid = TokenUid::new(uid.to_uppercase()).map_err(|_| RoadFault::NoRoad)?;
        let question = Question::MayCharge { token: PresentedToken::new(uid, TokenKind::Rfid) };
        let heard = self.ask_about(partner, &question, Toward::default()).await?;
        let what = match heard.said {
            Ok(Answer::May(verdict)) if verdict.allowed == Allowed::Yes => {
                "lets a token charge that was made up just now: ask why"
            }
            Ok(_) | Err(RoadFault::Denied(Denial::UnknownToken)) => "refuses an unknown token",
            Err(fault) => return Err(fault),
        };
        Ok(format!("{}: {what}", heard.asked).into())
    }

    async fn an_unknown_session(&self, partner: &Arc<Partner>) -> Result<Box<str>, RoadFault> {
        let (order, session) = (self.0.setup.dice.uuid(), self.0.setup.dice.uuid());
        let order = OrderId::new(order).map_err(|_| RoadFault::NoRoad)?;
        let named = SessionId::new(&session).map_err(|_| RoadFault::NoRoad)?;
        let question = Question::Stop { order, return_to: None, session: named };
        let evse = format!("{}*E0", form::operator_id(partner.party));
        let toward = Toward { session: Some(&session), evse: Some(&evse) };
        let heard = self.ask_about(partner, &question, toward).await?;
        let what = match heard.said {
            Ok(_) => "answers an order to stop a session that nobody has",
            Err(RoadFault::Denied(Denial::UnknownObject | Denial::UnknownLocation | Denial::Internal)) => {
                "refuses to stop a session that nobody has"
            }
            Err(fault) => return Err(fault),
        };
        Ok(format!("{}: {what}", heard.asked).into())
    }

    async fn ask_about(
        &self,
        partner: &Arc<Partner>,
        question: &Question,
        toward: Toward<'_>,
    ) -> Result<Heard, RoadFault> {
        let setup = &self.0.setup;
        let version = version_of(partner.protocol).ok_or(RoadFault::NoRoad)?;
        let wire = self.0.wires.to(partner, version, &setup.tls)?;
        let (own, places) = (setup.crossing.party(), Index::default());
        let beside = self.beside(&places, &Unrated, Some(partner.party));
        let written = requests(question, own, toward, &beside).map_err(RoadFault::Denied)?;
        let request = written.value.first().ok_or(RoadFault::NoRoad)?;
        let row = version.row(request.operation).ok_or(RoadFault::NoRoad)?;
        let answered = wire.ask(request, own, None, "").await?;
        let (Reply::Proper(body) | Reply::Refusal(body)) = &answered.reply.value;
        // a "no" that is about us is no verdict about a token
        let code = Code::of(body.record("StatusCode"));
        if code.denial() == Denial::NotYours {
            return Err(RoadFault::Denied(Denial::NotYours));
        }
        let number = match version {
            Version::V23 => "2.3",
            Version::V20 => "2.0",
        };
        let asked = format!("{} of OICP {number}", row.request.name);
        let said = answer::read(question, &answered.reply.value, &beside).map(|read| read.value.answer);
        Ok(Heard { asked, said })
    }
}
