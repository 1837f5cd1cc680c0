//! An operator or a provider of ours at a foreign clearing house.
//!
//! An operator's letters become uploads and questions; a provider uploads its tokens and fetches what waits for it
//! ([`ClearingHouse::collect`]). Sessions and orders have no place there: they go over OCHPdirect or not at all.
//! Invariant: a record is confirmed after our desk has said that it keeps it, and declined after it has said why not.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use charge::id::{CorrelationId, EvseUid, LocationId, PartyId};
use charge::place::{EvseStatus, Location};
use charge::record::Cdr;
use charge::talk::road::{Answer, Denial, Found, Letter, Page, Question, Road, RoadDesk, RoadFault, Wanted};
use charge::tariff::Tariff;
use charge::token::IssuedToken;
use charge::{Clock, Dice, Secret, Soon};
use ochp::bridge::place::{by_location, charge_points, find_evse, location};
use ochp::bridge::record::{Beside, cdr, cdr_info};
use ochp::bridge::status::{evse_status, live};
use ochp::bridge::token::{authorisation, emt, verdict};
use ochp::bridge::{evse_id, tariff};
use ochp::message::{
    Cdrs, CdrsWanted, ChargePoints, EndpointsAdded, EndpointsGiven, Judged, MaybeSince, Nothing, Request, Response,
    Statuses, StatusesWanted, Tariffs, TokenWanted, Tokens,
};
use ochp::types::record::{CdrInfo, CdrName};
use ochp::types::result::{ResultCode, ResultInfo};
use ochp::types::status::{EvseLive, StatusKind};
use tokio::sync::Mutex;

use super::caller::{Caller, Proof};

/// How long an uploaded token is good: it is uploaded again long before.
const TOKEN_GOOD: Duration = Duration::from_secs(365 * 24 * 3_600);

/// Who we are there, and where it is.
pub struct Member {
    pub party: PartyId,
    /// The address of the clearing house; its services may have others.
    pub url: String,
    /// The address of its live status, where that is another one.
    pub live_url: Option<String>,
    /// The address of its service for endpoints of OCHPdirect, where that is another one.
    pub endpoints_url: Option<String>,
    pub user: String,
    pub password: Secret<String>,
    /// Whom we believe to be it.
    pub tls: Arc<rustls::ClientConfig>,
    /// Its address may be one that is not public.
    pub local: bool,
}

/// A clearing house that we are a partner of.
pub struct ClearingHouse {
    party: PartyId,
    caller: Caller,
    live: Option<Caller>,
    endpoints: Option<Caller>,
    /// For what OCHP wants to know beside a letter: the public ids and the time zone of our own places.
    desk: Arc<dyn RoadDesk>,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    /// Foreign places, as they were fetched last: records name EVSEs and nothing else.
    places: RwLock<Vec<Location>>,
    /// Foreign tariffs, as they were fetched last: records name theirs and carry none.
    prices: RwLock<Vec<Tariff>>,
    collecting: Mutex<()>,
}

/// What a visit brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    pub approved: usize,
    pub declined: usize,
    /// Left there for the next visit.
    pub left: usize,
}

impl ClearingHouse {
    pub fn new(
        member: Member,
        desk: Arc<dyn RoadDesk>,
        clock: Arc<dyn Clock>,
        dice: Arc<dyn Dice>,
    ) -> Result<Self, RoadFault> {
        let proof = || Proof::Message(ochp::envelope::credentials(&member.user, member.password.expose()));
        let caller = |url: &str| Caller::new(url, proof(), &member.tls, member.local);
        Ok(Self {
            party: member.party,
            caller: caller(&member.url)?,
            live: member.live_url.as_deref().map(caller).transpose()?,
            endpoints: member.endpoints_url.as_deref().map(caller).transpose()?,
            desk,
            clock,
            dice,
            places: RwLock::default(),
            prices: RwLock::default(),
            collecting: Mutex::default(),
        })
    }

