//! Paying at a station without a contract: the page behind the code that a station shows, and the switch for the codes.
//!
//! Whoever pays has no account: opening a page needs a password that a station shows at this moment, everything after
//! it the secret that was answered. Addresses that guess have to wait.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::MethodFilter;
use axum::{Extension, Json};
use billing::price::Offer as RoomOffer;
use charge::tariff::Dimension;
use charge::{Decimal, Secret};
use operator::view::SessionPage;
use operator::{Fault as RoomFault, PaymentPage, PaymentStage, ScannedCode};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

use super::Desk;
use super::orders::Told;
use super::sessions::RecordQuery;
use super::stations::station;
use crate::accounts::Actor;
use crate::accounts::throttle::Throttle;
use crate::evidence::{CostLine, Evidence, download};
use crate::fault::{ErrorBody, Fault};
use crate::permission::Permission::{StationsCommand, StationsRead};
use crate::shape::{Amount, time};
use crate::stage::{Access, Body, Doorway, Path, Query};

/// The room, and how often an address has guessed.
#[derive(Clone)]
pub(crate) struct Till {
    desk: Desk,
    guesses: Arc<Throttle>,
}

pub(super) fn routes(door: Doorway, desk: &Desk) -> Doorway {
    let open = Access::Public("whoever stands at a station has no account here; the station's password is checked");
    let payer = Access::Secret("the payer shows the secret that opening the page was answered with");
    let till = Till { desk: desk.clone(), guesses: Arc::default() };
    door.route(MethodFilter::POST, "/payments", open, till, begin)
        .route(MethodFilter::GET, "/payments/{secret}", payer, desk.clone(), show)
        .route(MethodFilter::POST, "/payments/{secret}", payer, desk.clone(), pay)
        .route(MethodFilter::POST, "/payments/{secret}/stop", payer, desk.clone(), stop)
        .route(MethodFilter::GET, "/payments/{secret}/record", payer, desk.clone(), record)
        .get("/stations/{id}/payment", StationsRead, desk.clone(), offered)
        .put("/stations/{id}/payment", StationsCommand, desk.clone(), offer)
        .delete("/stations/{id}/payment", StationsCommand, desk.clone(), withdraw)
}

#[derive(OpenApi)]
#[openapi(paths(begin, show, pay, stop, record, offered, offer, withdraw))]
pub(crate) struct Description;

/// What a code says, as it stood in the address.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Code {
    station: String,
    evse: String,
    totp: String,
    version: String,
    /// What the driver chose at the station to spend, as decimal text.
    max_cost: Option<String>,
}

/// The way back to a payment.
#[derive(Serialize, ToSchema)]
pub(crate) struct Opened {
    /// Whoever has it sees the payment and may pay; it is good for this payment alone.
    secret: String,
}

#[utoipa::path(post, path = "/api/p/operator/payments", tag = "payer", request_body = Code,
    responses((status = 201, body = Opened), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody),
        (status = 429, body = ErrorBody)))]
pub(crate) async fn begin(
    State(till): State<Till>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Body(code): Body<Code>,
) -> Result<(StatusCode, Json<Opened>), Fault> {
    let address = peer.map(|peer| peer.0.0.ip().to_string()).unwrap_or_default();
    let now = till.desk.clock.now();
    till.guesses.admit("", &address, now)?;
    let scanned = ScannedCode {
        station: code.station,
        evse: code.evse,
        password: Secret::new(code.totp),
        version: code.version,
        wish: code.max_cost.and_then(|wish| wish.parse().ok()),
    };
    match till.desk.room.open_payment(scanned).await {
        Ok(secret) => {
            till.guesses.succeeded("", &address);
            Ok((StatusCode::CREATED, Json(Opened { secret: secret.expose().clone() })))
        }
        Err(fault) => {
            if matches!(fault, RoomFault::NotFound(_) | RoomFault::Conflict(_)) {
                till.guesses.failed("", &address, now);
            }
            Err(fault.into())
        }
    }
}

