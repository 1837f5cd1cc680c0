//! How partners come to the hub and leave it: invited or entered, tried, suspended, removed; each noted with who did it.
//!
//! The connection is the front desk's business ([`Reception`]); whose letters pass is decided here. Invariant: nobody
//! is let in whose roles are not registered, and what a person did is on disk with the deed.

use charge::Secret;
use charge::id::PartyId;
use charge::talk::partner::{
    Beginning, Declined, Habits, Invited, NewPartner, PartnerCard, PartnerRole, Reception, Trial,
};
use std::sync::Arc;

use super::{Event, Hub, HubFault, thrift};
use crate::memory::{audit, clients, parties};
use crate::party::{Party, PartyStatus, Role};
use crate::views::{AuditLine, PartnerView};

impl Hub {
    /// The front desk of the hub's door. The first one stays.
    pub fn attach_reception(&self, reception: Arc<dyn Reception>) {
        // a second one would be a fault of the wiring, and changes nothing
        drop(self.0.reception.set(reception));
    }

    fn reception(&self) -> Result<&Arc<dyn Reception>, HubFault> {
        self.0.reception.get().ok_or(HubFault::Declined(Declined::CannotKeep))
    }

    /// Every partner, whatever it speaks.
    pub async fn partners(&self) -> Result<Vec<PartnerView>, HubFault> {
        let cards = self.reception()?.cards().await;
        let register = self.parties().await?;
        Ok(cards.into_iter().map(|card| view(card, &register)).collect())
    }

    /// Invites a party to introduce itself over OCPI. It is a party of the network as soon as it has.
    pub async fn invite(
        &self,
        actor: &str,
        (party, name): (PartyId, &str),
        roles: &[Role],
        local: bool,
    ) -> Result<Invited, HubFault> {
        fits(name, roles)?;
        self.not_ourselves(party)?;
        let invited = self.reception()?.invite(party, local).await?;
        self.enrol(actor, "invite partner", (party, name), roles, PartyStatus::Planned).await?;
        Ok(invited)
    }

    /// Enters a partner of another protocol; the password that it comes with, shown once.
    pub async fn enter(&self, actor: &str, partner: NewPartner) -> Result<Option<Secret<String>>, HubFault> {
        self.not_ourselves(partner.party)?;
        let (party, name) = (partner.party, partner.name.clone());
        let roles: Vec<Role> = partner.roles.iter().map(|role| role_of(*role)).collect();
        let password = self.reception()?.enter(partner).await?;
        self.enrol(actor, "enter partner", (party, &name), &roles, PartyStatus::Connected).await?;
        Ok(password)
    }

    /// Registers at a partner that wants us to begin. It is a party of the network as soon as both sides have exchanged
    /// credentials; where a step does not hold, it is none.
    pub async fn register(&self, actor: &str, name: &str, roles: &[Role], with: Beginning) -> Result<Trial, HubFault> {
        fits(name, roles)?;
        self.not_ourselves(with.party)?;
        let party = with.party;
        // letters may come before the last step is told
        self.enrol(actor, "register at partner", (party, name), roles, PartyStatus::Planned).await?;
        let trial = self.reception()?.register(with).await?;
        if self.reception()?.registered().await.iter().any(|each| each.party == party) {
            self.join(party).await?;
        }
        Ok(trial)
    }

    /// Exchanges the tokens with a partner for new ones.
    pub async fn renew(&self, actor: &str, party: PartyId) -> Result<Trial, HubFault> {
        let trial = self.reception()?.renew(party).await?;
        self.noted(actor, "renew credentials", party).await?;
        Ok(trial)
    }

    /// Ends the registration at both sides. The party stays in the register, and nothing passes, until it is removed or
    /// registered again.
    pub async fn leave(&self, actor: &str, party: PartyId) -> Result<Trial, HubFault> {
        let trial = self.reception()?.leave(party).await?;
        if trial.steps.iter().all(|step| step.held) {
            self.party_left(party).await?;
        }
        self.noted(actor, "withdraw from partner", party).await?;
        Ok(trial)
    }

    pub(super) async fn join(&self, party: PartyId) -> Result<(), HubFault> {
        let now = self.0.clock.now();
        let run = self.0.store.run::<_, HubFault>("hub.joined", move |tx| {
            clients::changing(tx, (party, now), |tx| Ok(parties::joined(tx, party)?))
        });
        run.await?;
        self.0.thrift.clear();
        self.tell(Event::Party(party));
        Ok(())
    }

    /// Tries the connection step by step.
    pub async fn examine(&self, party: PartyId) -> Result<Trial, HubFault> {
        let roles = self.parties().await?.into_iter().filter(|row| row.party == party).map(|row| match row.role {
            Role::Operator => PartnerRole::Operator,
            Role::Provider => PartnerRole::Provider,
        });
        Ok(self.reception()?.examine(party, roles.collect()).await?)
    }

