//! The sessions that a broker named: OICP's session ids are the hub's, and everything later is told by them.
//!
//! A row says who may speak of the session and what the parties call it; it holds no token, no place beyond the EVSE and
//! no energy. Of its contract it has a keyed tag, for operators whose protocol hands no reference back. Rows are dropped after the dispute window. Invariant: one CDR for each session.

use std::time::Duration;

use charge::Timestamp;
use charge::id::PartyId;
use store::{Migration, Store, StoreError, Value, values};

/// How long a CDR may be asked about, disputed or come late; then nobody may speak of the session any more.
const DISPUTE_WINDOW: Duration = Duration::from_secs(90 * 24 * 3_600);
/// Sessions that are remembered at once; the oldest make room. A network of a million sessions a month has three.
const SESSIONS_MAX: i64 = 4_000_000;

pub const MIGRATIONS: &[Migration] = &[SESSIONS, ALIKE];

const SESSIONS: Migration = Migration {
    family: "oicp",
    number: 1,
    name: "sessions of the broker",
    sql: "CREATE TABLE oicp_session (
              number INTEGER PRIMARY KEY AUTOINCREMENT,
              id TEXT NOT NULL UNIQUE,
              operator TEXT NOT NULL,
              provider TEXT NOT NULL,
              evse TEXT,
              reference TEXT,
              own TEXT,
              closed INTEGER NOT NULL,
              at INTEGER NOT NULL
          ) STRICT;
          CREATE INDEX oicp_session_at ON oicp_session (at);",
};

const ALIKE: Migration = Migration {
    family: "oicp",
    number: 2,
    name: "contracts as tags and names of reservations",
    sql: "ALTER TABLE oicp_session ADD COLUMN contract_tag BLOB;
          ALTER TABLE oicp_session ADD COLUMN reservation TEXT;
          CREATE INDEX oicp_session_parties ON oicp_session (provider, operator);",
};

/// Sessions of one contract at one operator that are looked at: the latest.
const ALIKE_MAX: i64 = 16;

/// What is known of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub operator: PartyId,
    pub provider: PartyId,
    /// The public id of the EVSE, where the order named one.
    pub evse: Option<String>,
    /// What the provider calls it.
    pub reference: Option<String>,
    /// What the operator calls it.
    pub own: Option<String>,
    /// The keyed tag of its contract, where that is known.
    pub contract: Option<Vec<u8>>,
    /// What the provider calls its reservation, where it is one.
    pub reservation: Option<String>,
    /// Its CDR has been told.
    pub closed: bool,
}

impl Known {
    /// A session of two parties of which nothing more is known yet.
    pub(crate) const fn of(operator: PartyId, provider: PartyId) -> Self {
        let (evse, reference, own, contract, reservation) = (None, None, None, None, None);
        Self { operator, provider, evse, reference, own, contract, reservation, closed: false }
    }
}

#[derive(Clone)]
pub struct Sessions(Store);

impl Sessions {
    pub fn open(store: Store) -> Result<Self, StoreError> {
        store.migrate(MIGRATIONS)?;
        Ok(Self(store))
    }

    pub(crate) async fn put(&self, id: &str, known: Known, now: Timestamp) -> Result<(), StoreError> {
        let id = id.to_ascii_lowercase();
        self.0
            .run("oicp.session.put", move |tx| {
                tx.execute(FORGET, &values![now.minus(DISPUTE_WINDOW).micros(), SESSIONS_MAX])?;
                let Known { operator, provider, evse, reference, own, contract, reservation, closed } = known;
                let (operator, provider) = (operator.to_string(), provider.to_string());
                let row: [Value; 10] =
                    values![id, operator, provider, evse, reference, own, closed, now.micros(), contract, reservation];
                tx.execute(PUT, &row).map(drop)
            })
            .await
    }

    pub(crate) async fn find(&self, id: &str) -> Result<Option<Known>, StoreError> {
        let id = id.to_ascii_lowercase();
        let found = self.0.read("oicp.session", move |tx| tx.query(FIND, &values![id], read)).await?;
        Ok(found.into_iter().next())
    }

    /// The latest sessions of a contract between two parties, the newest first.
    pub(crate) async fn alike(
        &self,
        operator: PartyId,
        provider: PartyId,
        contract: Vec<u8>,
    ) -> Result<Vec<(String, Known)>, StoreError> {
        let named = values![provider.to_string(), operator.to_string(), contract, ALIKE_MAX];
        let read = |row: &store::Row<'_>| Ok((row.text(8)?, read(row)?));
        self.0.read("oicp.session.alike", move |tx| tx.query(LIKE, &named, read)).await
    }

    /// The session of a provider's reservation, by the provider's name for it.
    pub(crate) async fn reserved(
        &self,
        provider: PartyId,
        operator: Option<PartyId>,
        reservation: &str,
    ) -> Result<Option<(String, Known)>, StoreError> {
        let named = values![provider.to_string(), reservation.to_owned()];
        let read = |row: &store::Row<'_>| Ok((row.text(8)?, read(row)?));
        let found = self.0.read("oicp.session.reserved", move |tx| tx.query(RESERVED, &named, read)).await?;
        Ok(found.into_iter().find(|(_, known)| operator.is_none_or(|operator| operator == known.operator)))
    }

