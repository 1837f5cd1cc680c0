//! Somebody pays at a station without a contract (OCPP 2.1 C25): the code is checked, an amount is held, the station is
//! told to start, and what the session came to is taken.
//!
//! A payer is known by the secret of their page and by nothing else. A payment is on disk before the acquirer or the
//! station hears of it; what a crash leaves behind is taken up by a chore.

use std::time::Duration;

use charge::id::{CorrelationId, EvseId, EvseNo, OrderId, StationId};
use charge::money::Money;
use charge::talk::line::payment::PaymentOrder;
use charge::talk::line::{StationAnswer, ToStation, Version};
use charge::talk::road::OrderResult;
use charge::token::TokenKind;
use charge::{Decimal, Secret, Timestamp};
use store::outbox::{self, Job};
use store::{StoreError, Tx};
use trust::bearer::{self, BearerDigest};
use trust::totp::{self, Totp};

use super::chore::CHORE;
use super::cost::LIMITS;
use super::road::{aim, fresh_order, service_token, standing};
use super::{Fault, House, Operator};
use crate::memory::order::{self, OrderRow};
use crate::memory::payment::{self, Opening, PaymentRow};
use crate::memory::{log, overview, place, session, tariff};
use crate::order::{OrderOutcome, Outcome, StationOrder};
use crate::payment::{self as pay, AcquirerFault, Checkout, Event, Means, State};
use crate::remote::{self, ALIAS_HOLDS, ALIAS_LEN, State as OrderState};
use crate::session::State as SessionState;
use crate::view::SessionPage;

/// What a scanned code says.
#[derive(Debug)]
pub struct ScannedCode {
    pub station: String,
    pub evse: String,
    pub password: Secret<String>,
    pub version: String,
    /// `maxcost`: what the driver chose at the station.
    pub wish: Option<Decimal>,
}

/// How far a payment has come, for its payer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The price is shown, nothing is paid.
    Opened,
    /// The payer's bank said no.
    Declined,
    /// The amount is held and the station is being told.
    Starting,
    /// The station waits for the cable.
    Plug,
    Charging,
    /// The bill is being made.
    Closing,
    Settled,
    Released,
    Lapsed,
}

/// A payment as its payer sees it.
#[derive(Clone, Debug)]
pub struct PaymentPage {
    pub stage: Stage,
    pub operator: String,
    pub station: StationId,
    pub no: EvseNo,
    pub evse: Option<EvseId>,
    /// Name, or address; and the city.
    pub place: (String, String),
    pub offers: Vec<billing::price::Offer>,
    pub tariff_text: Option<String>,
    pub currency: charge::money::Currency,
    pub wish: Option<Decimal>,
    pub means: Vec<Means>,
    pub held: Option<Money>,
    pub taken: Option<Money>,
    pub why: Option<String>,
    /// To be paid before then.
    pub until: Timestamp,
    pub session: Option<Box<SessionPage>>,
}

impl Operator {
    /// Hangs the acquirer in its frame. The first one stays.
    pub fn attach_checkout(&self, checkout: Checkout) {
        let attached = self.0.checkout.set(checkout);
        debug_assert!(attached.is_ok(), "a second checkout was attached");
    }

    fn checkout(&self) -> Result<&Checkout, Fault> {
        let missing = || Fault::Conflict("no payment provider is connected to this operator".to_owned());
        self.0.checkout.get().ok_or_else(missing)
    }

