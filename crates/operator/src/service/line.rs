//! The desk for the stations: who knocks, boots, taps, charges and reports, and what each hears.
//!
//! A heartbeat touches no disk. Whatever else is acknowledged here was committed before; a question to the road is
//! asked between two transactions, never inside one. That a station came or went is acknowledged to nobody.

use std::future::ready;

use charge::id::{EvseNo, StationId};
use charge::talk::line::{
    Admission, Boot, ConnectionNo, Denial, Desk, Entry, FromStation, Heard, Knock, LogLine, Refusal, Stage,
    StatusReport,
};
use charge::talk::road::{Answer, Question};
use charge::token::{Allowed, PresentedToken, Verdict};
use charge::{Purpose, Soon, Timestamp};
use store::{StoreError, Tx};

use super::cost::Occasion;
use super::presence::{DeniedTap, Passage, Presence, Presented};
use super::transact::{self, Misfit, Word};
use super::{Event, House, Operator, payment, templates};
use crate::authorise::{self, Conclusion, Step};
use crate::memory::{key, order, permit, place, station};
use crate::view::RefusedKnock;
use crate::{admit, boot};

impl Desk for Operator {
    fn admit(&self, knock: Knock) -> Soon<'_, Result<Entry, Refusal>> {
        Box::pin(self.let_in(knock))
    }

    fn arrived(&self, entry: &Entry, connection: ConnectionNo) -> Soon<'_, ()> {
        let entry = entry.clone();
        Box::pin(async move { self.arrive(entry, connection).await })
    }

    fn hear(&self, station: &StationId, said: FromStation) -> Soon<'_, Result<Heard, Denial>> {
        let now = self.0.now();
        let admission = self.0.presences().seen(station, now);
        let waits = matches!(admission, Some(Admission::Pending | Admission::Rejected));
        if waits && !matches!(said, FromStation::Boot(_)) {
            return Box::pin(ready(Err(Denial::NotAccepted)));
        }
        if matches!(said, FromStation::Alive) {
            return Box::pin(ready(Ok(Heard::Alive { now })));
        }
        if self.0.seconds.idle() {
            return Box::pin(self.listen(station.clone(), said, now));
        }
        Box::pin(self.listen_and_copy(station.clone(), said, now))
    }

    fn left(&self, station: &StationId, connection: ConnectionNo, why: &str) -> Soon<'_, ()> {
        let (station, why) = (station.clone(), why.to_owned());
        Box::pin(async move { self.leave(station, connection, &why) })
    }

    fn is_here(&self, station: &StationId) -> bool {
        self.0.presences().live.contains_key(station)
    }

    fn note(&self, station: &StationId, line: LogLine) {
        self.0.deviated(station, line.deviations, &line.action, &line.remarks);
        let mut notes = self.0.notes();
        if notes.message(station, &line) {
            drop(notes);
            self.0.wake();
        }
    }
}

impl Operator {
    async fn let_in(&self, knock: Knock) -> Result<Entry, Refusal> {
        let standing = self.standing(&knock.identity, self.0.now()).await.map_err(|error| {
            tracing::error!(%error, "a knock could not be looked up");
            Refusal::Overloaded
        })?;
        match admit::decide(&knock, standing.as_deref()) {
            Ok(entry) => {
                self.0.deviated(&entry.station, admit::deviations(&knock, &entry.station), "", &[]);
                let rises = standing.as_ref().is_some_and(|standing| admit::rises(&knock, standing));
                let renews = standing.as_ref().is_some_and(|standing| admit::renews(&knock, standing));
                let presented = Presented { peer: knock.peer, certificate: knock.certificate, rises, renews };
                self.0.presences().knocked.insert(entry.station.clone(), presented);
                Ok(entry)
            }
            Err(turned) => {
                // whoever hears this has proven who it is
                if let (Refusal::NoCommonVersion, Some(standing)) = (turned.refusal, &standing) {
                    self.0.deviated(&standing.station, admit::deviations(&knock, &standing.station), "", &[]);
                }
                self.0.notes().refusal(RefusedKnock {
                    at: self.0.now(),
                    identity: admit::shown(&knock.identity),
                    peer: admit::shown(&knock.peer),
                    status: admit::status(&turned.refusal),
                    reason: turned.reason,
                });
                self.0.tell_of(Event::Refusal);
                Err(turned.refusal)
            }
        }
    }

