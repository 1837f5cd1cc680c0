//! What a hub keeps sealed for its partners: mail that waits, and the names that operators know contracts by.
//!
//! Mail is bounded for each receiver, handed out in the order it came, and gone when it was taken and its window is
//! over; what stays is a digest, so that the same letter is not taken twice. A name is made with a key for one
//! operator and one quarter, and leads back to its contract here alone. Invariants: nothing is readable on the disk;
//! what was acknowledged is on it.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use charge::id::PartyId;
use charge::token::{ContractId, TokenKind, TokenUid};
use charge::{Personal, Timestamp};
use store::{Migration, Store, StoreError, Value, values};
use trust::bearer::BearerDigest;
use trust::seal::SealKey;
use trust::token_tag::TagKey;

use super::limits::REQUEST_TIME_MAX;
use super::running;

const MIGRATIONS: &[Migration] = &[
    Migration { family: "vault", number: 1, name: "mail, names of contracts", sql: TABLES },
    Migration { family: "vault", number: 2, name: "which operator has which session", sql: running::TABLE },
];

const TABLES: &str = "CREATE TABLE vault_mail (
              number INTEGER PRIMARY KEY AUTOINCREMENT,
              receiver TEXT NOT NULL,
              sender TEXT NOT NULL,
              name TEXT NOT NULL,
              tongue TEXT NOT NULL,
              digest BLOB NOT NULL,
              sealed BLOB,
              came INTEGER NOT NULL,
              due INTEGER NOT NULL,
              taken INTEGER,
              UNIQUE (receiver, sender, name)
          ) STRICT;
          CREATE INDEX vault_mail_due ON vault_mail (taken, due);
          CREATE TABLE vault_name (
              operator TEXT NOT NULL,
              name TEXT NOT NULL,
              contract_sealed BLOB NOT NULL,
              until INTEGER NOT NULL,
              PRIMARY KEY (operator, name)
          ) STRICT;
          CREATE INDEX vault_name_until ON vault_name (until);";

/// Letters that may wait for one receiver: a large provider's CDRs of a month.
const MAIL_PER_RECEIVER_MAX: i64 = 200_000;
/// How long what was taken can be asked for again, and disputed.
const WINDOW: Duration = Duration::from_secs(14 * 86_400);
/// How long something waits that nobody takes; its sender has it longer, by law.
const UNTAKEN_KEPT: Duration = Duration::from_secs(180 * 86_400);
/// How long a digest stands for what was taken.
const DIGEST_KEPT: Duration = Duration::from_secs(180 * 86_400);
/// An operator knows a contract by one name for so long.
const EPOCH: Duration = Duration::from_secs(91 * 86_400);
/// And what comes under that name finds its contract for so long after: CDRs, and disputes about them.
const NAME_KEPT: Duration = Duration::from_secs(180 * 86_400);
/// Names that are tried where two contracts meet in one: of 36^8 names, a second one is never taken as well.
const NAMES_TRIED_MAX: u32 = 8;
/// The names that eight characters give.
const NAMES: u128 = 36_u128.pow(8);
/// A letter is told within a request's time; beyond twice that, nobody tells it any more.
const IN_HAND: Duration = Duration::from_secs(2 * REQUEST_TIME_MAX.as_secs());
/// Letters that are handed out at once.
const LETTERS_AT_ONCE: i64 = 500;

/// Why nothing could be kept. Whoever runs this machine can mend it.
#[derive(Debug, thiserror::Error)]
pub enum VaultFault {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("something cannot be sealed, or opened again")]
    Seal,
    #[error("as much waits for this receiver as is kept")]
    Full,
}

impl From<VaultFault> for charge::talk::road::Denial {
    fn from(fault: VaultFault) -> Self {
        match fault {
            VaultFault::Full => Self::Overloaded,
            fault => {
                tracing::error!(%fault, "the vault failed");
                Self::Internal
            }
        }
    }
}