    /// Has a station show codes for paying, under a fresh secret.
    ///
    /// cites: ocpp-2.1 C25.FR.01, C25.FR.50, C25.FR.51, C25.FR.52
    pub async fn offer_payment(&self, actor: &str, of: &StationId) -> Result<OrderOutcome, Fault> {
        let Checkout { address, validity_s, .. } = self.checkout()?;
        if self.0.version_of(of).is_some_and(|version| version != Version::V21) {
            return Err(Fault::Conflict(
                "codes for paying came with OCPP 2.1, which this station does not speak".to_owned(),
            ));
        }
        let secret = bearer::generate("", &*self.0.dice);
        let totp = Totp { secret, validity_s: *validity_s, length: pay::CODE_LENGTH };
        let template = format!("{address}/{{chargingstationid}}/{{evse}}/{{totp}}/{{version}}");
        let values = [
            ("URLTemplate", template),
            ("SharedSecret", totp.secret.expose().clone()),
            ("TOTPVersion", totp::VERSION.to_owned()),
            ("ValidityTime", totp.validity_s.to_string()),
            ("Length", totp.length.to_string()),
            ("Enabled", "true".to_owned()),
        ];
        // before the station: a code that it shows can be checked from the first moment
        let name = of.clone();
        self.run("operator.payment.offer", move |house, tx| payment::put_code(tx, house.seal(), &name, &totp)).await?;
        let outcome = self.order(actor, of, written(&values)).await?;
        match outcome.outcome {
            // a station that keeps to a limit of cost ends by itself at what is held (C25, E16): does this one?
            Outcome::Accepted => {
                self.order(actor, of, StationOrder::ReadSettings { keys: vec![LIMITS.into()] }).await?;
            }
            Outcome::TimedOut => {}
            Outcome::Scheduled | Outcome::Refused | Outcome::NotConnected | Outcome::Error => {
                let name = of.clone();
                self.run("operator.payment.withdraw", move |_, tx| payment::drop_code(tx, &name)).await?;
            }
        }
        Ok(outcome)
    }

    /// No code of this station is taken any more, whether it hears of it or not.
    pub async fn withdraw_payment(&self, actor: &str, of: &StationId) -> Result<OrderOutcome, Fault> {
        let name = of.clone();
        self.run("operator.payment.withdraw", move |_, tx| payment::drop_code(tx, &name)).await?;
        self.order(actor, of, written(&[("Enabled", "false".to_owned())])).await
    }

    /// Whether codes of a station are taken; nothing where nobody moves money.
    pub async fn payment_offered(&self, of: &StationId) -> Result<Option<bool>, Fault> {
        let name = of.clone();
        let read = self.read("operator.payment.offered", move |house, tx| payment::code(tx, house.seal(), &name));
        let known = read.await?.is_some();
        Ok(self.0.checkout.get().map(|_| known))
    }

    /// Somebody scanned a code. The secret is the payer's, for as long as the payment lasts.
    ///
    /// cites: ocpp-2.1 C25.FR.07, C25.FR.08, C25.FR.09, C25.FR.20, C25.FR.21
    pub async fn open_payment(&self, code: ScannedCode) -> Result<Secret<String>, Fault> {
        let visit_s = self.checkout()?.visit_s;
        let secret = bearer::generate("", &*self.0.dice);
        let digest = BearerDigest::of(secret.expose());
        let (station, no) = self.run("operator.payment.open", move |house, tx| open(house, tx, digest, &code)).await?;
        let wait = ToStation::Payment(PaymentOrder::WebStarted { evse: no, seconds: visit_s });
        // a station that does not hear it lets others begin, which the payer is then told (C25.FR.21: may)
        if let Err(fault) = self.tell(&station, wait).await {
            tracing::info!(%station, %fault, "a station was not told that somebody pays");
        }
        Ok(secret)
    }

    pub async fn payment(&self, secret: &str) -> Result<PaymentPage, Fault> {
        let (digest, now) = (BearerDigest::of(secret), self.0.now());
        let means = self.checkout()?.acquirer.means();
        self.read("operator.payment.page", move |house, tx| page(house, tx, digest, means, now)).await
    }