    async fn carry(&self, letter: Letter) -> Result<Answer, RoadFault> {
        match letter.question {
            Question::MayCharge { token } => {
                let mut lost = ochp::Lost::new();
                let token = emt(&token.uid, token.kind, &mut lost);
                let Response::GetToken(given) = self.caller.ask(&Request::GetToken(TokenWanted { token })).await?
                else {
                    return Err(another());
                };
                good(&given.result)?;
                Ok(Answer::May(verdict(&given, self.clock.now())))
            }
            Question::PostCdr(cdr) => self.post(&cdr).await,
            Question::PutLocation(location) => {
                let points = charge_points(&location, false).map_err(denied)?.value;
                let said = self.caller.ask(&Request::UpdateChargePoints(ChargePoints { points })).await?;
                let Response::UpdateChargePoints(taken) = said else { return Err(another()) };
                good(&taken.result).map(|()| Answer::Noted)
            }
            Question::PatchEvse { location, evse, status, .. } => self.status(location, &evse, status).await,
            Question::PutTariff(put) => {
                let tariffs = vec![tariff::tariff_info(&put).map_err(denied)?.value];
                let said = self.caller.ask(&Request::UpdateTariffs(Tariffs { tariffs })).await?;
                let Response::UpdateTariffs(taken) = said else { return Err(another()) };
                good(&taken.result).map(|()| Answer::Noted)
            }
            Question::PutToken(token) => self.put_token(&token).await,
            Question::Locations(_) => self.fetch().await.map(|items| Answer::Locations(page(items))),
            Question::Tariffs(_) => self.tariffs().await,
            // nobody there waits for it: what has become of a session is in its record
            Question::PutSession(_) => Ok(Answer::Noted),
            Question::Start(_)
            | Question::Stop { .. }
            | Question::Unlock { .. }
            | Question::Outcome { .. }
            | Question::DropTariff(_)
            | Question::Fetch(_)
            | Question::Reservation(_)
            | Question::Profile(_)
            | Question::ProfileOutcome { .. }
            | Question::Plan { .. }
            | Question::Booking(_) => Err(RoadFault::Denied(Denial::NotSupported)),
        }
    }

    async fn post(&self, cdr: &Cdr) -> Result<Answer, RoadFault> {
        let place = self.own_place(cdr.place.id.clone()).await.ok();
        let crossed = cdr_info(cdr, place.as_ref().map(|place| place.time_zone.as_str())).map_err(denied)?;
        for loss in &crossed.lost {
            tracing::debug!(direction = "out", errand = "cdr", %loss, "lost on the road");
        }
        let said = self.caller.ask(&Request::AddCdrs(Cdrs { cdrs: vec![crossed.value] })).await?;
        let Response::AddCdrs(taken) = said else { return Err(another()) };
        good(&taken.result)?;
        if taken.implausible.is_empty() {
            return Ok(Answer::Kept(cdr.id.clone()));
        }
        let why = "is implausible to the clearing house".into();
        Err(RoadFault::Denied(Denial::Malformed { path: "".into(), why }))
    }

    async fn status(&self, place: LocationId, evse: &EvseUid, status: EvseStatus) -> Result<Answer, RoadFault> {
        let place = self.own_place(place).await.map_err(RoadFault::Denied)?;
        let known = place.evses.iter().find(|known| known.uid == *evse);
        let id = known.and_then(|known| known.id.as_ref()).and_then(evse_id);
        let id = id.ok_or(RoadFault::Denied(Denial::UnknownLocation))?;
        let evses = vec![live(id, status, None).value];
        let ask = Request::UpdateStatus(Statuses { evses, parkings: Vec::new(), ttl: None });
        let Response::UpdateStatus(done) = self.live.as_ref().unwrap_or(&self.caller).ask(&ask).await? else {
            return Err(another());
        };
        good(&done.result).map(|()| Answer::Noted)
    }

    async fn put_token(&self, token: &IssuedToken) -> Result<Answer, RoadFault> {
        let now = self.clock.now();
        let entry = authorisation(token, now.plus(TOKEN_GOOD), now).map_err(denied)?.value;
        let said = self.caller.ask(&Request::UpdateTokens(Tokens { tokens: vec![entry] })).await?;
        let Response::UpdateTokens(taken) = said else { return Err(another()) };
        good(&taken.result).map(|()| Answer::Noted)
    }

