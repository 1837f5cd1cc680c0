//! The operations of OCPP over SOAP as data: what stands in each body, in which order, and what OCPP 1.6 JSON calls it.
//!
//! One table per version, taken from its WSDLs. Everything that 1.5 does its own way is a row here: other names, other
//! words, a layer more, values with attributes. Deliberately no code paths: [`super::translate`] walks the tables.
//! Invariant: the order of the rows is the order of the schema, because receivers check it.

/// A list of rows that lives for ever.
macro_rules! fields {
    ($($field:expr),* $(,)?) => { const { &[$($field),*] as &'static [Field] } };
}

mod v15;
mod v16;

use charge::talk::line::Version;

/// Who calls an operation: the central system's service is called by stations, the charge point's by the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Central,
    ChargePoint,
}

/// One version of OCPP over SOAP.
pub(super) struct Dialect {
    pub version: Version,
    central: &'static str,
    charge_point: &'static str,
    /// Called by stations.
    upward: &'static [Operation],
    /// Called by the operator.
    downward: &'static [Operation],
}

pub(super) struct Operation {
    pub action: &'static str,
    pub request: &'static [Field],
    pub response: &'static [Field],
}

/// One element, and the member of the JSON object that it is.
pub(super) struct Field {
    pub xml: &'static str,
    pub json: &'static str,
    pub kind: Kind,
    pub need: bool,
    pub many: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// `int`.
    Whole,
    /// `decimal`.
    Number,
    Flag,
    /// A word of a list that is not the one of 1.6 JSON.
    Word(&'static Words),
    Object(&'static [Field]),
    /// A text with attributes (1.5 `value`): the text is the member `value`.
    Attributed(&'static [Field]),
    /// Elements that each hold a list; the JSON has one list of all that they hold.
    Layer(&'static Field),
    /// In the schema and without a counterpart: not read, not written.
    Void,
}

/// A list of words and what they are in 1.6 JSON. Words in `list` alone are the same in both.
pub(super) struct Words {
    pub list: &'static [&'static str],
    /// XML and JSON.
    pub pairs: &'static [(&'static str, &'static str)],
    /// What a JSON word becomes that has no word of its own, for lists where a near one is true enough.
    pub otherwise: Option<&'static str>,
}

impl Dialect {
    pub const ALL: [&'static Self; 2] = [&v15::DIALECT, &v16::DIALECT];

    /// `None` for versions that are not spoken over SOAP.
    pub fn of(version: Version) -> Option<&'static Self> {
        Self::ALL.into_iter().find(|dialect| dialect.version == version)
    }

    /// Whose name space is this?
    pub fn at(space: &str) -> Option<(&'static Self, Service)> {
        Self::ALL.into_iter().find_map(|dialect| {
            let services = [Service::Central, Service::ChargePoint];
            services.into_iter().find(|service| dialect.space(*service) == space).map(|service| (dialect, service))
        })
    }

    pub const fn space(&self, service: Service) -> &'static str {
        match service {
            Service::Central => self.central,
            Service::ChargePoint => self.charge_point,
        }
    }

    pub fn operation(&self, service: Service, action: &str) -> Option<&'static Operation> {
        self.operations(service).iter().find(|operation| operation.action == action)
    }

    pub const fn operations(&self, service: Service) -> &'static [Operation] {
        match service {
            Service::Central => self.upward,
            Service::ChargePoint => self.downward,
        }
    }
}

/// An operation whose request and response have these elements.
const fn operation(action: &'static str, request: &'static [Field], response: &'static [Field]) -> Operation {
    Operation { action, request, response }
}

/// An element that must be there and has the same name in JSON.
const fn field(name: &'static str, kind: Kind) -> Field {
    Field { xml: name, json: name, kind, need: true, many: false }
}

const fn text(name: &'static str) -> Field {
    field(name, Kind::Text)
}

const fn whole(name: &'static str) -> Field {
    field(name, Kind::Whole)
}

impl Field {
    const fn optional(self) -> Self {
        Self { need: false, ..self }
    }

    /// Any number of them, which is none where it is optional.
    const fn many(self) -> Self {
        Self { many: true, ..self }
    }

    const fn called(self, json: &'static str) -> Self {
        Self { json, ..self }
    }
}
