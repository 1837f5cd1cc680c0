//! Paying without a contract, from the code at the station to the money that is taken.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use charge::id::TransactionKey;
use charge::meter::Context;
use charge::money::{Currency, Money};
use charge::talk::line::payment::PaymentOrder;
use charge::talk::line::{
    ConnectionNo, Desk, EndReason, Entry, FromStation, Heard, LineFault, Stage as Told, StationAnswer, ToStation,
    TransactionReport, Version, Written,
};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid};
use charge::{Clock, Decimal, Secret, Soon};
use trust::totp::{self, Totp};

use super::world::{World, energy, no, start_report, station, tariff};
use crate::payment::{Acquirer, AcquirerFault, Checkout, Means};
use crate::{Fault, PaymentStage, ScannedCode};

/// Writes down what it is asked for, and says no to one card.
#[derive(Default)]
struct FakeAcquirer(Mutex<Vec<String>>);

impl FakeAcquirer {
    fn note(&self, words: String) {
        self.0.lock().unwrap().push(words);
    }
}

impl Acquirer for FakeAcquirer {
    fn means(&self) -> Vec<Means> {
        vec![Means { id: "card".to_owned(), name: "Card".to_owned() }]
    }

    fn hold(&self, _: &str, amount: Money, means: Secret<String>) -> Soon<'_, Result<(), AcquirerFault>> {
        let answer = match means.expose().as_str() {
            "card" => {
                self.note(format!("hold {}", amount.minor));
                Ok(())
            }
            "away" => Err(AcquirerFault::Unavailable),
            _ => Err(AcquirerFault::Declined("no cover".to_owned())),
        };
        Box::pin(async move { answer })
    }

    fn capture(&self, _: &str, amount: Money) -> Soon<'_, Result<(), AcquirerFault>> {
        self.note(format!("capture {}", amount.minor));
        Box::pin(async { Ok(()) })
    }

    fn release(&self, _: &str) -> Soon<'_, Result<(), AcquirerFault>> {
        self.note("release".to_owned());
        Box::pin(async { Ok(()) })
    }
}

/// A station of 2.1 whose codes are switched on.
struct Till {
    world: World,
    acquirer: Arc<FakeAcquirer>,
    totp: Totp,
}

impl Till {
    async fn open() -> Self {
        let world = World::new().await;
        let entry =
            Entry { station: station(), version: Version::V21, quirks: charge::talk::line::quirk::Quirks::USUAL };
        world.operator.arrived(&entry, ConnectionNo(2)).await;
        let acquirer = Arc::new(FakeAcquirer::default());
        world.operator.attach_checkout(Checkout::new(acquirer.clone(), "https://pay.example/pay/operator".to_owned()));
        let written = StationAnswer::Written(vec![("WebPaymentsCtrlr.Enabled".into(), Written::Accepted)]);
        world.line.answers.lock().unwrap().push_back(Ok(written));
        world.operator.offer_payment("ada", &station()).await.unwrap();
        let mut told = world.line.told.lock().unwrap().split_off(0);
        let asked = told.pop();
        assert!(matches!(&asked, Some(ToStation::ReadSettings { keys }) if *keys[0] == *"TxCtrlr.SupportedLimits"));
        let Some(ToStation::WriteSettings { values }) = told.pop() else { panic!("{told:?}") };
        let value = |name: &str| {
            let found = values.iter().find(|(key, _)| **key == format!("WebPaymentsCtrlr.{name}"));
            found.unwrap().1.expose().to_string()
        };
        assert_eq!(
            value("URLTemplate"),
            "https://pay.example/pay/operator/{chargingstationid}/{evse}/{totp}/{version}"
        );
        assert_eq!((value("Enabled"), value("TOTPVersion")), ("true".to_owned(), "v1".to_owned()));
        let secret = Secret::new(value("SharedSecret"));
        assert!((16..=80).contains(&secret.expose().len()));
        let number = |name| value(name).parse().unwrap();
        let totp = Totp { secret, validity_s: number("ValidityTime"), length: number("Length") };
        Self { world, acquirer, totp }
    }

    fn code(&self) -> ScannedCode {
        self.code_at(self.world.clock.now())
    }

    fn code_at(&self, at: charge::Timestamp) -> ScannedCode {
        ScannedCode {
            station: station().to_string(),
            evse: "1".to_owned(),
            password: Secret::new(self.totp.at(at)),
            version: totp::VERSION.to_owned(),
            wish: None,
        }
    }

    async fn scan(&self) -> String {
        self.world.operator.open_payment(self.code()).await.unwrap().expose().clone()
    }

