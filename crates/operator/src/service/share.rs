//! The controller divides its site's power: it watches who charges, works the shares out anew when that changes, and
//! tells each station its own.
//!
//! Shares that fall are told before shares that rise, and a station that did not take a new one keeps the old one in the
//! account, so that at no moment more is given than there is. The CSMS's limit of the whole site comes on a line of the
//! controller's own; its limit of a whole station is taken over by the controller and is that station's ceiling.
//!
//! Invariant: a station behind the controller holds one limit of the whole station, the controller's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::charging::{ChargingOrder, Profile, ProfileFilter, ProfilePurpose};
use charge::talk::line::second::{SecondCall, SecondLine};
use charge::talk::line::{Boot, FromStation, Pole, StationAnswer, ToStation, Version};
use charge::units::Power;
use charge::{Secret, Soon, Timestamp};
use tokio::sync::Notify;

use super::controller::{Controller, Site};
use crate::share::{self, Busy, Demand, Outlet, Supply};

/// The controller as the CSMS meets it by itself: as the station that stands for the site.
#[derive(Clone, Debug)]
pub struct GroupSeat {
    pub station: StationId,
    pub password: Option<Secret<Box<str>>>,
}

/// How the controller shares out power.
#[derive(Clone, Debug)]
pub struct Sharing {
    pub supply: Supply,
    /// Under which name the CSMS limits the whole site; nobody does where there is none.
    pub group: Option<GroupSeat>,
    /// The site's connection, for limits of it in amperes.
    pub connection: Outlet,
    /// Stations that are not like [`Outlet::default`]. One whose most is known is counted with it from the first moment,
    /// also while it is away.
    pub outlets: BTreeMap<StationId, Outlet>,
}

/// The account of a site's power.
pub(super) struct Grid {
    sharing: Sharing,
    changed: Arc<Notify>,
    book: Mutex<Book>,
}

#[derive(Default)]
struct Book {
    stations: BTreeMap<StationId, Entry>,
    /// The CSMS's limits of the whole site.
    group: Vec<Profile>,
    line: Option<Arc<dyn SecondLine>>,
}

#[derive(Default)]
struct Entry {
    busy: Busy,
    /// The CSMS's limits of this whole station.
    profiles: Vec<Profile>,
    /// The share that it took last; `None` before it took any.
    taken: Option<Power>,
}

impl Grid {
    pub(super) fn new(sharing: Sharing) -> Self {
        let known = sharing.outlets.iter().filter(|(_, outlet)| outlet.most.is_some());
        let stations = known.map(|(station, _)| (station.clone(), Entry::default())).collect();
        let book = Mutex::new(Book { stations, ..Book::default() });
        Self { sharing, changed: Arc::default(), book }
    }

    fn outlet(&self, station: &StationId) -> Outlet {
        self.sharing.outlets.get(station).copied().unwrap_or_default()
    }

    /// What a station may be taking: the share that it took last, and before that all that it can.
    fn held(&self, station: &StationId, entry: &Entry) -> Power {
        let most = || self.outlet(station).most.unwrap_or(self.sharing.supply.power);
        entry.taken.unwrap_or_else(most)
    }

