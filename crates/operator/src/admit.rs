//! May this connection come in? Decided before the upgrade, from what was enrolled and what was presented.
//!
//! A station that is not enrolled does not exist. A station proves itself in the way it was enrolled for and in no
//! weaker one: presenting a key where a certificate is due is a refusal, never a downgrade. Each refusal carries a
//! reason that a technician at the pole understands; the reason never quotes what was presented as a password.

use charge::id::StationId;
use charge::talk::line::quirk::{Quirk, Quirks};
use charge::talk::line::{Entry, Knock, Refusal, Version};
use trust::station_key::StationKeyDigest;

/// How an enrolled station proves that it is itself (OCPP 2.0.1 part 2, A.1.3: security profiles 2 and 3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// Profile 2: TLS and HTTP Basic with a key. The serial is checked where a certificate comes as well.
    Basic { digest: Box<StationKeyDigest>, serial: Option<String> },
    /// Profile 3: a client certificate whose common name is the station's serial number (A00.FR.404).
    Certificate { serial: String },
}

impl Proof {
    /// The number of the security profile.
    pub const fn profile(&self) -> u8 {
        match self {
            Self::Basic { .. } => 2,
            Self::Certificate { .. } => 3,
        }
    }
}

/// What is known about a station that knocks.
#[derive(Clone, Debug)]
pub struct Standing {
    /// As enrolled; the knock may spell it in other letter case.
    pub station: StationId,
    pub proof: Proof,
    pub retired: bool,
    /// The one knob that lets this station in without encryption.
    pub danger_plain_ws: bool,
    /// What is tolerated of it.
    pub quirks: Quirks,
    /// A key that it was sent, and has not come with yet (A01).
    pub next: Option<Box<StationKeyDigest>>,
}

/// Turned away: what the peer hears, and what the technician reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    pub refusal: Refusal,
    pub reason: String,
}

/// Decides about a knock. `standing` is `None` for an identity that nobody enrolled.
pub fn decide(knock: &Knock, standing: Option<&Standing>) -> Result<Entry, Turned> {
    let Some(standing) = standing else {
        return Err(turned(Refusal::UnknownStation, "no station is enrolled under this identity"));
    };
    if standing.retired {
        return Err(turned(Refusal::Blocked, "the station was retired; enrol it again to let it in"));
    }
    if !standing.quirks.has(Quirk::IdentityCase) && knock.identity != standing.station.as_str() {
        return Err(turned(
            Refusal::UnknownStation,
            "the identity is spelled in other letter case than enrolled, and that is not tolerated of this station",
        ));
    }
    proven(knock, standing)?;
    let version = choose(&knock.offered, standing.quirks)?;
    Ok(Entry { station: standing.station.clone(), version, quirks: standing.quirks })
}

fn proven(knock: &Knock, standing: &Standing) -> Result<(), Turned> {
    if !knock.encrypted && !standing.danger_plain_ws {
        return Err(unproven(
            "plain ws",
            "the connection is not encrypted (ws instead of wss), and danger_plain_ws is not set for this station",
        ));
    }
    match &standing.proof {
        Proof::Basic { digest, serial } => {
            if let (Some(certificate), Some(serial)) = (&knock.certificate, serial) {
                of_this_station(&certificate.common_name, serial)?;
            }
            if rises(knock, standing) { Ok(()) } else { with_key(knock, standing, digest) }
        }
        Proof::Certificate { serial } => match &knock.certificate {
            Some(certificate) => of_this_station(&certificate.common_name, serial),
            None => Err(unproven(
                "no client certificate",
                "the station is enrolled for security profile 3 and presented no client certificate",
            )),
        },
    }
}

/// Whether a station of profile 2 comes with the proof of profile 3 instead of its key: it was told to, and from now on
/// nothing less will do (2.x A05; OCPP 1.6 security whitepaper A05.FR.09).
pub fn rises(knock: &Knock, standing: &Standing) -> bool {
    let Proof::Basic { serial: Some(serial), .. } = &standing.proof else { return false };
    let proven = knock.certificate.as_ref().is_some_and(|of| of.common_name == *serial);
    proven && knock.encrypted && knock.basic.is_none()
}

/// Whether a station comes with the key that it was sent: from now on no other will do (2.x A01.FR.03).
pub fn renews(knock: &Knock, standing: &Standing) -> bool {
    let (Some(next), Some((_, key))) = (&standing.next, &knock.basic) else { return false };
    matches!(standing.proof, Proof::Basic { .. }) && next.verify(key.expose()).is_some()
}

