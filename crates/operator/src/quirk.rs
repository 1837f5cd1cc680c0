//! Which tolerances a station gets: what is usual, then its make's profiles, then the operator's word for this one
//! station, then strict mode, which switches all of them off.
//!
//! Deliberately no reading of messages here: the tongue meets deviations, this decides what to do about them.
//! Invariant: what weakens security is on by the operator's word for one station and by nothing else.

mod shipped;

pub use shipped::SHIPPED;

use std::sync::LazyLock;

use charge::Timestamp;
use charge::id::StationId;
use charge::talk::line::quirk::{Quirk, Quirks, Stance};

/// What is known of a make: all stations that fit the three patterns. A pattern may hold `*` for any text; letter
/// case does not matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    pub name: String,
    pub vendor: String,
    pub model: String,
    pub firmware: String,
    pub on: Vec<Quirk>,
    pub off: Vec<Quirk>,
}

/// The same, as the program brings it along.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    pub name: &'static str,
    pub vendor: &'static str,
    pub model: &'static str,
    pub firmware: &'static str,
    pub on: &'static [Quirk],
}

/// What a station said of itself at its last boot; empty before its first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Make {
    pub vendor: String,
    pub model: String,
    pub firmware: String,
}

/// The operator's word for one station.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    pub strict: bool,
    pub switched: Vec<(Quirk, bool)>,
}

/// Why a tolerance is on or off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    Usual,
    Profile(String),
    Operator,
    Strict,
}

/// One tolerance at one station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerance {
    pub quirk: Quirk,
    pub on: bool,
    pub because: Because,
    /// How many lines of the log deviated in this way, tolerated or not, and when the last one did.
    pub met: u64,
    pub last: Option<Timestamp>,
    /// What was remarked of the last one, with its JSON paths and without values.
    pub example: Option<String>,
}

/// What is tolerated of one station, why, and what would serve it better.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub make: Make,
    pub strict: bool,
    /// The profiles that fit its make, the later above the earlier.
    pub profiles: Vec<String>,
    /// One for each tolerance, in their order.
    pub tolerances: Vec<Tolerance>,
    pub suggestions: Vec<Suggestion>,
    /// Settings that its make says it does not know: they are not asked for any more.
    pub refused_keys: Vec<String>,
}

/// Advice: a station deviates in a way that is not tolerated of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    pub station: StationId,
    pub make: Make,
    pub quirk: Quirk,
    /// Since it was dismissed last.
    pub met: u64,
    pub last: Timestamp,
}

impl Suggestion {
    /// In a sentence, for a page.
    pub fn text(&self) -> String {
        let Self { station, make: Make { vendor, model, firmware }, quirk, met, .. } = self;
        let price = match quirk.stance() {
            Stance::Permit => " It weakens security.",
            Stance::On | Stance::Off => "",
        };
        format!(
            "Station {station} ({vendor} {model}, firmware {firmware}) deviated {met} times. To serve it, switch {} on: \
             {}{price}",
            quirk.as_str(),
            quirk.told()
        )
    }
}

/// The shipped profiles in the form of the operator's: every knock is judged by them.
pub fn shipped() -> &'static [Profile] {
    static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| SHIPPED.iter().map(Profile::from).collect());
    &PROFILES
}

/// Each tolerance with the reason for it, in their order.
pub fn decide(make: &Make, profiles: &[Profile], own: &Own) -> Vec<(Quirk, bool, Because)> {
    let fitting: Vec<&Profile> = profiles.iter().filter(|profile| profile.fits(make)).collect();
    let one = |quirk: Quirk| {
        if own.strict {
            return (quirk, false, Because::Strict);
        }
        if let Some((_, on)) = own.switched.iter().find(|(switched, _)| *switched == quirk) {
            return (quirk, *on, Because::Operator);
        }
        let says = |profile: &&&Profile| profile.on.contains(&quirk) || profile.off.contains(&quirk);
        // the last one counts: the operator's come after those that are shipped
        match fitting.iter().rev().find(says).filter(|_| quirk.stance() != Stance::Permit) {
            Some(profile) => (quirk, !profile.off.contains(&quirk), Because::Profile(profile.name.clone())),
            None => (quirk, quirk.stance() == Stance::On, Because::Usual),
        }
    };
    Quirk::ALL.iter().map(|quirk| one(*quirk)).collect()
}

/// What is on of it, for the door.
pub fn set(decided: &[(Quirk, bool, Because)]) -> Quirks {
    decided.iter().filter(|(_, on, _)| *on).map(|(quirk, ..)| *quirk).collect()
}

impl Profile {
    pub fn fits(&self, make: &Make) -> bool {
        let known = !make.vendor.is_empty() || !make.model.is_empty();
        known
            && fits(&self.vendor, &make.vendor)
            && fits(&self.model, &make.model)
            && fits(&self.firmware, &make.firmware)
    }

    /// Why it cannot be kept, and where.
    pub fn flaw(&self) -> Option<(&'static str, String)> {
        if self.name.trim().is_empty() || self.name.len() > NAME_MAX {
            return Some(("/name", format!("must have 1 to {NAME_MAX} characters")));
        }
        if self.vendor.trim_matches('*').is_empty() && self.model.trim_matches('*').is_empty() {
            return Some(("/vendor", "vendor or model must say something: this would fit every station".to_owned()));
        }
        let permit = self.on.iter().find(|quirk| quirk.stance() == Stance::Permit)?;
        Some(("/on", format!("{} weakens security and is permitted for one station at a time", permit.as_str())))
    }
}

