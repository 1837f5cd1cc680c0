//! What a clearing house keeps: entries of providers' lists as tags, and records until they are judged.
//!
//! Contracts and records are sealed; a uid is not here at all. A record's content goes when its life is over, its id and
//! standing stay so that it cannot be handed in again as another one. Invariant: what was acknowledged is on disk.

use std::time::Duration;

use charge::id::PartyId;
use charge::token::{ContractId, TokenKind, TokenUid};
use charge::{Personal, Purpose, Timestamp};
use ochp::bridge::token::uid;
use ochp::envelope::{LIMITS, open, write_request};
use ochp::ledger::{self, Misstep};
use ochp::message::{Cdrs, Request};
use ochp::scalar::Contract;
use ochp::types::record::{CdrInfo, CdrName, CdrStatus};
use ochp::types::token::RoamingAuthorisation;
use store::{Migration, Store, StoreError, Value, values};
use trust::bearer::BearerDigest;
use trust::seal::SealKey;
use trust::token_tag::TagKey;

/// Records in one answer: with more it would be longer than partners read. The rest comes after these are judged.
const RECORDS_PER_ANSWER_MAX: i64 = 500;

/// How long an expired entry still says "expired" instead of "unknown".
const EXPIRED_KEPT: Duration = Duration::from_secs(30 * 24 * 3_600);
/// How long an operator may take to revise what was declined.
const DISPUTED_KEPT: Duration = Duration::from_secs(180 * 24 * 3_600);

const MIGRATIONS: &[Migration] = &[Migration {
    family: "ochp",
    number: 1,
    name: "tokens of lists, records",
    sql: "CREATE TABLE ochp_token (
              tag BLOB NOT NULL,
              party TEXT NOT NULL,
              expires INTEGER NOT NULL,
              contract_sealed BLOB NOT NULL,
              PRIMARY KEY (tag, party)
          ) STRICT;
          CREATE TABLE ochp_cdr (
              operator TEXT NOT NULL,
              cdr TEXT NOT NULL,
              provider TEXT NOT NULL,
              evse TEXT NOT NULL,
              status TEXT NOT NULL,
              digest BLOB NOT NULL,
              record_sealed BLOB,
              changed_at INTEGER NOT NULL,
              PRIMARY KEY (operator, cdr)
          ) STRICT;
          CREATE INDEX ochp_cdr_provider ON ochp_cdr (provider, status);",
}];

/// Of a contract id, after the party and its `C`.
const INSTANCE_CHARACTERS: usize = 8;

/// Why nothing could be kept. Whoever runs this machine can mend it.
#[derive(Debug, thiserror::Error)]
pub enum KeptFault {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("something cannot be sealed, or opened again")]
    Seal,
}