    /// Does as a partner wants.
    pub async fn accustom(&self, actor: &str, party: PartyId, habits: Habits) -> Result<(), HubFault> {
        self.reception()?.accustom(party, habits).await?;
        self.0.thrift.clear();
        self.noted(actor, "change habits", party).await
    }

    /// Letters from and to a partner pass no more, or pass again.
    pub async fn suspend(&self, actor: &str, party: PartyId, suspended: bool) -> Result<(), HubFault> {
        let (status, action) = match suspended {
            true => (PartyStatus::Suspended, "suspend partner"),
            false => (PartyStatus::Connected, "resume partner"),
        };
        let (actor, now) = (actor.to_owned(), self.0.clock.now());
        let run = self.0.store.run::<_, HubFault>("hub.suspend", move |tx| {
            if clients::changing(tx, (party, now), |tx| parties::set_status(tx, party, status))? == 0 {
                return Err(Declined::Unknown.into());
            }
            Ok(audit::put(tx, now, &actor, action, party)?)
        });
        run.await?;
        self.tell(Event::Party(party));
        Ok(())
    }

    /// Forgets a partner: its credentials, ours at it, and its place in the network. What it published stays until
    /// somebody publishes over it.
    pub async fn remove(&self, actor: &str, party: PartyId) -> Result<(), HubFault> {
        let dismissed = self.reception()?.dismiss(party).await;
        let (actor, now) = (actor.to_owned(), self.0.clock.now());
        let run = self.0.store.run::<_, HubFault>("hub.remove", move |tx| {
            let rows = clients::changing(tx, (party, now), |tx| parties::remove(tx, party))?;
            thrift::forget(tx, party)?;
            match dismissed {
                Err(Declined::Unknown) if rows > 0 => {}
                other => other?,
            }
            Ok(audit::put(tx, now, &actor, "remove partner", party)?)
        });
        run.await?;
        self.tell(Event::Party(party));
        Ok(())
    }

    /// What people did, the latest first.
    pub async fn audit(&self) -> Result<Vec<AuditLine>, HubFault> {
        self.0.store.read::<_, HubFault>("hub.audit", |tx| Ok(audit::all(tx)?)).await
    }

    fn not_ourselves(&self, party: PartyId) -> Result<(), HubFault> {
        if party == self.0.party {
            return Err(Declined::Malformed { path: "/party", why: "is this hub itself" }.into());
        }
        Ok(())
    }

    async fn enrol(
        &self,
        actor: &str,
        action: &'static str,
        (party, name): (PartyId, &str),
        roles: &[Role],
        status: PartyStatus,
    ) -> Result<(), HubFault> {
        let row = |role: &Role| Party { party, role: *role, name: name.trim().to_owned(), status, last_seen: None };
        let rows: Vec<Party> = roles.iter().map(row).collect();
        let (actor, now) = (actor.to_owned(), self.0.clock.now());
        let run = self.0.store.run::<_, HubFault>("hub.enrol", move |tx| {
            clients::changing(tx, (party, now), |tx| {
                // whoever is suspended stays so: an invitation renews credentials, not what was decided
                rows.iter().try_for_each(|row| parties::put_first(tx, row))
            })?;
            Ok(audit::put(tx, now, &actor, action, party)?)
        });
        run.await?;
        self.0.thrift.clear();
        self.tell(Event::Party(party));
        Ok(())
    }

    async fn noted(&self, actor: &str, action: &'static str, party: PartyId) -> Result<(), HubFault> {
        let (actor, now) = (actor.to_owned(), self.0.clock.now());
        let run =
            self.0.store.run::<_, HubFault>("hub.noted", move |tx| Ok(audit::put(tx, now, &actor, action, party)?));
        run.await
    }
}

fn fits(name: &str, roles: &[Role]) -> Result<(), HubFault> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
        return Err(Declined::Malformed { path: "/name", why: "is empty or too long" }.into());
    }
    if roles.is_empty() {
        return Err(Declined::Malformed { path: "/roles", why: "names neither operator nor provider" }.into());
    }
    Ok(())
}

fn view(card: PartnerCard, register: &[Party]) -> PartnerView {
    let rows = || register.iter().filter(|row| row.party == card.party);
    let name = rows().map(|row| row.name.clone()).next().unwrap_or_else(|| card.name.clone());
    PartnerView {
        name,
        roles: rows().map(|row| (row.role, row.status)).collect(),
        last_seen: rows().filter_map(|row| row.last_seen).max(),
        card,
    }
}

const fn role_of(role: PartnerRole) -> Role {
    match role {
        PartnerRole::Operator => Role::Operator,
        PartnerRole::Provider => Role::Provider,
    }
}

/// Longest name that a partner has here.
const NAME_CHARACTERS_MAX: usize = 100;