    async fn refused(&self, code: ScannedCode) -> Fault {
        self.world.operator.open_payment(code).await.unwrap_err()
    }

    async fn pay(&self, secret: &str, amount: &str, means: &str) -> Result<PaymentStage, Fault> {
        let amount: Decimal = amount.parse().unwrap();
        Ok(self.world.operator.pay(secret, amount, Secret::new(means.to_owned())).await?.stage)
    }

    async fn stage(&self, secret: &str) -> PaymentStage {
        self.world.operator.payment(secret).await.unwrap().stage
    }

    fn told(&self) -> Vec<ToStation> {
        std::mem::take(&mut *self.world.line.told.lock().unwrap())
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.acquirer.0.lock().unwrap())
    }

    /// The token that the station was told to start with.
    fn token(&self) -> PresentedToken {
        self.told()
            .into_iter()
            .find_map(|order| match order {
                ToStation::Start { token, .. } => Some(token),
                _ => None,
            })
            .unwrap()
    }

    async fn say(&self, stage: Told, token: Option<PresentedToken>, wh: i64) -> Heard {
        let now = self.world.clock.now();
        let context = match stage {
            Told::Started => Context::TransactionBegin,
            Told::Updated => Context::SamplePeriodic,
            Told::Ended => Context::TransactionEnd,
        };
        let report = TransactionReport {
            stage,
            key: Some(TransactionKey::Text("tx-1".into())),
            token,
            readings: vec![energy(now, context, wh)],
            reason: (stage == Told::Ended).then_some(EndReason::CarLeft),
            ..start_report(super::world::card("X"), now, wh)
        };
        self.world.say(FromStation::Transaction(report)).await.unwrap()
    }
}

/// For how many seconds the station was told to keep its EVSE.
fn kept(told: &[ToStation]) -> Vec<u32> {
    let kept = told.iter().filter_map(|order| match order {
        ToStation::Payment(PaymentOrder::WebStarted { evse, seconds }) if *evse == no() => Some(*seconds),
        _ => None,
    });
    kept.collect()
}

fn words(fault: &Fault) -> String {
    fault.to_string()
}

#[tokio::test]
async fn whoever_scans_pays_charges_and_is_billed_what_it_came_to() {
    // proves: ocpp-2.1 C25.FR.08, C25.FR.20, C25.FR.21, C25.FR.23, C25.FR.40
    let till = Till::open().await;
    let secret = till.scan().await;
    assert_eq!(kept(&till.told()), [300], "the station keeps the place");
    let page = till.world.operator.payment(&secret).await.unwrap();
    assert_eq!((page.stage, page.offers.len(), page.currency), (PaymentStage::Opened, 1, Currency::EUR));
    assert_eq!(page.offers[0].gross, "0.595".parse().unwrap(), "with VAT, before anything starts");
    assert_eq!(till.pay(&secret, "25", "card").await.unwrap(), PaymentStage::Plug);
    assert_eq!(till.asked(), ["hold 2500"]);
    let token = till.token();
    assert_eq!(token.kind, TokenKind::DirectPayment);
    let Heard::Transaction { verdict: Some(verdict), .. } = till.say(Told::Started, Some(token), 1_000).await else {
        panic!("a start is answered with a verdict")
    };
    assert_eq!(verdict.allowed, Allowed::Yes);
    assert!(till.world.asked().is_empty(), "no provider is asked about a payment");
    assert_eq!(till.stage(&secret).await, PaymentStage::Charging);
    till.world.clock.advance(Duration::from_secs(1_800));
    till.say(Told::Ended, None, 11_000).await;
    till.world.rounds().await;
    till.world.rounds().await;
    assert_eq!(till.asked(), ["capture 595"], "10 kWh at 0.595");
    let page = till.world.operator.payment(&secret).await.unwrap();
    assert_eq!((page.stage, page.taken), (PaymentStage::Settled, Some(Money::new(595, Currency::EUR))));
    assert_eq!(page.session.unwrap().card.energy.wh(), 10_000);
    assert!(till.world.told_cdrs().is_empty() && till.world.told_sessions().is_empty(), "nobody else hears of it");
    till.world.rounds().await;
    assert!(till.asked().is_empty(), "taken once");
}

