//! Stations' own lists: entries put by hand, and updates sent until the station has what it should.

use std::time::Duration;

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::display::{Customer, CustomerOrder};
use charge::talk::line::reservation::{ListEntry, ListOrder};
use charge::talk::line::{StationAnswer, ToStation};
use charge::token::{Allowed, PresentedToken, Verdict};
use store::{StoreError, Tx};
use trust::hex;
use trust::token_tag::TokenTag;

use super::{Event, Fault, Operator};
use crate::desk::TokenList;
use crate::memory::whitelist::{self, Entry};
use crate::memory::{log, station};
use crate::order::{OrderOutcome, Outcome, StationOrder};
use crate::whitelist::{ENTRIES_MAX, Message, Place, Standing, plan};

impl Operator {
    /// A station's list, without the cards.
    pub async fn token_list(&self, of: &StationId) -> Result<TokenList, Fault> {
        let of = of.clone();
        self.read("operator.list", move |_, tx| {
            known(tx, &of)?;
            whitelist::shown(tx, &of).map_err(Fault::from)
        })
        .await
    }

    /// Puts a token on a station's list, for so many days at most. The station hears of it with the next update.
    pub async fn list_token(
        &self,
        actor: &str,
        of: &StationId,
        token: PresentedToken,
        until: Timestamp,
    ) -> Result<(), Fault> {
        let now = self.0.now();
        if until <= now || until > now.plus(LISTED_MAX) {
            return Err(Fault::Invalid { path: "/until", why: "in the future, and within a year".to_owned() });
        }
        let (actor, of) = (actor.to_owned(), of.clone());
        let tag = self.0.setup.keys.tags.tag(token.kind, &token.uid);
        self.run("operator.list.add", move |house, tx| {
            known(tx, &of)?;
            let held = whitelist::shown(tx, &of)?.entries;
            if held.iter().filter(|entry| entry.place != Place::Leaving).count() >= ENTRIES_MAX {
                return Err(Fault::Conflict(format!("a list holds at most {ENTRIES_MAX} tokens")));
            }
            let entry = Entry { tag, token, place: Place::New, until };
            whitelist::add(tx, house.seal(), &of, &entry, &actor, now)?;
            log::audit(tx, now, &actor, "list token", of.as_str(), "done").map_err(Fault::from)
        })
        .await
    }

    /// Takes an entry off a station's list.
    pub async fn unlist_token(&self, actor: &str, of: &StationId, entry: &str) -> Result<(), Fault> {
        let tag = hex::decode_array::<{ TokenTag::LEN }>(entry).map(TokenTag::from_bytes);
        let tag = tag.ok_or(Fault::NotFound("entry"))?;
        let (actor, of) = (actor.to_owned(), of.clone());
        self.run("operator.list.remove", move |house, tx| {
            if !whitelist::take_off(tx, &of, &tag)? {
                return Err(Fault::NotFound("entry"));
            }
            log::audit(tx, house.now(), &actor, "unlist token", of.as_str(), "done").map_err(Fault::from)
        })
        .await
    }

    /// Asks what a station knows of a customer, or has it forgotten. A card that it forgets leaves its list as well, which it
    /// does not clear by itself; how that went stands beside the list.
    ///
    /// cites: ocpp-2.0.1 N10.FR.02
    pub async fn customer(&self, actor: &str, of: &StationId, order: CustomerOrder) -> Result<OrderOutcome, Fault> {
        let forgets = match &order.customer {
            Customer::Token(token) if order.clear => Some(self.0.setup.keys.tags.tag(token.kind, &token.uid)),
            Customer::Token(_) | Customer::Certificate(_) | Customer::Identifier(_) => None,
        };
        let came = self.order(actor, of, StationOrder::Word(Box::new(ToStation::Customer(order)))).await?;
        if let Some(tag) = forgets.filter(|_| came.outcome == Outcome::Accepted) {
            let name = of.clone();
            if self.run("operator.list.forget", move |_, tx| whitelist::take_off(tx, &name, &tag)).await? {
                self.update_list(actor, of, false).await?;
            }
        }
        Ok(came)
    }

