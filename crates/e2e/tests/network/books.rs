//! The books of everybody after a storm: what stations saw, what the operator keeps, what the providers were sent and
//! billed, compared transaction by transaction, CDR by CDR and to the watt-hour.

use std::collections::BTreeMap;
use std::sync::Arc;

use charge::units::Energy;
use serde_json::Value;
use store::{Store, StoreError, values};

use super::house::{HUB, OPERATOR, PROVIDERS};
use super::pole::Pole;
use super::settle::Network;

/// A session in the operator's memory.
struct Kept {
    id: String,
    name: String,
    number: i64,
    state: String,
    cdr_mwh: Option<i64>,
}

/// What everybody agrees on.
pub(super) struct Agreed {
    /// Transactions that were acknowledged to a station.
    pub transactions: usize,
    /// CDRs at the providers, each once.
    pub cdrs: usize,
    pub invoice_lines: usize,
    pub billed: Energy,
}

/// Compares them, and stops the house on the way.
pub(super) async fn compare(network: &mut Network, poles: &[Arc<Pole>]) -> Agreed {
    let mut delivered: Vec<Value> = network.operator.all("/cdrs").await;
    delivered.retain(|cdr| cdr["state"] == "delivered");
    let (received, invoice_lines) = at_providers(network).await;
    assert_eq!(totals(&delivered), totals(&received), "what the operator delivered and what the providers have");
    assert_eq!(invoice_lines, received.len(), "lines on invoices and CDRs");
    assert!(network.house.stop().await.success());

    let kept = at_operator(network).await;
    let transactions = poles.iter().map(|pole| of_station(pole, kept.get(&pole.id).map_or(&[], Vec::as_slice))).sum();
    let sessions: Vec<&Kept> = kept.values().flatten().collect();
    let ours: Vec<&str> = sessions.iter().map(|session| session.id.as_str()).collect();
    let theirs = totals(&received);
    assert_eq!(ours.len(), theirs.len(), "sessions and CDRs");
    assert!(ours.iter().all(|id| theirs.contains_key(*id)), "a session without a CDR at a provider");
    let metered: i64 = poles.iter().map(|pole| pole.registers().mwh()).sum();
    let billed: i64 = sessions.iter().filter_map(|session| session.cdr_mwh).sum();
    assert_eq!(Energy::from_mwh(billed).wh(), Energy::from_mwh(metered).wh(), "{billed} mWh billed, {metered} metered");
    Agreed { transactions, cdrs: theirs.len(), invoice_lines, billed: Energy::from_mwh(billed) }
}

/// Energy and amount of each CDR, which is there once.
fn totals(cdrs: &[Value]) -> BTreeMap<String, (i64, String)> {
    let mut totals = BTreeMap::new();
    for cdr in cdrs {
        let total = (cdr["energy_wh"].as_i64().unwrap(), cdr["total"].to_string());
        let twice = totals.insert(cdr["id"].as_str().unwrap().to_owned(), total);
        assert!(twice.is_none(), "a CDR is there twice: {cdr}");
    }
    totals
}

/// Every transaction of a station was answered, and is one closed session with a CDR. How many there are.
fn of_station(pole: &Pole, kept: &[Kept]) -> usize {
    let seen = pole.witness.transactions();
    assert_eq!(kept.len(), seen.len(), "{}: sessions at the operator and transactions at the station", pole.id);
    for of in &seen {
        let is_it = |session: &&Kept| match &of.name {
            Some(name) => session.name == format!("t:{name}"),
            None => Some(session.number) == of.number.map(i64::from),
        };
        let found: Vec<&Kept> = kept.iter().filter(is_it).collect();
        assert!(of.start_acknowledged && of.end_acknowledged, "{}: {of:?} was never answered", pole.id);
        assert_eq!(found.len(), 1, "{}: {of:?}", pole.id);
        assert_eq!(found[0].state, "closed", "{}: {of:?}", pole.id);
        assert!(found[0].cdr_mwh.is_some(), "{}: {of:?} has no CDR", pole.id);
    }
    seen.len()
}

/// The CDRs that the providers have, and the number of lines on their invoices. Nothing is disputed.
async fn at_providers(network: &Network) -> (Vec<Value>, usize) {
    let (mut received, mut lines) = (Vec::new(), 0);
    for clerk in &network.providers {
        let disputes = clerk.get("/disputes").await;
        assert_eq!(disputes["total"], 0, "{disputes}");
        let cdrs = clerk.all("/cdrs").await;
        assert!(cdrs.iter().all(|cdr| cdr["verdict"] == "valid" || cdr["verdict"] == "valid with remarks"));
        received.extend(cdrs);
        for invoice in clerk.all("/invoices").await {
            let whole = clerk.get(&format!("/invoices/{}", invoice["id"].as_str().unwrap())).await;
            lines += whole["lines"].as_array().unwrap().len();
        }
    }
    (received, lines)
}

/// The operator's sessions by station, from its file, which is checked as well; so are the others'.
async fn at_operator(network: &Network) -> BTreeMap<String, Vec<Kept>> {
    let mut kept: BTreeMap<String, Vec<Kept>> = BTreeMap::new();
    for party in [OPERATOR, HUB, PROVIDERS[0].1, PROVIDERS[1].1] {
        let file = network.house.database(party);
        let store = Store::open(&file, store::Options::default(), &[]).unwrap();
        let sound = store.read("e2e.check", |tx| tx.one("PRAGMA integrity_check", &values![], |row| row.text(0)));
        let sound: Result<_, StoreError> = sound.await;
        assert_eq!(sound.unwrap().as_deref(), Some("ok"), "{party}");
        if party == OPERATOR {
            let rows: Result<_, StoreError> = store
                .read("e2e.sessions", |tx| {
                    tx.query(SESSIONS, &values![], |row| {
                        let session = Kept {
                            id: row.text(1)?,
                            name: row.text(2)?,
                            number: row.int(3)?,
                            state: row.text(4)?,
                            cdr_mwh: row.int_opt(5)?,
                        };
                        Ok((row.text(0)?, session))
                    })
                })
                .await;
            for (station, session) in rows.unwrap() {
                kept.entry(station).or_default().push(session);
            }
        }
        store.close().await;
    }
    kept
}

const SESSIONS: &str = "SELECT s.station, s.id, s.name, s.number, s.state, c.energy
    FROM operator_sessions s LEFT JOIN operator_cdrs c ON c.session = s.id";
