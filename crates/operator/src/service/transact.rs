//! A station's transaction message, inside one transaction of ours: place it, take its readings, move its session.
//!
//! Every message may come twice, late, or out of order; taking it again changes nothing. What has to happen after
//! the commit (asking whose token it is, closing, stopping) is put into the outbox in the same commit.

use std::time::Duration;

use billing::record::PublicKey;
use charge::id::{EvseNo, EvseUid, SessionId, StationId, TransactionKey};
use charge::meter::{Context, Measured, Reading};
use charge::talk::line::terms::CostDetails;
use charge::talk::line::{BayState, EndReason, MeterReport, Stage, TransactionReport};
use charge::token::{Allowed, PresentedToken, TokenUid};
use charge::units::{Energy, Power};
use charge::{Personal, Timestamp};
use store::{StoreError, Tx, outbox};
use trust::token_tag::TokenTag;

use super::line::standing;
use super::{House, bookings, cost, deliver, needs, reservations};
use crate::authorise::{self, Conclusion, Permit, Step};
use crate::memory::curve::Tail;
use crate::memory::notice::{self, Kind};
use crate::memory::permit::{Place as SealPlace, seal_presented};
use crate::memory::session::SessionRow;
use crate::memory::{curve, order, permit, place, session, tariff};
use crate::metering::{self, Meter};
use crate::session::{Event, State};
use crate::transaction::{self, Candidates, Place, Turn};
use crate::{publish, remote};

/// Jobs that a transaction leaves in the outbox.
pub(super) const CLOSE: &str = "operator.close";
pub(super) const HALT: &str = "operator.halt";

/// A message about a transaction, whichever way it came.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub station: StationId,
    /// `None` for bare readings.
    pub stage: Option<Stage>,
    pub key: Option<TransactionKey>,
    pub seq: Option<u32>,
    pub at: Option<Timestamp>,
    pub no: Option<EvseNo>,
    pub token: Option<PresentedToken>,
    pub readings: Vec<Reading>,
    pub reason: Option<EndReason>,
    pub state: Option<BayState>,
    pub offline: bool,
    /// What the station says that it cost (2.1).
    pub cost: Option<Box<CostDetails>>,
    /// It goes on after the station was away (2.1).
    pub resumed: bool,
}

impl Word {
    pub(super) fn report(station: StationId, report: TransactionReport) -> Self {
        let terms = report.terms.map(|terms| *terms).unwrap_or_default();
        Self {
            station,
            stage: Some(report.stage),
            key: report.key,
            seq: report.seq,
            at: Some(report.at),
            no: report.evse,
            token: report.token,
            readings: report.readings,
            reason: report.reason,
            state: report.state,
            offline: report.offline,
            cost: terms.cost,
            resumed: terms.resumed,
        }
    }

    pub(super) fn readings(station: StationId, report: MeterReport) -> Self {
        Self {
            station,
            stage: None,
            key: report.key,
            seq: None,
            at: None,
            no: report.evse,
            token: None,
            readings: report.readings,
            reason: None,
            state: None,
            offline: false,
            cost: None,
            resumed: false,
        }
    }

    fn begin_register(&self) -> Option<Energy> {
        self.readings.iter().find_map(|reading| match &reading.measured {
            Measured::EnergyImport(value) if reading.context == Context::TransactionBegin => Some(*value),
            Measured::EnergyImport(_)
            | Measured::EnergyExport(_)
            | Measured::PowerImport(_)
            | Measured::StateOfCharge(_)
            | Measured::Other { .. }
            | Measured::Signed(_) => None,
        })
    }
}

/// What became of a message.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    pub session: Option<SessionId>,
    pub number: Option<i32>,
    pub allowed: Option<Allowed>,
    /// The group of the token that was named.
    pub group: Option<Personal<TokenUid>>,
    /// Nobody has said yet whose token it is.
    pub ask: bool,
    /// The token is not the one that began the session, and nobody has said yet what it is worth.
    pub other: bool,
    pub evse: Option<(StationId, EvseUid)>,
    /// There is work that should not wait for the timer.
    pub wake: bool,
}

