//! Where a station may be called.
//!
//! A station names its address in every message (`From`), and whoever holds a stolen key could name any other: the
//! operator's own database, a neighbour's station. So an address counts only if the operator listed its origin for
//! this station, or, where nothing is listed, if it is the very address that the message came from. Deliberately no
//! names without a list: a name can point elsewhere tomorrow.

use std::net::IpAddr;

use charge::id::StationId;
use http::Uri;

/// An address that a request can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Callback {
    pub encrypted: bool,
    /// Without the brackets of IPv6.
    pub host: String,
    pub port: u16,
    /// Path and query.
    pub path: String,
}

/// Why an address is not called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotThere {
    #[error("is no http or https address")]
    Address,
    #[error("is not https")]
    Plain,
    #[error("is not one of the addresses listed for this station")]
    NotListed,
    #[error("is not the address that the station came from, and none is listed for it")]
    Elsewhere,
}

impl Callback {
    pub fn parse(text: &str) -> Result<Self, NotThere> {
        let uri: Uri = text.parse().map_err(|_| NotThere::Address)?;
        let (encrypted, usual_port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            Some(_) | None => return Err(NotThere::Address),
        };
        // user names in addresses hide where they lead
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let authority = authority.ok_or(NotThere::Address)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() {
            return Err(NotThere::Address);
        }
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { encrypted, host, port: authority.port_u16().unwrap_or(usual_port), path })
    }

    fn same_origin(&self, other: &Self) -> bool {
        (self.encrypted, &self.host, self.port) == (other.encrypted, &other.host, other.port)
    }
}

/// The origins that the operator lists, by station.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed(Vec<(String, Callback)>);

impl Listed {
    /// `Err` names the first that is no address.
    pub fn of(list: &[(StationId, String)]) -> Result<Self, String> {
        let origin = |(station, text): &(StationId, String)| {
            let callback = Callback::parse(text).map_err(|why| format!("{station}: {text} {why}"))?;
            Ok((station.as_str().to_lowercase(), callback))
        };
        list.iter().map(origin).collect::<Result<_, _>>().map(Self)
    }

    /// May this station, whose message came from `peer`, be called at what it says?
    pub fn judge(&self, said: &str, station: &StationId, peer: IpAddr, encrypted: bool) -> Result<Callback, NotThere> {
        let callback = Callback::parse(said)?;
        // only a station that may come without TLS may be called without
        if encrypted && !callback.encrypted {
            return Err(NotThere::Plain);
        }
        let own = station.as_str().to_lowercase();
        let mut listed = self.0.iter().filter(|(name, _)| *name == own).peekable();
        if listed.peek().is_some() {
            let known = listed.any(|(_, origin)| origin.same_origin(&callback));
            return if known { Ok(callback) } else { Err(NotThere::NotListed) };
        }
        let host: Option<IpAddr> = callback.host.parse().ok();
        let here = host.is_some_and(|host| host.to_canonical() == peer.to_canonical());
        if here { Ok(callback) } else { Err(NotThere::Elsewhere) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn a_station_is_called_where_it_came_from_or_where_the_operator_says() {
        let (one, two) = (StationId::new("CP-1").unwrap(), StationId::new("CP-2").unwrap());
        let listed = Listed::of(&[(two.clone(), "https://cp2.example:8443".to_owned())]).unwrap();
        let peer: IpAddr = "192.0.2.7".parse().unwrap();
        let judge = |said: &str, station: &StationId, encrypted| {
            listed.judge(said, station, peer, encrypted).map(|callback| callback.path)
        };
        assert_eq!(judge("https://192.0.2.7:8443/cp?x=1", &one, true), Ok("/cp?x=1".to_owned()));
        assert_eq!(judge("https://192.0.2.7", &one, true), Ok("/".to_owned()));
        assert_eq!(judge("https://192.0.2.8/", &one, true), Err(NotThere::Elsewhere));
        assert_eq!(judge("https://localhost/", &one, true), Err(NotThere::Elsewhere));
        assert_eq!(judge("http://192.0.2.7/", &one, true), Err(NotThere::Plain));
        assert_eq!(judge("http://192.0.2.7/", &one, false), Ok("/".to_owned()));
        assert_eq!(judge("https://192.0.2.7@198.51.100.1/", &one, true), Err(NotThere::Address));
        for none in ["", "x", "ftp://192.0.2.7/", "/cp", "https:///cp"] {
            assert_eq!(judge(none, &one, true), Err(NotThere::Address), "{none}");
        }
        assert_eq!(judge("https://CP2.example:8443/cp", &two, true), Ok("/cp".to_owned()));
        assert_eq!(judge("https://cp2.example/cp", &two, true), Err(NotThere::NotListed));
        assert_eq!(judge("https://192.0.2.7/cp", &two, true), Err(NotThere::NotListed));
        assert!(Listed::of(&[(one, "cp1".to_owned())]).is_err());
    }
}