/// Why a record is not kept, or not judged.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotKept {
    #[error(transparent)]
    Misstep(#[from] Misstep),
    #[error(transparent)]
    Kept(#[from] KeptFault),
}

impl From<StoreError> for NotKept {
    fn from(fault: StoreError) -> Self {
        Self::Kept(fault.into())
    }
}

/// What a list says of one token.
pub(super) struct Listed {
    pub provider: PartyId,
    pub contract: Personal<Contract>,
    pub expires: Timestamp,
}

pub(super) struct Kept {
    store: Store,
    seal: SealKey,
    tags: TagKey,
}

impl Kept {
    pub fn open(store: Store, seal: SealKey, tags: TagKey) -> Result<Self, KeptFault> {
        store.migrate(MIGRATIONS)?;
        Ok(Self { store, seal, tags })
    }

    fn tag(&self, uid: &Personal<TokenUid>) -> Vec<u8> {
        self.tags.tag(TokenKind::Rfid, uid).as_bytes().to_vec()
    }

    /// A contract id for a card whose provider has told none: always the same, so that it is known again in its record,
    /// and nothing to anybody without the key.
    pub fn pseudonym(&self, provider: PartyId, uid: &Personal<TokenUid>) -> Option<ContractId> {
        let audience = format!("ochp contract {provider}");
        let hex = self.tags.pseudonym(&audience, TokenKind::Rfid, uid);
        let mut number = u64::from_str_radix(hex.get(..16)?, 16).ok()?;
        let mut instance = String::with_capacity(INSTANCE_CHARACTERS);
        for _character in 0..INSTANCE_CHARACTERS {
            instance.push(char::from_digit(u32::try_from(number % 36).ok()?, 36)?);
            number /= 36;
        }
        ContractId::of(provider, &instance).ok()
    }

    /// A provider's list. `whole`: what is not in it is no more.
    pub async fn list(
        &self,
        provider: PartyId,
        entries: &[RoamingAuthorisation],
        whole: bool,
    ) -> Result<(), KeptFault> {
        let party = provider.to_string();
        let mut rows: Vec<[Value; 4]> = Vec::with_capacity(entries.len());
        for entry in entries {
            let Ok(uid) = uid(&entry.token) else { continue };
            let contract = entry.contract.reveal(Purpose::Keep).as_str();
            let sealed = self.seal.seal(CONTRACT, contract.as_bytes()).map_err(|_| KeptFault::Seal)?;
            rows.push(values![self.tag(&uid), party.clone(), entry.expires.at().secs(), sealed]);
        }
        let write = self.store.run::<_, StoreError>("ochp.list", move |tx| {
            if whole {
                tx.execute("DELETE FROM ochp_token WHERE party = ?1", &values![party])?;
            }
            for row in &rows {
                tx.execute(PUT_TOKEN, row)?;
            }
            Ok(())
        });
        Ok(write.await?)
    }

    /// A token by its uid, or by the hash that stands for it. `provider`: in that one's list alone.
    pub async fn listed(
        &self,
        uid: &Personal<TokenUid>,
        provider: Option<PartyId>,
    ) -> Result<Option<Listed>, KeptFault> {
        let tag = self.tag(uid);
        let read = self.store.read::<_, StoreError>("ochp.token", move |tx| {
            tx.query(TOKEN, &values![tag], |row| Ok((row.text(0)?, row.int(1)?, row.blob(2)?)))
        });
        for (party, expires, sealed) in read.await? {
            let party: PartyId = party.parse().map_err(|_| KeptFault::Seal)?;
            if provider.is_some_and(|provider| provider != party) {
                continue;
            }
            let opened = self.seal.open(CONTRACT, &sealed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let contract = opened.and_then(|text| Contract::new(&text)).map(Personal::new).ok_or(KeptFault::Seal)?;
            return Ok(Some(Listed { provider: party, contract, expires: Timestamp::from_secs(expires) }));
        }
        Ok(None)
    }

    /// A record that its operator hands in.
    pub async fn hand_in(
        &self,
        operator: PartyId,
        provider: PartyId,
        info: &CdrInfo,
        now: Timestamp,
    ) -> Result<CdrStatus, NotKept> {
        let said = info.status;
        let text = text_of(info)?;
        let digest = BearerDigest::of(&text).as_bytes().to_vec();
        let place = place(operator, info.id.as_str());
        let sealed = self.seal.seal(&place, text.as_bytes()).map_err(|_| KeptFault::Seal)?;
        let (operator, provider) = (operator.to_string(), provider.to_string());
        let (cdr, evse) = (info.id.as_str().to_owned(), info.evse.as_str().to_owned());
        let write = self.store.run::<_, NotKept>("ochp.cdr.in", move |tx| {
            let known = values![operator.clone(), cdr.clone()];
            let kept =
                tx.query("SELECT status, digest FROM ochp_cdr WHERE operator = ?1 AND cdr = ?2", &known, |row| {
                    Ok((status(&row.text(0)?)?, row.blob(1)?))
                })?;
            let kept = kept.first();
            let same = kept.is_some_and(|(_, known)| *known == digest);
            let next = ledger::handed_in(kept.map(|(status, _)| *status), said, same)?;
            if same && kept.is_some_and(|(status, _)| *status == next) {
                return Ok(next);
            }
            let record = (!over(next)).then_some(sealed);
            let row: [Value; 8] = values![operator, cdr, provider, evse, next.as_str(), digest, record, now.secs()];
            tx.execute(PUT_CDR, &row)?;
            Ok(next)
        });
        write.await
    }

    /// The judgement of its owner.
    pub async fn judge(
        &self,
        provider: PartyId,
        name: &CdrName,
        approved: bool,
        now: Timestamp,
    ) -> Result<(), NotKept> {
        let cdr = name.cdr.as_str().to_owned();
        let evse = name.evse.as_str().to_owned();
        let write = self.store.run::<_, NotKept>("ochp.cdr.judge", move |tx| {
            let named = values![provider.to_string(), cdr.clone()];
            let sql = "SELECT status, operator, evse FROM ochp_cdr WHERE provider = ?1 AND cdr = ?2";
            let kept = tx.query(sql, &named, |row| Ok((status(&row.text(0)?)?, row.text(1)?, row.text(2)?)))?;
            let kept = kept.iter().find(|(_, _, known)| ochp::bridge::same_evse(known, &evse));
            let next = ledger::judged(kept.map(|(status, ..)| *status), approved)?;
            let Some((before, operator, _)) = kept else { return Err(Misstep::NotKept.into()) };
            if *before != next {
                let gone = over(next);
                tx.execute(JUDGE, &values![operator.clone(), cdr, next.as_str(), gone, now.secs()])?;
            }
            Ok(())
        });
        write.await
    }

    /// What nobody will ask for again: entries that expired a while ago, the content of records that were declined and
    /// never revised.
    pub async fn forget(&self, now: Timestamp) -> Result<(), KeptFault> {
        let (entries, records) = (now.minus(EXPIRED_KEPT).secs(), now.minus(DISPUTED_KEPT).secs());
        let write = self.store.run::<_, StoreError>("ochp.forget", move |tx| {
            tx.execute("DELETE FROM ochp_token WHERE expires < ?1", &values![entries])?;
            tx.execute(FORGET, &values![records])?;
            Ok(())
        });
        Ok(write.await?)
    }

    /// What a provider has to judge, as far as it was handed in before then.
    pub async fn for_provider(
        &self,
        provider: PartyId,
        wanted: Option<CdrStatus>,
        before: Timestamp,
    ) -> Result<Vec<CdrInfo>, KeptFault> {
        let mut found = self.records(BY_PROVIDER, provider, before.secs()).await?;
        found.retain(|info| ledger::for_provider(wanted, info.status));
        Ok(found)
    }

    pub async fn for_operator(&self, operator: PartyId, wanted: Option<CdrStatus>) -> Result<Vec<CdrInfo>, KeptFault> {
        let mut found = self.records(BY_OPERATOR, operator, i64::MAX).await?;
        found.retain(|info| ledger::for_operator(wanted, info.status));
        Ok(found)
    }

    async fn records(&self, sql: &'static str, party: PartyId, before: i64) -> Result<Vec<CdrInfo>, KeptFault> {
        let read = self.store.read::<_, StoreError>("ochp.cdrs", move |tx| {
            tx.query(sql, &values![party.to_string(), RECORDS_PER_ANSWER_MAX, before], |row| {
                Ok((row.text(0)?, row.text(1)?, status(&row.text(2)?)?, row.blob(3)?))
            })
        });
        let mut found = Vec::new();
        for (operator, cdr, status, sealed) in read.await? {
            let operator: PartyId = operator.parse().map_err(|_| KeptFault::Seal)?;
            let bytes = self.seal.open(&place(operator, &cdr), &sealed).map_err(|_| KeptFault::Seal)?;
            let info = info_in(&bytes).ok_or(KeptFault::Seal)?;
            found.push(CdrInfo { status, ..info });
        }
        Ok(found)
    }
}

/// The life of a record is over: nobody will ask for what it says.
const fn over(status: CdrStatus) -> bool {
    matches!(status, CdrStatus::Approved | CdrStatus::Rejected)
}

fn status(text: &str) -> Result<CdrStatus, StoreError> {
    CdrStatus::named(text).ok_or_else(|| StoreError::Corrupt("a row of ochp_cdr cannot be read".to_owned()))
}

/// As a document, whatever its standing.
fn text_of(info: &CdrInfo) -> Result<String, KeptFault> {
    let info = CdrInfo { status: CdrStatus::New, ..info.clone() };
    write_request(&Request::AddCdrs(Cdrs { cdrs: vec![info] }), None).map_err(|_| KeptFault::Seal)
}

fn info_in(bytes: &[u8]) -> Option<CdrInfo> {
    match open(bytes, &LIMITS).ok()?.request().ok()?.said {
        Request::AddCdrs(Cdrs { mut cdrs }) => cdrs.pop(),
        _other => None,
    }
}

/// Where a record is sealed for.
fn place(operator: PartyId, cdr: &str) -> String {
    format!("ochp_cdr.record/{operator}/{cdr}")
}

const CONTRACT: &str = "ochp_token.contract";
const PUT_TOKEN: &str = "INSERT INTO ochp_token (tag, party, expires, contract_sealed) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (tag, party) DO UPDATE SET expires = excluded.expires, contract_sealed = excluded.contract_sealed";
const TOKEN: &str = "SELECT party, expires, contract_sealed FROM ochp_token WHERE tag = ?1 ORDER BY expires DESC";
const PUT_CDR: &str = "INSERT INTO ochp_cdr (operator, cdr, provider, evse, status, digest, record_sealed, changed_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
    ON CONFLICT (operator, cdr) DO UPDATE SET provider = excluded.provider, evse = excluded.evse,
        status = excluded.status, digest = excluded.digest, record_sealed = excluded.record_sealed,
        changed_at = excluded.changed_at";
const JUDGE: &str = "UPDATE ochp_cdr SET status = ?3, changed_at = ?5,
    record_sealed = CASE WHEN ?4 THEN NULL ELSE record_sealed END WHERE operator = ?1 AND cdr = ?2";
const FORGET: &str = "UPDATE ochp_cdr SET record_sealed = NULL WHERE status = 'declined' AND changed_at < ?1";
const BY_PROVIDER: &str = "SELECT operator, cdr, status, record_sealed FROM ochp_cdr
    WHERE provider = ?1 AND record_sealed IS NOT NULL AND status <> 'declined' AND changed_at < ?3 ORDER BY changed_at LIMIT ?2";
const BY_OPERATOR: &str = "SELECT operator, cdr, status, record_sealed FROM ochp_cdr
    WHERE operator = ?1 AND record_sealed IS NOT NULL AND status = 'declined' AND changed_at < ?3 ORDER BY changed_at LIMIT ?2";
