//! The production source of randomness: the operating system's, through aws-lc-rs.
//!
//! Keys, salts, tokens and one-time ids all come from here. It deliberately has no fallback: a machine that gives
//! no randomness must not go on serving.

use charge::Dice;

/// Cryptographic randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDice;

impl Dice for SystemDice {
    /// # Panics
    /// If the system gives no randomness: nothing that follows could be kept secret.
    fn fill(&self, bytes: &mut [u8]) {
        let filled = aws_lc_rs::rand::fill(bytes);
        assert!(filled.is_ok(), "the system gives no randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_throws_differ() {
        let (mut a, mut b) = ([0u8; 32], [0u8; 32]);
        SystemDice.fill(&mut a);
        SystemDice.fill(&mut b);
        assert_ne!(a, b);
        assert_ne!(a, [0u8; 32]);
    }
}
