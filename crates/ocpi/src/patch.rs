//! A change of a part becomes the whole object: `PATCH`, and `PUT` of one EVSE or connector (OCPI 2.2.1, 4.1.2).
//!
//! The change is laid over the document that is kept, in the version that it came in, and the whole is then read like
//! any other. Lists are replaced, except the charging periods of a session, to which the new ones are added (9.2.2.3).
//! Invariants: a change of 2.2 or later without `last_updated` is refused, because it could not be told from a repeat;
//! a repeated change of a session, or one that is older than what is kept, changes nothing: its periods are there.

use charge::Timestamp;
use charge::talk::road::Denial;

use crate::read::{parse, parse_time};
use crate::versions::Version;
use crate::wire::{Incoming, Kind, Method};
use crate::write::{Doc, Record, time};

const UPDATED: &str = "last_updated";
const PERIODS: &str = "charging_periods";

/// The whole that `kept` becomes. A change of 2.1.1, which need not say when, is of `now`.
pub fn merged(kept: &str, incoming: &Incoming, change: &[u8], now: Timestamp) -> Result<String, Denial> {
    let no_object = || Denial::Malformed { path: "".into(), why: "is not a JSON object".into() };
    let mut whole = parse(kept.as_bytes())?;
    let object = whole.as_record_mut().ok_or_else(no_object)?;
    let mut change = parse(change)?;
    let change = change.as_record_mut().ok_or_else(no_object)?;
    if change.text(UPDATED).is_none() && incoming.version == Version::V211 {
        change.set(UPDATED, time(now));
    }
    let change = &*change;
    if change.text(UPDATED).is_none() {
        return Err(Denial::Malformed { path: "/last_updated".into(), why: "is missing".into() });
    }
    match incoming.kind {
        Kind::Evse => {
            part(object, ("evses", "uid", 3), incoming, |evse| {
                lay(evse, change, incoming.method);
                Ok(())
            })?;
        }
        Kind::Connector => {
            let connectors = |evse: &mut Record| {
                part(evse, ("connectors", "id", 4), incoming, |connector| {
                    lay(connector, change, incoming.method);
                    Ok(())
                })?;
                touch(evse, change);
                Ok(())
            };
            // a connector of an EVSE that is not there has no place
            let evse = Incoming { method: Method::Patch, ..incoming.clone() };
            part(object, ("evses", "uid", 3), &evse, connectors)?;
        }
        Kind::PatchSession if !is_newer(object, change) => return Ok(kept.to_owned()),
        Kind::PatchSession => {
            let earlier = object.get(PERIODS).cloned();
            object.patch(change);
            if let (Some(Doc::List(mut periods)), Some(Doc::List(new))) = (earlier, change.get(PERIODS)) {
                periods.extend(new.iter().cloned());
                object.set(PERIODS, Doc::List(periods));
            }
        }
        _whole_object => object.patch(change),
    }
    touch(object, change);
    Ok(whole.to_string())
}

/// By `last_updated`. What cannot be compared is left to the reader of the whole.
fn is_newer(kept: &Record, change: &Record) -> bool {
    let moment = |object: &Record| Some(parse_time(object.text(UPDATED)?)?.whole_millis());
    moment(kept).zip(moment(change)).is_none_or(|(kept, change)| change > kept)
}

/// One object of a list, found by its key, or made by a `PUT`.
fn part(
    object: &mut Record,
    (list, key, position): (&'static str, &'static str, usize),
    incoming: &Incoming,
    then: impl FnOnce(&mut Record) -> Result<(), Denial>,
) -> Result<(), Denial> {
    let id = incoming.segments.get(position).ok_or(Denial::UnknownObject)?;
    let mut known =
        object.records_mut(list).find(|each| each.text(key).is_some_and(|text| text.eq_ignore_ascii_case(id)));
    if let Some(each) = known.as_mut() {
        return then(each);
    }
    if incoming.method != Method::Put {
        return Err(Denial::UnknownObject);
    }
    let mut fresh = Record::default();
    then(&mut fresh)?;
    if !fresh.text(key).is_some_and(|text| text.eq_ignore_ascii_case(id)) {
        return Err(Denial::Malformed { path: format!("/{key}").into(), why: "is not the one in the URL".into() });
    }
    match object.get_mut(list) {
        Some(Doc::List(items)) => items.push(fresh.into()),
        _no_list => object.set(list, vec![Doc::from(fresh)]),
    }
    Ok(())
}

fn lay(object: &mut Record, change: &Record, method: Method) {
    if method == Method::Put {
        *object = change.clone();
    } else {
        object.patch(change);
    }
}

/// What holds a changed part has changed as well.
fn touch(object: &mut Record, change: &Record) {
    if let Some(at) = change.get(UPDATED).cloned() {
        object.set(UPDATED, at);
    }
}

/// One EVSE or connector out of a location, as the URL of a `GET` names it.
pub fn picked(location: &str, names: &[String]) -> Result<String, Denial> {
    let mut whole = parse(location.as_bytes())?;
    for (name, (list, key)) in names.iter().zip([("evses", "uid"), ("connectors", "id")]) {
        let object = whole.as_record_mut().ok_or(Denial::UnknownObject)?;
        let found =
            object.records_mut(list).find(|each| each.text(key).is_some_and(|text| text.eq_ignore_ascii_case(name)));
        let found = found.cloned().ok_or(Denial::UnknownObject)?;
        whole = found.into();
    }
    Ok(whole.to_string())
}
