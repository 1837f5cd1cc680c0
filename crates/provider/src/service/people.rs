//! Commands about drivers and cards.

use charge::token::{ContractId, TokenUid};
use charge::{Personal, Timestamp};
use store::{Tx, outbox};

use super::{Desk, Provider};
use crate::contracts::{Contract, ContractState, Driver, NewDriver};
use crate::fault::{ProviderFault, Refusal};
use crate::memory::{onetime, people};
use crate::tokens::Card;
use crate::{CardId, DriverId};

/// A card to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCard {
    pub driver: DriverId,
    /// As the driver calls it.
    pub label: String,
    pub uid: Personal<TokenUid>,
}

impl Provider {
    /// A new driver with a contract of its own.
    pub async fn sign_up(&self, new: NewDriver) -> Result<DriverId, ProviderFault> {
        let now = self.now();
        let id = DriverId::roll(&*self.0.dice);
        let contract_id = ContractId::of(self.party(), &self.0.dice.letters(8))?;
        let driver = Driver {
            id: id.clone(),
            name: new.name,
            email: new.email,
            contract_id: Personal::new(contract_id),
            contract: Contract { state: ContractState::Good, valid_until: new.valid_until, credit_cap: new.credit_cap },
            joined: now,
        };
        self.run("provider.sign_up", move |desk, tx| people::put_driver(tx, &desk.vault, &driver)).await?;
        Ok(id)
    }

    /// Suspends, ends or restores a contract. What was armed for it is void at once, everywhere.
    pub async fn set_contract(&self, driver: DriverId, state: ContractState) -> Result<(), ProviderFault> {
        let now = self.now();
        self.run("provider.contract", move |_, tx| {
            if !people::set_contract(tx, &driver, state)? {
                return Err(Refusal::NoSuchDriver.into());
            }
            match state {
                ContractState::Good => {}
                ContractState::Suspended | ContractState::Ended => drop(onetime::void(tx, &driver, now)?),
            }
            Ok(())
        })
        .await
    }

    /// Registers a card; the hub hears of it with the next duty.
    pub async fn add_card(&self, new: NewCard) -> Result<CardId, ProviderFault> {
        let now = self.now();
        let id = CardId::roll(&*self.0.dice);
        let NewCard { driver, label, uid } = new;
        let card = Card { id: id.clone(), driver, label, uid, blocked: false, version: 1, indexed: 0, changed: now };
        self.run("provider.card", move |desk, tx| {
            if people::contract(tx, &card.driver, desk.setup.currency)?.is_none() {
                return Err(Refusal::NoSuchDriver.into());
            }
            if people::card_by_tag(tx, &desk.vault, desk.vault.tag(&card.uid))?.is_some() {
                return Err(Refusal::CardTaken.into());
            }
            keep(desk, tx, &card, now)
        })
        .await?;
        Ok(id)
    }

    /// Blocks a card or gives it free again. With `driver`, only a card of that driver.
    pub async fn block_card(&self, driver: Option<DriverId>, id: CardId, blocked: bool) -> Result<(), ProviderFault> {
        let now = self.now();
        self.run("provider.block", move |desk, tx| {
            let card = people::card(tx, &desk.vault, &id)?;
            let mut card = card
                .filter(|card| driver.as_ref().is_none_or(|driver| *driver == card.driver))
                .ok_or(Refusal::NoSuchCard)?;
            if card.blocked == blocked {
                return Ok(());
            }
            card.blocked = blocked;
            card.version += 1;
            card.changed = now;
            if blocked {
                onetime::void(tx, &card.driver, now)?;
            }
            keep(desk, tx, &card, now)
        })
        .await
    }
}

/// Writes the card and, in the same commit, the job that tells the hub.
fn keep(desk: &Desk, tx: &mut Tx<'_>, card: &Card, now: Timestamp) -> Result<(), ProviderFault> {
    people::put_card(tx, &desk.vault, card)?;
    outbox::put(tx, INDEX_JOB, &format!("{}/{}", card.id.as_str(), card.version), now, card.id.as_str().as_bytes())?;
    Ok(())
}

/// Telling the hub about a card in its present state.
pub(super) const INDEX_JOB: &str = "provider.index";
