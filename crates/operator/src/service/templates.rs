//! Templates of settings: put, compared with what stations report, applied by a person or after a boot.
//!
//! Passwords and keys have no place in a template: they would lie readable in a table.

use charge::id::StationId;
use charge::talk::line::{LineFault, Setting, StationAnswer, ToStation, Version, Written, is_confidential};
use charge::{Secret, Timestamp};
use store::outbox::{self, Job};
use store::{StoreError, Tx};

use super::chore::CHORE;
use super::{Event, Fault, House, Operator, habits};
use crate::desk::Drift;
use crate::drift::{Known, Template, differences, to_write};
use crate::memory::station::Source;
use crate::memory::template::{self, TEMPLATES_MAX};
use crate::memory::{log, station};
use crate::order::{OrderOutcome, StationOrder};

impl Operator {
    pub async fn templates(&self) -> Result<Vec<Template>, Fault> {
        Ok(self.read("operator.templates", |_, tx| template::all(tx)).await?)
    }

    /// Puts a template in place of the one with its name. Nothing is written to any station by that.
    pub async fn put_template(&self, actor: &str, wanted: Template) -> Result<(), Fault> {
        check(&wanted)?;
        let actor = actor.to_owned();
        self.run("operator.template.put", move |house, tx| {
            let others = template::all(tx)?;
            if others.len() >= TEMPLATES_MAX && others.iter().all(|other| other.name != wanted.name) {
                return Err(Fault::Conflict(format!("there are {TEMPLATES_MAX} templates already")));
            }
            template::put(tx, &wanted, house.now())?;
            log::audit(tx, house.now(), &actor, "put template", &wanted.name, "done").map_err(Fault::from)
        })
        .await
    }

    pub async fn drop_template(&self, actor: &str, name: &str) -> Result<(), Fault> {
        let (actor, name) = (actor.to_owned(), name.to_owned());
        self.run("operator.template.drop", move |house, tx| {
            if !template::remove(tx, &name)? {
                return Err(Fault::NotFound("template"));
            }
            log::audit(tx, house.now(), &actor, "drop template", &name, "done").map_err(Fault::from)
        })
        .await
    }

    /// A station beside every template that is meant for it.
    pub async fn drift(&self, of: &StationId) -> Result<Vec<Drift>, Fault> {
        let of = of.clone();
        self.read("operator.drift", move |_, tx| drifts(tx, &of, &template::all(tx)?)).await
    }

    /// All stations that differ from a template that is meant for them, as far as nobody accepted it.
    pub async fn drifting(&self) -> Result<Vec<Drift>, Fault> {
        self.read("operator.drifting", |_, tx| {
            let (all, mut found) = (template::all(tx)?, Vec::new());
            for name in station::ids(tx)? {
                found.extend(
                    drifts(tx, &name, &all)?.into_iter().filter(|one| one.differences.iter().any(|d| !d.accepted)),
                );
                if found.len() >= DRIFTING_MAX {
                    break;
                }
            }
            Ok(found)
        })
        .await
    }

    /// Writes what differs to the station, and reads it back.
    pub async fn apply_template(&self, actor: &str, of: &StationId, name: &str) -> Result<OrderOutcome, Fault> {
        let one = self.drift_from(of, name).await?;
        let values = to_write(&one.differences);
        if values.is_empty() {
            return Err(Fault::Conflict("nothing differs that could be written".to_owned()));
        }
        let keys: Vec<Box<str>> = values.iter().map(|(key, _)| key.clone()).collect();
        let values = values.into_iter().map(|(key, value)| (key, Secret::new(value))).collect();
        let came = self.order(actor, of, StationOrder::WriteSettings { values }).await?;
        if came.written.iter().any(|(_, became)| matches!(became, Written::Accepted)) {
            self.order(actor, of, StationOrder::ReadSettings { keys }).await?;
        }
        Ok(came)
    }

    /// A person leaves one setting as it is. It counts as different again when it changes.
    pub async fn accept_drift(&self, actor: &str, of: &StationId, name: &str, key: &str) -> Result<(), Fault> {
        let one = self.drift_from(of, name).await?;
        if !one.differences.iter().any(|difference| *difference.key == *key) {
            return Err(Fault::NotFound("difference"));
        }
        let (actor, of, name, key) = (actor.to_owned(), of.clone(), name.to_owned(), key.to_owned());
        self.run("operator.drift.accept", move |house, tx| {
            let has = station::settings(tx, &of)?.into_iter().find(|setting| setting.key.eq_ignore_ascii_case(&key));
            template::accept(tx, &of, &name, &key, has.and_then(|setting| setting.value).as_deref())?;
            log::audit(tx, house.now(), &actor, "accept setting", &format!("{of} {key}"), "done").map_err(Fault::from)
        })
        .await
    }

