//! Credentials (OCPI 2.2.1, module 7): the token and the address that two platforms exchange, and the header that
//! the token travels in.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use charge::id::PartyId;
use charge::{Secret, Timestamp};

use crate::read::{At, Fault, parse};
use crate::status::{Opened, open, success};
use crate::token::read_party;
use crate::versions::Version;
use crate::wire::Reply;
use crate::write::{Doc, Record};

/// OCPI 2.2.1, 7.3.1: a token is printable ASCII without blanks, of at most 64 characters.
const TOKEN_CHARACTERS_MAX: usize = 64;

/// What a party does (OCPI 2.2.1, 7.4.1 `Role`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Operator,
    Provider,
    Hub,
    /// National access point, navigation provider and others that only read.
    Other,
}

const ROLES: &[(&str, Role)] = &[
    ("CPO", Role::Operator),
    ("EMSP", Role::Provider),
    ("HUB", Role::Hub),
    ("NAP", Role::Other),
    ("NSP", Role::Other),
    ("OTHER", Role::Other),
    ("SCSP", Role::Other),
];

impl Role {
    pub fn named(text: &str) -> Option<Self> {
        ROLES.iter().find(|(word, _)| *word == text).map(|(_, role)| *role)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "CPO",
            Self::Provider => "EMSP",
            Self::Hub => "HUB",
            Self::Other => "OTHER",
        }
    }
}

/// One party of a platform, in one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyRole {
    pub party: PartyId,
    pub role: Role,
    pub name: String,
}

/// What one platform tells the other (OCPI 2.2.1, 7.3.1).
#[derive(Clone, Debug)]
pub struct Credentials {
    /// With which the reader is to come.
    pub token: Secret<String>,
    /// The list of versions of the writer.
    pub url: String,
    pub roles: Vec<PartyRole>,
}

impl Credentials {
    /// 2.1.1 is flat and speaks for one party; 2.3.0 names a hub beside the roles.
    fn value(&self, version: Version) -> Doc {
        let object = Record::default().with("token", self.token.expose().as_str()).with("url", self.url.as_str());
        let hub = self.roles.iter().find(|role| role.role == Role::Hub).map(|role| role.party);
        match (version, self.roles.first()) {
            (Version::V211, Some(first)) => object
                .with("business_details", Record::default().with("name", first.name.as_str()))
                .with("party_id", first.party.code())
                .with("country_code", first.party.country())
                .into(),
            (Version::V230, _) => {
                let hub = hub.map(|party| format!("{}{}", party.country(), party.code()));
                object.maybe("hub_party_id", hub).with("roles", self.roles_value(version)).into()
            }
            (Version::V211 | Version::V221, _) => object.with("roles", self.roles_value(version)).into(),
        }
    }

    /// A hub has no role word in 2.3.0 any more: it stands there as `OTHER`.
    fn roles_value(&self, version: Version) -> Vec<Doc> {
        let role = |each: &PartyRole| -> Doc {
            Record::default()
                .with(
                    "role",
                    if each.role == Role::Hub && version == Version::V230 { "OTHER" } else { each.role.as_str() },
                )
                .with("business_details", Record::default().with("name", each.name.as_str()))
                .with("party_id", each.party.code())
                .with("country_code", each.party.country())
                .into()
        };
        self.roles.iter().map(role).collect()
    }

    pub fn write(&self, version: Version) -> String {
        self.value(version).to_string()
    }

    pub fn reply(&self, version: Version, now: Timestamp) -> Reply {
        success(Some(self.value(version)), now)
    }

    /// From the body of a request.
    pub fn read(body: &Doc) -> Result<Self, Fault> {
        Self::read_at(&At::root(body))
    }

    /// From a response.
    pub fn read_reply(http: u16, body: &[u8]) -> Result<Self, Fault> {
        match open(http, parse(body))? {
            Opened::Success(data) => Self::read_at(&At::below(&data, "/data".to_owned())),
            Opened::Refused(_) => Err(Fault::new("", "is a refusal")),
        }
    }

