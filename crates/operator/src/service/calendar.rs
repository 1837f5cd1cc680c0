//! What people of the operator do about bookings: say what may be booked and on which terms, look, cancel.

use charge::Timestamp;
use charge::id::{EvseUid, StationId};
use charge::talk::road::booking::{CanceledReason, ReservationStatus};

use super::{Event, Fault, Operator, bookings};
use crate::booking::{Event as Happens, Terms};
use crate::capability;
use crate::desk::{Bookable, Booked};
use crate::memory::{booking as rows, log, place, station};
use charge::place::Capability;

impl Operator {
    /// The EVSEs of a station, with the terms of those that may be booked.
    pub async fn bookable(&self, name: StationId) -> Result<Vec<Bookable>, Fault> {
        self.read("operator.bookable", move |_, tx| {
            if station::find(tx, &name)?.is_none() {
                return Err(Fault::NotFound("station"));
            }
            let allowed = rows::bookable_at(tx, &name)?;
            let terms = |evse: &EvseUid| allowed.iter().find(|row| row.evse == *evse).map(|row| row.terms);
            let bays = place::of_station(tx, &name)?;
            Ok(bays.into_iter().map(|bay| Bookable { no: bay.no, terms: terms(&bay.evse), evse: bay.evse }).collect())
        })
        .await
    }

    /// Lets an EVSE be booked on these terms, or no longer; what is booked stays booked.
    pub async fn set_bookable(&self, actor: &str, evse: EvseUid, terms: Option<Terms>) -> Result<(), Fault> {
        if let Some((path, why)) = terms.as_ref().and_then(Terms::fault) {
            return Err(Fault::Invalid { path, why: why.to_owned() });
        }
        let (actor, now) = (actor.to_owned(), self.0.now());
        let station = self
            .run("operator.bookable.set", move |_, tx| {
                let served = place::owner(tx, &evse)?.and_then(|(_, station)| station);
                let station = served.ok_or(Fault::NotFound("EVSE"))?;
                match terms {
                    Some(terms) => {
                        let told = station::telling(tx, &station)?;
                        let can = capability::derive(&place::connectors(tx, &evse)?, &told);
                        if !told.is_empty() && !can.has(Capability::Reservable) {
                            return Err(Fault::Conflict("the station says that it keeps no reservations".to_owned()));
                        }
                        rows::allow(tx, &evse, &terms, now)?;
                        log::audit(tx, now, &actor, "let book", evse.as_str(), "done")?;
                    }
                    None => {
                        rows::forbid(tx, &evse)?;
                        log::audit(tx, now, &actor, "let book no longer", evse.as_str(), "done")?;
                    }
                }
                Ok(station)
            })
            .await?;
        self.0.tell_of(Event::Station(station));
        Ok(())
    }

    /// Bookings of a station, or of all, that end after `since`; those that begin first, first.
    pub async fn bookings(&self, of: Option<StationId>, since: Timestamp, limit: u32) -> Result<Vec<Booked>, Fault> {
        let limit = limit.clamp(1, LISTED_MAX);
        self.read("operator.bookings.list", move |_, tx| {
            let found = rows::list(tx, of.as_ref(), since, limit)?;
            let shown = |row: rows::BookingRow| Booked {
                id: row.id,
                giver: row.giver,
                station: row.station,
                no: row.no,
                evse: row.evse,
                period: row.period,
                status: row.status,
                canceled: row.canceled,
                held: row.held,
                why: row.why,
                made: row.made,
                changed: row.changed,
            };
            Ok(found.into_iter().map(shown).collect())
        })
        .await
    }

    /// Cancels a booking; its provider is told why.
    pub async fn cancel_booking(&self, actor: &str, id: &str, reason: CanceledReason) -> Result<(), Fault> {
        let (actor, id, now) = (actor.to_owned(), id.to_owned(), self.0.now());
        let station = self
            .run("operator.booking.cancel", move |_, tx| {
                let mut row = rows::find(tx, &id)?.ok_or(Fault::NotFound("booking"))?;
                if row.status != ReservationStatus::Reserved {
                    return Err(Fault::Conflict("the booking has ended already".to_owned()));
                }
                bookings::end_and_tell(tx, &mut row, Happens::Cancel, Some(reason), None, now)?;
                log::audit(tx, now, &actor, "cancel booking", &id, reason.as_str())?;
                Ok(row.station)
            })
            .await?;
        self.0.tell_of(Event::Station(station));
        self.0.wake();
        Ok(())
    }
}

const LISTED_MAX: u32 = 500;
