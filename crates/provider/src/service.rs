//! The provider at work: load, decide, commit, act. The only files that wait are this one and those below it.
//!
//! Whatever is acknowledged to another party is on disk first; whatever is asked of another party was written first.
//! Nobody waits for the road inside a transaction.

mod bookings;
mod charging;
mod desk;
mod duty;
mod filing;
mod handed;
mod limits;
mod office;
mod orders;
mod people;
mod views;

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, OnceLock};

use charge::id::{BookingRequestId, CorrelationId, EvseUid, LocationId, OrderId, PartyId};
use charge::money::{Currency, Money};
use charge::talk::road::{Answer, Letter, Question, Road, RoadFault};
use charge::{Clock, Decimal, Dice, Secret, Timestamp};
use store::{Store, Tx};
use tokio::sync::broadcast;

use crate::fault::ProviderFault;
use crate::memory;
use crate::onetime::{Event as OneTimeEvent, Grant, Move, OneTime};
use crate::vault::Vault;
use crate::{CdrNo, DisputeNo, DriverId, InvoiceNo, SessionNo};

pub use limits::SessionLimit;
pub use orders::StartWish;
pub use people::NewCard;
pub use views::{Overview, PagedRows};

/// What makes one provider differ from another.
#[derive(Clone, Debug)]
pub struct Setup {
    pub party: PartyId,
    pub name: String,
    /// The neighbour that letters go through.
    pub hub: PartyId,
    pub vat_id: String,
    /// ISO 3166-1 alpha-2, of the seller.
    pub country: String,
    /// Of the provider's own sale to its drivers.
    pub vat_percent: Decimal,
    pub currency: Currency,
    /// Seals personal columns. Whoever loses it loses its drivers' names.
    pub seal_key: Secret<[u8; 32]>,
    /// Finds cards. Whoever loses it has to register the cards again.
    pub tag_key: Secret<[u8; 32]>,
    /// The hub is a clearing house that gives our cards out as a list: operators ask nobody, and a good card is a
    /// permission by itself.
    pub cards_listed: bool,
}

/// Something that an open page may want to fetch again. Ids only, never personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Session {
        driver: DriverId,
        no: SessionNo,
    },
    Order {
        driver: DriverId,
        id: OrderId,
    },
    Booking {
        driver: DriverId,
        id: BookingRequestId,
    },
    /// A location or one of its EVSEs changed.
    Place {
        operator: PartyId,
        location: LocationId,
        evse: Option<EvseUid>,
    },
    Cdr(CdrNo),
    Dispute(DisputeNo),
    Invoice {
        driver: DriverId,
        no: InvoiceNo,
    },
}

/// Something that a security officer should look at. Says which party did what kind of thing, and to nobody whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub at: Timestamp,
    pub party: PartyId,
    pub kind: String,
}

/// The provider. Clones are the same provider.
#[derive(Clone)]
pub struct Provider(Arc<Desk>);

struct Desk {
    setup: Setup,
    vault: Vault,
    store: Store,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    road: OnceLock<Arc<dyn Road>>,
    events: broadcast::Sender<Event>,
    /// When retention runs next, in microseconds.
    retention_due: AtomicI64,
}

impl Provider {
    /// A provider over a store that has [`crate::MIGRATIONS`].
    pub fn new(setup: Setup, store: Store, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Result<Self, ProviderFault> {
        let vault = Vault::new(&setup.seal_key, &setup.tag_key)?;
        let (events, _) = broadcast::channel(EVENTS_MAX);
        let (road, retention_due) = (OnceLock::new(), AtomicI64::new(i64::MIN));
        Ok(Self(Arc::new(Desk { setup, vault, store, clock, dice, road, events, retention_due })))
    }

    /// The way out. Attached once, before anything is asked.
    pub fn attach_road(&self, road: Arc<dyn Road>) {
        if self.0.road.set(road).is_err() {
            tracing::warn!("a second road was not attached");
        }
    }

    pub fn party(&self) -> PartyId {
        self.0.setup.party
    }

    pub fn name(&self) -> &str {
        &self.0.setup.name
    }

    /// What drivers pay in.
    pub fn currency(&self) -> Currency {
        self.0.setup.currency
    }

    /// What happens from now on. A receiver that falls behind misses events and fetches everything.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn tell(&self, events: impl IntoIterator<Item = Event>) {
        for event in events {
            // nobody listening is no fault
            drop(self.0.events.send(event));
        }
    }

    async fn ask(&self, to: PartyId, question: Question) -> Result<Answer, RoadFault> {
        let road = self.0.road.get().ok_or(RoadFault::NoRoad)?;
        let correlation = CorrelationId::new(self.0.dice.uuid()).map_err(|_| RoadFault::NoRoad)?;
        road.ask(Letter { from: self.0.setup.party, to: Some(to), correlation, question }).await
    }

    /// Writes, in a named transaction.
    async fn run<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Desk, &mut Tx<'_>) -> Result<T, ProviderFault> + Send + 'static,
    ) -> Result<T, ProviderFault> {
        let desk = Arc::clone(&self.0);
        self.0.store.run(name, move |tx| work(&desk, tx)).await
    }

    /// Reads, in a named transaction.
    async fn read<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Desk, &Tx<'_>) -> Result<T, ProviderFault> + Send + 'static,
    ) -> Result<T, ProviderFault> {
        let desk = Arc::clone(&self.0);
        self.0.store.read(name, move |tx| work(&desk, tx)).await
    }
}

impl Desk {
    /// A fresh one-time id, armed for one operator and written.
    fn arm(&self, tx: &mut Tx<'_>, driver: &DriverId, grant: Grant) -> Result<OneTime, ProviderFault> {
        for _ in 0..CODES_TRIED_MAX {
            let mut id = OneTime::mint(self.setup.party, driver.clone(), &*self.dice, grant)?;
            if let Move::To(armed) = id.state.on(OneTimeEvent::Arm) {
                id.state = armed;
            }
            match memory::onetime::put(tx, &id) {
                Ok(()) => return Ok(id),
                Err(error) if error.is_duplicate() => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ProviderFault::TooLarge)
    }

    /// What a driver owes or will owe that is not invoiced yet, with VAT: lines on open invoices, and sessions that
    /// run, wait for their CDR or are disputed. Without the latter a dispute would give credit back.
    fn owed(&self, tx: &Tx<'_>, driver: &DriverId) -> Result<Money, ProviderFault> {
        let currency = self.setup.currency;
        let lines = memory::invoices::open_lines(tx, driver)?;
        let billed = billing::invoice::total(&lines, &currency).map_err(|_| ProviderFault::TooLarge)?.gross;
        let unsettled = memory::sessions::unsettled(tx, driver)?;
        let sum = unsettled
            .iter()
            .try_fold(Decimal::ZERO, |sum: Decimal, cost| sum.checked_add(cost.with_vat.unwrap_or(cost.before_vat)));
        let unsettled = sum.and_then(|sum| Money::rounded(sum, currency)).ok_or(ProviderFault::TooLarge)?;
        billed.checked_add(unsettled).ok_or(ProviderFault::TooLarge)
    }
}

/// Among 2.8 * 10^12 codes two meet so rarely that a second try is one too many already.
const CODES_TRIED_MAX: usize = 8;
/// Events that a slow page may be behind before it has to fetch everything.
const EVENTS_MAX: usize = 1_024;
