//! How a hub reaches partners that do not speak OCPI: one [`Speaker`] for each protocol.
//!
//! A speaker says one letter to one partner in the partner's words and brings the answer back. It deliberately
//! decides nothing about ways: who is meant was decided before. Invariant: what a speaker tells of losses names
//! places and reasons, never values, so it may be kept and shown.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use charge::Soon;
use charge::id::PartyId;
use charge::record::Session;
use charge::talk::road::{Answer, Denial, Letter, OrderResult, RoadFault};

use super::partners::{Partners, Protocol};

/// A document as its sender wrote it. A receiver of the same tongue gets it byte for byte, so that what the
/// vocabulary has no word for survives.
#[derive(Clone, PartialEq, Eq)]
pub struct Native {
    /// Protocol and version, such as `oicp/2.3`: verbatim is for the very same alone.
    pub tongue: &'static str,
    /// What the document is in that protocol, such as `eRoamingAuthorizeStart`.
    pub kind: &'static str,
    pub bytes: Bytes,
}

impl fmt::Debug for Native {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} {} of {} bytes)", self.tongue, self.kind, self.bytes.len())
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Who answered; the hub fills it in, because whoever asks about a token does not know. `None`: the hub itself.
    pub by: Option<PartyId>,
    pub answer: Answer,
    /// What became of an order, where the partner's protocol says so in its answer (OICP, OCHPdirect), or where the
    /// outcome came while the hub waited for it.
    pub outcome: Option<OrderResult>,
    /// The session that an order began, where its operator's protocol may tell of it late or never: by this name it can be
    /// stopped.
    pub session: Option<Box<Session>>,
    /// The answer as it came, for an asker of the same tongue.
    pub native: Option<Native>,
    /// What the partner's protocol has no word for: the place and why.
    pub lost: Vec<Box<str>>,
}

impl Told {
    pub const fn new(answer: Answer) -> Self {
        Self { by: None, answer, outcome: None, session: None, native: None, lost: Vec::new() }
    }
}

/// Reaches the partners of one protocol.
pub trait Speaker: Send + Sync {
    /// Says a letter to one partner. `native` is the sender's own document: a partner of the same tongue gets it as it
    /// is. An order is named by the hub's own reference, and an outcome that comes later is brought to
    /// [`super::Crossing::carry`] under that name. A letter that the protocol could only tell by changing money is
    /// refused before it is sent, with [`Denial::Malformed`] naming the place and why; one that it has no word for at
    /// all, with [`Denial::NotSupported`]. The hub gives up waiting after a while of its own.
    fn speak(&self, to: PartyId, letter: Letter, native: Option<Native>) -> Soon<'_, Result<Told, RoadFault>>;
}

/// Who speaks to whom.
pub(crate) struct Speakers {
    partners: Arc<Partners>,
    by_protocol: RwLock<HashMap<Protocol, Arc<dyn Speaker>>>,
}

impl Speakers {
    pub(crate) fn new(partners: Arc<Partners>) -> Self {
        Self { partners, by_protocol: RwLock::default() }
    }

    pub(crate) fn attach(&self, protocol: Protocol, speaker: Arc<dyn Speaker>) {
        self.by_protocol.write().unwrap_or_else(PoisonError::into_inner).insert(protocol, speaker);
    }

    pub(crate) fn partners(&self) -> &Partners {
        &self.partners
    }

    pub(crate) fn protocol(&self, party: PartyId) -> Option<Protocol> {
        self.partners.protocol(party)
    }

    /// The speaker to a party, if it speaks something else than OCPI.
    pub(crate) fn of(&self, party: PartyId) -> Option<Arc<dyn Speaker>> {
        let protocol = self.partners.protocol(party)?;
        self.by_protocol.read().unwrap_or_else(PoisonError::into_inner).get(&protocol).cloned()
    }
}

/// A fault of the road as the asker hears it: that our own credentials were refused is not their business.
pub(crate) fn denial_of(fault: RoadFault) -> Denial {
    match fault {
        RoadFault::Denied(denial) => denial,
        RoadFault::TimedOut => Denial::ReceiverSilent,
        RoadFault::Unreachable | RoadFault::Unreadable(_) => Denial::ReceiverUnreachable,
        RoadFault::NoRoad => Denial::UnknownReceiver,
    }
}
