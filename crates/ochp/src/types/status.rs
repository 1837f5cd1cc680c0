//! Whether an EVSE or a parking spot is free, and until when that is worth anything.

use crate::scalar::{DateTime, EvseId, ParkingId};

words! {
    /// OCHP, `MajorType`.
    Major {
        Available = "available",
        NotAvailable = "not-available",
        Unknown = "unknown",
    }
}

words! {
    /// OCHP, `MinorType`.
    Minor {
        Available = "available",
        Reserved = "reserved",
        Charging = "charging",
        Blocked = "blocked",
        OutOfOrder = "outoforder",
    }
}

words! {
    /// What `GetStatus` asks for.
    StatusKind {
        Evse = "evse",
        Parking = "parking",
        Combined = "combined",
    }
}

record! {
    /// OCHP, `EvseStatusType`. After `ttl` the status is unknown.
    EvseLive {
        evse: one EvseId = "evseId",
        major: attribute Major = "major",
        minor: maybe_attribute Minor = "minor",
        ttl: maybe_attribute DateTime = "ttl",
    }
}

record! {
    /// OCHP, `ParkingStatusType`.
    ParkingLive {
        parking: one ParkingId = "parkingId",
        status: attribute Major = "status",
        ttl: maybe_attribute DateTime = "ttl",
    }
}
