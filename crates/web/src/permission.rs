//! Who may do what: roles and scopes as two tables over one list of permissions.
//!
//! A table, not a language: the whole policy of the pages and the API can be read here. A golden test walks every
//! route with every role.

/// What a request needs. One per kind of act, not per route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See oneself and sign out.
    Self_,
    StationsRead,
    /// Enrol, retire, give new keys.
    StationsWrite,
    /// Start, stop, reset, unlock and so on.
    StationsCommand,
    /// Any message with any payload to any station.
    Expert,
    /// Sessions, charge detail records, disputes, invoices of the whole party.
    SessionsRead,
    TariffsRead,
    TariffsWrite,
    /// Issue invoices, settle disputes.
    BillingWrite,
    /// The hub's routes and volumes.
    RoutesRead,
    /// Invite, enter, suspend and remove a hub's partners; register at other platforms, renew and leave.
    PartnersWrite,
    /// Drivers and cards of a provider.
    DriversRead,
    DriversWrite,
    /// Users and API keys of the party.
    AccountsWrite,
    Metrics,
    /// A driver's own places, sessions, invoices and cards.
    Drive,
}

impl Permission {
    pub const ALL: [Self; 16] = [
        Self::Self_,
        Self::StationsRead,
        Self::StationsWrite,
        Self::StationsCommand,
        Self::Expert,
        Self::SessionsRead,
        Self::TariffsRead,
        Self::TariffsWrite,
        Self::BillingWrite,
        Self::RoutesRead,
        Self::PartnersWrite,
        Self::DriversRead,
        Self::DriversWrite,
        Self::AccountsWrite,
        Self::Metrics,
        Self::Drive,
    ];

    /// The scope that gives it to an API key.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Self_ => "self",
            Self::StationsRead => "stations:read",
            Self::StationsWrite => "stations:write",
            Self::StationsCommand => "stations:command",
            Self::Expert => "expert",
            Self::SessionsRead => "sessions:read",
            Self::TariffsRead => "tariffs:read",
            Self::TariffsWrite => "tariffs:write",
            Self::BillingWrite => "billing:write",
            Self::RoutesRead => "routes:read",
            Self::PartnersWrite => "partners:write",
            Self::DriversRead => "drivers:read",
            Self::DriversWrite => "drivers:write",
            Self::AccountsWrite => "accounts:write",
            Self::Metrics => "metrics",
            Self::Drive => "driver",
        }
    }

    pub fn of_scope(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.scope() == text)
    }
}

/// A person's role at one party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything but driving.
    Admin,
    /// Sees what an admin sees, changes nothing.
    Viewer,
    /// Sees and does what is their own, nothing else.
    Driver,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Admin, Self::Viewer, Self::Driver];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Viewer => "viewer",
            Self::Driver => "driver",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Self_ => true,
            Permission::Drive => matches!(self, Self::Driver),
            Permission::StationsRead
            | Permission::SessionsRead
            | Permission::TariffsRead
            | Permission::RoutesRead
            | Permission::DriversRead
            | Permission::Metrics => matches!(self, Self::Admin | Self::Viewer),
            Permission::StationsWrite
            | Permission::StationsCommand
            | Permission::Expert
            | Permission::TariffsWrite
            | Permission::BillingWrite
            | Permission::PartnersWrite
            | Permission::DriversWrite
            | Permission::AccountsWrite => matches!(self, Self::Admin),
        }
    }
}