    /// What the site may take now.
    fn supply(&self, book: &Book, now: Timestamp) -> Power {
        let supply = self.sharing.supply.power;
        share::ceiling(&book.group, &self.sharing.connection, now).map_or(supply, |limit| limit.min(supply))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A station said this.
    pub(super) fn hear(&self, station: &StationId, said: &FromStation, now: Timestamp) {
        let mut book = self.book();
        let entry = book.stations.entry(station.clone()).or_default();
        if matches!(said, FromStation::Boot(_)) {
            // what it held may be gone
            entry.taken = None;
        }
        if entry.busy.hear(said, now) {
            self.changed.notify_one();
        }
    }

    /// A limit of a whole station, set or cleared by the CSMS: the controller keeps to it. `None`: not one of those.
    pub(super) fn obey(&self, station: &StationId, order: &ToStation) -> Option<StationAnswer> {
        let ToStation::Charging(order) = order else { return None };
        let mut book = self.book();
        let entry = book.stations.entry(station.clone()).or_default();
        match keep(&mut entry.profiles, order) {
            Kept::Yes => {
                self.changed.notify_one();
                Some(StationAnswer::Accepted)
            }
            // what the station holds of ours may be meant as well: it is told anew
            Kept::Also => {
                entry.taken = None;
                self.changed.notify_one();
                None
            }
            Kept::No => None,
        }
    }

    /// What everybody should have now, in the order in which to say it: who gives up first, and whether they do.
    fn plan(&self, now: Timestamp) -> Vec<(StationId, Power, bool)> {
        let book = self.book();
        let demand = |(station, entry): (&StationId, &Entry)| {
            let outlet = self.outlet(station);
            let limit = share::ceiling(&entry.profiles, &outlet, now);
            Demand {
                station: station.clone(),
                charging: entry.busy.count(),
                since: entry.busy.since().unwrap_or(now),
                ceiling: limit.into_iter().chain(outlet.most).min(),
            }
        };
        let demands: Vec<Demand> = book.stations.iter().map(demand).collect();
        let shares = share::divide(self.supply(&book, now), self.sharing.supply.least, &demands);
        let mut plan: Vec<_> = shares
            .into_iter()
            .filter_map(|(station, share)| {
                let entry = book.stations.get(&station)?;
                let falls = share == Power::ZERO || entry.taken.is_some_and(|taken| share <= taken);
                (entry.taken != Some(share)).then_some((station, share, falls))
            })
            .collect();
        plan.sort_by_key(|(_, _, falls)| !falls);
        plan
    }

    /// What may still be given to a station, counting what the others hold.
    fn room(&self, of: &StationId, now: Timestamp) -> Power {
        let book = self.book();
        let held = book.stations.iter().filter(|(station, _)| *station != of);
        let held: i64 = held.map(|(station, entry)| self.held(station, entry).milliwatts()).sum();
        Power::from_milliwatts((self.supply(&book, now).milliwatts() - held).max(0))
    }

    fn took(&self, station: &StationId, share: Power) {
        if let Some(entry) = self.book().stations.get_mut(station) {
            entry.taken = Some(share);
        }
    }
}

/// Whether an order about power was about whole stations.
enum Kept {
    Yes,
    /// Ours was among what it was about.
    Also,
    No,
}

fn keep(profiles: &mut Vec<Profile>, order: &ChargingOrder) -> Kept {
    match order {
        ChargingOrder::Set { evse: None, profile } if profile.purpose == ProfilePurpose::StationMax => {
            // one of a stack level and one of a number (1.6, 5.16.4; K01.FR.05)
            profiles.retain(|other| other.id != profile.id && other.stack_level != profile.stack_level);
            profiles.push((**profile).clone());
            Kept::Yes
        }
        ChargingOrder::Clear(which) => {
            let before = profiles.len();
            profiles.retain(|profile| !meant(which, profile));
            let ours = which.ids.is_empty() && which.purpose.is_none_or(|of| of == ProfilePurpose::StationMax);
            match (before != profiles.len(), ours) {
                (_, true) => Kept::Also,
                (true, false) => Kept::Yes,
                (false, false) => Kept::No,
            }
        }
        ChargingOrder::Set { .. }
        | ChargingOrder::Read { .. }
        | ChargingOrder::Composite { .. }
        | ChargingOrder::Update { .. }
        | ChargingOrder::Priority { .. }
        | ChargingOrder::AllowedTransfer { .. } => Kept::No,
    }
}

fn meant(which: &ProfileFilter, profile: &Profile) -> bool {
    if !which.ids.is_empty() {
        return which.ids.contains(&profile.id);
    }
    which.evse.is_none_or(|evse| evse.is_none())
        && which.purpose.is_none_or(|purpose| purpose == profile.purpose)
        && which.stack_level.is_none_or(|level| level == profile.stack_level)
}

impl Controller {
    /// Begins to share, if the site does; the line to the stations is there.
    pub(super) fn share(&self) {
        let Some(grid) = self.site().grid() else { return };
        if let Some(group) = &grid.sharing.group {
            self.stand_for_the_site(grid, group);
        }
        tokio::spawn(balance(Arc::downgrade(self.site())));
    }