fn of_this_station(common_name: &str, serial: &str) -> Result<(), Turned> {
    if common_name == serial {
        return Ok(());
    }
    let reason = format!(
        "the client certificate is for serial number {}, the station is enrolled with serial number {serial}",
        shown(common_name)
    );
    Err(Turned { refusal: Refusal::NotProven("certificate of another station"), reason })
}

fn with_key(knock: &Knock, standing: &Standing, digest: &StationKeyDigest) -> Result<(), Turned> {
    let Some((user, key)) = &knock.basic else {
        return Err(unproven("no password", "no HTTP Basic credentials; set the station's AuthorizationKey"));
    };
    if folded(user) != folded(standing.station.as_str()) {
        return Err(unproven("wrong user", "the HTTP Basic user name is not the station's identity"));
    }
    match digest.verify(key.expose()) {
        Some(_form) => Ok(()),
        None if renews(knock, standing) => Ok(()),
        None => Err(unproven("wrong password", "the key is not the one of this station; rotate it or set it again")),
    }
}

/// The server's order decides, newest first; nothing is guessed where nothing is offered (OCPP-J 1.6, 3.1.2), unless
/// the operator permits it for this one station.
fn choose(offered: &[String], quirks: Quirks) -> Result<Version, Turned> {
    const SPOKEN: [Version; 3] = [Version::V21, Version::V201, Version::V16];
    if offered.is_empty() && quirks.has(Quirk::NoSubprotocol) {
        return Ok(Version::V16);
    }
    let pinned = quirks.has(Quirk::OldVersion) && offered.iter().any(|offer| offer.trim() == "ocpp1.6");
    if pinned {
        return Ok(Version::V16);
    }
    let spoken = |version: &Version| offered.iter().any(|offer| Some(offer.trim()) == version.subprotocol());
    SPOKEN.into_iter().find(spoken).ok_or_else(|| {
        let reason = if offered.is_empty() {
            "no Sec-WebSocket-Protocol was offered; wanted ocpp2.0.1 or ocpp1.6".to_owned()
        } else {
            format!("offered {}; wanted ocpp2.0.1 or ocpp1.6", shown(&offered.join(", ")))
        };
        Turned { refusal: Refusal::NoCommonVersion, reason }
    })
}

/// How a knock deviates. Asked of stations that have proven themselves only.
pub fn deviations(knock: &Knock, station: &StationId) -> Quirks {
    let met =
        [(Quirk::NoSubprotocol, knock.offered.is_empty()), (Quirk::IdentityCase, knock.identity != station.as_str())];
    met.into_iter().filter(|(_, met)| *met).map(|(quirk, _)| quirk).collect()
}

/// The form in which identities are compared: stations in the field change the letter case (handbook, quirk 2).
pub fn folded(identity: &str) -> String {
    identity.to_lowercase()
}

/// The HTTP status of a refusal, for the log that the technician reads.
pub const fn status(refusal: &Refusal) -> u16 {
    match refusal {
        Refusal::UnknownStation => 404,
        Refusal::NotProven(_) => 401,
        Refusal::Blocked => 403,
        Refusal::NoCommonVersion => 400,
        Refusal::Overloaded => 503,
    }
}

/// What a stranger sent, fit for a log line.
pub fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(SHOWN_MAX).collect()
}

fn turned(refusal: Refusal, reason: &str) -> Turned {
    Turned { refusal, reason: reason.to_owned() }
}

fn unproven(word: &'static str, reason: &str) -> Turned {
    turned(Refusal::NotProven(word), reason)
}