    fn read_at(at: &At<'_>) -> Result<Self, Fault> {
        let token = at.need("token")?;
        let secret = token.text()?;
        if secret.len() > TOKEN_CHARACTERS_MAX || !secret.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(token.fault("is not a token of at most 64 printable characters"));
        }
        let url = at.need("url")?;
        let address = url.text()?;
        if crate::url::origin(&address).is_none() {
            return Err(url.fault("is not an https URL"));
        }
        let mut roles = match at.field("roles") {
            Some(roles) => roles.items()?.iter().map(read_role).collect::<Result<Vec<_>, Fault>>()?,
            None => vec![read_flat(at)?],
        };
        if let Some(hub) = at.field("hub_party_id") {
            let text = hub.text()?;
            let party = text.split_at_checked(2).and_then(|(country, code)| PartyId::new(country, code).ok());
            let party = party.ok_or_else(|| hub.fault("is not the id of a party"))?;
            roles.retain(|role| role.party != party);
            roles.insert(0, PartyRole { party, role: Role::Hub, name: party.to_string() });
        }
        Ok(Self { token: Secret::new(secret), url: address, roles })
    }
}

/// OCPI 2.1.1: one party, of a role that is agreed on paper.
fn read_flat(at: &At<'_>) -> Result<PartyRole, Fault> {
    let party = read_party(at).map_err(|_| at.fault("has neither roles nor a party"))?;
    let name = at.field("business_details").and_then(|details| details.field("name")).map(|name| name.text());
    Ok(PartyRole { party, role: Role::Other, name: name.transpose()?.unwrap_or_else(|| party.to_string()) })
}

fn read_role(at: &At<'_>) -> Result<PartyRole, Fault> {
    let name = at.field("business_details").and_then(|details| details.field("name")).map(|name| name.text());
    let party = read_party(at)?;
    Ok(PartyRole {
        party,
        role: at.need("role")?.one_of(ROLES)?,
        name: name.transpose()?.unwrap_or_else(|| party.to_string()),
    })
}

/// The value of an `Authorization` header: base64 of the token (OCPI 2.2.1, 4.1.1), or the token as it is, which is
/// the way of 2.1.1 and of many partners.
pub fn authorization(token: &Secret<String>, raw: bool) -> Secret<String> {
    let token = token.expose();
    Secret::new(if raw { format!("Token {token}") } else { format!("Token {}", STANDARD.encode(token)) })
}

/// The tokens that a header may mean: decoded, and as it is, because many partners send it raw. White space at the
/// end of the decoded one is cut: the standard's own example has a line feed there.
pub fn presented(header: &str) -> Vec<Secret<String>> {
    let Some((scheme, value)) = header.trim().split_once(' ') else { return Vec::new() };
    if !scheme.eq_ignore_ascii_case("token") {
        return Vec::new();
    }
    let value = value.trim();
    let decoded = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let decoded = decoded.map(|text| text.trim_end().to_owned());
    decoded.into_iter().chain([value.to_owned()]).filter(|token| !token.is_empty()).map(Secret::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_in_both_forms_and_with_the_line_feed_of_the_standard() {
        let tokens = |header: &str| presented(header).iter().map(|t| t.expose().clone()).collect::<Vec<_>>();
        assert_eq!(tokens("Token ZXhhbXBsZS10b2tlbgo="), ["example-token", "ZXhhbXBsZS10b2tlbgo="]);
        assert_eq!(tokens("token raw_token"), ["raw_token"]);
        assert!(tokens("Bearer abc").is_empty());
        let header = authorization(&Secret::new("road_1".to_owned()), false);
        assert!(tokens(header.expose()).contains(&"road_1".to_owned()));
    }

    #[test]
    fn a_hub_is_a_role_in_2_2_1_a_member_in_2_3_0_and_nothing_in_2_1_1() {
        let party: PartyId = "NL-FAR".parse().unwrap_or_else(|_| panic!("a party"));
        let roles = vec![PartyRole { party, role: Role::Hub, name: "Far".to_owned() }];
        let own = Credentials { token: Secret::new("t".to_owned()), url: "https://far.example/v".to_owned(), roles };
        let read = |version| {
            let doc = own.value(version);
            let Ok(read) = Credentials::read(&doc) else { panic!("{doc:?} is read") };
            (doc, read.roles.iter().map(|role| (role.party, role.role)).collect::<Vec<_>>())
        };
        let (doc, roles) = read(Version::V230);
        let object = doc.as_record().map(|object| (object.text("hub_party_id"), object.records("roles").count()));
        assert_eq!((object, roles), (Some((Some("NLFAR"), 1)), vec![(party, Role::Hub)]));
        assert!(doc.to_string().contains("OTHER") && !doc.to_string().contains("HUB"));
        let (doc, roles) = read(Version::V221);
        assert_eq!((doc.to_string().contains("hub_party_id"), roles), (false, vec![(party, Role::Hub)]));
        let (doc, roles) = read(Version::V211);
        assert_eq!((doc.to_string().contains("roles"), roles), (false, vec![(party, Role::Other)]));
    }
}
