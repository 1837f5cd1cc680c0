//! Lays out a network of one's own: authorities, server identities, road tokens, configuration.
//!
//! `leyden init` does it in a folder of the user's choice, `leyden demo` in its own. Every secret is random and
//! stands in a file of mode 0600; there is no default password anywhere.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use charge::id::PartyId;
use charge::{Clock, Secret, SystemClock};
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};

use crate::Failure;

/// Authorities outlive the machines they certify.
const AUTHORITY_LIFE: Duration = Duration::from_secs(10 * 365 * 86_400);
/// Server identities are short enough to practise their renewal, long enough for a demo to be found again.
const SERVER_LIFE: Duration = Duration::from_secs(397 * 86_400);
/// In which an identity is made anew.
const LAST_MONTH: Duration = Duration::from_secs(30 * 86_400);

/// A network to lay out.
pub(crate) struct Plan {
    /// DNS name or address under which this machine is reached.
    pub(crate) host: String,
    pub(crate) web: SocketAddr,
    pub(crate) line: SocketAddr,
    /// Where stations send SOAP; `None` for a network without such stations.
    pub(crate) soap: Option<SocketAddr>,
    pub(crate) operator: Member,
    pub(crate) hub: Member,
    /// With the part of their page's address.
    pub(crate) providers: Vec<(String, Member)>,
}

/// A party of the network and where its road door listens.
pub(crate) struct Member {
    pub(crate) party: PartyId,
    pub(crate) name: String,
    pub(crate) road: SocketAddr,
}

/// `leyden init`.
pub(crate) fn run(wish: &crate::cli::Init) -> Result<(), Failure> {
    let taken = std::fs::read_dir(&wish.dir).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        return Err(Failure::misuse(format!("{} is not empty: name a new folder", wish.dir.display())));
    }
    let party = |text: &str| text.parse().map_err(|fault| Failure::misuse(format!("`{text}` {fault}")));
    let everywhere = |port| SocketAddr::from(([0, 0, 0, 0], port));
    let here = |port| SocketAddr::from(([127, 0, 0, 1], port));
    let mut providers = Vec::new();
    for (number, id) in (0u16..).zip(&wish.providers) {
        let id: PartyId = party(id)?;
        let member = Member { party: id, name: format!("Provider {id}"), road: here(8460 + number) };
        providers.push((id.code().to_ascii_lowercase(), member));
    }
    let plan = Plan {
        host: wish.host.clone(),
        web: everywhere(8443),
        line: everywhere(8444),
        soap: None,
        operator: Member {
            party: party(&wish.operator)?,
            name: format!("Operator {}", wish.operator),
            road: here(8450),
        },
        hub: Member { party: party(&wish.hub)?, name: format!("Hub {}", wish.hub), road: here(8451) },
        providers,
    };
    lay_out(&wish.dir, &plan)?;
    let shown = wish.dir.display();
    println!("A network is laid out in {shown}.");
    println!("  start it        leyden serve --config {shown}/leyden.toml");
    println!("  first logins    {shown}/logins.json appears at the first start, readable by you alone");
    println!("  trust for people and stations: {shown}/pki/root.pem");
    Ok(())
}

/// Makes what is not there yet: keys and tokens stay as they are, the configuration is written anew.
pub(crate) fn lay_out(dir: &Path, plan: &Plan) -> Result<(), Failure> {
    for folder in ["data", "pki", "secrets"] {
        std::fs::create_dir_all(dir.join(folder)).map_err(|f| Failure::io(&dir.join(folder), &f))?;
    }
    let root = authority(&dir.join("pki/root-key.pem"), "Leyden root")?;
    authority(&dir.join("pki/stations-key.pem"), &format!("Stations of {}", plan.operator.name))?;
    public(&dir.join("pki/root.pem"), root.certificate_pem())?;
    let mut names: BTreeSet<String> = BTreeSet::from(["localhost".to_owned(), "127.0.0.1".to_owned()]);
    names.remove(&plan.host);
    let names: Vec<String> = std::iter::once(plan.host.clone()).chain(names).collect();
    for door in ["web", "line", "road"] {
        server(&dir.join(format!("pki/{door}.pem")), &root, &names)?;
    }
    if plan.soap.is_some() {
        operators_client(&dir.join("pki/soap-client.pem"), &root, plan.operator.party)?;
    }
    for (from, to) in pairs(plan) {
        token(&dir.join(format!("secrets/road-{from}-{to}")))?;
    }
    public(&dir.join("leyden.toml"), &written(plan))
}

/// Every direction in which two parties speak: everybody with the hub.
fn pairs(plan: &Plan) -> Vec<(PartyId, PartyId)> {
    let hub = plan.hub.party;
    let others = std::iter::once(plan.operator.party).chain(plan.providers.iter().map(|(_, member)| member.party));
    others.flat_map(|party| [(party, hub), (hub, party)]).collect()
}

fn authority(file: &Path, name: &str) -> Result<Authority, Failure> {
    if file.exists() {
        let identity = Identity::read(file).map_err(|f| Failure::plain(f.to_string()))?;
        return Authority::load(&identity).map_err(|f| Failure::plain(format!("{}: {f}", file.display())));
    }
    let made = Authority::create(name, AUTHORITY_LIFE, SystemClock.now(), &SystemDice);
    let made = made.map_err(|f| Failure::plain(f.to_string()))?;
    made.identity().write(file).map_err(|f| Failure::plain(f.to_string()))?;
    Ok(made)
}