/// A payment as its payer sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Payment {
    /// `opened`, `declined`, `starting`, `plug`, `charging`, `closing`, `settled`, `released` or `lapsed`.
    stage: &'static str,
    operator: String,
    station: String,
    evse: u16,
    evse_id: Option<String>,
    place: String,
    city: String,
    /// In the order of the law (EU 2023/1804, 5(4)): per kWh, per minute, per session.
    offers: Vec<PayOffer>,
    tariff_text: Option<String>,
    currency: String,
    /// What the driver chose at the station to spend.
    wish: Option<String>,
    means: Vec<PayMeans>,
    held: Option<Amount>,
    taken: Option<Amount>,
    /// Why nothing was paid.
    why: Option<String>,
    /// To be paid before then.
    until: String,
    session: Option<PaidSession>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayOffer {
    /// In plain words, with its condition.
    #[schema(example = "per kWh")]
    label: String,
    /// With VAT where the tariff names it.
    gross: String,
    currency: String,
    /// Whether it can apply at this moment.
    now: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayMeans {
    id: String,
    name: String,
}

/// The charge that is paid for; once it has ended, the receipt.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaidSession {
    id: String,
    start: String,
    end: Option<String>,
    energy_wh: i64,
    power_w: Option<i64>,
    cost: Option<Amount>,
    lines: Vec<CostLine>,
    net: Option<Amount>,
    evidence: Evidence,
    /// Signed records that can be downloaded.
    records: usize,
}

const fn stage(stage: PaymentStage) -> &'static str {
    match stage {
        PaymentStage::Opened => "opened",
        PaymentStage::Declined => "declined",
        PaymentStage::Starting => "starting",
        PaymentStage::Plug => "plug",
        PaymentStage::Charging => "charging",
        PaymentStage::Closing => "closing",
        PaymentStage::Settled => "settled",
        PaymentStage::Released => "released",
        PaymentStage::Lapsed => "lapsed",
    }
}

impl From<PaymentPage> for Payment {
    fn from(page: PaymentPage) -> Self {
        let currency = page.currency;
        let offer = |offer: RoomOffer| {
            let unit = match offer.dimension {
                Dimension::Energy => "per kWh",
                Dimension::Time => "per minute",
                Dimension::ParkingTime => "per minute connected without charging",
                Dimension::Flat => "per session",
            };
            PayOffer {
                label: offer.condition.map_or_else(|| unit.to_owned(), |condition| format!("{unit}, {condition}")),
                gross: crate::provider::invoices::fine(offer.gross),
                currency: currency.to_string(),
                now: offer.now,
            }
        };
        Self {
            stage: stage(page.stage),
            operator: page.operator,
            station: page.station.to_string(),
            evse: page.no.get(),
            evse_id: page.evse.map(|id| id.to_string()),
            place: page.place.0,
            city: page.place.1,
            offers: page.offers.into_iter().map(offer).collect(),
            tariff_text: page.tariff_text,
            currency: currency.to_string(),
            wish: page.wish.map(|wish| wish.to_string()),
            means: page.means.into_iter().map(|means| PayMeans { id: means.id, name: means.name }).collect(),
            held: page.held.map(Amount::from),
            taken: page.taken.map(Amount::from),
            why: page.why,
            until: time(page.until),
            session: page.session.map(|session| paid(*session)),
        }
    }
}

fn paid(page: SessionPage) -> PaidSession {
    let price = page.card.cost;
    let currency = price.map_or(charge::money::Currency::EUR, |(_, currency)| currency);
    PaidSession {
        id: page.card.id.to_string(),
        start: time(page.card.start),
        end: page.card.end.map(time),
        energy_wh: page.card.energy.wh(),
        power_w: page.card.power.map(|power| power.watts()),
        cost: price.map(|(price, currency)| Amount::gross(&price, currency)),
        net: price.map(|(price, currency)| Amount::shown(price.before_vat, currency)),
        lines: page.lines.iter().map(|line| CostLine::of(line, currency)).collect(),
        evidence: page.evidence.into(),
        records: page.records,
    }
}

