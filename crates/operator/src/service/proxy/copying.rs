//! A station's message on its way past: kept for each second back-end that may see it, before the station is answered.
//!
//! A message that was kept here and repeated by the station is not kept twice ([`crate::proxy::copy`]). Nothing is
//! sent here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use charge::id::StationId;
use charge::talk::line::second::SecondDoor;
use charge::talk::line::{Denial, FromStation, Heard};
use charge::token::{PresentedToken, TokenKind, TokenUid};
use charge::{Purpose, Timestamp};
use store::{StoreError, Tx};

use super::Known;
use crate::memory::proxy::{self, Counted, Pair};
use crate::memory::station;
use crate::proxy::{Tokens, action, copy};
use crate::service::{House, Operator};

impl Operator {
    /// Hears a message and keeps what others may see of it.
    pub(crate) async fn listen_and_copy(
        &self,
        station: StationId,
        said: FromStation,
        now: Timestamp,
    ) -> Result<Heard, Denial> {
        let known = self.known_seconds().await.map_err(|error| {
            tracing::error!(%error, "the second back-ends could not be looked up");
            Denial::CannotKeep
        })?;
        let names = action::said(&said);
        let boots = matches!(said, FromStation::Boot(_));
        let meant: Vec<Arc<Known>> = known
            .iter()
            .filter(|one| one.second.wants(&station) != Some(false) && one.second.allows(names))
            .map(Arc::clone)
            .collect();
        if meant.is_empty() && !boots {
            return self.listen(station, said, now).await;
        }
        let copied = said.clone();
        let heard = self.listen(station.clone(), said, now).await?;
        if boots {
            self.boots_anew(&station);
        }
        if !meant.is_empty() {
            self.copy(&station, copied, &heard, meant).await.map_err(|error| {
                tracing::error!(%error, %station, "a copy for a second back-end could not be kept");
                Denial::CannotKeep
            })?;
        }
        Ok(heard)
    }

    fn boots_anew(&self, station: &StationId) {
        for ((_, of), line) in &*self.0.seconds.live() {
            if of == station {
                line.boots.store(true, Ordering::Release);
                line.wake.notify_one();
            }
        }
    }

    async fn copy(
        &self,
        station: &StationId,
        said: FromStation,
        heard: &Heard,
        meant: Vec<Arc<Known>>,
    ) -> Result<(), StoreError> {
        let Some(door) = self.0.seconds.door.get().cloned() else { return Ok(()) };
        let number = match heard {
            Heard::Transaction { number, .. } => *number,
            _ => None,
        };
        let (of, woken) = (station.clone(), meant.clone());
        self.run("operator.second.copy", move |house, tx| {
            for known in &meant {
                keep(house, tx, &*door, known, &of, said.clone(), number)?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
        woken.iter().for_each(|known| self.0.seconds.wake(&known.second.name, station));
        Ok(())
    }
}

/// Keeps what one second back-end may see.
fn keep(
    house: &House,
    tx: &mut Tx<'_>,
    door: &dyn SecondDoor,
    known: &Known,
    station: &StationId,
    said: FromStation,
    number: Option<i32>,
) -> Result<(), StoreError> {
    let (second, now) = (&known.second, house.now());
    if second.wants(station).is_none() {
        let row = station::find(tx, station)?;
        if !row.is_some_and(|row| second.wants_at(station, &row.location)) {
            return Ok(());
        }
    }
    let pair = Pair { second: &second.name, station };
    let key = copy::key(&said, number);
    let told = match &key {
        Some(key) => proxy::told(tx, pair, key)?,
        None => None,
    };
    let masked = mask(house, tx, known, copy::token(&said))?;
    let copied = copy::copy(second, said, key.as_ref(), told, masked);
    for (word, weight) in &copied.words {
        match door.write(second.version, word, now) {
            Ok(scripted) => {
                if let Some(loss) = scripted.losses.first() {
                    proxy::add(tx, pair, Counted::Lost, 1, Some(loss))?;
                }
                let room = (now, second.buffer_max);
                let gone = proxy::wait(tx, house.seal(), pair, *weight, key.as_ref(), &scripted.text, room)?;
                if gone > 0 {
                    proxy::add(tx, pair, Counted::Dropped, gone, Some("the buffer was full"))?;
                }
            }
            Err(why) => proxy::add(tx, pair, Counted::Lost, 1, Some(&why))?,
        }
    }
    if copied.lost {
        proxy::add(tx, pair, Counted::Lost, 1, Some("a transaction without what this version needs"))?;
    }
    match (key, copied.told) {
        (Some(key), Some(told)) => proxy::keep_told(tx, pair, &key, &told, now),
        (_, _) => Ok(()),
    }
}

/// What the second back-end sees in the place of a token.
fn mask(
    house: &House,
    tx: &mut Tx<'_>,
    known: &Known,
    token: Option<&PresentedToken>,
) -> Result<Option<PresentedToken>, StoreError> {
    let Some(token) = token else { return Ok(None) };
    match known.second.tokens {
        Tokens::DangerPass => Ok(Some(token.clone())),
        Tokens::Drop => Ok(None),
        Tokens::Pseudonym => {
            let name = &known.second.name;
            let pseudonym = house.setup.keys.tags.pseudonym(name, token.kind, &token.uid);
            proxy::keep_token(tx, house.seal(), name, &pseudonym, token, house.now())?;
            Ok(TokenUid::new(&pseudonym).ok().map(|uid| PresentedToken::new(uid, TokenKind::Other)))
        }
    }
}

/// The token that a second back-end means, in the form under which its pseudonym is kept.
pub(super) fn named_by(token: &PresentedToken) -> String {
    token.normal(Purpose::Route)
}
