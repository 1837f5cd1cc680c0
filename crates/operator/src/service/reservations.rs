//! Reservations: made for a person of the operator or for a party on the road, kept to their end.
//!
//! The station keeps the EVSE free; here is kept what it said. A station that did not answer may have taken it, so
//! such a reservation stays open until its time is over.

use std::time::Duration;

use charge::Timestamp;
use charge::id::{EvseNo, PartyId, SessionId, StationId};
use charge::talk::line::ToStation;
use charge::talk::line::reservation::ReservationOrder;
use charge::token::PresentedToken;
use store::{StoreError, Tx};

use super::{Event, Fault, Operator};
use crate::desk::Reservation;
use crate::memory::{place, reservation, station};
use crate::order::{OrderOutcome, Outcome, StationOrder};
use crate::reservation::Event as Happens;

/// A reservation that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReservation {
    pub station: StationId,
    /// `None`: any EVSE of the station.
    pub evse: Option<EvseNo>,
    /// What will be presented there: the card itself, or an alias of ours for a start from afar.
    pub token: PresentedToken,
    pub until: Timestamp,
    /// The party that asked over the road, and its name for it. The same name again is the same reservation.
    pub giver: Option<(PartyId, String)>,
}

impl Operator {
    /// Newest first, open ones before the others.
    pub async fn reservations(&self, of: Option<StationId>, limit: u32) -> Result<Vec<Reservation>, Fault> {
        let limit = limit.clamp(1, LISTED_MAX);
        Ok(self.read("operator.reservations", move |_, tx| reservation::list(tx, of.as_ref(), limit)).await?)
    }

    /// Has a station keep an EVSE free, and waits for its answer.
    pub async fn reserve(&self, actor: &str, wanted: NewReservation) -> Result<(Reservation, OrderOutcome), Fault> {
        let now = self.0.now();
        if wanted.until <= now || wanted.until > now.plus(HELD_MAX) {
            return Err(Fault::Invalid { path: "/until", why: "in the future, and within a week".to_owned() });
        }
        let kept = wanted.clone();
        let (id, before) = self.run("operator.reserve", move |_, tx| keep(tx, &kept, now)).await?;
        let order = ReservationOrder::Reserve {
            id,
            evse: wanted.evse,
            token: wanted.token,
            group: None,
            until: wanted.until,
            connector: None,
        };
        let came = self.order(actor, &wanted.station, word(order)).await?;
        let event = match came.outcome {
            Outcome::Accepted | Outcome::Scheduled => Some(Happens::Accept),
            Outcome::Refused => Some(Happens::Refuse),
            // never sent: there is none, and one that was there before stays what it was
            Outcome::NotConnected | Outcome::Error => before.is_none().then_some(Happens::Refuse),
            Outcome::TimedOut => None,
        };
        if let Some(before) = before {
            let renewed = match came.outcome {
                Outcome::Accepted | Outcome::Scheduled => Some((wanted.evse, wanted.until)),
                // the station may have taken it: it is open for as long as either says
                Outcome::TimedOut => Some((before.evse, before.until.max(wanted.until))),
                Outcome::Refused | Outcome::NotConnected | Outcome::Error => None,
            };
            if let Some((evse, until)) = renewed {
                self.run("operator.reservation.renewed", move |_, tx| reservation::renew(tx, id, evse, until, now))
                    .await?;
            }
        }
        Ok((self.move_reservation(id, event, came.message.clone()).await?, came))
    }

    /// Gives a reservation up.
    pub async fn cancel_reservation(&self, actor: &str, id: i32) -> Result<(Reservation, OrderOutcome), Fault> {
        let found = self.read("operator.reservation", move |_, tx| reservation::find(tx, id)).await?;
        let row = found.ok_or(Fault::NotFound("reservation"))?;
        if !row.state.is_open() {
            return Err(Fault::Conflict("the reservation has ended already".to_owned()));
        }
        let came = self.order(actor, &row.station, word(ReservationOrder::Cancel { id })).await?;
        let event = match came.outcome {
            Outcome::Accepted | Outcome::Scheduled => Some(Happens::Cancel),
            // the station knows of none, which is what was wanted
            Outcome::Refused => Some(Happens::NotThere),
            Outcome::NotConnected | Outcome::Error | Outcome::TimedOut => None,
        };
        Ok((self.move_reservation(id, event, came.message.clone()).await?, came))
    }

    /// The open reservation that a party made under this name.
    pub async fn reservation_given(&self, giver: PartyId, name: &str) -> Result<Option<Reservation>, Fault> {
        let name = name.to_owned();
        Ok(self.read("operator.reservation.given", move |_, tx| reservation::given(tx, giver, &name)).await?)
    }

    async fn move_reservation(&self, id: i32, event: Option<Happens>, why: String) -> Result<Reservation, Fault> {
        let now = self.0.now();
        let row = self
            .run("operator.reservation.moved", move |_, tx| {
                let row = reservation::find(tx, id)?.ok_or(Fault::NotFound("reservation"))?;
                if let Some(event) = event {
                    let why = Some(why).filter(|_| event == Happens::Refuse);
                    reservation::moved(tx, &row, event, why.as_deref(), None, now)?;
                }
                reservation::find(tx, id)?.ok_or(Fault::NotFound("reservation"))
            })
            .await?;
        self.0.tell_of(Event::Station(row.station.clone()));
        Ok(row)
    }
}

/// A transaction has used a reservation up.
pub(super) fn used(
    tx: &mut Tx<'_>,
    of: &StationId,
    id: i32,
    session: Option<&SessionId>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(row) = reservation::find(tx, id)?.filter(|row| row.station == *of) else { return Ok(()) };
    reservation::moved(tx, &row, Happens::Use, None, session, now).map(drop)
}

fn word(order: ReservationOrder) -> StationOrder {
    StationOrder::Word(Box::new(ToStation::Reservation(order)))
}

/// Its number, and what it was where it is an open one that is wanted again.
fn keep(tx: &mut Tx<'_>, wanted: &NewReservation, now: Timestamp) -> Result<(i32, Option<Reservation>), Fault> {
    if station::find(tx, &wanted.station)?.is_none() {
        return Err(Fault::NotFound("station"));
    }
    if let Some(no) = wanted.evse
        && place::bay(tx, &wanted.station, no)?.is_none()
    {
        return Err(Fault::Invalid { path: "/evse", why: "the station has no such EVSE".to_owned() });
    }
    if let Some((party, name)) = &wanted.giver
        && let Some(row) = reservation::given(tx, *party, name)?
    {
        if row.station != wanted.station {
            return Err(Fault::Conflict("this name is a reservation at another station".to_owned()));
        }
        if !row.state.is_open() {
            return Err(Fault::Conflict("the reservation of this name has ended already".to_owned()));
        }
        return Ok((row.id, Some(row)));
    }
    let giver = wanted.giver.as_ref();
    Ok((reservation::open(tx, &wanted.station, wanted.evse, wanted.until, giver, now)?, None))
}

/// Reservations whose time is over, whatever their stations say; their stations.
pub(super) fn lapse(tx: &mut Tx<'_>, now: Timestamp) -> Result<Vec<StationId>, StoreError> {
    let mut stations = Vec::new();
    for row in reservation::lapsed(tx, now)? {
        reservation::moved(tx, &row, Happens::Lapse, None, None, now)?;
        stations.push(row.station);
    }
    Ok(stations)
}

/// Longer than this nobody keeps a place free.
pub(super) const HELD_MAX: Duration = Duration::from_secs(7 * 86_400);
const LISTED_MAX: u32 = 500;
