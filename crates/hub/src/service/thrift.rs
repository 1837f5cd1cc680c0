//! What is kept back from each partner: switched here by people, asked for by the door with every letter.
//!
//! What holds for each partner is worked out from its protocol, its roles and its switches, for all of them at once, and
//! remembered until something changes: a letter costs the same however many there are. Invariant: a switch and the line
//! that says who turned it are one transaction.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use charge::id::PartyId;
use charge::talk::partner::{Declined, PartnerCard, PartnerRole};
use charge::talk::road::{Denial, Exchange};
use charge::talk::thrift::{Measure, Standing, Thrift};
use charge::token::PresentedToken;
use store::Tx;
use tokio::sync::Mutex;
use trust::token_tag::TokenTag;

use super::{Event, Hub, HubFault};
use crate::memory::{audit, index, parties, thrift};
use crate::party::{PartyStatus, Role};

/// What was worked out, until something changes.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    known: RwLock<HashMap<PartyId, Thrift>>,
    /// One at a time works it out, for all who wait.
    turn: Mutex<()>,
}

impl Remembered {
    fn get(&self, party: PartyId) -> Option<Thrift> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&party).copied()
    }

    fn put(&self, worked_out: HashMap<PartyId, Thrift>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < REMEMBERED_MAX {
            known.extend(worked_out);
        }
    }

    /// A partner came, went or changed.
    pub(super) fn clear(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A measure as it stands for one partner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeasureView {
    pub measure: Measure,
    pub standing: Standing,
    /// It holds: always, or because it is switched on.
    pub on: bool,
}

impl Hub {
    /// Every measure as it stands for one partner.
    pub async fn measures(&self, party: PartyId) -> Result<Vec<MeasureView>, HubFault> {
        let (protocol, roles) = self.spoken(party).await?;
        if roles.is_empty() {
            return Err(Declined::Unknown.into());
        }
        let switches = self.switches(party).await?;
        Ok(Measure::ALL.into_iter().map(|measure| view(measure, &protocol, &roles, &switches)).collect())
    }

    /// Turns a measure on or off for one partner. The same way back undoes it.
    pub async fn turn(&self, actor: &str, party: PartyId, measure: Measure, on: bool) -> Result<(), HubFault> {
        let (protocol, roles) = self.spoken(party).await?;
        if roles.is_empty() {
            return Err(Declined::Unknown.into());
        }
        let Standing::Switch { by_default } = measure.standing(&protocol, &roles) else {
            return Err(
                Declined::Malformed { path: "/measure", why: "is none that this partner has a switch for" }.into()
            );
        };
        let action = format!("{} {} {}", if on { "turn on" } else { "turn off" }, measure.as_str(), "for partner");
        let (actor, now) = (actor.to_owned(), self.0.clock.now());
        let run = self.0.store.run::<_, HubFault>("hub.thrift.turn", move |tx| {
            if on == by_default {
                thrift::unset(tx, party, measure)?
            } else {
                thrift::set(tx, party, measure, on)?
            }
            if !on && measure == Measure::Learned {
                thrift::unlearn(tx, party)?;
            }
            Ok(audit::put(tx, now, &actor, &action, party)?)
        });
        run.await?;
        self.0.thrift.clear();
        self.tell(Event::Party(party));
        Ok(())
    }

    /// What is kept back from a partner. Where the memory fails it is as much as by default.
    pub(super) async fn kept_back(&self, party: PartyId) -> Thrift {
        if let Some(known) = self.0.thrift.get(party) {
            return known;
        }
        let _turn = self.0.thrift.turn.lock().await;
        if let Some(known) = self.0.thrift.get(party) {
            return known;
        }
        match self.all_kept_back(party).await {
            Ok(all) => {
                let thrift = all.get(&party).copied().unwrap_or_default();
                self.0.thrift.put(all);
                thrift
            }
            Err(fault) => {
                tracing::error!(%fault, %party, "what is kept back from a partner cannot be read");
                let both = [PartnerRole::Operator, PartnerRole::Provider];
                let on = |measure: &Measure| view(*measure, UNSAID, &both, &[]).on;
                Measure::ALL.into_iter().filter(on).collect()
            }
        }
    }

    /// What is kept back from every partner, and from this party, who may be none.
    async fn all_kept_back(&self, party: PartyId) -> Result<HashMap<PartyId, Thrift>, HubFault> {
        let read = self.0.store.read::<_, HubFault>("hub.thrift.all", |tx| Ok((parties::all(tx)?, thrift::all(tx)?)));
        let (register, turned) = read.await?;
        let mut roles: HashMap<PartyId, Vec<PartnerRole>> = HashMap::from([(party, Vec::new())]);
        for row in register {
            roles.entry(row.party).or_default().push(role(row.role));
        }
        let mut switches: HashMap<PartyId, Vec<(Measure, bool)>> = HashMap::new();
        for (party, measure, on) in turned {
            switches.entry(party).or_default().push((measure, on));
        }
        let cards = self.cards().await.into_iter();
        let protocols: HashMap<PartyId, Box<str>> = cards.map(|card| (card.party, card.protocol)).collect();
        let thrift = |(party, roles): (PartyId, Vec<PartnerRole>)| {
            let protocol = protocols.get(&party).map_or(UNSAID, |protocol| protocol);
            let switches = switches.get(&party).map_or(&[][..], Vec::as_slice);
            let on = |measure: &Measure| view(*measure, protocol, &roles, switches).on;
            (party, Measure::ALL.into_iter().filter(on).collect())
        };
        Ok(roles.into_iter().map(thrift).collect())
    }

    async fn cards(&self) -> Vec<PartnerCard> {
        match self.0.reception.get() {
            Some(reception) => reception.cards().await,
            None => Vec::new(),
        }
    }

    pub(super) async fn remember_learned(&self, token: PresentedToken, party: PartyId) -> Result<(), Denial> {
        if !self.thrift(party).await.on(Measure::Learned) {
            return Ok(());
        }
        let (tag, until) = (self.0.tags.tag(token.kind, &token.uid), self.0.clock.now().plus(LEARNED_KEPT));
        let run = self.0.store.run::<_, HubFault>("hub.learned", move |tx| Ok(thrift::learn(tx, tag, party, until)?));
        run.await.map_err(Denial::from)
    }

    pub(super) async fn owner_of(&self, token: PresentedToken) -> Option<PartyId> {
        self.owner_of_tag(self.0.tags.tag(token.kind, &token.uid)).await
    }

    pub(super) async fn owner_of_tag(&self, tag: TokenTag) -> Option<PartyId> {
        let now = self.0.clock.now();
        let read = self.0.store.read::<_, HubFault>("hub.owner", move |tx| match index::find(tx, tag)? {
            Some(held) => Ok(Some(held.party)),
            None => Ok(thrift::learned(tx, tag, now)?),
        });
        read.await.ok().flatten()
    }

    /// What a partner speaks, and its roles.
    async fn spoken(&self, party: PartyId) -> Result<(Box<str>, Vec<PartnerRole>), HubFault> {
        let rows = self.parties().await?;
        let roles = rows.iter().filter(|row| row.party == party).map(|row| role(row.role)).collect();
        let card = self.cards().await.into_iter().find(|card| card.party == party);
        Ok((card.map_or_else(|| UNSAID.into(), |card| card.protocol), roles))
    }

    async fn switches(&self, party: PartyId) -> Result<Vec<(Measure, bool)>, HubFault> {
        let read = self.0.store.read::<_, HubFault>("hub.thrift", move |tx| {
            let all = thrift::all(tx)?.into_iter().filter(|(each, ..)| *each == party);
            Ok(all.map(|(_, measure, on)| (measure, on)).collect())
        });
        read.await
    }
}

const fn role(role: Role) -> PartnerRole {
    match role {
        Role::Operator => PartnerRole::Operator,
        Role::Provider => PartnerRole::Provider,
    }
}

fn view(measure: Measure, protocol: &str, roles: &[PartnerRole], switches: &[(Measure, bool)]) -> MeasureView {
    let standing = measure.standing(protocol, roles);
    let turned = switches.iter().find(|(each, _)| *each == measure).map(|(_, on)| *on);
    let on = match standing {
        Standing::Always => true,
        Standing::Switch { by_default } => turned.unwrap_or(by_default),
        Standing::Nothing(_) => false,
    };
    MeasureView { measure, standing, on }
}

/// Who may be asked about a card that nobody announced: providers that want it and whose letters pass.
pub(super) fn candidates(tx: &Tx<'_>, asker: PartyId, since: charge::Timestamp) -> Result<Vec<PartyId>, HubFault> {
    let probed = thrift::probed(tx, asker, since)?;
    if probed.is_empty() {
        // nobody wants to be asked: a wrong card does not cost a look at every party
        return Ok(probed);
    }
    let register = parties::all(tx)?;
    let passes = |party: &PartyId| {
        register
            .iter()
            .any(|row| row.party == *party && row.role == Role::Provider && row.status == PartyStatus::Connected)
    };
    Ok(probed.into_iter().filter(passes).take(PROBED_MAX).collect())
}

/// Everything of a partner's switches, where it is no partner any more.
pub(super) fn forget(tx: &mut Tx<'_>, party: PartyId) -> Result<(), HubFault> {
    Ok(thrift::leave(tx, party)?)
}

/// What a partner speaks of whom nothing else is known.
const UNSAID: &str = "ocpi";
/// Partners whose thrift is remembered; a network has hundreds.
const REMEMBERED_MAX: usize = 10_000;
/// Providers that are asked about one card, one after the other: a driver waits some ten seconds in all.
const PROBED_MAX: usize = 5;
/// A card that was learned is asked about at one provider for this long; then it is anybody's again.
const LEARNED_KEPT: Duration = Duration::from_secs(30 * 86_400);