    async fn arrive(&self, entry: Entry, connection: ConnectionNo) {
        let now = self.0.now();
        let presented = {
            let mut presences = self.0.presences();
            let presented = presences.knocked.remove(&entry.station);
            let presence = Presence {
                connection,
                version: entry.version,
                since: now,
                last_seen: now,
                written: now,
                admission: None,
                shows: None,
                key_open: presented.as_ref().is_some_and(|presented| presented.renews),
            };
            presences.live.insert(entry.station.clone(), presence);
            presented
        };
        if presented.as_ref().is_some_and(|presented| presented.rises) {
            let name = entry.station.clone();
            let risen = self.run_and_forget_standings("operator.rise", move |_, tx| station::rose(tx, &name));
            if let Err(error) = risen.await {
                // it comes with its certificate the next time as well
                tracing::error!(%error, station = %entry.station, "a risen security profile could not be kept");
            }
        }
        if presented.as_ref().is_some_and(|presented| presented.renews) {
            let name = entry.station.clone();
            let took = self.run_and_forget_standings("operator.key.came", move |_, tx| key::took(tx, &name)).await;
            match took {
                Ok(()) => self.0.presences().close_key(&entry.station, connection),
                // it comes with it the next time as well
                Err(error) => {
                    tracing::error!(%error, station = %entry.station, "a station's new key could not be kept");
                }
            }
        }
        let (station, version) = (entry.station, entry.version);
        self.0.presences().passages.push(Passage::Arrived { station, version, presented, at: now });
        self.0.seconds.look();
    }

    fn leave(&self, name: StationId, connection: ConnectionNo, why: &str) {
        let at = self.0.now();
        {
            let mut presences = self.0.presences();
            // late news of an older connection does not touch the newer one (handbook, quirk 6)
            if presences.live.get(&name).is_none_or(|presence| presence.connection != connection) {
                return;
            }
            presences.live.remove(&name);
            presences.passages.push(Passage::Left { station: name.clone(), at });
        }
        tracing::info!(station = %name, why, "a station left");
        self.0.seconds.look();
    }

    /// What is rare has a box of its own, so that what is frequent does not pay for its size.
    pub(super) async fn listen(&self, station: StationId, said: FromStation, now: Timestamp) -> Result<Heard, Denial> {
        match said {
            FromStation::Boot(said) => Box::pin(self.boot(station, said, now)).await,
            FromStation::Alive => Ok(Heard::Alive { now }),
            FromStation::Status(report) => self.status(station, report, now).await,
            FromStation::Tap(tap) => Box::pin(self.tapped(station, tap.token, now)).await,
            FromStation::Transaction(report) => {
                let reserved = report.reservation;
                Box::pin(self.transaction(Word::report(station, report), reserved, now)).await
            }
            // the main meter's (J01): it measures the whole station, and is part of no session
            FromStation::Meter(report) if report.evse.is_none() && report.key.is_none() => Ok(Heard::Noted),
            FromStation::Meter(report) => self.meter(Word::readings(station, report), now).await,
            said @ (FromStation::Security { .. }
            | FromStation::Charging(_)
            | FromStation::Reservation { .. }
            | FromStation::Progress(_)
            | FromStation::Certificate(_)
            | FromStation::Model(_)
            | FromStation::Display(_)
            | FromStation::Customer(_)
            | FromStation::Grid(_)
            | FromStation::Swap(_)
            | FromStation::Payment(_)
            | FromStation::Vendor(_)
            | FromStation::Foreign(_)) => Box::pin(self.hear_news(station, said, now)).await,
        }
    }

    async fn boot(&self, name: StationId, said: Boot, now: Timestamp) -> Result<Heard, Denial> {
        let station = name.clone();
        let decision = self
            .run_and_forget_standings("operator.boot", move |house, tx| {
                let serial = station::certificate_serial(tx, &station)?;
                let lately = station::boots_since(tx, &station, now.minus(boot::LOOP_WINDOW))?;
                let settings = &house.setup.settings;
                let intervals = boot::Intervals { heartbeat: settings.heartbeat, retry: settings.boot_retry };
                let decision = boot::decide(&said, serial.as_deref(), lately, intervals);
                station::booted(tx, &station, &said, decision.admission, decision.why.as_deref(), now)?;
                if decision.admission == Admission::Accepted {
                    templates::after_boot(tx, &station, now)?;
                }
                Ok(decision)
            })
            .await
            .map_err(cannot_keep)?;
        if let Some(presence) = self.0.presences().live.get_mut(&name) {
            presence.admission = Some(decision.admission);
        }
        self.0.tell_of(Event::Station(name));
        Ok(Heard::Boot { admitted: decision.admission, now, interval: decision.interval })
    }