#[utoipa::path(get, path = "/api/p/operator/payments/{secret}", tag = "payer", params(("secret" = String, Path)),
    responses((status = 200, body = Payment), (status = 404, body = ErrorBody)))]
pub(crate) async fn show(State(desk): State<Desk>, Path(secret): Path<String>) -> Result<Json<Payment>, Fault> {
    Ok(Json(desk.room.payment(&secret).await?.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PayWish {
    /// The most that the charge may come to, as decimal text.
    #[schema(example = "25.00")]
    amount: String,
    /// What the payment provider's part of the page came to.
    means: String,
}

#[utoipa::path(post, path = "/api/p/operator/payments/{secret}", tag = "payer", params(("secret" = String, Path)),
    request_body = PayWish,
    responses((status = 200, body = Payment), (status = 400, body = ErrorBody), (status = 404, body = ErrorBody),
        (status = 409, body = ErrorBody)))]
pub(crate) async fn pay(
    State(desk): State<Desk>,
    Path(secret): Path<String>,
    Body(wish): Body<PayWish>,
) -> Result<Json<Payment>, Fault> {
    let amount: Decimal =
        wish.amount.parse().map_err(|_| Fault::malformed("/amount", "An amount like 25.00 is expected."))?;
    Ok(Json(desk.room.pay(&secret, amount, Secret::new(wish.means)).await?.into()))
}

#[utoipa::path(post, path = "/api/p/operator/payments/{secret}/stop", tag = "payer",
    params(("secret" = String, Path)),
    responses((status = 200, body = Payment), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn stop(State(desk): State<Desk>, Path(secret): Path<String>) -> Result<Json<Payment>, Fault> {
    Ok(Json(desk.room.stop_payment(&secret).await?.into()))
}

#[utoipa::path(get, path = "/api/p/operator/payments/{secret}/record", tag = "payer",
    params(("secret" = String, Path), RecordQuery),
    responses((status = 200, description = "The signed records, byte for byte"), (status = 404, body = ErrorBody)))]
pub(crate) async fn record(
    State(desk): State<Desk>,
    Path(secret): Path<String>,
    Query(query): Query<RecordQuery>,
) -> Result<Response, Fault> {
    let session = desk.room.payment(&secret).await?.session.ok_or(Fault::NotFound)?.card.id;
    let (records, key) = desk.room.session_record(&session).await?;
    download(session.as_str(), &records, key.as_ref(), query.is_json())
}

/// Whether a station's codes are taken.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodesOffered {
    /// Null where no payment provider is connected.
    offered: Option<bool>,
}

#[utoipa::path(get, path = "/api/p/operator/stations/{id}/payment", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = CodesOffered), (status = 404, body = ErrorBody)))]
pub(crate) async fn offered(State(desk): State<Desk>, Path(id): Path<String>) -> Result<Json<CodesOffered>, Fault> {
    Ok(Json(CodesOffered { offered: desk.room.payment_offered(&station(&id)?).await? }))
}

#[utoipa::path(put, path = "/api/p/operator/stations/{id}/payment", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = Told), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn offer(State(desk): State<Desk>, actor: Actor, Path(id): Path<String>) -> Result<Json<Told>, Fault> {
    Ok(Json(desk.room.offer_payment(&actor.name, &station(&id)?).await?.into()))
}

#[utoipa::path(delete, path = "/api/p/operator/stations/{id}/payment", tag = "operator", params(("id" = String, Path)),
    responses((status = 200, body = Told), (status = 404, body = ErrorBody)))]
pub(crate) async fn withdraw(
    State(desk): State<Desk>,
    actor: Actor,
    Path(id): Path<String>,
) -> Result<Json<Told>, Fault> {
    Ok(Json(desk.room.withdraw_payment(&actor.name, &station(&id)?).await?.into()))
}
