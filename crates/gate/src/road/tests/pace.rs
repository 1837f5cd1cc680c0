//! How long a "no" to a card takes (measure M16), in a world without sockets whose stopwatch stands still until somebody
//! waits.

use std::time::Duration;

use super::clearing::square::{Market, PROVIDER};
use super::*;
use crate::road::pace::{Pace, STEP, Stopwatch};
use crate::road::speaker::{Native, Speaker, Told};

/// Of cards of one provider: one that it refuses, one that it lets charge.
const REFUSED: &str = "04AAAAAAAAAA80";
const GOOD: &str = "04BBBBBBBBBB80";
/// Of nobody.
const UNKNOWN: &str = "04CCCCCCCCCC80";

/// It shows what was waited for.
#[derive(Default)]
struct Standing(Mutex<Duration>);

impl Stopwatch for Standing {
    fn shows(&self) -> Duration {
        *self.0.lock().unwrap()
    }

    fn wait_until(&self, shows: Duration) -> Soon<'_, ()> {
        let mut now = self.0.lock().unwrap();
        assert!(shows > *now && shows - *now <= STEP, "bounded");
        *now = shows;
        Box::pin(async {})
    }
}

/// A provider that takes its time.
struct Slow(Duration, Arc<Standing>);

impl Speaker for Slow {
    fn speak(
        &self,
        _: PartyId,
        letter: Letter,
        _: Option<Native>,
    ) -> Soon<'_, Result<Told, charge::talk::road::RoadFault>> {
        let Question::MayCharge { token } = letter.question else { panic!("a question about a card") };
        let good = token.uid.reveal(charge::Purpose::Route).as_delivered() == GOOD;
        Box::pin(async move {
            *self.1.0.lock().unwrap() += self.0;
            let verdict = Verdict::bare(if good { Allowed::Yes } else { Allowed::Blocked });
            let contract = good.then(|| Personal::new(ContractId::new("DE-OCP-C12345678-X").unwrap()));
            Ok(Told::new(Answer::May(Verdict { contract, party: Some(party(PROVIDER)), ..verdict })))
        })
    }
}

/// A hub with one provider, which takes so long, and one operator.
struct Hub {
    crossing: Crossing,
    market: Arc<Market>,
    watch: Arc<Standing>,
}

async fn hub_with(takes: Duration) -> Hub {
    let market = Arc::new(Market::default());
    for uid in [REFUSED, GOOD] {
        market.tokens.lock().unwrap().insert(uid.to_owned(), party(PROVIDER));
    }
    market.turn(party("DE-OPA"), Measure::NoGuessing, true);
    let key = trust::seal::SealKey::new(&Secret::new([7; 32])).unwrap();
    let partners = Partners::open(store::Store::in_memory(&[]).unwrap(), key).await.map(Arc::new).unwrap();
    let provider = Partner {
        party: party(PROVIDER),
        name: "slow".to_owned(),
        roles: vec![Role::Provider],
        protocol: Protocol::Oicp23,
        addresses: vec![],
        login: None,
        entry: None,
        certificate: None,
        roots_pem: None,
        local: true,
    };
    partners.put(provider).await.unwrap();
    let peers = Arc::new(Peers::new());
    peers.admit(BearerDigest::of("operator"), PeerAccess::party(party("DE-OPA")));
    let base = "https://hub.example".to_owned();
    let own = Own { party: party("DE-HUB"), role: Role::Hub, name: "hub".to_owned(), base };
    let (clock, dice, figures) = (Arc::new(SystemClock), Arc::new(SystemDice), Arc::new(Figures::default()));
    let crossing = Crossing::new(own, market.clone(), peers, partners, clock, dice, figures);
    let watch = Arc::new(Standing::default());
    let crossing = crossing.paced(Pace::by(watch.clone()));
    crossing.attach(Protocol::Oicp23, Arc::new(Slow(takes, watch.clone())));
    Hub { crossing, market, watch }
}

impl Hub {
    /// How long a question about a card takes, as a partner of another protocol asks it.
    async fn crossed(&self, uid: &str) -> Duration {
        let begun = self.watch.shows();
        let correlation = CorrelationId::new("tap").unwrap();
        let question = Question::MayCharge { token: token(uid) };
        let letter = Letter { from: party("DE-OPA"), to: None, correlation, question };
        self.crossing.carry(letter, None).await.unwrap();
        self.watch.shows() - begun
    }

    /// The same in OCPI, and the status of the answer.
    async fn asked(&self, uid: &str) -> (u16, Duration) {
        let begun = self.watch.shows();
        let token = ocpi::credentials::authorization(&Secret::new("operator".to_owned()), false);
        let request = http::Request::post(format!("/ocpi/2.2.1/sender/tokens/{uid}/authorize"))
            .header("authorization", token.expose())
            .header("ocpi-from-country-code", "DE")
            .header("ocpi-from-party-id", "OPA")
            .body(Body::empty());
        let response = hub_router(&self.crossing).oneshot(request.unwrap()).await.unwrap();
        (response.status().as_u16(), self.watch.shows() - begun)
    }
}

const fn ms(number: u64) -> Duration {
    Duration::from_millis(number)
}

#[tokio::test]
async fn m16_a_card_that_nobody_knows_is_refused_as_late_as_one_that_its_provider_refuses() {
    for (takes, wanted) in [(ms(5), ms(250)), (ms(180), ms(250)), (ms(260), ms(500))] {
        let hub = hub_with(takes).await;
        assert_eq!(hub.crossed(REFUSED).await, wanted, "{takes:?}");
        assert_eq!(hub.crossed(GOOD).await, takes, "a yes says itself that the card is known");
        assert_eq!(hub.asked(REFUSED).await, (200, wanted));
        assert_eq!(hub.asked(GOOD).await, (200, takes));
    }
    let hub = hub_with(ms(5)).await;
    assert_eq!(hub.crossed(UNKNOWN).await, ms(250));
    assert_eq!(hub.asked(UNKNOWN).await, (404, ms(250)));
    hub.market.turn(party("DE-OPA"), Measure::NoGuessing, false);
    assert_eq!(hub.crossed(UNKNOWN).await, ms(0), "switched off for this operator");
    assert_eq!(hub.crossed(REFUSED).await, ms(5));
}
