//! What a hub keeps back from each of its partners, and what it keeps of them: the measures of thrift, one name each.
//!
//! Some hold for everybody and cannot be switched; the others are switched for one partner at a time, because a partner
//! that nobody changed may need what a measure takes away. It deliberately does nothing: the room remembers the
//! switches, the door acts. Invariant: a measure that a partner's protocol rules out is never said to be on.

use super::partner::PartnerRole;

/// A measure. The names `M1` to `M17` are those of the catalogue of measures in the guide to privacy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// A contract finds its provider by its own prefix, never by asking around.
    ByIdentifier,
    /// A card finds its provider by a keyed tag; the hub has no list of cards.
    KeyedIndex,
    /// A yes is remembered as a tag for a while, so that the next tap asks one provider alone.
    Learned,
    /// The provider is asked about cards that nobody announced: few in turn, without a place until it knows the card.
    Probed,
    /// Of a token an operator gets what is mandatory; a group has another name for every operator.
    BareTokens,
    /// An operator knows a contract by a name of its own; sessions and CDRs come back under the real one.
    PairContracts,
    /// An operator that is told to start gets a uid that was made for this one session.
    OneTimeUids,
    /// A provider sees those entries of `publish_allowed_to` that are its own.
    OwnEntries,
    /// CDRs are kept sealed and told once a night, shuffled.
    NightlyCdrs,
    /// What is kept of CDRs is sealed, and gone after it was taken and its window is over.
    ShortMailbox,
    /// No token, contract or number of a person stands in a log.
    QuietLogs,
    /// Every "no" to a card takes as long as any other. That whoever asks about one unknown card after the other is noticed
    /// and stopped holds for everybody, switched or not.
    NoGuessing,
    /// The number that belongs to a QR contract is refused here instead of passed on.
    NoPins,
}

/// What there is to switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It holds for everybody.
    Always,
    /// It is on or off for this partner.
    Switch { by_default: bool },
    /// This partner's protocol or role has nothing that it could act on: why.
    Nothing(&'static str),
}

impl Measure {
    pub const ALL: [Self; 13] = [
        Self::ByIdentifier,
        Self::KeyedIndex,
        Self::Learned,
        Self::Probed,
        Self::BareTokens,
        Self::PairContracts,
        Self::OneTimeUids,
        Self::OwnEntries,
        Self::NightlyCdrs,
        Self::ShortMailbox,
        Self::QuietLogs,
        Self::NoGuessing,
        Self::NoPins,
    ];

    /// For rows, pages and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByIdentifier => "M1",
            Self::KeyedIndex => "M2",
            Self::Learned => "M3",
            Self::Probed => "M4",
            Self::BareTokens => "M7",
            Self::PairContracts => "M8",
            Self::OneTimeUids => "M9",
            Self::OwnEntries => "M10",
            Self::NightlyCdrs => "M12",
            Self::ShortMailbox => "M14",
            Self::QuietLogs => "M15",
            Self::NoGuessing => "M16",
            Self::NoPins => "M17",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.as_str().eq_ignore_ascii_case(text))
    }

    /// In a line, for pages and the command line.
    pub const fn says(self) -> &'static str {
        match self {
            Self::ByIdentifier => "A contract finds its provider by its own prefix, never by asking around.",
            Self::KeyedIndex => "A card finds its provider by a keyed tag; the hub has no list of cards.",
            Self::Learned => "A card that this provider said yes to is remembered as a tag for 30 days.",
            Self::Probed => "This provider is asked about cards that nobody announced, without the place at first.",
            Self::BareTokens => "Of a token this operator gets what is mandatory and no more.",
            Self::PairContracts => "This operator knows contracts by names of its own, which change every quarter.",
            Self::OneTimeUids => "A remote start shows this operator a uid that is made for the one session.",
            Self::OwnEntries => "Of the cards that may see a private charger this provider is told its own.",
            Self::NightlyCdrs => "CDRs are kept sealed and told to this provider once a night, shuffled.",
            Self::ShortMailbox => "CDRs are kept sealed for this provider to fetch, for a window, and then forgotten.",
            Self::QuietLogs => "No card, contract or number of a person stands in a log.",
            Self::NoGuessing => {
                "A no takes as long as any other no. (Who asks about one unknown card after the other is always stopped.)"
            }
            Self::NoPins => "The PIN of a QR contract is refused here instead of passed on to this provider.",
        }
    }

    /// What there is to switch for a partner that speaks such a protocol (`ocpi/2.2.1`, `oicp/2.3` …) in these roles.
    pub fn standing(self, protocol: &str, roles: &[PartnerRole]) -> Standing {
        const OPERATORS: Standing = Standing::Nothing("it concerns operators, and this partner is none");
        const PROVIDERS: Standing = Standing::Nothing("it concerns providers, and this partner is none");
        let (operator, provider) = (roles.contains(&PartnerRole::Operator), roles.contains(&PartnerRole::Provider));
        let (ocpi, oicp, ochp) =
            (protocol.starts_with("ocpi"), protocol.starts_with("oicp"), protocol.starts_with("ochp"));
        let on = Standing::Switch { by_default: true };
        let off = Standing::Switch { by_default: false };
        match self {
            Self::ByIdentifier | Self::KeyedIndex | Self::QuietLogs => Standing::Always,
            Self::NoGuessing if !operator => OPERATORS,
            Self::NoGuessing => on,
            Self::Learned | Self::Probed if !provider => PROVIDERS,
            Self::Learned | Self::Probed if ochp => {
                Standing::Nothing("OCHP has no question about one card to a provider: its list is its word")
            }
            Self::Learned => on,
            Self::Probed => off,
            Self::BareTokens | Self::PairContracts | Self::OneTimeUids if !operator => OPERATORS,
            Self::BareTokens if ochp => Standing::Nothing("OCHP tells nothing that is not mandatory"),
            Self::BareTokens if protocol == "ocpi/2.1.1" => {
                Standing::Nothing("OCPI 2.1.1 tells an operator nothing of a token but whether it may charge")
            }
            Self::BareTokens => on,
            Self::PairContracts => off,
            Self::OneTimeUids if !ocpi => {
                Standing::Nothing("only OCPI shows a uid when it starts; the others show the contract alone")
            }
            Self::OneTimeUids => on,
            Self::OwnEntries | Self::NightlyCdrs | Self::ShortMailbox | Self::NoPins if !provider => PROVIDERS,
            Self::OwnEntries if !ocpi || protocol == "ocpi/2.1.1" => {
                Standing::Nothing("its protocol does not know who may see a private charger")
            }
            Self::OwnEntries => on,
            Self::NightlyCdrs if oicp => Standing::Nothing("partners of OICP expect a CDR within seconds"),
            Self::NightlyCdrs => off,
            Self::ShortMailbox if ocpi => {
                Standing::Nothing("operators keep a CDR themselves until a provider of OCPI has taken it")
            }
            Self::ShortMailbox if ochp => Standing::Always,
            Self::ShortMailbox => on,
            Self::NoPins if oicp => on,
            Self::NoPins => Standing::Nothing("only OICP has PINs"),
        }
    }
}