    /// Asks the station for its version and sends what it lacks. `whole` sends everything, whatever is believed.
    pub async fn update_list(&self, actor: &str, of: &StationId, whole: bool) -> Result<OrderOutcome, Fault> {
        let version = ToStation::List(ListOrder::Version);
        let mut last = self.order(actor, of, StationOrder::Word(Box::new(version))).await?;
        match &last.answer {
            Some(StationAnswer::Number(-1)) => {
                last.outcome = Outcome::Refused;
                "the station keeps no list".clone_into(&mut last.message);
                return Ok(last);
            }
            Some(StationAnswer::Number(number)) => {
                let (name, number) = (of.clone(), *number);
                self.run("operator.list.told", move |_, tx| whitelist::told(tx, &name, number)).await?;
            }
            Some(_) | None => return Ok(last),
        }
        let name = of.clone();
        let (standing, entries, room) = self
            .read("operator.list.plan", move |house, tx| {
                let room = per_message(tx, &name)?;
                Ok::<_, StoreError>((
                    whitelist::standing(tx, &name)?,
                    whitelist::entries(tx, house.seal(), &name)?,
                    room,
                ))
            })
            .await?;
        let standing = Standing { uncertain: standing.uncertain || whole, ..standing };
        let places: Vec<Place> = entries.iter().map(|entry| entry.place).collect();
        let messages = plan(standing, &places, room);
        if messages.is_empty() {
            "the station has what it should".clone_into(&mut last.message);
        }
        for message in messages {
            last = self.send_list(actor, of, &message, &entries).await?;
            if last.outcome != Outcome::Accepted {
                break;
            }
        }
        Ok(last)
    }

    async fn send_list(
        &self,
        actor: &str,
        of: &StationId,
        message: &Message,
        entries: &[Entry],
    ) -> Result<OrderOutcome, Fault> {
        // an entry without a verdict takes the token off, and has no end then
        let entry = |at: &usize, verdict: Option<Verdict>| {
            entries.get(*at).map(|entry| ListEntry {
                token: entry.token.clone(),
                group: None,
                until: verdict.is_some().then_some(entry.until),
                verdict,
            })
        };
        let put = message.put.iter().filter_map(|at| entry(at, Some(Verdict::bare(Allowed::Yes))));
        let all = put.chain(message.remove.iter().filter_map(|at| entry(at, None))).collect();
        let order = ListOrder::Send { version: message.version, full: message.full, entries: all };
        let came = self.order(actor, of, StationOrder::Word(Box::new(ToStation::List(order)))).await?;
        let tags = |which: &[usize]| -> Vec<TokenTag> {
            which.iter().filter_map(|at| entries.get(*at)).map(|entry| entry.tag).collect()
        };
        let (name, put, removed) = (of.clone(), tags(&message.put), tags(&message.remove));
        let (taken, words, now) = (came.outcome == Outcome::Accepted, came.message.clone(), self.0.now());
        let (version, full) = (message.version, message.full);
        self.run("operator.list.sent", move |_, tx| {
            if taken {
                whitelist::took(tx, &name, version, full, &put, &removed, now)
            } else {
                whitelist::doubt(tx, &name, &words, now)
            }
        })
        .await?;
        self.0.tell_of(Event::Station(of.clone()));
        Ok(came)
    }
}

fn known(tx: &Tx<'_>, of: &StationId) -> Result<(), Fault> {
    station::find(tx, of)?.map(drop).ok_or(Fault::NotFound("station"))
}

/// What the station says it takes at once (1.6 9.2.3 `SendLocalListMaxLength`; 2.x `ItemsPerMessage`).
fn per_message(tx: &Tx<'_>, of: &StationId) -> Result<usize, StoreError> {
    let asked = ["SendLocalListMaxLength", "LocalAuthListCtrlr.ItemsPerMessage"];
    let settings = station::settings(tx, of)?;
    let said = settings.iter().find(|setting| asked.iter().any(|key| setting.key.eq_ignore_ascii_case(key)));
    Ok(said.and_then(|setting| setting.value.as_deref()?.trim().parse().ok()).unwrap_or(ENTRIES_MAX))
}

/// An entry that nobody looks at for a year is forgotten.
const LISTED_MAX: Duration = Duration::from_secs(366 * 86_400);