    async fn status(&self, name: StationId, report: StatusReport, now: Timestamp) -> Result<Heard, Denial> {
        let station = name.clone();
        let changed =
            self.run("operator.status", move |house, tx| keep_status(house, tx, &station, &report, now)).await;
        match changed.map_err(cannot_keep)? {
            Some(event) => self.0.tell_of(event),
            None => return Ok(Heard::Noted),
        }
        self.0.wake();
        Ok(Heard::Noted)
    }

    async fn tapped(&self, station: StationId, token: PresentedToken, now: Timestamp) -> Result<Heard, Denial> {
        let heard = self.tap(station.clone(), token, now).await?;
        let Heard::Tap(verdict) = heard else { return Ok(heard) };
        if verdict.allowed != Allowed::Yes {
            self.note_denied(station.clone(), None, verdict.allowed, now);
        }
        // who may charge may, whether or not there is a price to tell
        let offer = self.offer_for(&station, &verdict).await.unwrap_or_else(|error| {
            tracing::error!(%error, %station, "the price could not be looked up");
            None
        });
        Ok(match offer {
            Some(offer) => Heard::Offered { verdict, offer },
            None => Heard::Tap(verdict),
        })
    }

    async fn tap(&self, station: StationId, token: PresentedToken, now: Timestamp) -> Result<Heard, Denial> {
        let (at, presented) = (station.clone(), token.clone());
        let step = self
            .read("operator.tap", move |house, tx| {
                let standing = standing(house, tx, &at, &presented, None, now)?;
                Ok(authorise::decide(now, &presented, standing))
            })
            .await
            .map_err(cannot_keep)?;
        match step {
            Step::Permitted(permit) => return Ok(Heard::Tap(verdict_of(&permit))),
            Step::Refused(allowed) => return Ok(Heard::Tap(Verdict::bare(allowed))),
            Step::Ask(_) => {}
        }
        let concluded = self.inquire(&token).await;
        let told = concluded.told();
        if let Some(given) = concluded.permit {
            let tag = self.0.setup.keys.tags.tag(token.kind, &token.uid);
            self.run("operator.tap.answer", move |house, tx| permit::put(tx, house.seal(), &station, tag, &given))
                .await
                .map_err(cannot_keep)?;
        }
        Ok(Heard::Tap(told))
    }

    /// Asks the provider of a token, wherever it is. Of a group stations hear a name that is good here alone.
    async fn inquire(&self, token: &PresentedToken) -> Conclusion {
        let mut answer = self.ask(None, None, Question::MayCharge { token: token.clone() }).await;
        if let Ok(Answer::May(verdict)) = &mut answer {
            verdict.group = verdict.group.as_ref().and_then(|group| self.0.group_here(group));
        }
        authorise::conclude(self.0.now(), token, answer)
    }

    /// Readings name no token, so there is nothing to find out.
    async fn meter(&self, word: Word, now: Timestamp) -> Result<Heard, Denial> {
        let taken = self.take(word, None, now).await?;
        if taken.wake {
            self.0.wake();
        }
        Ok(Heard::Noted)
    }

    async fn transaction(&self, word: Word, reserved: Option<i32>, now: Timestamp) -> Result<Heard, Denial> {
        let (station, token, evse) = (word.station.clone(), word.token.clone(), word.no);
        let ended = word.stage == Some(Stage::Ended);
        let taken = self.take(word, reserved, now).await?;
        let session = taken.session.clone();
        let named = token.is_some();
        let mut verdict = taken.allowed.map(|allowed| Verdict { group: taken.group, ..Verdict::bare(allowed) });
        match (taken.session, token) {
            (Some(id), Some(token)) if taken.ask => {
                verdict = Some(self.find_out(id.as_str(), token).await.map_err(cannot_keep)?.told());
            }
            // it moves no session: who stops, or looks on, need not be who pays
            (Some(_), Some(token)) if taken.other => verdict = Some(self.inquire(&token).await.told()),
            (_, _) => {}
        }
        let allowed = verdict.as_ref().map(|verdict| verdict.allowed);
        if taken.wake || taken.ask {
            self.0.wake();
        }
        if let Some(refused) = allowed.filter(|allowed| *allowed != Allowed::Yes) {
            self.note_denied(station.clone(), evse, refused, now);
        }
        // the report is kept: a price that cannot be worked out must not have it sent for ever
        let claimed = named && !ended && allowed == Some(Allowed::Yes);
        let words = verdict.as_mut().and_then(|verdict| verdict.words.take());
        let terms = self.terms_for(&station, session.as_ref(), Occasion { claimed, ended, words }).await;
        let (cost, advice) = terms.unwrap_or_else(|error| {
            tracing::error!(%error, %station, "the cost so far could not be worked out");
            (None, None)
        });
        Ok(Heard::Transaction { number: taken.number, verdict, cost, advice })
    }

