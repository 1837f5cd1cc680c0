//! What of a station's answer to an order is kept: its settings, its habits, the request that goes on or has come to
//! nothing, and what the order has changed of what is known of the station.
//!
//! Invariant: only what the station said has changed is taken as changed; its silence changes nothing.

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::model::ModelOrder;
use charge::talk::line::{LineFault, StationAnswer, ToStation, Version};
use store::{StoreError, Tx};

use super::shelf::shown_name;
use super::{certificates, habits, profiles};
use crate::memory::{model, request, station, upload};
use crate::order::IN_PLACE_OF;
use crate::request::Phase;

/// Keeps the answer to what was told, under the number of the request that was opened for it.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    (name, version): (&StationId, Option<Version>),
    (told, number): (Option<&ToStation>, Option<i32>),
    answer: &Result<StationAnswer, LineFault>,
    now: Timestamp,
) -> Result<(), StoreError> {
    if let Ok(StationAnswer::Settings { known, .. }) = answer {
        station::put_settings(tx, name, known, station::Source::answer_in(version), now)?;
    }
    habits::learn(tx, name, answer, now)?;
    if let (Some(told), Ok(said)) = (told, answer) {
        follow(tx, name, told, said, now)?;
    }
    let Some(asked) = number.map(|number| request::find(tx, number)).transpose()?.flatten() else { return Ok(()) };
    if let Ok(StationAnswer::File(Some(file))) = answer {
        upload::name(tx, asked.number, &shown_name(file))?;
    }
    match answer {
        Ok(StationAnswer::Refused(word)) if &**word == IN_PLACE_OF => {
            request::superseded(tx, &asked, word, now)?;
            request::moved(tx, &asked, Phase::Going, None, now)?
        }
        Ok(StationAnswer::Refused(word)) => request::moved(tx, &asked, Phase::Refused, Some(word), now)?,
        Ok(_) => request::moved(tx, &asked, Phase::Going, None, now)?,
        // sent or not, the station may still act: silence is no refusal
        Err(LineFault::TimedOut | LineFault::Lost | LineFault::NotConnected | LineFault::Overloaded) => asked.state,
        Err(fault @ (LineFault::Error { .. } | LineFault::Unreadable(_) | LineFault::NotInVersion)) => {
            request::moved(tx, &asked, Phase::Refused, Some(&fault.to_string()), now)?
        }
    };
    Ok(())
}

/// What an order has changed, by the station's own word.
fn follow(
    tx: &mut Tx<'_>,
    name: &StationId,
    told: &ToStation,
    said: &StationAnswer,
    now: Timestamp,
) -> Result<(), StoreError> {
    match (told, said) {
        (ToStation::Charging(order), StationAnswer::Accepted) => profiles::ordered(tx, name, order, now),
        (ToStation::Certificate(order), said) => certificates::inventory(tx, name, order, said, now),
        (ToStation::Display(order), said) => model::display_answered(tx, name, order, said),
        (ToStation::Model(ModelOrder::Unwatch(_)), StationAnswer::Items(rows)) => model::unwatched(tx, name, rows),
        _ => Ok(()),
    }
}
