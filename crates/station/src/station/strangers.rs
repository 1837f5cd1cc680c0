//! Another's token at an EVSE where somebody charges: of the same group it ends the charge (OCPP 1.6 `parentIdTag`; 2.x
//! C09), and the master pass ends every charge of the station (2.x C16).
//!
//! The station has a screen and no keys: whoever holds the master pass cannot choose, so all ends. Invariant: a token
//! that is not known to be good, here or to the operator, ends nothing of anybody else's.

use charge::id::EvseNo;
use charge::token::{Allowed, PresentedToken, TokenUid, Verdict};

use super::hand::{CannotDo, Cause};
use super::{Output, Station};
use crate::bay::{Event, Phase};
use crate::evse::Evse;
use crate::settings::Key;

impl Station {
    /// Who is known here ends it at once (C09.FR.07, C16.FR.04, C16.FR.05); any other is asked about (C09.FR.05).
    pub(super) fn stranger(
        &mut self,
        place: usize,
        token: PresentedToken,
        out: &mut Vec<Output>,
    ) -> Result<(), CannotDo> {
        let online = self.online();
        if self.known(&token) {
            let group = self.group_of(&token);
            if self.is_master(group.as_ref()) {
                self.master_pass(out);
                return Ok(());
            }
            if self.shares(place, group.as_ref()) {
                return self.ended_by(place, token, out);
            }
        }
        let evse = self.evses.get_mut(place).ok_or(CannotDo::NoSuchEvse)?;
        if !online {
            return Err(CannotDo::NotNow(evse.phase));
        }
        evse.stranger = Some(token);
        Ok(())
    }

    /// The next question about somebody who did not begin what runs.
    pub(super) fn next_stranger(&mut self) -> Option<(EvseNo, PresentedToken)> {
        self.evses.iter_mut().find_map(|evse| Some((evse.no, evse.stranger.take()?)))
    }

    /// The operator's answer: who is good and shares the group ends it (C09.FR.03), nobody else (C09.FR.11).
    pub(super) fn stranger_judged(&mut self, no: EvseNo, token: PresentedToken, of: &Verdict, out: &mut Vec<Output>) {
        let group = group(of);
        self.remember(&token, of.allowed, group.as_ref());
        if of.allowed != Allowed::Yes {
            return;
        }
        if self.is_master(group.as_ref()) {
            self.master_pass(out);
        } else if let Some(place) = self.place(no).filter(|place| self.shares(*place, group.as_ref())) {
            // what has ended meanwhile is ended
            let _moved = self.ended_by(place, token, out);
        }
    }

    /// What the list or the cache says of a token's group.
    pub(super) fn group_of(&self, token: &PresentedToken) -> Option<TokenUid> {
        let listed = self.blocks.list.entry(token).filter(|_| self.settings.flag(Key::LocalListEnabled));
        match listed {
            Some(entry) => entry.group.as_ref().map(|group| group.uid.reveal(charge::Purpose::Authorise).clone()),
            None => self.cache.group(token).filter(|_| self.settings.flag(Key::CacheEnabled)).cloned(),
        }
    }

    /// The operator has named the group of whoever charges here.
    pub(super) fn joins(&mut self, place: usize, of: &Verdict) {
        let permit = self.evses.get_mut(place).and_then(|evse| evse.permit.as_mut());
        if let (Some(permit), Some(group)) = (permit, group(of)) {
            permit.group = Some(group);
        }
    }

    pub(super) fn is_master(&self, group: Option<&TokenUid>) -> bool {
        let set = self.settings.text(Key::MasterPass);
        group.is_some() && self.version.is_2() && TokenUid::new(set).is_ok_and(|set| group == Some(&set))
    }

    /// Everything ends (C16.FR.02), and nothing begins (C16.FR.03).
    pub(super) fn master_pass(&mut self, out: &mut Vec<Output>) {
        for place in 0..self.evses.len() {
            if self.evses.get(place).is_some_and(occupied) {
                // only what runs or waits for its cable can be stopped, and this does
                let _moved = self.bay(place, Event::Stop, Cause::MASTER_PASS, out);
            }
        }
    }

    fn shares(&self, place: usize, group: Option<&TokenUid>) -> bool {
        let permit = self.evses.get(place).filter(|evse| occupied(evse)).and_then(|evse| evse.permit.as_ref());
        permit.is_some_and(|permit| permit.group.is_some() && permit.group.as_ref() == group)
    }

    fn ended_by(&mut self, place: usize, token: PresentedToken, out: &mut Vec<Output>) -> Result<(), CannotDo> {
        if let Some(evse) = self.evses.get_mut(place).filter(|evse| evse.running.is_some()) {
            evse.ended_by = Some(token);
        }
        self.bay(place, Event::Stop, Cause::LOCAL, out)
    }
}

const fn occupied(evse: &Evse) -> bool {
    evse.phase.in_transaction() || matches!(evse.phase, Phase::Tapped)
}

pub(super) fn group(of: &Verdict) -> Option<TokenUid> {
    of.group.as_ref().map(|group| group.reveal(charge::Purpose::Authorise).clone())
}
