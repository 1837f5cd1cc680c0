//! The keys of the provider's memory: sealing personal columns, and tags to find cards by.
//!
//! A stolen database file shows neither names nor uids. It deliberately protects nothing from the running process.

use charge::token::{TokenKind, TokenUid};
use charge::{Personal, Purpose, Secret};
use store::StoreError;
use trust::seal::{SealFault, SealKey};
use trust::token_tag::{TagKey, TokenTag};

pub(crate) struct Vault {
    seal: SealKey,
    tags: TagKey,
}

impl Vault {
    pub(crate) fn new(seal: &Secret<[u8; 32]>, tags: &Secret<[u8; 32]>) -> Result<Self, SealFault> {
        Ok(Self { seal: SealKey::new(seal)?, tags: TagKey::new(tags) })
    }

    /// `column` names table and column, `row` the row's key: a sealed value opens nowhere else.
    pub(crate) fn seal(&self, column: &str, row: &str, value: &Personal<String>) -> Result<Vec<u8>, SealFault> {
        self.seal.seal(&format!("{column}/{row}"), value.reveal(Purpose::Keep).as_bytes())
    }

    pub(crate) fn open(&self, column: &str, row: &str, sealed: &[u8]) -> Result<Personal<String>, StoreError> {
        let damaged = || StoreError::Corrupt(format!("{column} does not open"));
        let plain = self.seal.open(&format!("{column}/{row}"), sealed).map_err(|_| damaged())?;
        String::from_utf8(plain).map(Personal::new).map_err(|_| damaged())
    }

    pub(crate) fn tag(&self, uid: &Personal<TokenUid>) -> TokenTag {
        // cards are the only tokens that this provider issues for more than one session
        self.tags.tag(TokenKind::Rfid, uid)
    }
}
