//! What a station's settings should be, and where they differ: templates without a word about how they get there.
//!
//! A template names wanted values; a station reports what it has; the difference is a list that a person can apply or
//! accept as it is. Nothing is written here, and a value that the station may not show is never counted as wrong.

use charge::talk::line::{Setting, Version};

/// A named set of wanted settings, and which stations it is meant for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pub name: String,
    pub meant_for: MeantFor,
    /// Key and wanted value. Passwords and keys have no place here.
    pub values: Vec<(Box<str>, Box<str>)>,
    /// Written by itself after each accepted boot.
    pub after_boot: bool,
}

/// Which stations; what is `None` does not select.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MeantFor {
    pub version: Option<Version>,
    pub vendor: Option<String>,
    pub model: Option<String>,
    /// The stations of this location.
    pub location: Option<String>,
}

/// What is known of a station, as far as templates ask.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    pub version: Option<Version>,
    pub vendor: &'a str,
    pub model: &'a str,
    pub location: &'a str,
}

impl MeantFor {
    /// Names of makers and models are compared without letter case: firmware changes it.
    pub fn fits(&self, station: Known<'_>) -> bool {
        let same = |wanted: &Option<String>, known: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(known.trim()))
        };
        self.version.is_none_or(|version| station.version == Some(version))
            && same(&self.vendor, station.vendor)
            && same(&self.model, station.model)
            && self.location.as_ref().is_none_or(|location| location == station.location)
    }
}

/// What a station has instead of the wanted value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Never reported: unknown to the station, or not read yet.
    Nothing,
    Other(Box<str>),
    /// Another value that only the station itself can change.
    Fixed(Box<str>),
}

/// One setting that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub key: Box<str>,
    pub wanted: Box<str>,
    pub found: Found,
    /// A person looked at exactly this value and left it.
    pub accepted: bool,
}

/// Compares. `accepted` holds what a person has left as it is: key and the value found then.
pub fn differences(
    wanted: &[(Box<str>, Box<str>)],
    reported: &[Setting],
    accepted: &[(Box<str>, Option<Box<str>>)],
) -> Vec<Difference> {
    let mut found = Vec::new();
    for (key, value) in wanted {
        let has = reported.iter().find(|setting| setting.key.eq_ignore_ascii_case(key));
        let (state, shown) = match has {
            None => (Found::Nothing, None),
            // write-only: it cannot be seen, so it cannot be wrong
            Some(Setting { value: None, .. }) => continue,
            Some(Setting { value: Some(shown), .. }) if same(value, shown) => continue,
            Some(Setting { value: Some(shown), read_only: true, .. }) => (Found::Fixed(shown.clone()), Some(shown)),
            Some(Setting { value: Some(shown), read_only: false, .. }) => (Found::Other(shown.clone()), Some(shown)),
        };
        let left = accepted.iter().any(|(name, then)| name == key && then.as_ref() == shown);
        found.push(Difference { key: key.clone(), wanted: value.clone(), found: state, accepted: left });
    }
    found
}

/// What has to be written: differences that nobody accepted and the station can change.
pub fn to_write(differences: &[Difference]) -> Vec<(Box<str>, Box<str>)> {
    let open = differences.iter().filter(|one| !one.accepted && !matches!(one.found, Found::Fixed(_)));
    open.map(|one| (one.key.clone(), one.wanted.clone())).collect()
}

/// Booleans differ in letter case between makers, lists in blanks and order (OCPP 1.6 9.1, 2.0.1 part 2 `MemberList`).
fn same(wanted: &str, shown: &str) -> bool {
    let flag = |text: &str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
    if flag(wanted) {
        return wanted.eq_ignore_ascii_case(shown.trim());
    }
    if wanted.contains(',') {
        let sorted = |text: &str| {
            let mut parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
            parts.sort_unstable();
            parts
        };
        return sorted(wanted) == sorted(shown);
    }
    wanted.trim() == shown.trim()
}

/// How a station behaves while the line is down (handbook privacy 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offline {
    /// Nobody starts: the default.
    Nobody,
    /// Those on the station's own list start.
    Listed,
}

/// Ready-made wishes for the offline rules of one version (OCPP 1.6 9.2, 9.3; 2.0.1 C13, C15, D).
pub fn offline_rules(version: Version, who: Offline) -> Vec<(Box<str>, Box<str>)> {
    let listed = if who == Offline::Listed { "true" } else { "false" };
    let rules: &[(&str, &str)] = if version.is_2() {
        &[
            ("AuthCacheCtrlr.Enabled", "false"),
            ("AuthCtrlr.LocalAuthorizeOffline", listed),
            ("AuthCtrlr.LocalPreAuthorize", "false"),
            ("AuthCtrlr.OfflineTxForUnknownIdEnabled", "false"),
            ("LocalAuthListCtrlr.Enabled", listed),
        ]
    } else {
        &[
            ("AllowOfflineTxForUnknownId", "false"),
            ("AuthorizationCacheEnabled", "false"),
            ("LocalAuthListEnabled", listed),
            ("LocalAuthorizeOffline", listed),
            ("LocalPreAuthorize", "false"),
        ]
    };
    rules.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(key: &str, value: Option<&str>, read_only: bool) -> Setting {
        Setting { key: key.into(), value: value.map(Into::into), read_only }
    }

    fn wants(key: &str, value: &str) -> Vec<(Box<str>, Box<str>)> {
        vec![(key.into(), value.into())]
    }

    #[test]
    fn a_difference_is_what_a_person_would_call_one() {
        let table = [
            ("300", Some(has("K", Some("300"), false)), None),
            ("true", Some(has("k", Some("True"), false)), None),
            ("A,B", Some(has("K", Some("B, A"), false)), None),
            ("300", Some(has("K", None, false)), None),
            ("300", Some(has("K", Some("60"), false)), Some(Found::Other("60".into()))),
            ("300", Some(has("K", Some("60"), true)), Some(Found::Fixed("60".into()))),
            ("300", None, Some(Found::Nothing)),
        ];
        for (wanted, reported, expected) in table {
            let reported: Vec<Setting> = reported.into_iter().collect();
            let found = differences(&wants("K", wanted), &reported, &[]).pop().map(|one| one.found);
            assert_eq!(found, expected, "{wanted} {reported:?}");
        }
    }

    #[test]
    fn what_was_accepted_counts_until_the_value_changes() {
        let accepted = [("K".into(), Some("60".into()))];
        let at = |value| differences(&wants("K", "300"), &[has("K", Some(value), false)], &accepted);
        assert!(at("60")[0].accepted && to_write(&at("60")).is_empty());
        assert!(!at("61")[0].accepted && to_write(&at("61")) == wants("K", "300"));
        assert!(to_write(&differences(&wants("K", "300"), &[has("K", Some("60"), true)], &[])).is_empty());
    }

    #[test]
    fn a_template_fits_whom_it_names() {
        let station = Known { version: Some(Version::V16), vendor: "ABB ", model: "Terra", location: "L1" };
        let fits = |meant_for: MeantFor| meant_for.fits(station);
        assert!(fits(MeantFor::default()));
        assert!(fits(MeantFor { vendor: Some("abb".into()), version: Some(Version::V16), ..MeantFor::default() }));
        assert!(!fits(MeantFor { version: Some(Version::V201), ..MeantFor::default() }));
        assert!(!fits(MeantFor { model: Some("Terra 2".into()), ..MeantFor::default() }));
        assert!(!fits(MeantFor { location: Some("L2".into()), ..MeantFor::default() }));
    }
}