    async fn take(&self, word: Word, reserved: Option<i32>, now: Timestamp) -> Result<transact::Taken, Denial> {
        let station = word.station.clone();
        let taken = self
            .run("operator.transaction", move |house, tx| transact::take(house, tx, now, word, reserved))
            .await
            .map_err(|misfit| match misfit {
                Misfit::Misplaced(why) => {
                    tracing::warn!(%station, why, "a transaction message is out of place");
                    Denial::Misplaced(why.into())
                }
                Misfit::Numbers => Denial::CannotKeep,
                Misfit::Store(error) => cannot_keep(error),
            })?;
        self.announce(&taken);
        Ok(taken)
    }

    fn announce(&self, taken: &transact::Taken) {
        if let Some(id) = &taken.session {
            self.0.tell_of(Event::Session(id.clone()));
        }
        if let Some((station, evse)) = &taken.evse {
            self.0.tell_of(Event::Evse { station: station.clone(), evse: evse.clone() });
        }
    }

    /// Asks whose token a running session has, and keeps the answer.
    pub(super) async fn find_out(&self, id: &str, token: PresentedToken) -> Result<Conclusion, StoreError> {
        let concluded = self.inquire(&token).await;
        let (now, kept, id) = (self.0.now(), concluded.clone(), id.to_owned());
        self.run("operator.transaction.answer", move |house, tx| transact::answered(house, tx, now, &id, &kept))
            .await?;
        Ok(concluded)
    }

    /// Writes down that a token was refused, for whoever asks why. No card is kept.
    fn note_denied(&self, station: StationId, evse: Option<EvseNo>, allowed: Allowed, now: Timestamp) {
        self.0.notes().denied(DeniedTap { station, evse, allowed, at: now });
    }
}

/// What is known of a token at a station before anybody is asked.
pub(super) fn standing(
    house: &House,
    tx: &Tx<'_>,
    station: &StationId,
    token: &PresentedToken,
    no: Option<charge::id::EvseNo>,
    at: Timestamp,
) -> Result<authorise::Standing, StoreError> {
    let order = order::by_alias(tx, station, &token.normal(Purpose::Authorise))?;
    let mut alias = order.as_ref().map(|order| order::alias(order, house.seal(), no, at)).transpose()?;
    if let (Some(order), Some(authorise::Alias::Good(permit))) = (&order, &mut alias) {
        permit.money_cap = payment::cap_of(tx, order)?;
    }
    let tag = house.setup.keys.tags.tag(token.kind, &token.uid);
    let permit = permit::find(tx, house.seal(), station, tag)?;
    Ok(authorise::Standing { alias, permit })
}

/// A station hears the caps and nothing of the contract behind them.
fn verdict_of(permit: &authorise::Permit) -> Verdict {
    let group = permit.group.clone();
    Verdict { energy_cap: permit.energy_cap, money_cap: permit.money_cap, group, ..Verdict::bare(Allowed::Yes) }
}

fn keep_status(
    house: &House,
    tx: &mut Tx<'_>,
    station: &StationId,
    report: &StatusReport,
    now: Timestamp,
) -> Result<Option<Event>, StoreError> {
    let Some(no) = report.evse else {
        station::set_state(tx, station, report.state, report.fault.as_deref())?;
        return Ok(Some(Event::Station(station.clone())));
    };
    let Some(found) = place::bay_now(tx, station, no)? else {
        tracing::warn!(%station, %no, "a station reports an EVSE that is not enrolled");
        return Ok(None);
    };
    let said = (report.state, report.fault.as_deref());
    if (found.bay.state, found.bay.fault.as_deref()) == (Some(said.0), said.1) {
        return Ok(None);
    }
    if place::say(tx, &found, said, report.at.unwrap_or(now), now)? {
        house.untold().put(&found.bay.evse, now);
    }
    Ok(Some(Event::Evse { station: station.clone(), evse: found.bay.evse }))
}

/// The station repeats what we could not keep; the reason is ours and goes to our log.
pub(super) fn cannot_keep(error: StoreError) -> Denial {
    tracing::error!(%error, "a station's message could not be kept");
    Denial::CannotKeep
}
