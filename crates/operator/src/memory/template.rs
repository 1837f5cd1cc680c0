//! Rows of templates: wanted settings, whom they are meant for, and what a person accepted as it is.

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::Version;
use store::{Migration, StoreError, Tx, values};

use crate::drift::{MeantFor, Template};
use crate::memory::named_opt;

/// A family of its own: no other table refers to it.
pub(crate) const MIGRATION: Migration =
    Migration { family: "operator templates", number: 1, name: "wanted settings", sql: SCHEMA };

const SCHEMA: &str = "CREATE TABLE operator_templates (
    name TEXT PRIMARY KEY,
    version TEXT, vendor TEXT, model TEXT, location TEXT,
    after_boot INTEGER NOT NULL,
    changed INTEGER NOT NULL
);
CREATE TABLE operator_template_values (
    template TEXT NOT NULL REFERENCES operator_templates (name),
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (template, name)
);
CREATE TABLE operator_accepted (
    station TEXT NOT NULL,
    template TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (station, template, name)
);";

/// Takes the place of the one with its name.
pub(crate) fn put(tx: &mut Tx<'_>, template: &Template, now: Timestamp) -> Result<(), StoreError> {
    let meant = &template.meant_for;
    let row = values![
        template.name.as_str(),
        meant.version.map(Version::label),
        meant.vendor.as_deref(),
        meant.model.as_deref(),
        meant.location.as_deref(),
        template.after_boot,
        now
    ];
    tx.execute(PUT, &row)?;
    tx.execute(CLEAR, &values![template.name.as_str()])?;
    for (key, value) in &template.values {
        tx.execute(PUT_VALUE, &values![template.name.as_str(), &**key, &**value])?;
    }
    Ok(())
}

/// `false`: there is none of this name.
pub(crate) fn remove(tx: &mut Tx<'_>, name: &str) -> Result<bool, StoreError> {
    tx.execute(CLEAR, &values![name])?;
    tx.execute(FORGET_ACCEPTED, &values![name])?;
    Ok(tx.execute(REMOVE, &values![name])? > 0)
}

pub(crate) fn all(tx: &Tx<'_>) -> Result<Vec<Template>, StoreError> {
    let mut found = tx.query(ALL, &[], |row| {
        let meant_for = MeantFor {
            version: named_opt(row, 1, "version", Version::named)?,
            vendor: row.text_opt(2)?,
            model: row.text_opt(3)?,
            location: row.text_opt(4)?,
        };
        Ok(Template { name: row.text(0)?, meant_for, values: Vec::new(), after_boot: row.flag(5)? })
    })?;
    for template in &mut found {
        template.values = tx.query(VALUES, &values![template.name.as_str()], |row| {
            Ok((row.text(0)?.into_boxed_str(), row.text(1)?.into_boxed_str()))
        })?;
    }
    Ok(found)
}

/// A setting that a person left as it is, and the value it had then.
pub(crate) type Accepted = (Box<str>, Option<Box<str>>);

pub(crate) fn accepted(tx: &Tx<'_>, station: &StationId, template: &str) -> Result<Vec<Accepted>, StoreError> {
    tx.query(ACCEPTED, &values![station.as_str(), template], |row| {
        Ok((row.text(0)?.into(), row.text_opt(1)?.map(Into::into)))
    })
}

pub(crate) fn accept(
    tx: &mut Tx<'_>,
    station: &StationId,
    template: &str,
    key: &str,
    value: Option<&str>,
) -> Result<(), StoreError> {
    tx.execute(ACCEPT, &values![station.as_str(), template, key, value]).map(drop)
}

/// A network has a handful per make and model.
pub(crate) const TEMPLATES_MAX: usize = 500;

const PUT: &str = "INSERT INTO operator_templates (name, version, vendor, model, location, after_boot, changed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO UPDATE SET version = excluded.version,
    vendor = excluded.vendor, model = excluded.model, location = excluded.location,
    after_boot = excluded.after_boot, changed = excluded.changed";
const PUT_VALUE: &str = "INSERT INTO operator_template_values (template, name, value) VALUES (?1, ?2, ?3)
    ON CONFLICT (template, name) DO UPDATE SET value = excluded.value";
const CLEAR: &str = "DELETE FROM operator_template_values WHERE template = ?1";
const REMOVE: &str = "DELETE FROM operator_templates WHERE name = ?1";
const FORGET_ACCEPTED: &str = "DELETE FROM operator_accepted WHERE template = ?1";
const ALL: &str = "SELECT name, version, vendor, model, location, after_boot FROM operator_templates
    ORDER BY name LIMIT 500";
const VALUES: &str = "SELECT name, value FROM operator_template_values WHERE template = ?1 ORDER BY name LIMIT 1000";
const ACCEPTED: &str = "SELECT name, value FROM operator_accepted WHERE station = ?1 AND template = ?2 LIMIT 1000";
const ACCEPT: &str = "INSERT INTO operator_accepted (station, template, name, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (station, template, name) DO UPDATE SET value = excluded.value";
