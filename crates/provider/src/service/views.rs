//! What pages and API show. Plain structs; the door turns them into JSON for the one person who may see them.

use billing::record;
use charge::Timestamp;
use charge::id::{LocationId, OrderId, PartyId};
use charge::meter::SignedRecord;
use charge::units::Energy;
use store::Tx;

use super::filing::meter_key;
use super::{Alarm, Desk, Provider};
use crate::cdrs::{CdrRow, Dispute};
use crate::contracts::Driver;
use crate::fault::{ProviderFault, Refusal};
use crate::invoices::{self, InvoiceDetail, InvoiceRow};
use crate::learned;
use crate::memory;
use crate::places::{Area, EvsePrice, Place, PlacePoint};
use crate::remote::Order;
use crate::sessions::{self, Evidence, SessionDetail, SessionRow};
use crate::tokens::{Card, CardRow};
use crate::{CdrNo, DriverId, InvoiceNo, SessionNo};

/// The clerk's first page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    pub drivers: usize,
    pub cards: usize,
    /// Cards that the hub knows in their present state.
    pub cards_indexed: usize,
    pub places: i64,
    pub sessions_active: i64,
    /// Begun since midnight UTC.
    pub sessions_today: i64,
    pub energy_today: Energy,
    pub cdrs: i64,
    /// Received since midnight UTC, like the two below.
    pub cdrs_today: i64,
    /// Their signed records are valid, with remarks or without.
    pub cdrs_today_valid: i64,
    pub cdrs_today_not_valid: i64,
    pub disputes_open: i64,
    pub invoices_open: i64,
    pub invoices_issued: i64,
    pub alarms: usize,
}

/// A page of rows and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagedRows<T> {
    pub rows: Vec<T>,
    pub total: i64,
}

impl Provider {
    pub async fn overview(&self) -> Result<Overview, ProviderFault> {
        let now = self.now();
        self.read("provider.overview", move |desk, tx| {
            let midnight = Timestamp::from_secs(now.secs().div_euclid(86_400) * 86_400);
            let cards = memory::people::cards(tx, &desk.vault, None)?;
            let (sessions_active, sessions_today, energy_today) = memory::sessions::figures(tx, midnight)?;
            let (cdrs_today, cdrs_today_valid, cdrs_today_not_valid) = memory::cdrs::figures(tx, midnight)?;
            let (invoices_open, invoices_issued) = memory::invoices::figures(tx)?;
            Ok(Overview {
                drivers: memory::people::drivers(tx, &desk.vault, desk.setup.currency)?.len(),
                cards: cards.len(),
                cards_indexed: cards.iter().filter(|card| card.indexed == card.version).count(),
                places: memory::places::total(tx)?,
                sessions_active,
                sessions_today,
                energy_today,
                cdrs: memory::cdrs::total(tx)?,
                cdrs_today,
                cdrs_today_valid,
                cdrs_today_not_valid,
                disputes_open: memory::disputes::open_total(tx)?,
                invoices_open,
                invoices_issued,
                alarms: memory::learned::alarms(tx)?.len(),
            })
        })
        .await
    }

    pub async fn drivers(&self) -> Result<Vec<Driver>, ProviderFault> {
        self.read("provider.drivers", |desk, tx| Ok(memory::people::drivers(tx, &desk.vault, desk.setup.currency)?))
            .await
    }

    pub async fn driver(&self, id: DriverId) -> Result<Driver, ProviderFault> {
        self.read("provider.driver", move |desk, tx| {
            let driver = memory::people::driver(tx, &desk.vault, &id, desk.setup.currency)?;
            Ok(driver.ok_or(Refusal::NoSuchDriver)?)
        })
        .await
    }

    /// All cards, or one driver's. Uids are masked.
    pub async fn cards(&self, driver: Option<DriverId>) -> Result<Vec<CardRow>, ProviderFault> {
        self.read("provider.cards", move |desk, tx| {
            let cards = memory::people::cards(tx, &desk.vault, driver.as_ref())?;
            Ok(cards.iter().map(Card::row).collect())
        })
        .await
    }