/// Why a message could not be taken.
#[derive(Debug)]
pub(super) enum Misfit {
    Misplaced(&'static str),
    /// All two thousand million transaction numbers are given.
    Numbers,
    Store(StoreError),
}

impl From<StoreError> for Misfit {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Takes a message. `reserved` is the number of the reservation that the station says it uses.
pub(super) fn take(
    house: &House,
    tx: &mut Tx<'_>,
    now: Timestamp,
    word: Word,
    reserved: Option<i32>,
) -> Result<Taken, Misfit> {
    let tag = word.token.as_ref().map(|token| house.setup.keys.tags.tag(token.kind, &token.uid));
    // a 1.6 start has no key; what it says is what tells a repeat from a new one
    let content = match (word.stage, &word.key) {
        (Some(Stage::Started), None) => {
            Some(session::content(word.no, word.begin_register(), word.at.unwrap_or(now), tag))
        }
        (Some(Stage::Started | Stage::Updated | Stage::Ended) | None, _) => None,
    };
    let same = match &word.key {
        Some(key) => session::by_key(tx, &word.station, key)?,
        None => None,
    };
    let found = match &same {
        Some(row) => Candidates { same_key: Some(row.id.clone()), ..Candidates::default() },
        None => session::candidates(tx, &word.station, word.key.as_ref(), content.as_deref(), word.no)?,
    };
    let (mut row, fresh) = match transaction::place(word.stage, word.key.as_ref(), found) {
        Place::Session(id) => {
            let found = match same {
                Some(row) if row.id == id => Some(row),
                Some(_) | None => session::find(tx, id.as_str())?,
            };
            (found.ok_or_else(|| StoreError::Corrupt("a session that was just found is gone".to_owned()))?, false)
        }
        Place::Begin => (begin(house, tx, now, &word, content)?, true),
        Place::Misplaced(why) => return Err(Misfit::Misplaced(why)),
        Place::Orphan(why) => {
            tracing::warn!(station = %word.station, why, "a message belongs to no session");
            session::orphan(tx, &word.station, word.key.as_ref(), why, word.begin_register(), now)?;
            if let Some(id) = reserved {
                reservations::used(tx, &word.station, id, None, now)?;
            }
            return Ok(Taken::default());
        }
    };
    let was = row.state;
    take_time(&mut row, &word, now);
    take_readings(tx, &mut row, &word, now)?;
    let mut taken = Taken { session: Some(row.id.clone()), number: Some(row.number), ..Taken::default() };
    take_token(house, tx, &mut row, &word, now, &mut taken)?;
    if word.stage == Some(Stage::Ended) {
        end(tx, &mut row, &word, now)?;
        if let Some(theirs) = &word.cost {
            cost::compare(house, tx, &mut row, theirs, now)?;
        }
    }
    let again = word.resumed && needs::resumed(tx, &row, now)?;
    let capped = keep_caps(house, tx, &row, now)?;
    let told = follow(house, tx, &mut row, was, now)?;
    taken.wake = again || capped || told || fresh || row.state != was;
    if fresh || row.state != was || word.state.is_some() {
        taken.evse = show_bay(house, tx, &row, word.state, now)?;
    }
    use_up(tx, &word, tag, reserved, &taken, now)?;
    row.changed = now;
    match (word.stage, &word.token) {
        (Some(Stage::Updated) | None, None) => session::save_readings(tx, &row)?,
        (Some(Stage::Started | Stage::Ended | Stage::Updated) | None, _) => session::save(tx, &row)?,
    }
    Ok(taken)
}

/// The booking that a transaction fulfils, and the reservation that it uses.
fn use_up(
    tx: &mut Tx<'_>,
    word: &Word,
    tag: Option<TokenTag>,
    reserved: Option<i32>,
    taken: &Taken,
    now: Timestamp,
) -> Result<(), StoreError> {
    // a start that was refused fulfils nothing, and an end is no start
    if taken.allowed.is_none_or(|allowed| allowed == Allowed::Yes) {
        let tag = tag.filter(|_| word.stage.is_some_and(|stage| stage != Stage::Ended));
        bookings::began(tx, &word.station, (word.no, tag, reserved), taken.session.as_ref(), now)?;
    }
    if let Some(id) = reserved {
        reservations::used(tx, &word.station, id, taken.session.as_ref(), now)?;
    }
    Ok(())
}

/// A new session, with the tariff of its connector pinned.
fn begin(
    house: &House,
    tx: &mut Tx<'_>,
    now: Timestamp,
    word: &Word,
    content: Option<String>,
) -> Result<SessionRow, Misfit> {
    let number = transaction::next_number(session::highest_number(tx)?).ok_or(Misfit::Numbers)?;
    let key = word.key.clone().unwrap_or(TransactionKey::Number(number));
    if let (TransactionKey::Number(_), Some(no)) = (&key, word.no) {
        end_forgotten(house, tx, word, no, now)?;
    }
    let (start, unsound) = word.at.map_or((now, None), |at| metering::sound_time(at, now));
    let mut row = blank(house, number, word.station.clone(), key, start)?;
    row.content = content;
    if let Some(why) = unsound {
        row.flag(why);
    }
    if word.offline {
        row.flag("began while the station was offline");
    }
    settle_in(tx, &mut row, word.no)?;
    Ok(row)
}

/// A session that nothing is known of yet.
pub(super) fn blank(
    house: &House,
    number: i32,
    station: StationId,
    key: TransactionKey,
    start: Timestamp,
) -> Result<SessionRow, StoreError> {
    let id = SessionId::new(house.dice.uuid()).map_err(|_| StoreError::Misuse("no session id".to_owned()))?;
    Ok(SessionRow {
        id,
        number,
        station,
        key,
        content: None,
        no: None,
        evse: None,
        location: None,
        connector: None,
        state: State::Waiting,
        allowed: None,
        start,
        end: None,
        reason: None,
        meter: Meter::default(),
        seq: None,
        token_sealed: None,
        asked_sealed: None,
        tag: None,
        party: None,
        reference: None,
        method: None,
        energy_cap: None,
        money_cap: None,
        tariff: None,
        order: None,
        flags: Vec::new(),
        told: None,
        changed: start,
        tail: Tail::default(),
        read: None,
    })
}

/// Finds the session's place and pins the tariff, as soon as the station says which EVSE it is.
pub(super) fn settle_in(tx: &Tx<'_>, row: &mut SessionRow, no: Option<EvseNo>) -> Result<(), StoreError> {
    let (Some(no), None) = (no, row.no) else { return Ok(()) };
    row.no = Some(no);
    let Some(bay) = place::bay(tx, &row.station, no)? else {
        row.flag("the station names an EVSE that is not enrolled");
        return Ok(());
    };
    let connector = place::connectors(tx, &bay.evse)?.into_iter().next();
    if let Some(connector) = connector {
        if connector.max_power > Power::ZERO {
            row.meter.power_max = Some(metering::with_margin(connector.max_power));
        }
        if let Some(id) = connector.tariffs.first() {
            row.tariff = tariff::current_version(tx, id)?;
        }
        row.connector = Some(connector.id);
    }
    if row.tariff.is_none() {
        row.flag("the EVSE has no tariff");
    }
    (row.evse, row.location) = (Some(bay.evse), Some(bay.location));
    Ok(())
}

/// A 1.6 station queues in order: one that starts anew at an EVSE has lost the end of what ran there.
fn end_forgotten(house: &House, tx: &mut Tx<'_>, word: &Word, no: EvseNo, now: Timestamp) -> Result<(), StoreError> {
    let open = session::candidates(tx, &word.station, None, None, Some(no))?.open_here;
    for id in open {
        let Some(mut row) = session::find(tx, id.as_str())? else { continue };
        let was = row.state;
        row.flag("the station began another transaction without ending this one");
        row.end = Some(row.meter.latest.map_or(row.start, |(at, _)| at).max(row.start));
        row.reason = Some(EndReason::Other.as_str().to_owned());
        row.on(Event::End);
        follow(house, tx, &mut row, was, now)?;
        row.changed = now;
        session::save(tx, &row)?;
    }
    Ok(())
}

fn take_time(row: &mut SessionRow, word: &Word, now: Timestamp) {
    match transaction::turn(row.seq, word.seq) {
        Turn::Next => {}
        Turn::Gap(missing) if word.stage != Some(Stage::Started) => {
            row.flag(&format!("{missing} messages before number {} came late or not at all", word.seq.unwrap_or(0)));
        }
        Turn::Gap(_) | Turn::Earlier => {}
    }
    row.seq = row.seq.max(word.seq);
    if let (Some(Stage::Started), Some(at)) = (word.stage, word.at) {
        let (at, _) = metering::sound_time(at, now);
        row.start = row.start.min(at);
    }
}

fn take_readings(tx: &mut Tx<'_>, row: &mut SessionRow, word: &Word, now: Timestamp) -> Result<(), StoreError> {
    settle_in(tx, row, word.no)?;
    if word.readings.is_empty() {
        return Ok(());
    }
    if matches!(row.state, State::Closed | State::Void) {
        // a repeat of what is known says nothing new
        let newest = row.meter.latest.map(|(at, _)| at);
        if word.readings.iter().any(|reading| Some(reading.at) > newest) {
            row.flag("readings arrived after the session was closed and are not billed");
        }
        return Ok(());
    }
    let taken = row.meter.take(now, &word.readings);
    for flaw in &taken.flaws {
        row.flag(&format!("a reading was not counted: {flaw}"));
    }
    curve::put(tx, &row.id, &mut row.tail, &taken.points)?;
    if !taken.records.is_empty() {
        session::put_records(tx, &row.id, &taken.records)?;
        for (_, record) in &taken.records {
            if let Some(key) = &record.public_key {
                meet_key(tx, row, key)?;
            }
        }
    }
    Ok(())
}

/// A key that comes along is noted and proves nothing; one that contradicts the register is worth a look.
fn meet_key(tx: &mut Tx<'_>, row: &mut SessionRow, text: &str) -> Result<(), StoreError> {
    let Some(evse) = row.evse.clone() else { return Ok(()) };
    let Ok(key) = PublicKey::read(text) else {
        row.flag("the meter's public key that came along cannot be read");
        return Ok(());
    };
    let spki = key.spki_hex();
    match place::meter_key(tx, &evse)? {
        None => {
            place::set_meter_key(tx, &evse, &spki, false)?;
            row.flag("the meter's public key was seen for the first time and is not confirmed");
        }
        Some((known, _)) if known == spki => {}
        Some((_, true)) => row.flag("the meter's public key that came along is not the registered one"),
        Some((_, false)) => row.flag("the meter's public key changed and is not confirmed"),
    }
    Ok(())
}

fn take_token(
    house: &House,
    tx: &mut Tx<'_>,
    row: &mut SessionRow,
    word: &Word,
    now: Timestamp,
    taken: &mut Taken,
) -> Result<(), StoreError> {
    let Some(token) = &word.token else { return Ok(()) };
    let tag = house.setup.keys.tags.tag(token.kind, &token.uid);
    match row.state {
        State::Active | State::Ended | State::Closed => {
            taken.allowed = Some(Allowed::Yes);
            // another of the group may stop it, and so may a master pass (C09.FR.03, C16)
            let given = permit::find(tx, house.seal(), &row.station, tag)?.filter(|permit| permit.until > now);
            taken.other = given.is_none() && row.tag.is_some_and(|own| own != tag);
            taken.group = given.and_then(|permit| permit.group);
            return Ok(());
        }
        State::Void => {
            taken.allowed = row.allowed;
            return Ok(());
        }
        State::Waiting | State::Refused | State::Unclaimed => {}
    }
    // the card that ends a transaction need not be the one that began it
    if word.stage == Some(Stage::Ended) && row.asked_sealed.is_some() {
        return Ok(());
    }
    row.tag = Some(tag);
    let at = word.at.map_or(now, |at| metering::sound_time(at, now).0);
    if let Some(no) = word.no.or(row.no)
        && bookings::keeps_out(tx, &row.station, no, tag, at.min(now))?
    {
        row.flag("the EVSE was kept for somebody who had booked it");
        refused(tx, row, Allowed::NotHere, now)?;
        taken.allowed = Some(Allowed::NotHere);
        return Ok(());
    }
    let known = standing(house, tx, &row.station, token, word.no, at.min(now))?;
    match authorise::decide(at.min(now), token, known) {
        Step::Permitted(given) => {
            taken.group.clone_from(&given.group);
            if claim_order(tx, row, token)? {
                permitted(house, tx, row, &given)?;
                permit::used(tx, &row.station, tag)?;
                taken.allowed = Some(Allowed::Yes);
            } else {
                refused(tx, row, Allowed::Expired, now)?;
                taken.allowed = Some(Allowed::Expired);
            }
        }
        Step::Refused(allowed) => {
            refused(tx, row, allowed, now)?;
            taken.allowed = Some(allowed);
        }
        Step::Ask(_) => {
            row.asked_sealed = Some(seal_presented(house.seal(), SealPlace::Asked(row.id.as_str()), token)?);
            // should we not live to hear the answer, a duty asks again
            notice::put(tx, Kind::Ask, row.id.as_str(), now.plus(ASK_AGAIN))?;
            taken.ask = true;
        }
    }
    Ok(())
}

/// A remote start is answered by one transaction. `false`: another one came first.
fn claim_order(tx: &mut Tx<'_>, row: &mut SessionRow, token: &PresentedToken) -> Result<bool, StoreError> {
    let alias = token.normal(charge::Purpose::Authorise);
    let Some(mut order) = order::by_alias(tx, &row.station, &alias)? else { return Ok(true) };
    if order.session.as_ref().is_some_and(|session| *session != row.id) {
        row.flag("the alias of a remote start was used a second time");
        return Ok(false);
    }
    order.on(remote::Event::Begin);
    order.session = Some(row.id.clone());
    order::save(tx, &order)?;
    row.order = Some(order.id.as_str().to_owned());
    Ok(true)
}

fn permitted(house: &House, tx: &mut Tx<'_>, row: &mut SessionRow, given: &Permit) -> Result<(), StoreError> {
    row.permit(house.seal(), given)?;
    keep_caps(house, tx, row, house.now()).map(drop)
}

fn refused(tx: &mut Tx<'_>, row: &mut SessionRow, allowed: Allowed, now: Timestamp) -> Result<(), StoreError> {
    row.allowed = Some(allowed);
    row.asked_sealed = None;
    row.on(Event::Deny);
    if row.state == State::Refused {
        row.flag("the token was refused while the transaction was running");
        // most stations stop by themselves when they hear the verdict
        outbox::put(tx, HALT, row.id.as_str(), now.plus(HALT_GRACE), &[])?;
    }
    Ok(())
}

/// The road's answer about a session's token has come.
pub(super) fn answered(
    house: &House,
    tx: &mut Tx<'_>,
    now: Timestamp,
    id: &str,
    concluded: &Conclusion,
) -> Result<(), StoreError> {
    let Some(mut row) = session::find(tx, id)? else { return Ok(()) };
    let was = row.state;
    match (&concluded.permit, concluded.allowed) {
        (Some(given), _) => permitted(house, tx, &mut row, given)?,
        (None, Allowed::Unanswered) => {
            row.allowed = Some(Allowed::Unanswered);
            row.flag("nobody could be asked whose token it is; it is asked again");
            notice::put(tx, Kind::Ask, id, now.plus(patience(row.start, now)))?;
        }
        (None, allowed) => refused(tx, &mut row, allowed, now)?,
    }
    follow(house, tx, &mut row, was, now)?;
    row.changed = now;
    session::save(tx, &row)
}

fn end(tx: &mut Tx<'_>, row: &mut SessionRow, word: &Word, now: Timestamp) -> Result<(), StoreError> {
    if row.end.is_some() {
        return Ok(());
    }
    let (at, unsound) = word.at.map_or((now, None), |at| metering::sound_time(at, now));
    if let Some(why) = unsound {
        row.flag(why);
    }
    if at < row.start {
        row.flag("the station's end lies before its begin: the time of arrival was taken");
    }
    row.end = Some(if at < row.start { now.max(row.start) } else { at });
    row.reason = word.reason.map(|reason| reason.as_str().to_owned());
    row.meter.power = Some(Power::ZERO);
    row.on(Event::End);
    if row.state == State::Unclaimed {
        // without a token, its message may still be on the way: 2.x stations replay in any order
        let wait = if row.asked_sealed.is_some() { ASK_AGAIN } else { STRAGGLERS };
        notice::put(tx, Kind::Ask, row.id.as_str(), now.plus(wait))?;
    }
    Ok(())
}

/// A session that ended and that nobody can be asked about any more is billed to nobody.
pub(super) fn give_up_unclaimed(tx: &mut Tx<'_>, id: &str) -> Result<(), StoreError> {
    let Some(mut row) = session::find(tx, id)? else { return Ok(()) };
    if row.state == State::Unclaimed && row.asked_sealed.is_none() {
        row.flag("the transaction ended, and nobody pays for it");
        row.on(Event::GiveUp);
        session::save(tx, &row)?;
    }
    Ok(())
}

/// The longer nobody has answered for a session, the less often it is asked about.
fn patience(start: Timestamp, now: Timestamp) -> Duration {
    (now.since(start) / 10).clamp(ASK_AGAIN, ASK_AT_LEAST)
}

/// A provider's limit on energy ends the session; so does the amount that is held for one of our own. A provider's limit
/// on money is looked at where the provider is told what the session costs.
fn keep_caps(house: &House, tx: &mut Tx<'_>, row: &SessionRow, now: Timestamp) -> Result<bool, StoreError> {
    if !row.state.is_open() {
        return Ok(false);
    }
    let held = row.money_cap.filter(|_| row.party == Some(house.setup.party));
    let spent = match held {
        Some(held) => deliver::so_far(house, tx, row, now)?
            .priced
            .is_some_and(|priced| priced.total.with_vat.unwrap_or(priced.total.before_vat) >= held.decimal()),
        None => false,
    };
    if spent || row.energy_cap.is_some_and(|cap| row.meter.delivered() >= cap) {
        outbox::put(tx, HALT, row.id.as_str(), now, &[])
    } else {
        Ok(false)
    }
}

/// What a session's change leads to: its CDR, and word to its provider.
fn follow(
    house: &House,
    tx: &mut Tx<'_>,
    row: &mut SessionRow,
    was: State,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if row.state == State::Ended && was != State::Ended {
        outbox::put(tx, CLOSE, row.id.as_str(), now, &[])?;
    }
    let every = house.setup.settings.session_every;
    let worth = row.state != was || (row.state.is_open() && publish::worth_telling(row.told, now, every));
    if row.party.is_some_and(|party| party != house.setup.party) && worth {
        row.told = Some(now);
        notice::put(tx, Kind::Session, row.id.as_str(), now)?;
        return Ok(true);
    }
    Ok(false)
}

/// The EVSE's public status follows its session.
fn show_bay(
    house: &House,
    tx: &mut Tx<'_>,
    row: &SessionRow,
    state: Option<BayState>,
    now: Timestamp,
) -> Result<Option<(StationId, EvseUid)>, StoreError> {
    let Some(no) = row.no else { return Ok(None) };
    let Some(mut bay) = place::bay(tx, &row.station, no)? else { return Ok(None) };
    let running = row.state.is_open();
    let state = match (state, bay.state) {
        (Some(state), _) if running => Some(state),
        // the plug is still in, whatever the station last said about charging
        (_, Some(BayState::Charging | BayState::SuspendedByCar | BayState::SuspendedByStation)) if !running => {
            Some(BayState::Finishing)
        }
        (_, known) => known,
    };
    if state != bay.state {
        place::set_state(tx, &bay.evse, state, None, now)?;
        bay.state = state;
    }
    if place::refresh(tx, &bay, running, now)? {
        house.untold().put(&bay.evse, now);
    }
    Ok(Some((row.station.clone(), bay.evse)))
}

/// The road is given this long before a lost answer is asked for again.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// A hub that was away for a day hears of all open questions within this time.
const ASK_AT_LEAST: Duration = Duration::from_secs(3_600);
/// A transaction without a token waits this long for the message that has it.
const STRAGGLERS: Duration = Duration::from_secs(24 * 3_600);
/// A station that hears a refusal stops by itself; one that does not is told to after this.
const HALT_GRACE: Duration = Duration::from_secs(20);