    /// Holds the amount and tells the station to start.
    ///
    /// cites: ocpp-2.1 C25.FR.23
    pub async fn pay(&self, secret: &str, wanted: Decimal, means: Secret<String>) -> Result<PaymentPage, Fault> {
        let (checkout, digest) = (self.checkout()?, BearerDigest::of(secret));
        let asked = self.run("operator.payment.ask", move |house, tx| ask(house, tx, digest, wanted)).await?;
        let Asked::Hold(row, amount) = asked else {
            return conflict("The price has changed. Look at it again before you pay.");
        };
        let answer = checkout.acquirer.hold(&row.reference, amount, means).await;
        let (id, declined) = (row.id, answer.clone().err());
        let held = self.run("operator.payment.held", move |house, tx| held(house, tx, id, answer)).await?;
        match (held, declined) {
            (Some(order), _) => self.start_paid(id, &order).await?,
            (None, Some(AcquirerFault::Unavailable)) => {
                return Err(Fault::Conflict(AcquirerFault::Unavailable.to_string()));
            }
            (None, _) => {}
        }
        self.payment(secret).await
    }

    /// The payer wants the charge to end.
    pub async fn stop_payment(&self, secret: &str) -> Result<PaymentPage, Fault> {
        let page = self.payment(secret).await?;
        let Some(running) = page.session.filter(|session| session.card.state.is_open()) else {
            return Err(Fault::Conflict("Nothing is charging.".to_owned()));
        };
        let id = running.card.id.clone();
        let found = self.read("operator.session", move |_, tx| session::find(tx, id.as_str())).await?;
        let row = found.ok_or(Fault::NotFound("session"))?;
        match self.tell(&row.station, ToStation::Stop { key: row.key }).await {
            Ok(StationAnswer::Accepted | StationAnswer::Scheduled) => self.payment(secret).await,
            Ok(_) => Err(Fault::Conflict("The station did not stop. Unplug the car to end.".to_owned())),
            Err(fault) => Err(Fault::Conflict(format!("The station could not be told to stop: {fault}."))),
        }
    }

    async fn start_paid(&self, id: i64, order: &OrderId) -> Result<(), Fault> {
        let answer = self.tell_now(order, None).await?;
        let (result, why) = remote::outcome(&answer);
        if !matches!(result, OrderResult::Accepted | OrderResult::TimedOut) {
            let why = why.map_or_else(String::new, |why| format!(" It was told to, and {why}."));
            self.let_go(id, &format!("The station did not start.{why}")).await?;
        }
        Ok(())
    }

    /// A chore: takes what a closed session came to, lets go what came to nothing, forgets who never paid.
    pub(super) async fn settle_payment(&self, id: i64, job: &Job) -> Result<(), StoreError> {
        let (now, number) = (self.0.now(), job.id);
        let owed = self.read("operator.payment.due", move |house, tx| due(house, tx, id, now)).await?;
        let done = match owed {
            Due::Nothing => Ok(()),
            Due::At(at) => {
                return self
                    .run("operator.payment.wait", move |_, tx| outbox::postpone(tx, number, at).map(drop))
                    .await;
            }
            Due::Lapse(asked) => self.lapse(id, asked, now).await,
            Due::Release(why) => self.let_go(id, why).await,
            Due::Capture(reference, amount) => self.capture(id, &reference, amount).await,
        };
        let unpaid = match done {
            Ok(()) => None,
            Err(Fault::Store(error)) => return Err(error),
            Err(fault) => Some(fault.to_string()),
        };
        self.run("operator.payment.done", move |_, tx| match unpaid {
            None => outbox::done(tx, number).map(drop),
            Some(why) => outbox::retry(tx, number, now.plus(LOOK_EVERY), &why).map(drop),
        })
        .await
    }

    /// Nobody paid. An acquirer that said nothing may hold the amount all the same: it is told to let go.
    async fn lapse(&self, id: i64, asked: Option<String>, now: Timestamp) -> Result<(), Fault> {
        if let Some(reference) = asked {
            let released = self.checkout()?.acquirer.release(&reference).await;
            released.map_err(|fault| Fault::Conflict(fault.to_string()))?;
        }
        self.run("operator.payment.lapse", move |_, tx| turn(tx, id, Event::Lapse, now)).await
    }