    /// The newest first: all drivers', or one driver's.
    pub async fn sessions(
        &self,
        driver: Option<DriverId>,
        offset: u32,
        limit: u32,
    ) -> Result<PagedRows<SessionRow>, ProviderFault> {
        self.read("provider.sessions", move |_, tx| {
            let rows = memory::sessions::list(tx, driver.as_ref(), offset, limit.min(ROWS_MAX))?;
            Ok(PagedRows { rows, total: memory::sessions::total(tx, driver.as_ref())? })
        })
        .await
    }

    /// One session; with `driver`, only if it is that driver's.
    pub async fn session(&self, driver: Option<DriverId>, no: SessionNo) -> Result<SessionDetail, ProviderFault> {
        let (mut detail, records, key) = self
            .read("provider.session.detail", move |_, tx| {
                let row = session_row(tx, driver.as_ref(), no)?;
                let evse = row.place.as_ref().map(|place| place.evse.clone());
                let operator = row.operator;
                let detail = session_detail(tx, row)?;
                let records = records_of(tx, detail.cdr)?;
                let key = meter_key(tx, operator, evse.as_ref(), &records.iter().collect::<Vec<_>>())?;
                Ok((detail, records, key))
            })
            .await?;
        if !records.is_empty() {
            let verdict = record::verify(&records, key.as_ref().map(|(key, source)| (key, *source)));
            detail.evidence = Some(evidence(&record::explain(&verdict, &records)));
        }
        Ok(detail)
    }

    /// The signed records of a session as a file for the official transparency software (SAFE XML).
    pub async fn record_file(&self, driver: Option<DriverId>, no: SessionNo) -> Result<String, ProviderFault> {
        self.read("provider.record", move |_, tx| {
            let row = session_row(tx, driver.as_ref(), no)?;
            let records = records_of(tx, memory::cdrs::of_session(tx, no)?.map(|cdr| cdr.no))?;
            if records.is_empty() {
                return Err(Refusal::NoSuchSession.into());
            }
            let evse = row.place.map(|place| place.evse);
            let key = meter_key(tx, row.operator, evse.as_ref(), &records.iter().collect::<Vec<_>>())?;
            Ok(record::file::safe_xml(&records, key.as_ref().map(|(key, _)| key)))
        })
        .await
    }

    pub async fn cdrs(&self, offset: u32, limit: u32) -> Result<PagedRows<CdrRow>, ProviderFault> {
        self.read("provider.cdrs", move |_, tx| {
            let rows = memory::cdrs::list(tx, offset, limit.min(ROWS_MAX))?;
            Ok(PagedRows { rows, total: memory::cdrs::total(tx)? })
        })
        .await
    }

    /// The newest first.
    pub async fn disputes(&self) -> Result<Vec<Dispute>, ProviderFault> {
        self.read("provider.disputes", |_, tx| Ok(memory::disputes::list(tx)?)).await
    }

    pub async fn alarms(&self) -> Result<Vec<Alarm>, ProviderFault> {
        self.read("provider.alarms", |_, tx| Ok(memory::learned::alarms(tx)?)).await
    }

    /// All invoices, or one driver's; the newest month first.
    pub async fn invoices(&self, driver: Option<DriverId>) -> Result<Vec<InvoiceRow>, ProviderFault> {
        self.read("provider.invoices", move |desk, tx| {
            let heads = memory::invoices::list(tx, driver.as_ref())?;
            heads.into_iter().map(|head| Ok(desk.invoice(tx, head)?.row)).collect()
        })
        .await
    }

    /// One invoice; with `driver`, only if it is that driver's.
    pub async fn invoice(&self, driver: Option<DriverId>, no: InvoiceNo) -> Result<InvoiceDetail, ProviderFault> {
        self.read("provider.invoice", move |desk, tx| {
            let head = memory::invoices::find(tx, no)?;
            let head = head.filter(|head| driver.as_ref().is_none_or(|driver| *driver == head.driver));
            desk.invoice(tx, head.ok_or(Refusal::NoSuchInvoice)?)
        })
        .await
    }

    /// The locations in a part of the map.
    pub async fn places(&self, area: Area) -> Result<Vec<PlacePoint>, ProviderFault> {
        self.read("provider.places", move |_, tx| Ok(memory::places::points(tx, area)?)).await
    }

