//! Bounds of both doors, each with its reason.

use std::time::Duration;

/// A peer that has not finished its TLS handshake or its request head by then is let go: slow peers cost memory.
pub const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// A request head larger than this is not read: field requests have well under 4 KiB.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
