//! What real stations do otherwise than the standards say, by name: the tolerances that an operator switches.
//!
//! The desk hands a set of them to the door when it lets a station in; the tongue obeys it and says of each line which
//! of them it met. Deliberately no patterns of makers here. Invariants: with an empty set everything is judged by the
//! letter; what weakens security is in no set that nobody asked for.

use std::fmt;

/// Who may switch a tolerance on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stance {
    /// On unless somebody switches it off.
    On,
    /// Off unless a profile or the operator switches it on.
    Off,
    /// It weakens security: off unless the operator permits it for this one station.
    Permit,
}

macro_rules! quirks {
    ($($name:ident $label:literal $stance:ident $told:literal;)+) => {
        /// One thing that stations do, and that is served nevertheless where it is in the set.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Quirk {
            $(#[doc = $told] $name,)+
        }

        impl Quirk {
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// For rows, files and pages.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)+
                }
            }

            pub const fn stance(self) -> Stance {
                match self {
                    $(Self::$name => Stance::$stance,)+
                }
            }

            /// One sentence: what the station does, and how it is served.
            pub const fn told(self) -> &'static str {
                match self {
                    $(Self::$name => $told,)+
                }
            }
        }
    };
}

quirks! {
    Null "null-as-absent" On "A member that is null is taken as absent.";
    Empty "empty-as-absent" On "An empty text in the place of a number or a word is taken as absent.";
    LoneObject "object-as-list" On "A single object in the place of a list is taken as a list of one.";
    EmptyList "empty-list" On "A list that must have items and has none is taken as it is.";
    NoValue "sample-without-value" On "A sample without a value is dropped and the message is kept.";
    QuotedNumber "quoted-number" On "A number in quotes, with blanks or without, is taken as the number.";
    OddNumber "odd-number" On "A whole number with an exponent or a fraction is taken as the whole number.";
    HugeNumber "huge-number" On "A transaction id or register beyond 32 bits is taken as unknown.";
    OddFlag "odd-flag" On "A truth value as a word in quotes, or as 0 or 1, is taken as what it says.";
    BareText "bare-text" On "A number in the place of a text is taken as its digits.";
    LongText "long-text" On "A descriptive text that is longer than the schema allows is cut.";
    LongToken "long-token" On "A token or signature that is longer than the schema allows is kept whole.";
    NoZone "no-time-zone" On "A time without a zone is taken as UTC.";
    NoTime "not-a-time" On "A time that cannot be read is replaced by the time of arrival.";
    UnsetClock "unset-clock" On "A time from before OCPP existed is replaced by the time of arrival.";
    LetterCase "letter-case" On "A word of the lists in other letter case is taken as that word.";
    UnknownWord "unknown-word" On "A word that is in no list is kept as text, and the message with it.";
    ExtraMember "extra-member" On "A member that the schema does not have is passed over.";
    NoConnector "no-connector" On "A missing connector number is taken as the only connector, or the whole station.";
    NumericId "numeric-id" On "A message id that is a number is answered with the same number.";
    Impatient "impatient" On "A message sent before the answer to the one before waits for its turn.";
    OddError "odd-error" On "A CALLERROR with missing elements or odd details ends the call that it names.";
    IdentityCase "identity-case" On "An identity in other letter case than enrolled names the same station.";
    OldVersion "pin-1.6" Off "A station that agrees on a newer version and speaks 1.6 is given 1.6 alone.";
    CardAsLocal "card-as-local" Off "A 2.x token of type Local or KeyCode is taken as an RFID card.";
    AnswerPause "answer-pause" Off "An answer leaves a moment later, for a station that is not ready for it at once.";
    NoSubprotocol "no-subprotocol" Permit "A station that offers no subprotocol is let in and spoken to in 1.6.";
}

impl Quirk {
    pub fn named(label: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|quirk| quirk.as_str() == label)
    }

    const fn bit(self) -> u64 {
        1 << self as u8
    }
}

/// A set of tolerances.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quirks(u64);

impl Quirks {
    /// None: strict mode, and what was met on a line where nothing was.
    pub const NONE: Self = Self(0);
    /// What is on for a station that nobody knows anything about.
    pub const USUAL: Self = {
        let (mut set, mut at) = (0, 0);
        while at < Quirk::ALL.len() {
            if matches!(Quirk::ALL[at].stance(), Stance::On) {
                set |= Quirk::ALL[at].bit();
            }
            at += 1;
        }
        Self(set)
    };

    pub const fn has(self, quirk: Quirk) -> bool {
        self.0 & quirk.bit() != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn with(self, quirk: Quirk) -> Self {
        Self(self.0 | quirk.bit())
    }

    #[must_use]
    pub const fn without(self, quirk: Quirk) -> Self {
        Self(self.0 & !quirk.bit())
    }

    /// Those of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that the other set does not have.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// In the order of [`Quirk::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Quirk> {
        Quirk::ALL.iter().copied().filter(move |quirk| self.has(*quirk))
    }
}

impl Default for Quirks {
    fn default() -> Self {
        Self::USUAL
    }
}

impl FromIterator<Quirk> for Quirks {
    fn from_iter<I: IntoIterator<Item = Quirk>>(quirks: I) -> Self {
        quirks.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_names_are_unique() {
        assert!(Quirk::ALL.len() <= 64, "the set has 64 places");
        for quirk in Quirk::ALL {
            assert_eq!(Quirk::named(quirk.as_str()), Some(*quirk));
            let set = Quirks::NONE.with(*quirk);
            assert_eq!(set.iter().collect::<Vec<_>>(), [*quirk]);
            assert!(set.without(*quirk).is_empty());
        }
    }

    #[test]
    fn nothing_that_weakens_security_is_usual() {
        for quirk in Quirks::USUAL.iter() {
            assert_eq!(quirk.stance(), Stance::On, "{quirk:?}");
        }
        assert!(!Quirks::default().has(Quirk::NoSubprotocol) && !Quirks::default().has(Quirk::AnswerPause));
    }
}