impl From<&Shipped> for Profile {
    fn from(shipped: &Shipped) -> Self {
        let Shipped { name, vendor, model, firmware, on } = *shipped;
        Self {
            name: name.to_owned(),
            vendor: vendor.to_owned(),
            model: model.to_owned(),
            firmware: firmware.to_owned(),
            on: on.to_vec(),
            off: Vec::new(),
        }
    }
}

/// `*` is any text, also none.
fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.trim().to_lowercase());
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(end)
}

/// A name of a profile, in bytes.
const NAME_MAX: usize = 80;
/// One odd message is an accident; three are a habit.
pub const SUGGESTED_AFTER: u64 = 3;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn make(vendor: &str, model: &str, firmware: &str) -> Make {
        Make { vendor: vendor.to_owned(), model: model.to_owned(), firmware: firmware.to_owned() }
    }

    fn profile(vendor: &str, model: &str, firmware: &str) -> Profile {
        let (name, vendor) = (format!("{vendor}/{model}"), vendor.to_owned());
        let (model, firmware) = (model.to_owned(), firmware.to_owned());
        Profile { name, vendor, model, firmware, on: vec![Quirk::AnswerPause], off: vec![Quirk::Null] }
    }

    #[test]
    fn profiles_fit_by_vendor_model_and_firmware() {
        let station = make("FoxESS", "A7300P1-E", "1.14.2");
        for (vendor, model, firmware, fits) in [
            ("foxess", "*", "*", true),
            ("Fox*", "A*-E", "1.*", true),
            ("*ess", "*300*", "*", true),
            ("FoxESS", "A7300P1-E", "1.14.2", true),
            ("FoxESS", "A7300", "*", false),
            ("FoxESS", "B*", "*", false),
            ("FoxESS", "*", "2.*", false),
            ("*", "*E*E", "*", false),
        ] {
            assert_eq!(profile(vendor, model, firmware).fits(&station), fits, "{vendor} {model} {firmware}");
        }
        assert!(!profile("*", "*", "*").fits(&Make::default()), "a station that never booted has no make");
    }

    #[test]
    fn the_nearer_word_counts_and_strict_mode_above_all() {
        let station = make("V", "M", "1");
        let own = |strict, switched: &[(Quirk, bool)]| Own { strict, switched: switched.to_vec() };
        let on = |profiles: &[Profile], own: &Own| set(&decide(&station, profiles, own));
        let fitting = [profile("V", "*", "*")];
        assert_eq!(on(&[], &Own::default()), Quirks::USUAL);
        assert_eq!(on(&[profile("W", "*", "*")], &Own::default()), Quirks::USUAL);
        let by_profile = on(&fitting, &Own::default());
        assert_eq!(by_profile, Quirks::USUAL.with(Quirk::AnswerPause).without(Quirk::Null));
        let back = [(Quirk::AnswerPause, false), (Quirk::Null, true)];
        assert_eq!(on(&fitting, &own(false, &back)), Quirks::USUAL);
        assert_eq!(on(&fitting, &own(true, &back)), Quirks::NONE);
        // the operator's profile comes after the shipped one
        let again = Profile { on: vec![Quirk::Null], off: vec![], ..profile("V", "M", "1") };
        assert!(on(&[fitting[0].clone(), again], &Own::default()).has(Quirk::Null));
    }

    #[test]
    fn what_weakens_security_is_the_operators_word_for_one_station() {
        let station = make("V", "M", "1");
        let bad = Profile { on: vec![Quirk::NoSubprotocol], ..profile("V", "*", "*") };
        assert_eq!(bad.flaw().unwrap().0, "/on");
        assert!(!set(&decide(&station, std::slice::from_ref(&bad), &Own::default())).has(Quirk::NoSubprotocol));
        let own = Own { strict: false, switched: vec![(Quirk::NoSubprotocol, true)] };
        assert!(set(&decide(&station, &[bad], &own)).has(Quirk::NoSubprotocol));
        assert_eq!(profile("*", "", "1").flaw().unwrap().0, "/vendor");
    }

    #[test]
    fn what_is_shipped_could_be_kept() {
        for shipped in SHIPPED {
            assert_eq!(Profile::from(shipped).flaw(), None, "{}", shipped.name);
        }
    }

    #[test]
    fn the_guide_shows_what_is_shipped() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/quirks.md");
        let guide = std::fs::read_to_string(path).unwrap();
        for quirk in Quirk::ALL {
            let stance = match quirk.stance() {
                Stance::On => "on",
                Stance::Off => "off",
                Stance::Permit => "by permission",
            };
            let row = format!("| `{}` | {stance} | {} |", quirk.as_str(), quirk.told());
            assert!(guide.lines().any(|line| line == row), "docs/guides/quirks.md lacks the row\n{row}");
        }
        for Shipped { name, vendor, model, firmware, on } in SHIPPED {
            let on: Vec<String> = on.iter().map(|quirk| format!("`{}`", quirk.as_str())).collect();
            let row = format!("| {name} | `{vendor}` | `{model}` | `{firmware}` | {} |", on.join(", "));
            assert!(guide.lines().any(|line| line == row), "docs/guides/quirks.md lacks the row\n{row}");
        }
        let rows = guide.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #")).count();
        assert_eq!(rows, Quirk::ALL.len() + SHIPPED.len(), "docs/guides/quirks.md has rows of what is gone");
    }
}