    /// A location with the price of every EVSE now.
    pub async fn place(&self, operator: PartyId, id: LocationId) -> Result<Place, ProviderFault> {
        let now = self.now();
        self.read("provider.place", move |_, tx| {
            let location = memory::places::find(tx, operator, &id)?.ok_or(Refusal::NoSuchPlace)?;
            let mut prices = Vec::with_capacity(location.evses.len());
            for evse in &location.evses {
                let ids = evse.connectors.first().map(|connector| connector.tariffs.as_slice()).unwrap_or_default();
                let held = memory::tariffs::in_force(tx, operator, ids, now)?;
                prices.push(evse_price(held, &location.time_zone, now));
            }
            Ok(Place { location, prices })
        })
        .await
    }

    /// The driver's orders, the newest first.
    pub async fn orders(&self, driver: DriverId) -> Result<Vec<Order>, ProviderFault> {
        self.read("provider.orders", move |_, tx| Ok(memory::orders::of_driver(tx, &driver)?)).await
    }

    pub async fn order(&self, driver: DriverId, id: OrderId) -> Result<Order, ProviderFault> {
        self.read("provider.order", move |_, tx| {
            let order = memory::orders::find(tx, &id)?.filter(|order| order.driver == driver);
            Ok(order.ok_or(Refusal::NoSuchOrder)?)
        })
        .await
    }
}

impl Desk {
    fn invoice(&self, tx: &Tx<'_>, head: memory::invoices::Head) -> Result<InvoiceDetail, ProviderFault> {
        let lines = memory::invoices::lines(tx, head.no)?;
        let bare: Vec<_> = lines.iter().map(|(_, line)| line.clone()).collect();
        let currency = self.setup.currency;
        let totals = billing::invoice::total(&bare, &currency).map_err(|_| ProviderFault::TooLarge)?;
        let row = InvoiceRow {
            no: head.no,
            driver: head.driver,
            month: head.month,
            number: head.number.map(|nth| invoices::number(self.setup.party.code(), nth)),
            issued: head.issued,
            currency,
            totals,
        };
        Ok(InvoiceDetail { row, seller: head.seller.unwrap_or_else(|| self.seller()), lines })
    }
}

fn session_row(tx: &Tx<'_>, driver: Option<&DriverId>, no: SessionNo) -> Result<SessionRow, ProviderFault> {
    let row = memory::sessions::row(tx, no)?;
    Ok(row.filter(|row| driver.is_none_or(|driver| *driver == row.driver)).ok_or(Refusal::NoSuchSession)?)
}

fn session_detail(tx: &Tx<'_>, row: SessionRow) -> Result<SessionDetail, ProviderFault> {
    let known = memory::sessions::known_by_no(tx, row.no)?.ok_or(Refusal::NoSuchSession)?;
    let curve = memory::sessions::curve(tx, row.no)?;
    let tariff = match known.tariff {
        Some(no) => memory::tariffs::find(tx, no)?.map(|tariff| tariff.text.unwrap_or_else(|| tariff.id.to_string())),
        None => None,
    };
    Ok(SessionDetail {
        power: curve.last().map(|point| point.power).filter(|_| !sessions::is_over(row.status)),
        lines: memory::sessions::lines(tx, row.no)?,
        tariff,
        evidence: None,
        learned: learned::by_party(memory::learned::of(tx, &known.subject)?),
        cdr: memory::cdrs::of_session(tx, row.no)?.map(|cdr| cdr.no),
        curve,
        row,
    })
}

fn records_of(tx: &Tx<'_>, cdr: Option<CdrNo>) -> Result<Vec<SignedRecord>, ProviderFault> {
    match cdr {
        Some(no) => Ok(memory::cdrs::signed(tx, no)?),
        None => Ok(Vec::new()),
    }
}

fn evidence(report: &record::Report) -> Evidence {
    Evidence {
        verdict: report.verdict.to_owned(),
        reasons: report.reasons.clone(),
        lines: report.lines.iter().map(|(label, value)| ((*label).to_owned(), value.clone())).collect(),
        warnings: report.warnings.clone(),
    }
}

fn evse_price(held: Option<(crate::TariffNo, charge::tariff::Tariff)>, time_zone: &str, now: Timestamp) -> EvsePrice {
    let Some((no, tariff)) = held else { return EvsePrice { stamp: None, tariff: None, offers: Vec::new() } };
    let offers = billing::price::headline(&tariff, time_zone, now).unwrap_or_default();
    EvsePrice { stamp: Some(no), tariff: Some(tariff), offers }
}

/// Rows of a page at most.
const ROWS_MAX: u32 = 500;
