//! `[[operator.second]]`: second back-ends that the configuration puts, as `PUT /seconds/{name}` does.
//!
//! It puts and never takes away: one whose section is gone stays until it is deleted. Secrets stand in files of mode
//! 0600. Invariant: what is wrong is named by its section and its key, before anything is served.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use charge::Secret;
use charge::id::{LocationId, StationId};
use charge::talk::line::Version;
use operator::proxy::{Meant, Mode, Proofs, Second as Policy, Tokens};
use operator::{Fault, Operator};
use serde::Deserialize;
use trust::pki::Identity;

use crate::Failure;
use crate::init::secret;

/// A second back-end as a configuration names it. The keys mean what the fields of the API mean.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Second {
    name: String,
    address: String,
    version: String,
    mode: String,
    allow: Vec<String>,
    #[serde(default)]
    obey: Vec<String>,
    tokens: Option<String>,
    location: Option<String>,
    #[serde(default)]
    stations: Vec<String>,
    #[serde(default = "thousand")]
    buffer_max: u32,
    #[serde(default)]
    local: bool,
    /// The authorities that vouch for it: a file of PEM.
    roots: PathBuf,
    #[serde(default)]
    paused: bool,
    /// A private file with the password of every station without one of its own.
    password: Option<PathBuf>,
    /// By station: a private file with its password.
    #[serde(default)]
    passwords: BTreeMap<String, PathBuf>,
    /// Certificate chain and private key in one PEM file (security profile 3).
    identity: Option<PathBuf>,
}

impl Second {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The files that it names, to be found from the configuration's folder.
    pub(crate) fn files(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let own = self.password.iter_mut().chain(&mut self.identity).chain(self.passwords.values_mut());
        std::iter::once(&mut self.roots).chain(own)
    }

    fn wrong(&self, key: &str, why: impl std::fmt::Display) -> Failure {
        Failure::misuse(format!("[[operator.second]] {}: {key}: {why}", self.name))
    }

    fn policy(&self) -> Result<Policy, Failure> {
        let station = |name: &String| StationId::new(name).map_err(|fault| self.wrong("stations", fault));
        let meant = match (&self.location, self.stations.as_slice()) {
            (None, []) => Meant::All,
            (Some(location), []) => {
                Meant::Location(LocationId::new(location).map_err(|fault| self.wrong("location", fault))?)
            }
            (None, stations) => Meant::Stations(stations.iter().map(station).collect::<Result<_, _>>()?),
            (Some(_), _) => return Err(self.wrong("location", "either a location or stations")),
        };
        let version = Version::named(&self.version).ok_or_else(|| self.wrong("version", "1.6, 2.0.1 or 2.1"))?;
        let mode = Mode::named(&self.mode).ok_or_else(|| self.wrong("mode", "mirror or relay"))?;
        let tokens = match self.tokens.as_deref() {
            None => Tokens::Pseudonym,
            Some(text) => Tokens::named(text).ok_or_else(|| self.wrong("tokens", "pseudonym, drop or danger_pass"))?,
        };
        Ok(Policy {
            name: self.name.clone(),
            address: self.address.clone(),
            version,
            mode,
            allow: self.allow.clone(),
            obey: self.obey.clone(),
            tokens,
            meant,
            buffer_max: self.buffer_max,
            local: self.local,
            roots: std::fs::read_to_string(&self.roots).map_err(|fault| self.unread("roots", &self.roots, &fault))?,
            paused: self.paused,
        })
    }

    fn unread(&self, key: &str, file: &Path, fault: &dyn std::fmt::Display) -> Failure {
        self.wrong(key, format_args!("{}: {fault}", file.display()))
    }

    fn proofs(&self) -> Result<Proofs, Failure> {
        let read = |key: &str, file: &Path| {
            let text = secret(file).map_err(|fault| self.wrong(key, fault))?;
            Ok::<_, Failure>(Secret::new(Box::from(text.expose().as_str())))
        };
        let password = self.password.as_deref().map(|file| read("password", file)).transpose()?;
        let one = |(name, file): (&String, &PathBuf)| {
            let station = StationId::new(name).map_err(|fault| self.wrong("passwords", fault))?;
            Ok::<_, Failure>((station, read("passwords", file)?))
        };
        let of_stations = self.passwords.iter().map(one).collect::<Result<_, _>>()?;
        let identity = self.identity.as_deref().map(|file| {
            let read = Identity::read(file).map_err(|fault| self.unread("identity", file, &fault))?;
            Ok::<_, Failure>((read.chain_pem.into(), Secret::new(Box::from(read.key_pem.expose().as_str()))))
        });
        Ok(Proofs { password, of_stations, identity: identity.transpose()? })
    }
}

/// Puts all of them.
pub(crate) async fn put(room: &Operator, wished: &[Second]) -> Result<(), Failure> {
    for one in wished {
        let (policy, proofs) = (one.policy()?, one.proofs()?);
        room.put_second(ACTOR, policy, proofs).await.map_err(|fault| match fault {
            Fault::Invalid { path, why } => one.wrong(path.trim_start_matches('/'), why),
            Fault::NotFound(_) | Fault::Conflict(_) | Fault::Store(_) => one.wrong("name", fault),
        })?;
    }
    Ok(())
}

/// Who did it, in the audit.
const ACTOR: &str = "configuration";

const fn thousand() -> u32 {
    1_000
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn read(more: &str) -> Result<(Policy, Proofs), Failure> {
        let text = format!(
            "name = \"fleet\"\naddress = \"wss://csms.example/ocpp\"\nallow = [\"StatusNotification\"]\n\
             roots = \"/dev/null\"\n{more}"
        );
        let one: Second = toml::from_str(&text).unwrap();
        Ok((one.policy()?, one.proofs()?))
    }

    #[test]
    fn a_section_says_what_the_api_says() {
        let (policy, proofs) = read("version = \"1.6\"\nmode = \"mirror\"\nstations = [\"CP-1\"]\n").unwrap();
        assert_eq!((policy.version, policy.mode, policy.tokens), (Version::V16, Mode::Mirror, Tokens::Pseudonym));
        assert_eq!(policy.meant, Meant::Stations(vec![StationId::new("CP-1").unwrap()]));
        assert_eq!((policy.buffer_max, policy.paused, proofs.password.is_none()), (1_000, false, true));
        let all = read("version = \"2.1\"\nmode = \"relay\"\ntokens = \"drop\"\n").unwrap().0;
        assert_eq!((all.meant, all.tokens), (Meant::All, Tokens::Drop));
    }

    #[test]
    fn a_broken_key_is_named_with_its_section() {
        let usual = "version = \"1.6\"\nmode = \"mirror\"\n";
        for (text, key) in [
            ("version = \"1.7\"\nmode = \"mirror\"\n".to_owned(), "version"),
            ("version = \"1.6\"\nmode = \"echo\"\n".to_owned(), "mode"),
            (format!("{usual}tokens = \"show\"\n"), "tokens"),
            (format!("{usual}stations = [\"\"]\n"), "stations"),
            (format!("{usual}location = \"L\"\nstations = [\"CP-1\"]\n"), "location"),
            (format!("{usual}password = \"/nowhere/at-all\"\n"), "password"),
            (format!("{usual}identity = \"/nowhere/at-all\"\n"), "identity"),
            (format!("{usual}[passwords]\nCP-1 = \"/nowhere/at-all\"\n"), "passwords"),
        ] {
            let said = read(&text).unwrap_err().to_string();
            assert!(said.starts_with(&format!("[[operator.second]] fleet: {key}: ")), "{said}");
        }
    }
}