/// A letter that waits, or that was taken and can be asked for again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub number: i64,
    pub receiver: PartyId,
    pub sender: PartyId,
    pub name: String,
    pub tongue: String,
    pub text: String,
    pub came: Timestamp,
    pub taken: bool,
}

/// What a letter is put away under.
pub(crate) struct Slip<'s> {
    pub receiver: PartyId,
    pub sender: PartyId,
    pub name: &'s str,
    /// Protocol and version of its text.
    pub tongue: &'s str,
    /// Not before.
    pub due: Timestamp,
}

/// What became of a letter that was put away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    New(i64),
    /// The same is here already, and was perhaps taken.
    Same {
        number: i64,
        taken: bool,
    },
    /// Another one is here under this name.
    Another,
}

/// The vault of a hub.
pub struct Vault {
    pub(super) store: Store,
    seal: SealKey,
    pub(super) tags: TagKey,
    /// Operators that know contracts by other names: nobody else's letters are searched for them.
    named: RwLock<HashSet<PartyId>>,
}

impl Vault {
    /// Opens the vault in a hub's database. Both keys are its own.
    pub async fn open(store: Store, seal: SealKey, tags: TagKey) -> Result<Self, VaultFault> {
        store.migrate(MIGRATIONS)?;
        let read = store.read::<_, StoreError>("vault.named", |tx| {
            tx.query("SELECT DISTINCT operator FROM vault_name", &[], |row| row.text(0))
        });
        let named = read.await?.into_iter().filter_map(|text| text.parse().ok()).collect();
        Ok(Self { store, seal, tags, named: RwLock::new(named) })
    }

    /// Puts a letter away.
    pub(crate) async fn put(&self, slip: Slip<'_>, text: &str, now: Timestamp) -> Result<Put, VaultFault> {
        let (receiver, sender) = (slip.receiver.to_string(), slip.sender.to_string());
        let (name, tongue) = (slip.name.to_owned(), slip.tongue.to_owned());
        let digest = BearerDigest::of(text).as_bytes().to_vec();
        let place = mail_place(slip.receiver, slip.sender, slip.name);
        let sealed = self.seal.seal(&place, text.as_bytes()).map_err(|_| VaultFault::Seal)?;
        let due = slip.due;
        let run = self.store.run::<_, VaultFault>("vault.put", move |tx| {
            let known = values![receiver.clone(), sender.clone(), name.clone()];
            let known = tx.one(KNOWN, &known, |row| Ok((row.int(0)?, row.blob(1)?, row.time_opt(2)?.is_some())))?;
            if let Some((number, known, taken)) = known {
                return Ok(if known == digest { Put::Same { number, taken } } else { Put::Another });
            }
            let waiting = tx.one(WAITING, &values![receiver.clone()], |row| row.int(0))?.unwrap_or(0);
            if waiting >= MAIL_PER_RECEIVER_MAX {
                return Err(VaultFault::Full);
            }
            let row: [Value; 8] =
                values![receiver.clone(), sender.clone(), name.clone(), tongue, digest, sealed, now, due];
            tx.execute(PUT, &row)?;
            let number = tx.one(NUMBER, &values![receiver, sender, name], |row| row.int(0))?;
            number.map(Put::New).ok_or(VaultFault::Store(StoreError::Corrupt("vault_mail lost a row".to_owned())))
        });
        run.await
    }

    /// It was taken: it is not handed out any more, and can be asked for until its window is over.
    pub(crate) async fn taken(&self, number: i64, now: Timestamp) -> Result<(), VaultFault> {
        let run = self.store.run::<_, StoreError>("vault.taken", move |tx| tx.execute(TAKEN, &values![number, now]));
        Ok(run.await.map(drop)?)
    }