    /// The line on which the CSMS limits the site.
    fn stand_for_the_site(&self, grid: &Grid, group: &GroupSeat) {
        let upstream = self.site().upstream();
        let call = SecondCall {
            address: upstream.address.as_str().into(),
            station: group.station.clone(),
            version: Version::V201,
            password: group.password.clone(),
            identity: None,
            roots: upstream.roots.as_str().into(),
            local: upstream.local,
        };
        let pole = GroupPole { site: Arc::downgrade(self.site()) };
        match self.site().door().dial(call, Arc::new(pole)) {
            Ok(line) => grid.book().line = Some(line),
            Err(why) => tracing::error!(why, "the CSMS cannot be called in the name of the site"),
        }
    }

    /// Tells every station its share of now. `true`: everybody has it.
    async fn balance_once(&self, grid: &Grid) -> bool {
        let mut all = true;
        for (station, planned, falls) in grid.plan(self.site().now()) {
            // who gives up needs no room for what is left
            let share = if falls { planned } else { planned.min(grid.room(&station, self.site().now())) };
            all &= share == planned;
            let order = ChargingOrder::Set {
                evse: None,
                profile: Box::new(share::profile(share, &grid.outlet(&station), self.site().now())),
            };
            match self.site().tell(&station, ToStation::Charging(order)).await {
                Some(Ok(StationAnswer::Accepted)) => grid.took(&station, share),
                Some(Ok(answer)) => {
                    tracing::warn!(%station, ?answer, "a station did not take its share");
                    all = false;
                }
                Some(Err(fault)) => {
                    tracing::info!(%station, %fault, "a station could not be told its share");
                    all = false;
                }
                None => return all,
            }
        }
        all
    }
}

/// Balances whenever something has changed, and every so often for schedules that went on to their next period.
async fn balance(site: Weak<Site>) {
    let changed = site.upgrade().and_then(|site| Some(Arc::clone(&site.grid()?.changed)));
    let Some(changed) = changed else { return };
    let mut pause = LOOK_EVERY;
    loop {
        // whichever comes first
        drop(tokio::time::timeout(pause, changed.notified()).await);
        let Some(held) = site.upgrade() else { return };
        let controller = Controller::of(held);
        let Some(grid) = controller.site().grid() else { return };
        // a station that says hello may hear orders a moment later only
        let failed = if pause < LOOK_EVERY { pause * 2 } else { AGAIN_AFTER };
        pause = if controller.balance_once(grid).await { LOOK_EVERY } else { failed.min(LOOK_EVERY) };
    }
}

/// The site as the CSMS meets it.
struct GroupPole {
    site: Weak<Site>,
}

impl Pole for GroupPole {
    fn told(&self, order: ToStation) -> Soon<'_, StationAnswer> {
        let answer = self.site.upgrade().map_or_else(refused, |site| group_told(&site, &order));
        Box::pin(std::future::ready(answer))
    }

    fn line_up(&self, _version: Version) {
        let Some(site) = self.site.upgrade() else { return };
        let uplink = site.grid().and_then(|grid| grid.book().line.as_ref().map(|line| line.uplink()));
        let Some(uplink) = uplink else { return };
        tokio::spawn(async move {
            let boot = Boot {
                vendor: "Leyden".into(),
                model: "Local controller".into(),
                reason: Some("PowerUp".into()),
                ..Boot::default()
            };
            if let Err(fault) = uplink.say(FromStation::Boot(boot)).await {
                tracing::info!(%fault, "the CSMS did not take the site's introduction");
            }
        });
    }

    fn line_down(&self, why: &str) {
        tracing::warn!(why, "the site's own line to the CSMS is down; its last limits hold");
    }
}

