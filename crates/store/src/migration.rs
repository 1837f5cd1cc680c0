//! Migrations: numbered texts of SQL per family, applied once and never changed afterwards.
//!
//! A family is one room's tables; families do not know of each other. The applied text itself is kept in the file,
//! so a past migration that was edited later is found by comparison and refused. A call applies all of its
//! migrations or none.

use std::collections::BTreeMap;

use crate::{StoreError, Tx, values};

/// One step of a family's schema. Numbers of a family count 1, 2, 3 … without a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Whose tables, for instance `operator`.
    pub family: &'static str,
    /// Its place in the family, from 1.
    pub number: u32,
    /// What it does, for people.
    pub name: &'static str,
    /// One or more statements without transaction control, and without deferred rules: those are checked at the
    /// commit and would fail everybody in the group.
    pub sql: &'static str,
}

const TABLE: &str = "CREATE TABLE IF NOT EXISTS store_migrations (
    family TEXT NOT NULL,
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    sql TEXT NOT NULL,
    PRIMARY KEY (family, number)
)";
const APPLIED: &str = "SELECT sql FROM store_migrations WHERE family = ?1 ORDER BY number";
const RECORD: &str = "INSERT INTO store_migrations (family, number, name, sql) VALUES (?1, ?2, ?3, ?4)";

/// Brings the families named in `migrations` up to date. `migrations` is in the order to apply; families may mix.
pub(crate) fn apply(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<(), StoreError> {
    tx.execute(TABLE, &[])?;
    let families = families(migrations)?;
    let mut applied = BTreeMap::new();
    for (family, steps) in families {
        applied.insert(family, unchanged(tx, family, &steps)?);
    }
    for step in migrations {
        if applied.get(step.family).is_some_and(|count| step.number as usize <= *count) {
            continue;
        }
        let failed = |error| failed(step, error);
        tx.script(step.sql).map_err(failed)?;
        tx.execute(RECORD, &values![step.family, step.number, step.name, step.sql]).map_err(failed)?;
    }
    Ok(())
}

/// The steps by family, proven to count from 1 without a gap.
fn families(migrations: &[Migration]) -> Result<BTreeMap<&'static str, Vec<&Migration>>, StoreError> {
    let mut families: BTreeMap<_, Vec<&Migration>> = BTreeMap::new();
    for step in migrations {
        let steps = families.entry(step.family).or_default();
        if step.number as usize != steps.len() + 1 {
            return Err(StoreError::Schema(format!(
                "migration {} ({}) stands where number {} of its family is expected",
                label(step),
                step.name,
                steps.len() + 1
            )));
        }
        steps.push(step);
    }
    Ok(families)
}

/// How many of a family's steps are applied, after proving that they are still the same.
fn unchanged(tx: &Tx<'_>, family: &str, steps: &[&Migration]) -> Result<usize, StoreError> {
    let applied = tx.query(APPLIED, &values![family], |row| row.text(0))?;
    if applied.len() > steps.len() {
        return Err(StoreError::Schema(format!(
            "the file is newer than this program: {family} is at {}, the program knows {}",
            applied.len(),
            steps.len()
        )));
    }
    match steps.iter().zip(&applied).find(|(step, applied)| step.sql != applied.as_str()) {
        Some((step, _)) => Err(StoreError::Schema(format!(
            "migration {} ({}) was changed after it had been applied; write a new one instead",
            label(step),
            step.name
        ))),
        None => Ok(applied.len()),
    }
}

/// A full disk stays a full disk; what the text itself did wrong is said with its name.
fn failed(step: &Migration, error: StoreError) -> StoreError {
    match error {
        StoreError::Misuse(text) | StoreError::Constraint { rule: text, .. } => {
            StoreError::Schema(format!("migration {} ({}) fails: {text}", label(step), step.name))
        }
        other => other,
    }
}

fn label(step: &Migration) -> String {
    format!("{}/{}", step.family, step.number)
}
