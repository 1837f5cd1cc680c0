//! Whom we call when a partner tells us where: public addresses only, unless the partner is declared local.
//!
//! A name is resolved by us, its answers are judged, and the connection goes to one of the judged addresses and to no
//! other, so a name that changes its mind in between changes nothing. Redirects are never followed (see
//! [`super::neighbour`]).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Resolves to public addresses alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublicOnly;

#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Whether an address that a partner may send us to names a literal address that is not public. Names are judged when
/// they are resolved.
pub(crate) fn is_private_literal(origin: &str) -> bool {
    let host = origin.trim_start_matches("https://");
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(host, _)| host),
    };
    // a URL parser reads numbers in many spellings as an address: what looks like one and is none is refused too
    match host.parse::<IpAddr>() {
        Ok(address) => !is_public(address),
        Err(_) => {
            let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
            last.is_empty() || last.starts_with("0x") || last.bytes().all(|c| c.is_ascii_digit())
        }
    }
}

pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public_v4(v4),
            None => {
                let [a, b, ..] = v6.segments();
                // global unicast, without protocols' own (Teredo carries an IPv4 address in it) and documentation
                (a & 0xe000) == 0x2000 && !(a == 0x2001 && (b < 0x0200 || b == 0x0db8)) && !(a == 0x3fff && b < 0x1000)
            }
        },
    }
}

/// The IPv4 address that an IPv6 one stands for: mapped, NAT64 (RFC 6052) and 6to4 (RFC 3056). A network's own NAT64
/// (RFC 8215) is not public.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, .., g, h] = v6.segments();
    let last = || {
        let ([w, x], [y, z]) = (g.to_be_bytes(), h.to_be_bytes());
        Ipv4Addr::new(w, x, y, z)
    };
    if let Some(mapped) = v6.to_ipv4_mapped() {
        return Some(mapped);
    }
    if v6.segments()[..6] == [0x0064, 0xff9b, 0, 0, 0, 0] {
        return Some(last());
    }
    if a == 0x2002 {
        let ([w, x], [y, z]) = (b.to_be_bytes(), v6.segments()[2].to_be_bytes());
        return Some(Ipv4Addr::new(w, x, y, z));
    }
    None
}

/// The registry of special addresses (RFC 6890) and multicast.
fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, c, _] = v4.octets();
    !(v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_broadcast()
        || v4.is_documentation()
        || v4.is_multicast()
        || a == 0
        || a >= 240
        || (a, b & 0xc0) == (100, 64)
        || (a, b, c) == (192, 0, 0)
        || (a, b & 0xfe) == (198, 18))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn inner_addresses_are_not_public_in_any_spelling() {
        let inner = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "192.0.2.1",
            "240.0.0.1",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001:0:4136:e378:8000:63bf:80ff:fffe",
            "3fff::1",
            "64:ff9b:1::808:808",
        ];
        for address in inner {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1", "64:ff9b::808:808"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for origin in
            ["https://127.0.0.1:8443", "https://[::1]:443", "https://2130706433", "https://0x7f.1", "https://127.1"]
        {
            assert!(is_private_literal(origin), "{origin}");
        }
        for origin in ["https://partner.example:8443", "https://8.8.8.8", "https://[2606:2800:220:1::1]:1"] {
            assert!(!is_private_literal(origin), "{origin}");
        }
    }

    #[tokio::test]
    async fn a_name_of_an_inner_address_does_not_resolve() {
        let found = PublicOnly.resolve("localhost".parse().unwrap()).await;
        assert!(found.is_err());
    }
}