#[tokio::test]
async fn a_charge_ends_when_it_has_cost_what_is_held() {
    // proves: ocpp-2.1 C25.FR.24
    let till = Till::open().await;
    let secret = till.scan().await;
    till.pay(&secret, "5", "card").await.unwrap();
    let token = till.token();
    till.say(Told::Started, Some(token), 0).await;
    till.world.clock.advance(Duration::from_secs(1_800));
    till.say(Told::Updated, None, 8_000).await;
    till.world.rounds().await;
    assert!(till.told().is_empty(), "4.76 of 5.00");
    till.world.clock.advance(Duration::from_secs(240));
    till.say(Told::Updated, None, 9_000).await;
    till.world.rounds().await;
    assert!(matches!(till.told()[..], [ToStation::Stop { .. }]));
    till.world.clock.advance(Duration::from_secs(60));
    till.say(Told::Ended, None, 9_200).await;
    till.world.rounds().await;
    till.world.rounds().await;
    assert_eq!(till.asked(), ["hold 500", "capture 500"], "never more than was held");
}

#[tokio::test]
async fn a_code_opens_once_for_a_moment_and_at_its_own_place() {
    // proves: ocpp-2.1 C25.FR.07, C25.FR.09
    let till = Till::open().await;
    let now = till.world.clock.now();
    let late = till.code_at(now.minus(Duration::from_secs(61)));
    assert!(words(&till.refused(late).await).starts_with("This code has expired"));
    let wrong = ScannedCode { password: Secret::new("0000000000".to_owned()), ..till.code() };
    assert!(words(&till.refused(wrong).await).starts_with("This code has expired"));
    let other = ScannedCode { version: "v2".to_owned(), ..till.code() };
    assert!(words(&till.refused(other).await).starts_with("This code has expired"));
    let unknown = || Fault::NotFound("charging point");
    assert_eq!(till.refused(ScannedCode { evse: "7".to_owned(), ..till.code() }).await, unknown());
    assert_eq!(till.refused(ScannedCode { station: "CP-9".to_owned(), ..till.code() }).await, unknown());
    // a neighbour's clock is close enough
    let drifted = till.code_at(now.minus(Duration::from_secs(30)));
    till.world.operator.open_payment(drifted).await.unwrap();
    till.scan().await;
    assert!(words(&till.refused(till.code()).await).starts_with("This code was used already"));
    assert!(till.asked().is_empty());
}

#[tokio::test]
async fn a_place_that_is_not_free_takes_no_money() {
    let till = Till::open().await;
    let first = till.scan().await;
    till.world.clock.advance(Duration::from_secs(30));
    let second = till.scan().await;
    let over = till.pay(&first, "10", "card").await.unwrap_err();
    assert!(words(&over).starts_with("The time to pay is over"), "whoever scanned last stands there: {over}");
    till.pay(&second, "10", "card").await.unwrap();
    till.world.clock.advance(Duration::from_secs(30));
    assert!(words(&till.refused(till.code()).await).starts_with("Somebody else is paying"));
    let token = till.token();
    till.say(Told::Started, Some(token), 0).await;
    till.world.clock.advance(Duration::from_secs(30));
    assert!(words(&till.refused(till.code()).await).contains("a session is running there"));
    *till.world.line.away.lock().unwrap() = true;
    let away = Till::open().await;
    *away.world.line.away.lock().unwrap() = true;
    assert!(words(&away.refused(away.code()).await).contains("not connected"));
}

#[tokio::test]
async fn an_amount_has_bounds_and_a_bank_may_say_no() {
    let till = Till::open().await;
    let secret = till.scan().await;
    for (amount, words) in [("4.99", "too small"), ("200.01", "too large")] {
        let fault = till.pay(&secret, amount, "card").await.unwrap_err();
        assert!(matches!(&fault, Fault::Invalid { path: "/amount", why } if why.contains(words)), "{fault}");
    }
    assert_eq!(till.pay(&secret, "10", "stolen").await.unwrap(), PaymentStage::Declined);
    assert!(till.pay(&secret, "10", "away").await.is_err());
    assert_eq!(till.pay(&secret, "10", "card").await.unwrap(), PaymentStage::Plug, "another try is free");
    assert!(words(&till.pay(&secret, "10", "card").await.unwrap_err()).contains("under way"));
    assert_eq!(till.asked(), ["hold 1000"]);
}