    async fn drift_from(&self, of: &StationId, name: &str) -> Result<Drift, Fault> {
        let all = self.drift(of).await?;
        all.into_iter().find(|one| one.template.name == name).ok_or(Fault::NotFound("template for this station"))
    }

    /// After a boot: reads the wanted keys, and writes those that differ.
    pub(super) async fn settle_station(&self, of: &StationId, job: &Job) -> Result<(), StoreError> {
        let (name, done) = (of.clone(), job.id);
        let wanted = self
            .read("operator.settle.station", move |_, tx| {
                habits::without_refused(tx, &name, wanted_after_boot(tx, &name)?)
            })
            .await?;
        let keys: Vec<Box<str>> = wanted.iter().flat_map(|one| one.values.iter().map(|(key, _)| key.clone())).collect();
        let mut why = None;
        if !keys.is_empty() {
            let told = self.tell(of, ToStation::ReadSettings { keys }).await;
            match &told {
                Ok(StationAnswer::Settings { .. }) => why = self.write_wanted(of, wanted, told).await?,
                Ok(_) => {}
                Err(fault) => why = Some(fault.to_string()),
            }
        }
        let (now, attempts) = (self.0.now(), job.attempts);
        self.run("operator.settle.done", move |_, tx| match why {
            Some(why) if attempts < SETTLES_MAX => outbox::retry(tx, done, now.plus(SETTLE_AGAIN), &why).map(drop),
            Some(_) | None => outbox::done(tx, done).map(drop),
        })
        .await
    }

    async fn write_wanted(
        &self,
        of: &StationId,
        wanted: Vec<Template>,
        told: Result<StationAnswer, LineFault>,
    ) -> Result<Option<String>, StoreError> {
        let name = of.clone();
        let due = self
            .run("operator.settle.compare", move |house, tx| {
                habits::learn(tx, &name, &told, house.now())?;
                let Ok(StationAnswer::Settings { known: reported, .. }) = told else { return Ok(Vec::new()) };
                let source = Source::answer_in(house.version_of(&name));
                station::put_settings(tx, &name, &reported, source, house.now())?;
                let just_told = |kept: &Setting| reported.iter().any(|told| told.key == kept.key);
                let known: Vec<Setting> = station::settings(tx, &name)?.into_iter().filter(just_told).collect();
                let wanted = habits::without_refused(tx, &name, wanted)?;
                let mut due: Vec<(Box<str>, Box<str>)> = Vec::new();
                let mut decided: Vec<&str> = Vec::new();
                for one in &wanted {
                    let accepted = template::accepted(tx, &name, &one.name)?;
                    let open = to_write(&differences(&one.values, &known, &accepted));
                    // two templates that want different values of one setting would write both at every boot
                    due.extend(open.into_iter().filter(|(key, _)| !decided.contains(&&**key)));
                    decided.extend(one.values.iter().map(|(key, _)| &**key));
                }
                Ok::<_, StoreError>(due)
            })
            .await?;
        if due.is_empty() {
            return Ok(None);
        }
        let values = due.iter().cloned().map(|(key, value)| (key, Secret::new(value))).collect();
        let told = self.tell(of, ToStation::WriteSettings { values }).await;
        let (name, now) = (of.clone(), self.0.now());
        let (word, why) = match &told {
            Ok(StationAnswer::Written(written)) => {
                let taken = written.iter().filter(|(_, b)| matches!(b, Written::Accepted | Written::AfterReboot));
                (format!("{} of {} settings taken", taken.count(), written.len()), None)
            }
            Ok(_) => ("accepted".to_owned(), None),
            Err(fault) => (fault.to_string(), Some(fault.to_string())),
        };
        self.run("operator.settle.audit", move |_, tx| {
            habits::learn(tx, &name, &told, now)?;
            if let Ok(StationAnswer::Written(written)) = &told {
                keep_written(tx, &name, &due, written, now)?;
            }
            log::audit(tx, now, "after boot", "write settings", name.as_str(), &word)
        })
        .await?;
        self.0.tell_of(Event::Station(of.clone()));
        Ok(why)
    }
}

