//! A hand on the wire of a virtual station, for testing an operator: it sees every text frame and may change it.
//!
//! It stands between the station's engine and its socket, knows nothing of either, and is absent unless somebody
//! dials with one ([`super::dial_through`]).

/// Sees and changes the frames of one station. Called in the order of the frames; must not wait.
pub trait Wire: Send + Sync {
    /// The station is about to send this frame.
    fn outgoing(&self, frame: String) -> Frames;

    /// The operator has sent this frame.
    fn incoming(&self, frame: &str) -> Frames;
}

/// What becomes of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// To the operator, in this order.
    pub send: Vec<String>,
    /// To the station's own engine, in this order.
    pub hear: Vec<String>,
}
