//! Tolerances for people: what is on for a station and why, what it deviates in, what is suggested, and the switches.
//!
//! A switch counts from the station's next connection on. Deviations are counted in memory as lines come in and reach
//! the disk with the next round of duty.

use std::collections::HashMap;

use charge::id::StationId;
use charge::talk::line::quirk::{Quirk, Quirks};
use store::{StoreError, Tx};

use super::{Fault, House, Operator};
use crate::memory::{habit, log, quirk, station};
use crate::quirk::{Profile, SHIPPED, SUGGESTED_AFTER, Standing, Suggestion, Tolerance};

/// What was met and is not on disk yet: how often, and what was remarked last. At most one entry for each station and
/// kind.
pub(crate) type Counted = HashMap<(StationId, Quirk), (u64, Option<String>)>;

/// Remarks of a line that are kept as an example: more do not help whoever reads them.
const EXAMPLE_CHARACTERS_MAX: usize = 300;

impl House {
    /// A line of a station deviated. `remarks` say where, without the values.
    pub(super) fn deviated(&self, station: &StationId, met: Quirks, action: &str, remarks: &[Box<str>]) {
        if met.is_empty() {
            return;
        }
        let told = (!remarks.is_empty()).then(|| format!("{action} {}", remarks.join("; ")));
        let example: Option<String> = told.map(|told| told.chars().take(EXAMPLE_CHARACTERS_MAX).collect());
        let mut counted = self.deviations();
        for quirk in met.iter() {
            let (times, last) = counted.entry((station.clone(), quirk)).or_default();
            *times += 1;
            *last = example.clone().or(last.take());
        }
    }
}

impl Operator {
    /// Every tolerance at one station, why it is on or off, what was met of it, and what is suggested.
    pub async fn quirks_of(&self, of: &StationId) -> Result<Standing, Fault> {
        self.flush_deviations().await?;
        let of = of.clone();
        self.read("operator.quirks", move |_, tx| {
            known(tx, &of)?;
            let met = quirk::deviations(tx, &of)?;
            let one = |(quirk, on, because)| {
                let met = met.iter().find(|deviation| deviation.quirk == quirk);
                let (count, last) = (met.map_or(0, |met| met.met), met.map(|met| met.last));
                let example = met.and_then(|met| met.example.clone());
                Tolerance { quirk, on, because, met: count, last, example }
            };
            let make = quirk::make(tx, &of)?;
            let profiles = quirk::all_profiles(tx)?.into_iter().filter(|profile| profile.fits(&make));
            Ok(Standing {
                profiles: profiles.map(|profile| profile.name).collect(),
                strict: quirk::own(tx, &of)?.strict,
                tolerances: quirk::decided(tx, &of)?.into_iter().map(one).collect(),
                suggestions: suggested(tx, &of)?,
                refused_keys: habit::refused_by(tx, &make)?,
                make,
            })
        })
        .await
    }

    /// Switches one tolerance for one station; `None` leaves it to the profiles again. This is also the permission for
    /// what weakens security.
    pub async fn switch_quirk(&self, actor: &str, of: &StationId, which: Quirk, on: Option<bool>) -> Result<(), Fault> {
        let what = match on {
            Some(true) => "on",
            Some(false) => "off",
            None => "as the profiles say",
        };
        self.change(actor, of, "switch tolerance", format!("{} {what}", which.as_str()), move |tx, of| {
            quirk::switch(tx, of, which, on).map_err(Fault::from)
        })
        .await
    }

    /// Strict mode: nothing is tolerated of this station and each deviation gets its exact code, as in certification.
    pub async fn set_strict(&self, actor: &str, of: &StationId, strict: bool) -> Result<(), Fault> {
        let what = if strict { "on" } else { "off" };
        self.change(actor, of, "strict mode", what.to_owned(), move |tx, of| {
            quirk::set_strict(tx, of, strict).map_err(Fault::from)
        })
        .await
    }

    /// The profiles that are shipped, then the operator's own.
    pub async fn quirk_profiles(&self) -> Result<(Vec<Profile>, Vec<Profile>), Fault> {
        let own = self.read("operator.quirk.profiles", |_, tx| quirk::profiles(tx)).await?;
        Ok((SHIPPED.iter().map(Profile::from).collect(), own))
    }