#[tokio::test]
async fn what_is_held_is_let_go_where_nothing_is_charged() {
    // proves: ocpp-2.1 C25.FR.41
    let refused = Till::open().await;
    let secret = refused.scan().await;
    let answers = [Ok(StationAnswer::Refused("Rejected".into())), Ok(StationAnswer::Accepted)];
    refused.world.line.answers.lock().unwrap().extend(answers);
    assert_eq!(refused.pay(&secret, "10", "card").await.unwrap(), PaymentStage::Released);
    assert_eq!(refused.asked(), ["hold 1000", "release"]);
    assert_eq!(kept(&refused.told()).last(), Some(&0), "and the place is free again");

    let till = Till::open().await;
    let secret = till.scan().await;
    till.pay(&secret, "10", "card").await.unwrap();
    for _ in 0..8 {
        till.world.clock.advance(Duration::from_secs(60));
        till.world.rounds().await;
    }
    assert_eq!(till.stage(&secret).await, PaymentStage::Released, "nobody plugged in");
    assert_eq!(till.asked(), ["hold 1000", "release"]);

    let silent = Till::open().await;
    let secret = silent.scan().await;
    silent.world.line.answers.lock().unwrap().push_back(Err(LineFault::TimedOut));
    assert_eq!(silent.pay(&secret, "10", "card").await.unwrap(), PaymentStage::Starting);
    silent.say(Told::Started, Some(silent.token()), 0).await;
    assert_eq!(silent.stage(&secret).await, PaymentStage::Charging, "it acted all the same");
}

#[tokio::test]
async fn who_never_pays_is_forgotten_and_the_page_knows_no_stranger() {
    let till = Till::open().await;
    let secret = till.scan().await;
    till.world.clock.advance(Duration::from_secs(300));
    till.world.rounds().await;
    assert_eq!(till.stage(&secret).await, PaymentStage::Lapsed);
    assert_eq!(till.pay(&secret, "10", "card").await.unwrap_err().to_string().get(..20), Some("The time to pay is o"));
    let missing = till.world.operator.payment("nobody").await.unwrap_err();
    assert_eq!(missing, Fault::NotFound("payment"));
    assert!(till.asked().is_empty());
    let dump = till.world.dump().await;
    let kept = |text: &str| dump.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(!kept(&secret) && !kept(till.totp.secret.expose()));
}

#[tokio::test]
async fn what_an_acquirer_that_said_nothing_may_hold_is_let_go() {
    let till = Till::open().await;
    let secret = till.scan().await;
    assert!(till.pay(&secret, "10", "away").await.is_err());
    till.world.clock.advance(Duration::from_secs(300));
    till.world.rounds().await;
    assert_eq!(till.stage(&secret).await, PaymentStage::Lapsed);
    assert_eq!(till.asked(), ["release"]);
    till.world.rounds().await;
    assert!(till.asked().is_empty(), "once");
}

#[tokio::test]
async fn a_price_that_changed_is_shown_before_it_is_paid() {
    let till = Till::open().await;
    let secret = till.scan().await;
    till.world.operator.put_tariff("ada", tariff("0.90")).await.unwrap();
    assert!(words(&till.pay(&secret, "10", "card").await.unwrap_err()).starts_with("The price has changed"));
    let page = till.world.operator.payment(&secret).await.unwrap();
    assert_eq!(page.offers[0].gross, "1.071".parse().unwrap());
    assert_eq!(till.pay(&secret, "10", "card").await.unwrap(), PaymentStage::Plug);
}

#[tokio::test]
async fn codes_are_for_stations_of_2_1_and_can_be_switched_off() {
    let till = Till::open().await;
    let withdrawn = till.world.operator.withdraw_payment("ada", &station()).await.unwrap();
    assert_eq!(withdrawn.outcome, crate::order::Outcome::Accepted);
    assert_eq!(till.refused(till.code()).await, Fault::NotFound("charging point"));
    assert_eq!(till.world.operator.payment_offered(&station()).await, Ok(Some(false)));
    let bare = World::new().await;
    assert_eq!(bare.operator.payment_offered(&station()).await, Ok(None));
    assert!(bare.operator.offer_payment("ada", &station()).await.is_err(), "nobody moves money here");
    bare.operator.attach_checkout(Checkout::new(Arc::new(FakeAcquirer::default()), String::new()));
    assert!(words(&bare.operator.offer_payment("ada", &station()).await.unwrap_err()).contains("OCPP 2.1"));
}

#[tokio::test]
async fn a_reference_that_is_not_ours_is_nobodys() {
    let till = Till::open().await;
    let stranger = PresentedToken::new(TokenUid::new("PSP-OF-ANOTHER").unwrap(), TokenKind::DirectPayment);
    let Heard::Transaction { verdict: Some(verdict), .. } = till.say(Told::Started, Some(stranger), 0).await else {
        panic!("a start is answered with a verdict")
    };
    assert_eq!(verdict.allowed, Allowed::Unknown);
    assert!(till.world.asked().is_empty(), "no provider learns of it");
}