    /// The operator has named its session.
    pub(crate) async fn named(&self, id: &str, own: &str) -> Result<(), StoreError> {
        let (id, own) = (id.to_ascii_lowercase(), own.to_owned());
        self.0.run("oicp.session.named", move |tx| tx.execute(NAMED, &values![own, id]).map(drop)).await
    }

    /// `false`: it had a CDR already, or is not known.
    pub(crate) async fn close(&self, id: &str) -> Result<bool, StoreError> {
        let id = id.to_ascii_lowercase();
        let closed = self.0.run::<_, StoreError>("oicp.session.close", move |tx| tx.execute(CLOSE, &values![id]));
        Ok(closed.await? == 1)
    }

    /// Its CDR was not taken after all.
    pub(crate) async fn reopen(&self, id: &str) -> Result<(), StoreError> {
        let id = id.to_ascii_lowercase();
        self.0.run("oicp.session.reopen", move |tx| tx.execute(REOPEN, &values![id]).map(drop)).await
    }
}

fn read(row: &store::Row<'_>) -> Result<Known, StoreError> {
    let party = |text: String| text.parse().map_err(|_| StoreError::Corrupt("oicp_session names no party".to_owned()));
    Ok(Known {
        operator: party(row.text(0)?)?,
        provider: party(row.text(1)?)?,
        evse: row.text_opt(2)?,
        reference: row.text_opt(3)?,
        own: row.text_opt(4)?,
        closed: row.flag(5)?,
        contract: row.blob_opt(6)?,
        reservation: row.text_opt(7)?,
    })
}

const FORGET: &str = "DELETE FROM oicp_session WHERE at < ?1
    OR number <= (SELECT COALESCE(MAX(number), 0) FROM oicp_session) - ?2";
const PUT: &str = "INSERT INTO oicp_session (id, operator, provider, evse, reference, own, closed, at, contract_tag,
    reservation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const FIND: &str = "SELECT operator, provider, evse, reference, own, closed, contract_tag, reservation, id
    FROM oicp_session WHERE id = ?1";
const LIKE: &str = "SELECT operator, provider, evse, reference, own, closed, contract_tag, reservation, id
    FROM oicp_session WHERE provider = ?1 AND operator = ?2 AND contract_tag = ?3 ORDER BY number DESC LIMIT ?4";
const RESERVED: &str = "SELECT operator, provider, evse, reference, own, closed, contract_tag, reservation, id
    FROM oicp_session WHERE provider = ?1 AND reservation = ?2 ORDER BY number DESC LIMIT 16";
const NAMED: &str = "UPDATE oicp_session SET own = ?1 WHERE id = ?2";
const CLOSE: &str = "UPDATE oicp_session SET closed = 1 WHERE id = ?1 AND closed = 0";
const REOPEN: &str = "UPDATE oicp_session SET closed = 0 WHERE id = ?1";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[tokio::test]
    async fn a_session_has_one_cdr_and_is_forgotten_after_the_dispute_window() {
        let sessions = Sessions::open(Store::in_memory(&[]).unwrap()).unwrap();
        let known = Known {
            operator: "DE-ABC".parse().unwrap(),
            provider: "DE-8AA".parse().unwrap(),
            evse: None,
            reference: Some("R".to_owned()),
            own: None,
            contract: Some(vec![7; 16]),
            reservation: Some("R7".to_owned()),
            closed: false,
        };
        let now = Timestamp::from_secs(1_800_000_000);
        sessions.put("A", known.clone(), now).await.unwrap();
        assert_eq!(sessions.find("a").await.unwrap(), Some(known.clone()));
        let found = ("a".to_owned(), known.clone());
        let (operator, provider) = (known.operator, known.provider);
        let alike = sessions.alike(operator, provider, vec![7; 16]).await.unwrap();
        assert_eq!(alike.as_slice(), std::slice::from_ref(&found));
        assert!(sessions.alike(operator, provider, vec![8; 16]).await.unwrap().is_empty());
        assert!(sessions.alike(provider, operator, vec![7; 16]).await.unwrap().is_empty());
        assert_eq!(sessions.reserved(provider, Some(operator), "R7").await.unwrap(), Some(found));
        assert_eq!(sessions.reserved(operator, None, "R7").await.unwrap(), None, "another party's");
        sessions.named("A", "S1").await.unwrap();
        assert_eq!(sessions.find("A").await.unwrap().unwrap().own.as_deref(), Some("S1"));
        assert!(sessions.close("A").await.unwrap() && !sessions.close("A").await.unwrap());
        sessions.reopen("A").await.unwrap();
        assert!(sessions.close("A").await.unwrap() && !sessions.close("B").await.unwrap());
        sessions.put("B", known, now.plus(DISPUTE_WINDOW).plus(Duration::from_secs(1))).await.unwrap();
        assert_eq!(sessions.find("A").await.unwrap(), None);
    }
}