    async fn capture(&self, id: i64, reference: &str, amount: Money) -> Result<(), Fault> {
        let acquirer = &self.checkout()?.acquirer;
        acquirer.capture(reference, amount).await.map_err(|fault| Fault::Conflict(fault.to_string()))?;
        self.run("operator.payment.settled", move |house, tx| {
            let Some(mut row) = payment::find(tx, id)? else { return Ok(()) };
            if row.on(Event::Settle, house.now()) {
                row.taken = Some(amount);
                payment::save(tx, &row)?;
                log::audit(tx, house.now(), "payer", "pay", row.station.as_str(), "settled")?;
            }
            Ok::<_, Fault>(())
        })
        .await
    }

    /// Lets go of what is held, and tells the station that nobody pays any more.
    async fn let_go(&self, id: i64, why: &str) -> Result<(), Fault> {
        let found = self.read("operator.payment", move |_, tx| payment::find(tx, id)).await?;
        let Some(row) = found.filter(|row| matches!(row.state, State::Asking | State::Held)) else { return Ok(()) };
        let acquirer = &self.checkout()?.acquirer;
        acquirer.release(&row.reference).await.map_err(|fault| Fault::Conflict(fault.to_string()))?;
        let why = why.to_owned();
        self.run("operator.payment.released", move |house, tx| {
            let Some(mut row) = payment::find(tx, id)? else { return Ok(()) };
            if row.on(Event::Release, house.now()) {
                row.why = Some(why);
                payment::save(tx, &row)?;
            }
            Ok::<_, StoreError>(())
        })
        .await?;
        let free = ToStation::Payment(PaymentOrder::WebStarted { evse: row.no, seconds: 0 });
        if let Err(fault) = self.tell(&row.station, free).await {
            tracing::info!(station = %row.station, %fault, "a station was not told that nobody pays any more");
        }
        Ok(())
    }
}

impl House {
    /// From the scan to the payment. Without an acquirer nobody can pay any more.
    fn visit(&self) -> Duration {
        self.checkout.get().map_or(Duration::ZERO, |checkout| Duration::from_secs(u64::from(checkout.visit_s)))
    }
}

fn written(values: &[(&str, String)]) -> StationOrder {
    let values = values.iter().map(|(name, value)| {
        let name = format!("WebPaymentsCtrlr.{name}");
        (name.into_boxed_str(), Secret::new(value.clone().into_boxed_str()))
    });
    StationOrder::WriteSettings { values: values.collect() }
}

fn conflict<T>(words: &str) -> Result<T, Fault> {
    Err(Fault::Conflict(words.to_owned()))
}

/// Checks a code and takes it, once.
fn open(
    house: &House,
    tx: &mut Tx<'_>,
    secret: BearerDigest,
    code: &ScannedCode,
) -> Result<(StationId, EvseNo), Fault> {
    let unknown = || Fault::NotFound("charging point");
    let now = house.now();
    let station = StationId::new(&code.station).map_err(|_| unknown())?;
    let no = code.evse.parse().ok().and_then(EvseNo::new).ok_or_else(unknown)?;
    let Some(totp) = payment::code(tx, house.seal(), &station)? else { return Err(unknown()) };
    let step = totp.check(code.password.expose(), now).filter(|_| code.version == totp::VERSION);
    let Some(step) = step else { return conflict(EXPIRED) };
    let Some(row) = place::bay(tx, &station, no)? else { return Err(unknown()) };
    let Some((version, currency)) = price(house, tx, &row)? else {
        return conflict("No price is known here, so nothing can be paid.");
    };
    let bay = standing(house, tx, row)?;
    if let Err((_, why)) = remote::pick(vec![bay]) {
        return Err(Fault::Conflict(format!("This charging point is not free: {why}.")));
    }
    let wish = code.wish.filter(|wish| *wish > Decimal::ZERO).map(|wish| wish.normalize().to_string());
    let reference = house.dice.letters(ALIAS_LEN);
    let new = Opening {
        secret,
        station: &station,
        no,
        step,
        reference: &reference,
        tariff: version,
        currency,
        wish: wish.as_deref(),
    };
    let before = payment::open_at(tx, &station, no)?;
    if before.iter().any(|row| matches!(row.state, State::Asking | State::Held)) {
        return conflict("Somebody else is paying for this charging point.");
    }
    let Some(id) = payment::open(tx, &new, now)? else {
        return conflict("This code was used already. Scan the one that the station shows now.");
    };
    // whoever scanned last stands there
    for mut row in before {
        row.on(Event::Lapse, now);
        payment::save(tx, &row)?;
    }
    outbox::put(tx, CHORE, &format!("payment/{id}"), now.plus(house.visit()), &[])?;
    Ok((station, no))
}