/// Limits are all that the site itself takes.
fn group_told(site: &Site, order: &ToStation) -> StationAnswer {
    let (Some(grid), ToStation::Charging(order)) = (site.grid(), order) else { return refused() };
    let kept = keep(&mut grid.book().group, order);
    grid.changed.notify_one();
    match (kept, order) {
        (Kept::Yes, _) | (Kept::Also, ChargingOrder::Clear(_)) => StationAnswer::Accepted,
        (Kept::Also | Kept::No, _) => refused(),
    }
}

fn refused() -> StationAnswer {
    StationAnswer::Refused("Rejected".into())
}

/// A schedule's next period is followed at the latest after this.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Who did not take its share is told again after this, and then after twice as long each time.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use charge::id::EvseNo;
    use charge::talk::line::charging::RateUnit;
    use charge::talk::line::{BayState, StatusReport};

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn name(text: &str) -> StationId {
        StationId::new(text).unwrap()
    }

    fn grid(known: &[(&str, i64)]) -> Grid {
        let outlet = |watts| Outlet { most: Some(Power::from_watts(watts)), ..Outlet::default() };
        Grid::new(Sharing {
            supply: Supply { power: Power::from_watts(24_000), least: Power::from_watts(1_380) },
            group: None,
            connection: Outlet { unit: RateUnit::Amperes, ..Outlet::default() },
            outlets: known.iter().map(|(station, watts)| (name(station), outlet(*watts))).collect(),
        })
    }

    fn charges(grid: &Grid, station: &str) {
        let report = StatusReport { evse: EvseNo::new(1), state: BayState::Charging, fault: None, at: None };
        grid.hear(&name(station), &FromStation::Status(report), NOW);
    }

    fn plan(grid: &Grid) -> Vec<(String, i64, bool)> {
        let plan = grid.plan(NOW).into_iter();
        plan.map(|(station, share, falls)| (station.to_string(), share.watts(), falls)).collect()
    }

    fn room(grid: &Grid, of: &str) -> i64 {
        grid.room(&name(of), NOW).watts()
    }

    #[test]
    fn a_station_that_was_never_told_counts_with_what_it_can_take() {
        let grid = grid(&[("A", 11_000), ("B", 11_000), ("C", 11_000)]);
        charges(&grid, "A");
        let all = [("B", 0, true), ("C", 0, true), ("A", 11_000, false)];
        assert_eq!(plan(&grid), all.map(|(station, watts, falls)| (station.to_owned(), watts, falls)));
        assert_eq!(room(&grid, "A"), 2_000, "two others may be taking 11 kW each");
        grid.took(&name("B"), Power::ZERO);
        assert_eq!(room(&grid, "A"), 13_000, "one of them took its share, the other is away");
        grid.took(&name("C"), Power::ZERO);
        assert_eq!(room(&grid, "A"), 24_000);
        grid.took(&name("A"), Power::from_watts(11_000));
        charges(&grid, "B");
        charges(&grid, "C");
        assert_eq!(plan(&grid)[0], ("A".to_owned(), 8_000, true));
        assert_eq!(room(&grid, "B"), 13_000, "not all of it before the first gave up");
        grid.took(&name("A"), Power::from_watts(8_000));
        assert_eq!(room(&grid, "B"), 16_000);
        grid.hear(&name("A"), &FromStation::Boot(Boot::default()), NOW);
        assert_eq!(room(&grid, "B"), 13_000, "what it held may be gone: its most counts again");
    }

    #[test]
    fn of_whom_nothing_is_known_all_that_there_is_counts() {
        let grid = grid(&[]);
        charges(&grid, "A");
        grid.took(&name("A"), Power::from_watts(24_000));
        charges(&grid, "B");
        assert_eq!(room(&grid, "A"), 0);
        assert_eq!(plan(&grid), [("A".to_owned(), 12_000, true), ("B".to_owned(), 12_000, false)]);
        grid.took(&name("B"), Power::from_watts(12_000));
        assert_eq!(room(&grid, "A"), 12_000);
    }
}
