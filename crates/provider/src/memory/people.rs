//! Drivers and their cards. Names, e-mails, contract ids and uids are sealed.

use charge::money::{Currency, Money};
use charge::token::{ContractId, TokenUid};
use charge::{Personal, Purpose};
use store::{Row, StoreError, Tx, values};
use trust::token_tag::TokenTag;

use super::{corrupt, parsed};
use crate::contracts::{Contract, ContractState, Driver};
use crate::fault::ProviderFault;
use crate::tokens::Card;
use crate::vault::Vault;
use crate::{CardId, DriverId};

pub(crate) fn put_driver(tx: &mut Tx<'_>, vault: &Vault, driver: &Driver) -> Result<(), ProviderFault> {
    let id = driver.id.as_str();
    let contract_id = Personal::new(driver.contract_id.reveal(Purpose::Keep).as_str().to_owned());
    let values = values![
        id,
        vault.seal(NAME, id, &driver.name)?,
        vault.seal(EMAIL, id, &driver.email)?,
        vault.seal(CONTRACT_ID, id, &contract_id)?,
        driver.contract.state.as_str(),
        driver.contract.valid_until,
        driver.contract.credit_cap.map(|cap| cap.minor),
        driver.joined,
    ];
    tx.execute(PUT_DRIVER, &values)?;
    Ok(())
}

pub(crate) fn contract(tx: &Tx<'_>, driver: &DriverId, currency: Currency) -> Result<Option<Contract>, StoreError> {
    tx.one(CONTRACT, &values![driver.as_str()], |row| read_contract(row, 0, currency))
}

pub(crate) fn set_contract(tx: &mut Tx<'_>, driver: &DriverId, state: ContractState) -> Result<bool, StoreError> {
    Ok(tx.execute(SET_CONTRACT, &values![driver.as_str(), state.as_str()])? > 0)
}

pub(crate) fn drivers(tx: &Tx<'_>, vault: &Vault, currency: Currency) -> Result<Vec<Driver>, StoreError> {
    tx.query(DRIVERS, &[], |row| read_driver(row, vault, currency))
}

pub(crate) fn driver(
    tx: &Tx<'_>,
    vault: &Vault,
    id: &DriverId,
    currency: Currency,
) -> Result<Option<Driver>, StoreError> {
    tx.one(DRIVER, &values![id.as_str()], |row| read_driver(row, vault, currency))
}

pub(crate) fn put_card(tx: &mut Tx<'_>, vault: &Vault, card: &Card) -> Result<(), ProviderFault> {
    let uid = Personal::new(card.uid.reveal(Purpose::Keep).as_delivered().to_owned());
    let values = values![
        card.id.as_str(),
        card.driver.as_str(),
        card.label.as_str(),
        vault.tag(&card.uid).as_bytes(),
        vault.seal(UID, card.id.as_str(), &uid)?,
        card.blocked,
        card.version,
        card.indexed,
        card.changed,
    ];
    tx.execute(PUT_CARD, &values)?;
    Ok(())
}

pub(crate) fn card_by_tag(tx: &Tx<'_>, vault: &Vault, tag: TokenTag) -> Result<Option<Card>, StoreError> {
    tx.one(CARD_BY_TAG, &values![tag.as_bytes()], |row| read_card(row, vault))
}

pub(crate) fn card(tx: &Tx<'_>, vault: &Vault, id: &CardId) -> Result<Option<Card>, StoreError> {
    tx.one(CARD, &values![id.as_str()], |row| read_card(row, vault))
}

pub(crate) fn cards(tx: &Tx<'_>, vault: &Vault, driver: Option<&DriverId>) -> Result<Vec<Card>, StoreError> {
    tx.query(CARDS, &values![driver.map(DriverId::as_str)], |row| read_card(row, vault))
}

pub(crate) fn card_indexed(tx: &mut Tx<'_>, id: &CardId, version: i64) -> Result<(), StoreError> {
    tx.execute(INDEXED, &values![id.as_str(), version]).map(drop)
}

fn read_driver(row: &Row<'_>, vault: &Vault, currency: Currency) -> Result<Driver, StoreError> {
    let id = row.text(0)?;
    let contract_id = vault.open(CONTRACT_ID, &id, &row.blob(3)?)?.into_revealed(Purpose::ShowOwner);
    Ok(Driver {
        name: vault.open(NAME, &id, &row.blob(1)?)?,
        email: vault.open(EMAIL, &id, &row.blob(2)?)?,
        contract_id: Personal::new(ContractId::new(contract_id).map_err(|_| corrupt(CONTRACT_ID))?),
        contract: read_contract(row, 4, currency)?,
        joined: row.time(7)?,
        id: parsed(&id, "provider_driver.id")?,
    })
}

fn read_contract(row: &Row<'_>, first: usize, currency: Currency) -> Result<Contract, StoreError> {
    Ok(Contract {
        state: ContractState::named(&row.text(first)?).ok_or_else(|| corrupt("provider_driver.contract"))?,
        valid_until: row.time_opt(first + 1)?,
        credit_cap: row.int_opt(first + 2)?.map(|minor| Money::new(minor, currency)),
    })
}

fn read_card(row: &Row<'_>, vault: &Vault) -> Result<Card, StoreError> {
    let id = row.text(0)?;
    let uid = vault.open(UID, &id, &row.blob(3)?)?.into_revealed(Purpose::Authorise);
    Ok(Card {
        driver: parsed(&row.text(1)?, "provider_card.driver")?,
        label: row.text(2)?,
        uid: Personal::new(TokenUid::new(uid).map_err(|_| corrupt(UID))?),
        blocked: row.flag(4)?,
        version: row.int(5)?,
        indexed: row.int(6)?,
        changed: row.time(7)?,
        id: parsed(&id, "provider_card.id")?,
    })
}

const NAME: &str = "provider_driver.name";
const EMAIL: &str = "provider_driver.email";
const CONTRACT_ID: &str = "provider_driver.contract_id";
const UID: &str = "provider_card.uid";

const PUT_DRIVER: &str = "INSERT INTO provider_driver
    (id, name, email, contract_id, contract, valid_until, credit_cap, joined)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const CONTRACT: &str = "SELECT contract, valid_until, credit_cap FROM provider_driver WHERE id = ?1";
const SET_CONTRACT: &str = "UPDATE provider_driver SET contract = ?2 WHERE id = ?1";
const DRIVERS: &str = "SELECT id, name, email, contract_id, contract, valid_until, credit_cap, joined
    FROM provider_driver ORDER BY joined, id LIMIT 10000";
const DRIVER: &str = "SELECT id, name, email, contract_id, contract, valid_until, credit_cap, joined
    FROM provider_driver WHERE id = ?1";
const PUT_CARD: &str = "INSERT INTO provider_card
    (id, driver, label, tag, uid, blocked, version, indexed, changed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (id) DO UPDATE SET label = excluded.label, blocked = excluded.blocked, version = excluded.version,
        changed = excluded.changed";
const CARD_BY_TAG: &str = "SELECT id, driver, label, uid, blocked, version, indexed, changed
    FROM provider_card WHERE tag = ?1";
const CARD: &str = "SELECT id, driver, label, uid, blocked, version, indexed, changed
    FROM provider_card WHERE id = ?1";
const CARDS: &str = "SELECT id, driver, label, uid, blocked, version, indexed, changed
    FROM provider_card WHERE ?1 IS NULL OR driver = ?1 ORDER BY driver, id LIMIT 20000";
const INDEXED: &str = "UPDATE provider_card SET indexed = ?2 WHERE id = ?1 AND indexed < ?2";