/// A server identity, made anew where there is none, it is for other names, or its last month has begun.
fn server(file: &Path, root: &Authority, names: &[String]) -> Result<(), Failure> {
    let now = SystemClock.now();
    let good = Identity::read(file).ok().and_then(|identity| identity.facts().ok());
    let good = good.is_some_and(|facts| {
        facts.valid_at(now.plus(LAST_MONTH)) && names.first().is_some_and(|n| Some(n) == facts.common_name.as_ref())
    });
    if good {
        return Ok(());
    }
    let made =
        root.server_certificate(names, SERVER_LIFE, now, &SystemDice).map_err(|f| Failure::plain(f.to_string()))?;
    made.write(file).map_err(|f| Failure::plain(f.to_string()))
}

/// With what the operator proves itself to stations that it calls over SOAP.
fn operators_client(file: &Path, root: &Authority, party: PartyId) -> Result<(), Failure> {
    let now = SystemClock.now();
    let good = Identity::read(file).ok().and_then(|identity| identity.facts().ok());
    if good.is_some_and(|facts| facts.valid_at(now.plus(LAST_MONTH)) && facts.common_name == Some(party.to_string())) {
        return Ok(());
    }
    let made = root.party_certificate(party, SERVER_LIFE, now, &SystemDice);
    made.map_err(|f| Failure::plain(f.to_string()))?.write(file).map_err(|f| Failure::plain(f.to_string()))
}

/// A token of a road, for one direction.
pub(crate) fn token(file: &Path) -> Result<(), Failure> {
    let made = trust::bearer::generate("road_", &SystemDice);
    trust::private_file::create(file, made.expose().as_bytes()).map_err(|f| Failure::plain(f.to_string()))?;
    Ok(())
}

/// Reads a secret that [`lay_out`] wrote, or one that its owner did.
pub(crate) fn secret(file: &Path) -> Result<Secret<String>, Failure> {
    let bytes = trust::private_file::read(file).map_err(|f| Failure::plain(f.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::plain(format!("{}: not text", file.display())))?;
    Ok(Secret::new(text.trim().to_owned()))
}

fn public(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text).map_err(|fault| Failure::io(file, &fault))
}

/// The configuration, with the comments that its reader needs.
fn written(plan: &Plan) -> String {
    let mut text = String::from(
        "# What this machine runs. `leyden config check leyden.toml` names every fault with its line.\n\
         # Paths are relative to this file; secrets stand in files that only their owner may read.\n\n\
         data = \"data\"                       # one database file per party\n\n",
    );
    let address = |at: SocketAddr| format!("https://{}:{}", reached(&plan.host, at.ip()), at.port());
    let _ = writeln!(
        text,
        "[web]                               # pages and API\nlisten = \"{}\"\nidentity = \"pki/web.pem\"\n",
        plan.web
    );
    let door =
        |at: SocketAddr| format!("{{ listen = \"{at}\", identity = \"pki/road.pem\", address = \"{}\" }}", address(at));
    let o = &plan.operator;
    let _ = writeln!(
        text,
        "[operator]\nparty = \"{}\"\nname = \"{}\"\nhub = \"{}\"\nline = {{ listen = \"{}\", identity = \"pki/line.pem\", address = \"wss://{}:{}/ocpp\" }}\n\
         station_authority = \"pki/stations-key.pem\"   # signs station certificates (security profile 3)\nroad = {}\n",
        o.party,
        o.name,
        plan.hub.party,
        plan.line,
        reached(&plan.host, plan.line.ip()),
        plan.line.port(),
        door(o.road)
    );
    if let Some(soap) = plan.soap {
        let _ = writeln!(
            text,
            "[operator.soap]                     # OCPP 1.5 and 1.6 over SOAP\nlisten = \"{soap}\"\nidentity = \"pki/line.pem\"\n\
             client = \"pki/soap-client.pem\"     # proves the operator to stations that it calls\naddress = \"{}/ocpp/soap\"\n",
            address(soap)
        );
    }
    let h = &plan.hub;
    let _ = writeln!(text, "[hub]\nparty = \"{}\"\nname = \"{}\"\nroad = {}\n", h.party, h.name, door(h.road));
    for (slug, p) in &plan.providers {
        let _ = writeln!(
            text,
            "[[provider]]\nslug = \"{slug}\"\nparty = \"{}\"\nname = \"{}\"\nvat_id = \"DE000000000\"          # yours, printed on invoices\nhub = \"{}\"\nroad = {}\n",
            p.party,
            p.name,
            h.party,
            door(p.road)
        );
    }
    let mut road = |from: &Member, to: &Member, role: &str| {
        let _ = writeln!(
            text,
            "[[road]]\nfrom = \"{}\"\nto = \"{}\"\nrole = \"{role}\"\nname = \"{}\"\nversions = \"{}/ocpi/versions\"\nroots = \"pki/root.pem\"\n\
             token_out = \"secrets/road-{}-{}\"\ntoken_in = \"secrets/road-{}-{}\"\n",
            from.party,
            to.party,
            to.name,
            address(to.road),
            from.party,
            to.party,
            to.party,
            from.party
        );
    };
    road(o, h, "hub");
    road(h, o, "operator");
    for (_, p) in &plan.providers {
        road(p, h, "hub");
        road(h, p, "provider");
    }
    text
}

/// The name to put into addresses: a listener on one address is reached there, one on all under the host's name.
fn reached(host: &str, at: IpAddr) -> String {
    if at.is_unspecified() { host.to_owned() } else { at.to_string() }
}