    /// Takes it in hand to tell it. `false`: it was taken, or somebody else has it in hand.
    pub(crate) async fn hold(&self, number: i64, now: Timestamp) -> Result<bool, VaultFault> {
        let held = values![number, now, in_hand(now)];
        let run = self.store.run::<_, StoreError>("vault.hold", move |tx| tx.execute(HOLD, &held));
        Ok(run.await? == 1)
    }

    /// It is put off, and in nobody's hand any more.
    pub(crate) async fn later(&self, number: i64, due: Timestamp) -> Result<(), VaultFault> {
        let run = self.store.run::<_, StoreError>("vault.later", move |tx| tx.execute(LATER, &values![number, due]));
        Ok(run.await.map(drop)?)
    }

    /// It is not kept after all: its sender was told so.
    pub(crate) async fn undo(&self, number: i64) -> Result<(), VaultFault> {
        let run = self.store.run::<_, StoreError>("vault.undo", move |tx| tx.execute(UNDO, &values![number]));
        Ok(run.await.map(drop)?)
    }

    /// What may be handed out now in a protocol, in the order it came.
    pub(crate) async fn due(&self, tongue: &str, now: Timestamp) -> Result<Vec<Mail>, VaultFault> {
        self.mail(DUE, values![tongue, now, LETTERS_AT_ONCE].into()).await
    }

    /// What came for a receiver in this time and is not forgotten yet, taken or not, in the order it came.
    pub(crate) async fn kept(
        &self,
        receiver: PartyId,
        tongue: &str,
        (from, to): (Timestamp, Timestamp),
        (offset, limit): (u32, u32),
    ) -> Result<(Vec<Mail>, u32), VaultFault> {
        let range = values![receiver.to_string(), tongue, from, to];
        let count = self.store.read::<_, StoreError>("vault.count", move |tx| tx.one(COUNT, &range, |row| row.int(0)));
        let count = u32::try_from(count.await?.unwrap_or(0)).unwrap_or(u32::MAX);
        let page = values![receiver.to_string(), tongue, from, to, limit.min(500), offset];
        Ok((self.mail(KEPT, page.into()).await?, count))
    }

