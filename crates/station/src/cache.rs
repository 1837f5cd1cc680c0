//! The authorisation cache: tokens that were accepted here lately, each with its group and its driver's own price where
//! it came with one (OCPP 2.x C10 to C12; 2.1 I08). It is forgotten when the station restarts.
//!
//! Deliberately without a lifetime of its own: whoever is refused once is gone. Invariant: a token is in it once.

use std::collections::VecDeque;

use charge::tariff::Tariff;
use charge::token::{PresentedToken, TokenUid};
use charge::{Personal, Purpose};

/// A station of a few EVSEs sees a few hundred different cards a month.
const TOKENS_MAX: usize = 256;

/// Oldest first.
#[derive(Default)]
pub(crate) struct Cache(VecDeque<Known>);

struct Known {
    /// In its normal form.
    token: Personal<String>,
    group: Option<TokenUid>,
    tariff: Option<Box<Tariff>>,
}

impl Cache {
    pub fn knows(&self, token: &PresentedToken) -> bool {
        self.find(token).is_some()
    }

    /// The driver's own price, as long as nobody is asked for a new one (I08.FR.05).
    pub fn tariff(&self, token: &PresentedToken) -> Option<Box<Tariff>> {
        self.find(token)?.tariff.clone()
    }

    /// Whoever shares this may end what the other began.
    pub fn group(&self, token: &PresentedToken) -> Option<&TokenUid> {
        self.find(token)?.group.as_ref()
    }

    /// Remembers a token that was accepted, as the newest; its price stays, and so does its group where none is named.
    pub fn remember(&mut self, token: &PresentedToken, group: Option<&TokenUid>) {
        let tariff = self.tariff(token);
        let group = group.or(self.group(token)).cloned();
        self.forget(token);
        self.0.push_back(Known { token: normal(token), group, tariff });
        if self.0.len() > TOKENS_MAX {
            self.0.pop_front();
        }
    }

    /// The operator was asked, and this is the price, or there is none any more (I08.FR.05).
    pub fn price(&mut self, token: &PresentedToken, tariff: Option<Box<Tariff>>) {
        let token = normal(token);
        if let Some(known) = self.0.iter_mut().find(|known| known.token == token) {
            known.tariff = tariff;
        }
    }

    pub fn forget(&mut self, token: &PresentedToken) {
        let token = normal(token);
        self.0.retain(|known| known.token != token);
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    fn find(&self, token: &PresentedToken) -> Option<&Known> {
        let token = normal(token);
        self.0.iter().find(|known| known.token == token)
    }
}

fn normal(token: &PresentedToken) -> Personal<String> {
    Personal::new(token.normal(Purpose::Authorise))
}