/// The measures that are on for one partner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Thrift(u16);

impl Thrift {
    /// Everything as it is without a switch.
    pub const NONE: Self = Self(0);

    pub const fn on(self, measure: Measure) -> bool {
        self.0 & (1 << measure as u16) != 0
    }

    #[must_use]
    pub const fn with(self, measure: Measure, on: bool) -> Self {
        let bit = 1 << measure as u16;
        Self(if on { self.0 | bit } else { self.0 & !bit })
    }
}

impl FromIterator<Measure> for Thrift {
    fn from_iter<I: IntoIterator<Item = Measure>>(on: I) -> Self {
        on.into_iter().fold(Self::NONE, |thrift, measure| thrift.with(measure, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_has_one_name_and_one_bit() {
        for measure in Measure::ALL {
            assert_eq!(Measure::named(&measure.as_str().to_lowercase()), Some(measure));
            let alone: Thrift = [measure].into_iter().collect();
            let on: Vec<Measure> = Measure::ALL.into_iter().filter(|each| alone.on(*each)).collect();
            assert_eq!(on, [measure]);
            assert_eq!(alone.with(measure, false), Thrift::NONE);
        }
    }

    #[test]
    fn what_a_protocol_rules_out_says_why() {
        use PartnerRole::{Operator, Provider};
        let switch = |measure: Measure, protocol, role| match measure.standing(protocol, &[role]) {
            Standing::Switch { by_default } => Some(by_default),
            Standing::Always | Standing::Nothing(_) => None,
        };
        assert_eq!(switch(Measure::BareTokens, "ocpi/2.2.1", Operator), Some(true));
        assert_eq!(switch(Measure::BareTokens, "ocpi/2.1.1", Operator), None);
        assert_eq!(switch(Measure::BareTokens, "ocpi/2.2.1", Provider), None);
        assert_eq!(switch(Measure::Probed, "oicp/2.3", Provider), Some(false), "nobody is asked who did not want it");
        assert_eq!(switch(Measure::NightlyCdrs, "oicp/2.3", Provider), None);
        assert_eq!(switch(Measure::NightlyCdrs, "ocpi/2.3.0", Provider), Some(false));
        assert_eq!(switch(Measure::NoPins, "oicp/2.0", Provider), Some(true));
        assert_eq!(switch(Measure::NoGuessing, "ochp/1.4", Operator), Some(true));
        assert_eq!(switch(Measure::NoGuessing, "ocpi/2.1.1", Provider), None);
        for measure in [Measure::ByIdentifier, Measure::KeyedIndex, Measure::QuietLogs] {
            assert_eq!(measure.standing("ochp/1.4", &[]), Standing::Always);
        }
    }
}