/// A stranger's words are shortened to this: enough to recognise a serial number or an identity.
const SHOWN_MAX: usize = 80;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::clock::SeededDice;
    use charge::talk::line::StationCertificate;
    use charge::{Secret, Timestamp};
    use trust::station_key::StationKey;

    use super::*;

    fn certificate(common_name: &str) -> StationCertificate {
        StationCertificate {
            common_name: common_name.to_owned(),
            organisation: None,
            fingerprint: "ab".to_owned(),
            not_after: Timestamp::from_secs(2_000_000_000),
        }
    }

    #[test]
    fn every_knock_has_one_answer_and_a_plain_reason() {
        let dice = SeededDice::new(1);
        let key = StationKey::generate(&dice);
        let digest = key.digest(&dice).unwrap();
        let right = key.text().expose().clone().into_bytes();
        let station = StationId::new("CP-1").unwrap();
        let basic = |danger_plain_ws, retired| Standing {
            station: station.clone(),
            proof: Proof::Basic { digest: Box::new(digest.clone()), serial: Some("S1".to_owned()) },
            retired,
            danger_plain_ws,
            quirks: Quirks::USUAL,
            next: None,
        };
        let strict = Standing { proof: Proof::Certificate { serial: "S1".to_owned() }, ..basic(true, false) };
        let knock = |password: Option<&[u8]>, cn: Option<&str>, encrypted, offered: &[&str]| Knock {
            identity: "cp-1".to_owned(),
            basic: password.map(|key| ("cp-1".to_owned(), Secret::new(key.to_vec()))),
            certificate: cn.map(certificate),
            encrypted,
            offered: offered.iter().map(|offer| (*offer).to_owned()).collect(),
            peer: "192.0.2.1:1".to_owned(),
        };
        let both = ["ocpp1.6", "ocpp2.0.1"];
        let table = [
            (knock(Some(&right), None, true, &both), Some(basic(false, false)), Ok(Version::V201)),
            (knock(Some(&right), None, true, &["ocpp1.6"]), Some(basic(false, false)), Ok(Version::V16)),
            (knock(Some(&right), Some("S1"), true, &both), Some(basic(false, false)), Ok(Version::V201)),
            (knock(None, Some("S1"), true, &both), Some(strict.clone()), Ok(Version::V201)),
            // proves: ocpp-1.6-security A05.FR.09
            (knock(None, Some("S1"), true, &both), Some(basic(false, false)), Ok(Version::V201)),
            (knock(None, Some("S2"), true, &both), Some(basic(false, false)), Err((401, "number S2"))),
            (knock(Some(b"wrong"), Some("S1"), true, &both), Some(basic(false, false)), Err((401, "key is not"))),
            (knock(None, Some("S1"), false, &both), Some(basic(true, false)), Err((401, "no HTTP Basic"))),
            (knock(Some(&right), None, false, &both), Some(basic(true, false)), Ok(Version::V201)),
            (knock(Some(&right), None, true, &both), None, Err((404, "no station is enrolled"))),
            (knock(Some(&right), None, true, &both), Some(basic(false, true)), Err((403, "retired"))),
            (knock(Some(b"wrong"), None, true, &both), Some(basic(false, false)), Err((401, "key is not"))),
            (knock(None, None, true, &both), Some(basic(false, false)), Err((401, "no HTTP Basic"))),
            (knock(Some(&right), None, false, &both), Some(basic(false, false)), Err((401, "not encrypted"))),
            (knock(Some(&right), Some("S2"), true, &both), Some(basic(false, false)), Err((401, "number S2"))),
            (knock(Some(&right), None, true, &both), Some(strict.clone()), Err((401, "profile 3"))),
            (knock(None, Some("S2"), true, &both), Some(strict.clone()), Err((401, "number S2"))),
            (knock(None, None, false, &both), Some(strict), Err((401, "profile 3"))),
            (knock(Some(&right), None, true, &["ocpp2.2"]), Some(basic(false, false)), Err((400, "ocpp2.2"))),
            (knock(Some(&right), None, true, &[]), Some(basic(false, false)), Err((400, "no Sec-WebSocket"))),
        ];
        for (at, (knock, standing, wanted)) in table.into_iter().enumerate() {
            match (decide(&knock, standing.as_ref()), wanted) {
                (Ok(entry), Ok(version)) => assert_eq!((entry.version, entry.station), (version, station.clone())),
                (Err(turned), Err((code, words))) => {
                    assert_eq!(status(&turned.refusal), code, "row {at}");
                    assert!(turned.reason.contains(words), "row {at}: {}", turned.reason);
                }
                (got, wanted) => panic!("row {at}: {got:?} instead of {wanted:?}"),
            }
        }
    }

    #[test]
    fn another_stations_user_name_does_not_open() {
        let dice = SeededDice::new(1);
        let key = StationKey::generate(&dice);
        let standing = Standing {
            station: StationId::new("CP-1").unwrap(),
            proof: Proof::Basic { digest: Box::new(key.digest(&dice).unwrap()), serial: None },
            retired: false,
            danger_plain_ws: false,
            quirks: Quirks::USUAL,
            next: None,
        };
        let knock = Knock {
            identity: "CP-1".to_owned(),
            basic: Some(("CP-2".to_owned(), Secret::new(key.text().expose().clone().into_bytes()))),
            certificate: None,
            encrypted: true,
            offered: vec!["ocpp1.6".to_owned()],
            peer: String::new(),
        };
        assert_eq!(decide(&knock, Some(&standing)).unwrap_err().refusal, Refusal::NotProven("wrong user"));
    }
}