/// What the station took is what it has.
fn keep_written(
    tx: &mut Tx<'_>,
    name: &StationId,
    due: &[(Box<str>, Box<str>)],
    written: &[(Box<str>, Written)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let took = |key: &str| written.iter().any(|(of, became)| **of == *key && *became == Written::Accepted);
    let kept: Vec<Setting> = due
        .iter()
        .filter(|(key, _)| took(key))
        .map(|(key, value)| Setting { key: key.clone(), value: Some(value.clone()), read_only: false })
        .collect();
    station::put_settings(tx, name, &kept, Source::Values, now)
}

/// A station was accepted: its templates are looked after. One job for each boot.
pub(super) fn after_boot(tx: &mut Tx<'_>, name: &StationId, now: Timestamp) -> Result<bool, StoreError> {
    if wanted_after_boot(tx, name)?.is_empty() {
        return Ok(false);
    }
    // not before the answer to the boot has reached the station (handbook, quirk 13)
    let due = now.plus(AFTER_BOOT);
    outbox::put(tx, CHORE, &format!("settings/{}/{name}", now.micros()), due, &[])
}

fn wanted_after_boot(tx: &Tx<'_>, name: &StationId) -> Result<Vec<Template>, StoreError> {
    let after_boot = |one: &Template| one.after_boot;
    Ok(meant_for(tx, name, &template::all(tx)?)?.unwrap_or_default().into_iter().filter(after_boot).collect())
}

/// Those of all templates that are meant for a station; `None` where there is no such station.
fn meant_for(tx: &Tx<'_>, name: &StationId, all: &[Template]) -> Result<Option<Vec<Template>>, StoreError> {
    let Some(row) = station::find(tx, name)? else { return Ok(None) };
    let known = Known {
        version: row.version,
        vendor: &row.boot.vendor,
        model: &row.boot.model,
        location: row.location.as_str(),
    };
    Ok(Some(all.iter().filter(|one| one.meant_for.fits(known)).cloned().collect()))
}

fn drifts(tx: &Tx<'_>, name: &StationId, all: &[Template]) -> Result<Vec<Drift>, Fault> {
    let meant = meant_for(tx, name, all)?.ok_or(Fault::NotFound("station"))?;
    if meant.is_empty() {
        return Ok(Vec::new());
    }
    let reported = station::settings(tx, name)?;
    let mut found = Vec::new();
    for one in meant {
        let accepted = template::accepted(tx, name, &one.name)?;
        let differences = differences(&one.values, &reported, &accepted);
        found.push(Drift { station: name.clone(), template: one, differences });
    }
    Ok(found)
}

fn check(wanted: &Template) -> Result<(), Fault> {
    let invalid = |path, why: &str| Err(Fault::Invalid { path, why: why.to_owned() });
    if wanted.name.trim().is_empty() || wanted.name.chars().count() > NAME_CHARACTERS_MAX {
        return invalid("/name", "1 to 60 characters");
    }
    if wanted.values.is_empty() || wanted.values.len() > VALUES_MAX {
        return invalid("/values", "1 to 200 settings");
    }
    if wanted.values.iter().any(|(key, _)| key.trim().is_empty()) {
        return invalid("/values", "a setting has no name");
    }
    if wanted.values.iter().any(|(key, _)| is_confidential(key)) {
        return invalid("/values", "passwords, keys and what names a person have no place in a template");
    }
    Ok(())
}

impl House {
    /// The version of a station's live connection.
    pub(super) fn version_of(&self, name: &StationId) -> Option<Version> {
        self.presences().live.get(name).map(|presence| presence.version)
    }
}

/// As a person reads it in a list.
const NAME_CHARACTERS_MAX: usize = 60;
/// Stations of the field have some hundred settings, of which a network wants tens.
const VALUES_MAX: usize = 200;
/// A longer list than this is one cause, not many.
const DRIFTING_MAX: usize = 500;
/// The station has its answer by then, and is done with its first reports.
const AFTER_BOOT: std::time::Duration = std::time::Duration::from_secs(10);
const SETTLE_AGAIN: std::time::Duration = std::time::Duration::from_secs(120);
/// After this the next boot tries again.
const SETTLES_MAX: i64 = 3;