    async fn mail(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Mail>, VaultFault> {
        let read = self.store.read::<_, StoreError>("vault.mail", move |tx| {
            tx.query(sql, &values, |row| {
                let sealed = row.blob(5)?;
                let head = (row.int(0)?, row.text(1)?, row.text(2)?, row.text(3)?, row.text(4)?);
                Ok((head, sealed, row.time(6)?, row.time_opt(7)?.is_some()))
            })
        });
        let mut found = Vec::new();
        for ((number, receiver, sender, name, tongue), sealed, came, taken) in read.await? {
            let party = |text: String| text.parse::<PartyId>().map_err(|_| VaultFault::Seal);
            let (receiver, sender) = (party(receiver)?, party(sender)?);
            let opened = self.seal.open(&mail_place(receiver, sender, &name), &sealed);
            let text = opened.ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(VaultFault::Seal)?;
            found.push(Mail { number, receiver, sender, name, tongue, text, came, taken });
        }
        Ok(found)
    }

    /// What is over: the content of what was taken, what nobody took, digests, names.
    pub async fn forget(&self, now: Timestamp) -> Result<(), VaultFault> {
        let run = self.store.run::<_, StoreError>("vault.forget", move |tx| {
            tx.execute("UPDATE vault_mail SET sealed = NULL WHERE taken < ?1", &values![now.minus(WINDOW)])?;
            tx.execute("DELETE FROM vault_mail WHERE taken < ?1", &values![now.minus(DIGEST_KEPT)])?;
            let untaken = values![now.minus(UNTAKEN_KEPT)];
            tx.execute("DELETE FROM vault_mail WHERE taken IS NULL AND came < ?1", &untaken)?;
            tx.execute(running::FORGET, &values![now.minus(running::KEPT)])?;
            tx.execute(running::TRIM, &values![i64::try_from(running::RUNNING_MAX).unwrap_or(i64::MAX)])?;
            tx.execute("DELETE FROM vault_name WHERE until < ?1", &values![now])
        });
        Ok(run.await.map(drop)?)
    }

    /// The name that an operator knows a contract by. A name that it knows already stays.
    pub(crate) async fn name(
        &self,
        operator: PartyId,
        contract: &ContractId,
        now: Timestamp,
    ) -> Result<Option<ContractId>, VaultFault> {
        let Some(provider) = contract.party() else { return Ok(None) };
        if self.contract(operator, contract).await?.is_some() {
            return Ok(None);
        }
        let length = i64::try_from(EPOCH.as_secs()).unwrap_or(i64::MAX);
        let epoch = now.secs().div_euclid(length);
        for again in 0..NAMES_TRIED_MAX {
            let audience = format!("{operator}/{epoch}/{again}");
            let Some(name) = self.made(&audience, provider, contract) else { return Ok(None) };
            match self.contract(operator, &name).await? {
                Some(known) if known == *contract => return Ok(Some(name)),
                Some(_) => {}
                None => {
                    let until = Timestamp::from_secs((epoch + 1).saturating_mul(length)).plus(NAME_KEPT);
                    self.keep_name(operator, &name, contract, until).await?;
                    return Ok(Some(name));
                }
            }
        }
        Err(VaultFault::Full)
    }

    fn made(&self, audience: &str, provider: PartyId, contract: &ContractId) -> Option<ContractId> {
        let whole = TokenUid::new(contract.compact()).ok().map(Personal::new)?;
        let drawn = u128::from_str_radix(&self.tags.pseudonym(audience, TokenKind::Other, &whole), 16).ok()?;
        ContractId::of(provider, &base36(drawn % NAMES)).ok()
    }

    async fn keep_name(
        &self,
        operator: PartyId,
        name: &ContractId,
        contract: &ContractId,
        until: Timestamp,
    ) -> Result<(), VaultFault> {
        let (row, compact) = (operator.to_string(), name.compact());
        let place = name_place(operator, &compact);
        let sealed = self.seal.seal(&place, contract.as_str().as_bytes()).map_err(|_| VaultFault::Seal)?;
        let run = self.store.run::<_, StoreError>("vault.name", move |tx| {
            tx.execute(PUT_NAME, &values![row, compact, sealed, until]).map(drop)
        });
        run.await?;
        self.named.write().unwrap_or_else(PoisonError::into_inner).insert(operator);
        Ok(())
    }

    /// The contract that an operator knows by this name.
    pub(crate) async fn contract(
        &self,
        operator: PartyId,
        name: &ContractId,
    ) -> Result<Option<ContractId>, VaultFault> {
        if !self.knows_names(operator) {
            return Ok(None);
        }
        let compact = name.compact();
        let (row, key) = (operator.to_string(), compact.clone());
        let read = self.store.read::<_, StoreError>("vault.contract", move |tx| {
            tx.one(
                "SELECT contract_sealed FROM vault_name WHERE operator = ?1 AND name = ?2",
                &values![row, key],
                |row| row.blob(0),
            )
        });
        let Some(sealed) = read.await? else { return Ok(None) };
        let opened = self.seal.open(&name_place(operator, &compact), &sealed).ok();
        let contract =
            opened.and_then(|bytes| String::from_utf8(bytes).ok()).and_then(|text| ContractId::new(text).ok());
        contract.map(Some).ok_or(VaultFault::Seal)
    }

    /// Whether an operator knows any contract by another name.
    pub(crate) fn knows_names(&self, operator: PartyId) -> bool {
        self.named.read().unwrap_or_else(PoisonError::into_inner).contains(&operator)
    }

    /// What an operator knows a group of tokens by.
    pub(crate) fn group(&self, operator: PartyId, provider: PartyId, group: &str) -> Option<String> {
        let whole: String = group.chars().take(TokenUid::LIMIT).collect();
        let whole = TokenUid::new(whole).ok().map(Personal::new)?;
        Some(self.tags.pseudonym(&format!("group/{operator}/{provider}"), TokenKind::Other, &whole))
    }

    /// The uid that an operator is shown for a contract that has none: another one for every `session`.
    pub(crate) fn uid(&self, operator: PartyId, session: &str, shown: &Personal<TokenUid>) -> Option<TokenUid> {
        TokenUid::new(self.tags.pseudonym(&format!("session/{operator}/{session}"), TokenKind::Other, shown)).ok()
    }
}

/// When a letter that is being told since `now` is due again, should whoever tells it not live to say how that ended.
pub(crate) fn in_hand(now: Timestamp) -> Timestamp {
    now.plus(IN_HAND)
}

/// Eight characters, for numbers below [`NAMES`].
fn base36(mut number: u128) -> String {
    let mut digits = Vec::with_capacity(8);
    for _ in 0..8 {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0').to_ascii_uppercase());
        number /= 36;
    }
    digits.into_iter().rev().collect()
}

fn mail_place(receiver: PartyId, sender: PartyId, name: &str) -> String {
    format!("vault_mail/{receiver}/{sender}/{name}")
}

fn name_place(operator: PartyId, name: &str) -> String {
    format!("vault_name/{operator}/{name}")
}

const KNOWN: &str = "SELECT number, digest, taken FROM vault_mail WHERE receiver = ?1 AND sender = ?2 AND name = ?3";
const WAITING: &str = "SELECT COUNT(*) FROM vault_mail WHERE receiver = ?1 AND sealed IS NOT NULL";
const PUT: &str = "INSERT INTO vault_mail (receiver, sender, name, tongue, digest, sealed, came, due)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const NUMBER: &str = "SELECT number FROM vault_mail WHERE receiver = ?1 AND sender = ?2 AND name = ?3";
const TAKEN: &str = "UPDATE vault_mail SET taken = ?2 WHERE number = ?1 AND taken IS NULL";
const LATER: &str = "UPDATE vault_mail SET due = ?2 WHERE number = ?1";
const HOLD: &str = "UPDATE vault_mail SET due = ?3 WHERE number = ?1 AND taken IS NULL AND due <= ?2";
const UNDO: &str = "DELETE FROM vault_mail WHERE number = ?1 AND taken IS NULL";
const DUE: &str = "SELECT number, receiver, sender, name, tongue, sealed, came, taken FROM vault_mail
    WHERE taken IS NULL AND tongue = ?1 AND due <= ?2 AND sealed IS NOT NULL ORDER BY number LIMIT ?3";
const COUNT: &str = "SELECT COUNT(*) FROM vault_mail
    WHERE receiver = ?1 AND tongue = ?2 AND came >= ?3 AND came < ?4 AND sealed IS NOT NULL";
const KEPT: &str = "SELECT number, receiver, sender, name, tongue, sealed, came, taken FROM vault_mail
    WHERE receiver = ?1 AND tongue = ?2 AND came >= ?3 AND came < ?4 AND sealed IS NOT NULL
    ORDER BY number LIMIT ?5 OFFSET ?6";
const PUT_NAME: &str = "INSERT INTO vault_name (operator, name, contract_sealed, until) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (operator, name) DO NOTHING";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::Secret;