/// The tariff of an EVSE: its version and currency.
fn price(
    house: &House,
    tx: &Tx<'_>,
    bay: &place::BayRow,
) -> Result<Option<(i64, charge::money::Currency)>, StoreError> {
    let connector = place::connectors(tx, &bay.evse)?.into_iter().next();
    let Some(id) = connector.and_then(|connector| connector.tariffs.into_iter().next()) else { return Ok(None) };
    let Some(version) = tariff::current_version(tx, &id)? else { return Ok(None) };
    Ok(tariff::version(tx, house.setup.party, version)?.map(|tariff| (version, tariff.currency)))
}

/// What comes of the payer's wish.
enum Asked {
    Hold(Box<PaymentRow>, Money),
    /// The payer has not seen the present price; the next page shows it.
    Repriced,
}

/// The payer has chosen an amount.
fn ask(house: &House, tx: &mut Tx<'_>, secret: BearerDigest, wanted: Decimal) -> Result<Asked, Fault> {
    let now = house.now();
    let Some(mut row) = payment::by_secret(tx, secret)? else { return Err(Fault::NotFound("payment")) };
    let amount = pay::amount(wanted, row.currency).map_err(|why| Fault::Invalid { path: "/amount", why })?;
    if row.state.is_over() || now >= row.opened.plus(house.visit()) {
        return conflict("The time to pay is over. Scan the code that the station shows now.");
    }
    let Some(bay) = place::bay(tx, &row.station, row.no)? else { return Err(Fault::NotFound("charging point")) };
    let priced = price(house, tx, &bay)?;
    if priced.is_none_or(|(version, _)| version != row.tariff) {
        if let Some((version, _)) = priced {
            row.tariff = version;
            payment::save(tx, &row)?;
        }
        return Ok(Asked::Repriced);
    }
    if let Err((_, why)) = remote::pick(vec![standing(house, tx, bay)?]) {
        return Err(Fault::Conflict(format!("This charging point is not free: {why}.")));
    }
    if !row.on(Event::Ask, now) {
        return conflict("This payment is under way already.");
    }
    (row.held, row.why) = (Some(amount), None);
    payment::save(tx, &row)?;
    Ok(Asked::Hold(Box::new(row), amount))
}

/// The acquirer has answered. An amount that is held becomes an order to start.
fn held(house: &House, tx: &mut Tx<'_>, id: i64, answer: Result<(), AcquirerFault>) -> Result<Option<OrderId>, Fault> {
    let now = house.now();
    let Some(mut row) = payment::find(tx, id)? else { return Err(Fault::NotFound("payment")) };
    if let Err(fault) = answer {
        row.on(Event::Decline, now);
        (row.held, row.why) = (None, Some(fault.to_string()));
        payment::save(tx, &row)?;
        return Ok(None);
    }
    if !row.on(Event::Hold, now) {
        // it took so long that it was let go meanwhile
        return Ok(None);
    }
    let Some(bay) = place::bay(tx, &row.station, row.no)? else { return Err(Fault::NotFound("charging point")) };
    let bay = standing(house, tx, bay)?;
    let unexpected = |what: &str| Fault::Store(StoreError::Misuse(what.to_owned()));
    let token = service_token(house).ok_or_else(|| unexpected("no contract for a payment"))?;
    let correlation = CorrelationId::new(house.dice.uuid()).map_err(|_| unexpected("no correlation id"))?;
    let mut start = OrderRow::start(fresh_order(house)?, house.setup.party, correlation, now);
    start.seal(house.seal(), &token)?;
    aim(house, &mut start, &bay);
    start.alias = Some(row.reference.clone());
    order::save(tx, &start)?;
    row.order = Some(start.id.clone());
    payment::save(tx, &row)?;
    Ok(Some(start.id))
}