    /// Everybody's places.
    async fn fetch(&self) -> Result<Vec<Location>, RoadFault> {
        let Response::GetChargePoints(given) = self.caller.ask(&Request::GetChargePoints(Nothing {})).await? else {
            return Err(another());
        };
        good(&given.result)?;
        let now = self.clock.now();
        let mut found = Vec::new();
        for points in by_location(given.points) {
            let owner = points.first().and_then(|point| owner(point.evse.as_str()));
            match owner.map(|owner| location(&points, owner, now)) {
                Some(Ok(crossed)) => found.push(crossed.value),
                Some(Err(loss)) => tracing::debug!(direction = "in", errand = "location", %loss, "lost on the road"),
                None => {}
            }
        }
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = found.clone();
        Ok(found)
    }

    /// The live status of every EVSE that was fetched, with its operator. OCHP lets nobody ask for some of them.
    pub(super) async fn statuses(&self) -> Result<Vec<(PartyId, Question)>, RoadFault> {
        let ask = Request::GetStatus(StatusesWanted { since: None, kind: Some(StatusKind::Evse) });
        let Response::GetStatus(given) = self.live.as_ref().unwrap_or(&self.caller).ask(&ask).await? else {
            return Err(another());
        };
        let now = self.clock.now();
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        let read = |live: &EvseLive| {
            let (place, evse) =
                places.iter().find_map(|place| find_evse(place, &live.evse).map(|evse| (place, evse)))?;
            let (location, evse, status) = (place.id.clone(), evse.uid.clone(), evse_status(live, None, now).value);
            Some((place.party, Question::PatchEvse { location, evse, status, at: now }))
        };
        Ok(given.evses.iter().filter_map(read).collect())
    }

    /// Our own server of OCHPdirect, for whoever is connected with us there.
    pub(super) async fn add_endpoints(&self, added: EndpointsAdded) -> Result<(), RoadFault> {
        let ask = Request::AddServiceEndpoints(added);
        let Response::AddServiceEndpoints(done) = self.endpoints.as_ref().unwrap_or(&self.caller).ask(&ask).await?
        else {
            return Err(another());
        };
        good(&done.result)
    }

    /// The servers of whoever is connected with us there.
    pub(super) async fn get_endpoints(&self) -> Result<EndpointsGiven, RoadFault> {
        let ask = Request::GetServiceEndpoints(Nothing {});
        let Response::GetServiceEndpoints(given) = self.endpoints.as_ref().unwrap_or(&self.caller).ask(&ask).await?
        else {
            return Err(another());
        };
        good(&given.result).map(|()| given)
    }

    async fn tariffs(&self) -> Result<Answer, RoadFault> {
        let ask = Request::GetTariffUpdates(MaybeSince { since: None });
        let Response::GetTariffUpdates(given) = self.caller.ask(&ask).await? else { return Err(another()) };
        good(&given.result)?;
        let (now, mut complaints) = (self.clock.now(), Vec::new());
        let read = |info| tariff::tariff(info, Some(self.party), now).map(|crossed| crossed.value);
        let items =
            given.tariffs.iter().filter_map(|info| read(info).map_err(|fault| complaints.push(fault.to_string())).ok());
        let items: Vec<_> = items.map(|item| self.as_before(item)).collect();
        self.prices.write().unwrap_or_else(PoisonError::into_inner).clone_from(&items);
        Ok(Answer::Tariffs(Page { complaints, ..page(items) }))
    }

    /// Fetches the records that wait for us, gives each to our desk, and judges it as the desk does. What the desk cannot
    /// take now waits there for the next visit.
    pub async fn collect(&self) -> Result<Collected, RoadFault> {
        // two visits at one time would bring the same records
        let _one = self.collecting.lock().await;
        let Response::GetCdrs(given) = self.caller.ask(&Request::GetCdrs(CdrsWanted { status: None })).await? else {
            return Err(another());
        };
        good(&given.result)?;
        if !given.cdrs.iter().all(|info| self.place(info).is_some()) {
            self.fetch().await?;
        }
        let (mut judged, mut left) = (Judged { approved: Vec::new(), declined: Vec::new() }, 0);
        for info in &given.cdrs {
            let name = CdrName { cdr: info.id.clone(), evse: info.evse.clone() };
            match self.take(info).await {
                Ok(()) => judged.approved.push(name),
                Err(Denial::Internal | Denial::Overloaded | Denial::ReceiverSilent | Denial::ReceiverUnreachable) => {
                    left += 1
                }
                Err(denial) => {
                    tracing::info!(?denial, "a record is declined");
                    judged.declined.push(name);
                }
            }
        }
        let collected = Collected { approved: judged.approved.len(), declined: judged.declined.len(), left };
        if collected.approved + collected.declined > 0 {
            let Response::ConfirmCdrs(done) = self.caller.ask(&Request::ConfirmCdrs(judged)).await? else {
                return Err(another());
            };
            good(&done.result)?;
        }
        Ok(collected)
    }

