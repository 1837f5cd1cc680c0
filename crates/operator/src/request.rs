//! What was asked of a station and is answered later, in parts or by progress: reports, uploads, updates.
//!
//! A request has one number for its whole life. The status words are those of the protocol; here they are folded to
//! three phases, and a word that nobody knows is progress, never an end.

use charge::talk::line::upkeep::Work;

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Log,
    Diagnostics,
    Firmware,
    Publishing,
    Report,
    Monitors,
    Profiles,
    Displays,
    Customer,
    Grid,
    /// A battery swap.
    Swap,
}

impl Kind {
    pub const ALL: [Self; 11] = [
        Self::Log,
        Self::Diagnostics,
        Self::Firmware,
        Self::Publishing,
        Self::Report,
        Self::Monitors,
        Self::Profiles,
        Self::Displays,
        Self::Customer,
        Self::Grid,
        Self::Swap,
    ];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Diagnostics => "diagnostics",
            Self::Firmware => "firmware",
            Self::Publishing => "publishing",
            Self::Report => "report",
            Self::Monitors => "monitors",
            Self::Profiles => "profiles",
            Self::Displays => "displays",
            Self::Customer => "customer",
            Self::Grid => "grid",
            Self::Swap => "swap",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Which requests a station's progress can be about.
    pub const fn of(work: Work) -> Self {
        match work {
            Work::Diagnostics => Self::Diagnostics,
            Work::Log => Self::Log,
            Work::Firmware | Work::SignedFirmware => Self::Firmware,
            Work::Publishing => Self::Publishing,
        }
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Sent; the station has not answered.
    Asked,
    /// Accepted, and not done.
    Going,
    Done,
    Failed,
    /// The station said no.
    Refused,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Asked, Self::Going, Self::Done, Self::Failed, Self::Refused];

    /// For rows and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Going => "going",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Refused => "refused",
        }
    }

    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    pub const fn is_open(self) -> bool {
        match self {
            Self::Asked | Self::Going => true,
            Self::Done | Self::Failed | Self::Refused => false,
        }
    }

    /// The next state; an end stays, whatever comes late.
    pub const fn on(self, phase: Phase) -> Self {
        match (self, phase) {
            (Self::Asked | Self::Going, Phase::Going) => Self::Going,
            (Self::Asked | Self::Going, Phase::Done) => Self::Done,
            (Self::Asked | Self::Going, Phase::Failed) => Self::Failed,
            (Self::Asked, Phase::Refused) => Self::Refused,
            // the refusal of a second sending does not undo what is going on
            (Self::Going, Phase::Refused) => Self::Going,
            (
                Self::Done | Self::Failed | Self::Refused,
                Phase::Going | Phase::Done | Phase::Failed | Phase::Refused,
            ) => self,
        }
    }
}

/// What a station's word means for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Going,
    Done,
    Failed,
    Refused,
}

/// Folds a status word of 1.6, 2.0.1 and 2.1. `None`: nothing is under way (`Idle`).
pub fn phase(status: &str) -> Option<Phase> {
    Some(match status {
        "Idle" => return None,
        "Uploaded" | "Installed" | "Published" => Phase::Done,
        "UploadFailed"
        | "UploadFailure"
        | "BadMessage"
        | "NotSupportedOperation"
        | "PermissionDenied"
        | "AcceptedCanceled"
        | "DownloadFailed"
        | "InstallationFailed"
        | "InstallVerificationFailed"
        | "InvalidSignature"
        | "InvalidCertificate"
        | "RevokedCertificate"
        | "InvalidChecksum"
        | "PublishFailed" => Phase::Failed,
        _ => Phase::Going,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_fold_to_phases_and_ends_stay() {
        let table = [
            ("Uploading", Some(Phase::Going)),
            ("SignatureVerified", Some(Phase::Going)),
            ("something new", Some(Phase::Going)),
            ("Uploaded", Some(Phase::Done)),
            ("Installed", Some(Phase::Done)),
            ("InvalidSignature", Some(Phase::Failed)),
            ("PermissionDenied", Some(Phase::Failed)),
            ("Idle", None),
        ];
        for (word, wanted) in table {
            assert_eq!(phase(word), wanted, "{word}");
        }
        for end in [State::Done, State::Failed, State::Refused] {
            for phase in [Phase::Going, Phase::Done, Phase::Failed, Phase::Refused] {
                assert_eq!(end.on(phase), end);
            }
        }
        assert_eq!(State::Asked.on(Phase::Refused), State::Refused);
        assert_eq!(State::Going.on(Phase::Refused), State::Going);
    }
}