    use super::*;

    async fn vault(store: &Store) -> Vault {
        let seal = SealKey::new(&Secret::new([5; 32])).unwrap();
        Vault::open(store.clone(), seal, TagKey::new(&Secret::new([6; 32]))).await.unwrap()
    }

    fn party(text: &str) -> PartyId {
        text.parse().unwrap()
    }

    const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
    const DAY: Duration = Duration::from_secs(86_400);

    fn slip(name: &str) -> Slip<'_> {
        Slip { receiver: party("DE-EMP"), sender: party("DE-OPA"), name, tongue: "t", due: NOW }
    }

    #[tokio::test]
    async fn mail_is_taken_once_and_forgotten_after_its_window() {
        let store = Store::in_memory(&[]).unwrap();
        let vault = vault(&store).await;
        let Put::New(first) = vault.put(slip("c1"), "one", NOW).await.unwrap() else { panic!("new") };
        assert!(matches!(vault.put(slip("c2"), "two", NOW).await.unwrap(), Put::New(_)));
        assert_eq!(vault.put(slip("c1"), "one", NOW).await.unwrap(), Put::Same { number: first, taken: false });
        assert_eq!(vault.put(slip("c1"), "changed", NOW).await.unwrap(), Put::Another);
        let texts = |mail: Vec<Mail>| mail.into_iter().map(|mail| mail.text).collect::<Vec<_>>();
        assert_eq!(texts(vault.due("t", NOW).await.unwrap()), ["one", "two"]);
        assert!(vault.due("t", NOW.minus(DAY)).await.unwrap().is_empty(), "not before its time");

        vault.taken(first, NOW).await.unwrap();
        assert_eq!(texts(vault.due("t", NOW).await.unwrap()), ["two"]);
        assert_eq!(vault.put(slip("c1"), "one", NOW).await.unwrap(), Put::Same { number: first, taken: true });
        let all = (NOW.minus(DAY), NOW.plus(DAY));
        let kept = async |again: &Vault| {
            let (mail, total) = again.kept(party("DE-EMP"), "t", all, (0, 10)).await.unwrap();
            (texts(mail), total)
        };
        assert_eq!(kept(&vault).await, (vec!["one".to_owned(), "two".to_owned()], 2));
        assert!(vault.kept(party("DE-8AA"), "t", all, (0, 10)).await.unwrap().0.is_empty(), "nobody else's");
        vault.forget(NOW.plus(WINDOW)).await.unwrap();
        assert_eq!(kept(&vault).await.1, 2, "within the window");
        vault.forget(NOW.plus(WINDOW).plus(DAY)).await.unwrap();
        assert_eq!(kept(&vault).await, (vec!["two".to_owned()], 1), "what nobody took stays");
        assert_eq!(vault.put(slip("c1"), "one", NOW).await.unwrap(), Put::Same { number: first, taken: true });
        vault.forget(NOW.plus(UNTAKEN_KEPT).plus(DAY)).await.unwrap();
        assert_eq!(kept(&vault).await.1, 0);
    }

    #[tokio::test]
    async fn an_operator_knows_a_contract_by_a_name_of_its_own_which_leads_back_here_alone() {
        let store = Store::in_memory(&[]).unwrap();
        let first = vault(&store).await;
        let contract = ContractId::new("DE-8AA-C12345678-X").unwrap();
        let a = first.name(party("DE-OPA"), &contract, NOW).await.unwrap().unwrap();
        let b = first.name(party("DE-OPB"), &contract, NOW).await.unwrap().unwrap();
        assert!(a != b && a != contract && a.party() == contract.party());
        let check = charge::token::check_character(&a.compact());
        assert_eq!(a.as_str().chars().last(), check, "a proper contract id");
        let again = vault(&store).await;
        assert_eq!(
            again.name(party("DE-OPA"), &contract, NOW).await.unwrap(),
            Some(a.clone()),
            "the same after a restart"
        );
        assert_eq!(again.name(party("DE-OPA"), &a, NOW).await.unwrap(), None, "a name gets no name");
        assert_eq!(again.contract(party("DE-OPA"), &a).await.unwrap().unwrap().as_str(), contract.as_str());
        assert_eq!(again.contract(party("DE-OPB"), &a).await.unwrap(), None);
        let later = NOW.plus(EPOCH);
        assert!(again.name(party("DE-OPA"), &contract, later).await.unwrap().unwrap() != a, "another every quarter");
        again.forget(later.plus(EPOCH).plus(NAME_KEPT)).await.unwrap();
        assert_eq!(again.contract(party("DE-OPA"), &a).await.unwrap(), None);
    }
}