/// What a payment waits for.
enum Due {
    Nothing,
    At(Timestamp),
    /// With the reference, where the acquirer was ever asked.
    Lapse(Option<String>),
    Release(&'static str),
    Capture(String, Money),
}

fn due(house: &House, tx: &Tx<'_>, id: i64, now: Timestamp) -> Result<Due, StoreError> {
    let Some(row) = payment::find(tx, id)? else { return Ok(Due::Nothing) };
    let asked = row.why.as_ref().map(|_| row.reference.clone());
    Ok(match row.state {
        State::Lapsed if asked.is_some() => Due::Lapse(asked),
        State::Settled | State::Released | State::Lapsed => Due::Nothing,
        State::Opened | State::Declined if now >= row.opened.plus(house.visit()) => Due::Lapse(asked),
        State::Opened | State::Declined => Due::At(row.opened.plus(house.visit())),
        State::Asking if now >= row.changed.plus(ALIAS_HOLDS) => {
            Due::Release("The payment provider's answer was not heard.")
        }
        State::Asking => Due::At(row.changed.plus(ALIAS_HOLDS)),
        State::Held => held_due(house, tx, &row, now)?,
    })
}

fn held_due(house: &House, tx: &Tx<'_>, row: &PaymentRow, now: Timestamp) -> Result<Due, StoreError> {
    let wait = Due::At(now.plus(LOOK_EVERY));
    let order = row.order.as_ref().map(|id| order::find(tx, id.as_str())).transpose()?.flatten();
    let Some(order) = order else { return Ok(Due::Release(NEVER_BEGAN)) };
    let running = order.session.as_ref().map(|id| session::find(tx, id.as_str())).transpose()?.flatten();
    let Some(running) = running else {
        let silent = order.result == Some(OrderResult::TimedOut) && now <= order.until;
        return Ok(match order.state {
            OrderState::Asked | OrderState::Telling if now <= order.until => wait,
            OrderState::Awaiting | OrderState::Started => wait,
            OrderState::Done if silent => wait,
            OrderState::Asked | OrderState::Telling | OrderState::Lapsed | OrderState::Done => {
                Due::Release(NEVER_BEGAN)
            }
        });
    };
    Ok(match (running.state, row.held) {
        (SessionState::Closed, Some(held)) => match overview::cdr_of(tx, &running.id)? {
            Some(cdr) => {
                let total = cdr.total.with_vat.unwrap_or(cdr.total.before_vat);
                let owed = Money::rounded(total, cdr.currency).unwrap_or(held);
                let taken = if owed.minor > held.minor { held } else { owed };
                if taken.minor > 0 {
                    Due::Capture(row.reference.clone(), taken)
                } else {
                    Due::Release("Nothing was charged.")
                }
            }
            None => wait,
        },
        (SessionState::Void, _) | (SessionState::Closed, None) => Due::Release("The session is not billed."),
        (
            SessionState::Waiting
            | SessionState::Active
            | SessionState::Refused
            | SessionState::Unclaimed
            | SessionState::Ended,
            _,
        ) => {
            debug_assert!(running.party.is_none_or(|party| party == house.setup.party), "a payment has no provider");
            wait
        }
    })
}

fn turn(tx: &mut Tx<'_>, id: i64, event: Event, now: Timestamp) -> Result<(), Fault> {
    let Some(mut row) = payment::find(tx, id)? else { return Ok(()) };
    if row.on(event, now) {
        payment::save(tx, &row)?;
    }
    Ok(())
}

/// A session has closed or will never be: its payment is looked at now and not at the next round.
pub(super) fn look(tx: &mut Tx<'_>, order: Option<&str>, now: Timestamp) -> Result<(), StoreError> {
    let row = order.map(|order| payment::of_order(tx, order)).transpose()?.flatten();
    match row {
        Some(row) => outbox::put(tx, CHORE, &format!("payment/{}/closed", row.id), now, &[]).map(drop),
        None => Ok(()),
    }
}

/// What the start of an order is told with: a payment's reference is of a kind of its own.
pub(super) fn kind_of(tx: &Tx<'_>, order: &OrderRow) -> Result<TokenKind, StoreError> {
    let paid = payment::of_order(tx, order.id.as_str())?.is_some();
    Ok(if paid { TokenKind::DirectPayment } else { remote::ALIAS_KIND })
}

/// What is held for an order: its session may come to no more.
///
/// cites: ocpp-2.1 C25.FR.24
pub(super) fn cap_of(tx: &Tx<'_>, order: &OrderRow) -> Result<Option<Money>, StoreError> {
    Ok(payment::of_order(tx, order.id.as_str())?.and_then(|row| row.held))
}

fn page(
    house: &House,
    tx: &Tx<'_>,
    secret: BearerDigest,
    means: Vec<Means>,
    now: Timestamp,
) -> Result<PaymentPage, Fault> {
    let Some(row) = payment::by_secret(tx, secret)? else { return Err(Fault::NotFound("payment")) };
    let Some(bay) = place::bay(tx, &row.station, row.no)? else { return Err(Fault::NotFound("charging point")) };
    let location = place::find(tx, house.setup.party, &bay.location)?.ok_or(Fault::NotFound("location"))?;
    let evse = location.evses.iter().find(|evse| evse.uid == bay.evse).and_then(|evse| evse.id.clone());
    let shown = tariff::version(tx, house.setup.party, row.tariff)?;
    let offers = shown.as_ref().map(|tariff| billing::price::headline(tariff, &location.time_zone, now));
    let order = row.order.as_ref().map(|id| order::find(tx, id.as_str())).transpose()?.flatten();
    let running = order.as_ref().and_then(|order| order.session.clone());
    let running = running.map(|id| session::find(tx, id.as_str())).transpose()?.flatten();
    let session = running.map(|row| super::look::session_page(house, tx, &row, now)).transpose()?;
    let state = session.as_ref().map(|page| page.card.state);
    Ok(PaymentPage {
        stage: stage(&row, state, order.map(|order| order.state)),
        operator: house.setup.name.clone(),
        place: (location.name.unwrap_or(location.address), location.city),
        offers: offers.and_then(Result::ok).unwrap_or_default(),
        tariff_text: shown.and_then(|tariff| tariff.text),
        currency: row.currency,
        wish: row.wish.and_then(|wish| wish.parse().ok()),
        means,
        held: row.held,
        taken: row.taken,
        why: row.why,
        until: row.opened.plus(house.visit()),
        session: session.map(Box::new),
        station: row.station,
        no: row.no,
        evse,
    })
}

fn stage(row: &PaymentRow, session: Option<SessionState>, order: Option<OrderState>) -> Stage {
    match (row.state, session) {
        (State::Opened, _) => Stage::Opened,
        (State::Declined, _) => Stage::Declined,
        (State::Asking, _) => Stage::Starting,
        (State::Held, Some(state)) if state.is_open() => Stage::Charging,
        (State::Held, Some(_)) => Stage::Closing,
        (State::Held, None) if order == Some(OrderState::Awaiting) => Stage::Plug,
        (State::Held, None) => Stage::Starting,
        (State::Settled, _) => Stage::Settled,
        (State::Released, _) => Stage::Released,
        (State::Lapsed, _) => Stage::Lapsed,
    }
}

const NEVER_BEGAN: &str = "No car was plugged in, or the station did not start.";
/// One sentence for both: whoever tries passwords learns nothing of which it was.
const EXPIRED: &str = "This code has expired or is not this station's. Scan the one that the station shows now.";
/// A payment that waits for a car or for the end of a charge is looked at this often, besides when its session closes.
const LOOK_EVERY: Duration = Duration::from_secs(60);