    async fn take(&self, info: &CdrInfo) -> Result<(), Denial> {
        let operator = owner(info.evse.as_str()).ok_or(Denial::UnknownLocation)?;
        let location = self.place(info).ok_or(Denial::UnknownLocation)?;
        let beside = Beside { operator, payer: self.party, location: &location, now: self.clock.now() };
        let mut record = cdr(info, beside)?.value;
        if let Some(named) = self.price(&record) {
            record.tariff = named;
        }
        let question = Question::PostCdr(Box::new(record));
        match self.desk.hear(self.letter(operator, Some(self.party), question)?).await? {
            Answer::Kept(_) => Ok(()),
            _other => Err(Denial::Internal),
        }
    }

    /// OCHP does not say when a tariff changed: one that says what it said before is as old as it was. Otherwise every
    /// visit would make a new price of it, and a driver's consent would be to the old one.
    fn as_before(&self, told: Tariff) -> Tariff {
        let prices = self.prices.read().unwrap_or_else(PoisonError::into_inner);
        let same = |known: &&Tariff| Tariff { last_updated: told.last_updated, ..(*known).clone() } == told;
        prices.iter().find(same).cloned().unwrap_or(told)
    }

    /// The tariff that a record names, for our desk to price it again by.
    fn price(&self, record: &Cdr) -> Option<Tariff> {
        let prices = self.prices.read().unwrap_or_else(PoisonError::into_inner);
        prices.iter().find(|known| (known.party, &known.id) == (record.party, &record.tariff.id)).cloned()
    }

    fn place(&self, info: &CdrInfo) -> Option<Location> {
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        places.iter().find(|place| find_evse(place, &info.evse).is_some()).cloned()
    }

    async fn own_place(&self, id: LocationId) -> Result<Location, Denial> {
        let question = Question::Fetch(Wanted::Location { owner: self.party, id });
        match self.desk.hear(self.letter(self.party, None, question)?).await? {
            Answer::Found(found) => match *found {
                Found::Location(location) => Ok(location),
                _other => Err(Denial::Internal),
            },
            _other => Err(Denial::Internal),
        }
    }

    fn letter(&self, from: PartyId, to: Option<PartyId>, question: Question) -> Result<Letter, Denial> {
        let correlation = CorrelationId::new(self.dice.uuid()).map_err(|_| Denial::Internal)?;
        Ok(Letter { from, to, correlation, question })
    }
}

impl Road for ClearingHouse {
    fn ask(&self, letter: Letter) -> Soon<'_, Result<Answer, RoadFault>> {
        Box::pin(self.carry(letter))
    }
}

/// The operator that an EVSE id names.
fn owner(evse: &str) -> Option<PartyId> {
    evse.chars().filter(char::is_ascii_alphanumeric).take(5).collect::<String>().parse().ok()
}

fn page<T>(items: Vec<T>) -> Page<T> {
    let total = u32::try_from(items.len()).unwrap_or(u32::MAX);
    Page { items, total, next: None, complaints: Vec::new() }
}

fn another() -> RoadFault {
    RoadFault::Unreadable("the answer to another question".into())
}

fn denied(fault: ochp::Fault) -> RoadFault {
    RoadFault::Denied(fault.into())
}

/// A clearing house says in its answer whether it did what it was asked.
fn good(result: &ResultInfo) -> Result<(), RoadFault> {
    let denial = match result.code {
        ResultCode::Ok => return Ok(()),
        ResultCode::Partly | ResultCode::Format => Denial::Malformed { path: "".into(), why: "is not taken".into() },
        ResultCode::NotAuthorized => Denial::NotYours,
        ResultCode::InvalidId => Denial::UnknownObject,
        ResultCode::Server => Denial::ReceiverUnreachable,
        ResultCode::Roaming => Denial::UnknownReceiver,
    };
    Err(RoadFault::Denied(denial))
}