    /// Keeps a profile of the operator's own, in the place of the one with its name.
    pub async fn put_quirk_profile(&self, actor: &str, profile: Profile) -> Result<(), Fault> {
        if let Some((path, why)) = profile.flaw() {
            return Err(Fault::Invalid { path, why });
        }
        let actor = actor.to_owned();
        self.run_and_forget_standings("operator.quirk.profile", move |house, tx| {
            quirk::put_profile(tx, &profile)?;
            log::audit(tx, house.now(), &actor, "put quirk profile", &profile.name, "done").map_err(Fault::from)
        })
        .await
    }

    pub async fn remove_quirk_profile(&self, actor: &str, name: &str) -> Result<(), Fault> {
        let (actor, name) = (actor.to_owned(), name.to_owned());
        self.run_and_forget_standings("operator.quirk.profile.remove", move |house, tx| {
            if !quirk::remove_profile(tx, &name)? {
                return Err(Fault::NotFound("quirk profile"));
            }
            log::audit(tx, house.now(), &actor, "remove quirk profile", &name, "done").map_err(Fault::from)
        })
        .await
    }

    /// What would serve stations that deviate in a way that is not tolerated of them. Stations in strict mode are
    /// left alone.
    pub async fn quirk_suggestions(&self) -> Result<Vec<Suggestion>, Fault> {
        self.flush_deviations().await?;
        self.read("operator.quirk.suggestions", |_, tx| {
            let mut found = Vec::new();
            for station in quirk::deviating(tx)? {
                found.extend(suggested(tx, &station)?);
            }
            Ok(found)
        })
        .await
    }

    /// Does what is suggested.
    pub async fn apply_suggestion(&self, actor: &str, of: &StationId, which: Quirk) -> Result<(), Fault> {
        self.standing_suggestion(of, which).await?;
        self.switch_quirk(actor, of, which, Some(true)).await
    }

    /// Not now: it comes back when the station goes on deviating.
    pub async fn dismiss_suggestion(&self, actor: &str, of: &StationId, which: Quirk) -> Result<(), Fault> {
        self.standing_suggestion(of, which).await?;
        self.change(actor, of, "dismiss suggestion", which.as_str().to_owned(), move |tx, of| {
            quirk::dismiss(tx, of, which).map(drop).map_err(Fault::from)
        })
        .await
    }

    async fn standing_suggestion(&self, of: &StationId, which: Quirk) -> Result<(), Fault> {
        let all = self.quirk_suggestions().await?;
        let stands = all.iter().any(|one| one.station == *of && one.quirk == which);
        if stands { Ok(()) } else { Err(Fault::NotFound("suggestion")) }
    }

    async fn change(
        &self,
        actor: &str,
        of: &StationId,
        act: &'static str,
        what: String,
        work: impl FnOnce(&mut Tx<'_>, &StationId) -> Result<(), Fault> + Send + 'static,
    ) -> Result<(), Fault> {
        let (actor, of) = (actor.to_owned(), of.clone());
        self.run_and_forget_standings("operator.quirk.change", move |house, tx| {
            known(tx, &of)?;
            work(tx, &of)?;
            log::audit(tx, house.now(), &actor, act, &format!("{of} {what}"), "done").map_err(Fault::from)
        })
        .await
    }

    /// Brings what was counted to disk.
    pub(super) async fn flush_deviations(&self) -> Result<(), StoreError> {
        let counted = std::mem::take(&mut *self.0.deviations());
        if counted.is_empty() {
            return Ok(());
        }
        self.run("operator.deviations", move |house, tx| {
            let now = house.now();
            counted.iter().try_for_each(|((station, which), (more, example))| {
                quirk::count(tx, station, *which, (*more, example.as_deref()), now)
            })
        })
        .await
    }
}

fn known(tx: &Tx<'_>, of: &StationId) -> Result<(), Fault> {
    station::find(tx, of)?.map(drop).ok_or(Fault::NotFound("station"))
}

fn suggested(tx: &Tx<'_>, of: &StationId) -> Result<Vec<Suggestion>, StoreError> {
    if quirk::own(tx, of)?.strict {
        return Ok(Vec::new());
    }
    let (on, make) = (quirk::set(tx, of)?, quirk::make(tx, of)?);
    let often = quirk::deviations(tx, of)?.into_iter().filter_map(|one| {
        let met = one.met.saturating_sub(one.dismissed);
        let stands = met >= SUGGESTED_AFTER && !on.has(one.quirk);
        let suggestion =
            || Suggestion { station: of.clone(), make: make.clone(), quirk: one.quirk, met, last: one.last };
        stands.then(suggestion)
    });
    Ok(often.collect())
}
