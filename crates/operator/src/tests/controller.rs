//! A local controller between a station and its CSMS: everything while the CSMS is there, the site's rules while not.

use std::sync::Arc;
use std::time::Duration;

use charge::id::TransactionKey;
use charge::talk::line::quirk::Quirks;
use charge::talk::line::{
    Admission, Boot, ConnectionNo, Desk, Entry, FromStation, Heard, ResetKind, Stage, StationAnswer, Tap, ToStation,
    Version,
};
use charge::token::{Allowed, TokenUid};
use charge::{Personal, Secret, SystemClock};
use store::Store;
use trust::dice::SystemDice;
use trust::seal::SealKey;
use trust::station_key::StationKey;
use trust::token_tag::TagKey;

use super::seconds::{Csms, Door};
use super::world::{CARD, FakeLine, START, card, start_report, station, stop_report};
use crate::admit::Proof;
use crate::controller::{Offline, Rules, Seat, Upstream};
use crate::{Controller, ControllerSetup, Keys};

struct Site {
    controller: Controller,
    csms: Arc<Csms>,
    line: Arc<FakeLine>,
}

async fn site(away: bool) -> Site {
    let csms = Arc::new(Csms::default());
    *csms.away.lock().unwrap() = away;
    let keys = Keys { seal: SealKey::new(&Secret::new([1; 32])).unwrap(), tags: TagKey::new(&Secret::new([2; 32])) };
    let listed = [Personal::new(TokenUid::new(CARD).unwrap())];
    let digest = StationKey::generate(&SystemDice).digest(&SystemDice).unwrap();
    let setup = ControllerSetup {
        upstream: Upstream { address: "wss://csms.example".to_owned(), roots: String::new(), local: true },
        seats: vec![Seat {
            station: station(),
            proof: Proof::Basic { digest: Box::new(digest), serial: None },
            password: Some(Secret::new("sixteen-bytes-ok".into())),
        }],
        rules: Rules::new(Offline::Listed, &listed, &keys.tags),
        keys,
        buffer_max: 100,
        sharing: None,
    };
    let store = Store::in_memory(Controller::MIGRATIONS).unwrap();
    let door = Arc::new(Door(Arc::clone(&csms)));
    let controller = Controller::new(setup, store, Arc::new(SystemClock), Arc::new(SystemDice), door);
    let line = Arc::new(FakeLine::default());
    controller.attach_line(line.clone());
    let entry = Entry { station: station(), version: Version::V16, quirks: Quirks::USUAL };
    controller.arrived(&entry, ConnectionNo(1)).await;
    Site { controller, csms, line }
}

impl Site {
    async fn say(&self, said: FromStation) -> Heard {
        self.controller.hear(&station(), said).await.unwrap()
    }

    async fn boot(&self) -> Admission {
        match self.say(FromStation::Boot(Boot::default())).await {
            Heard::Boot { admitted, .. } => admitted,
            other => panic!("{other:?}"),
        }
    }

    async fn tap(&self, uid: &str) -> Allowed {
        match self.say(FromStation::Tap(Tap { token: card(uid), contract: None })).await {
            Heard::Tap(verdict) => verdict.allowed,
            other => panic!("{other:?}"),
        }
    }

    async fn start(&self) -> i32 {
        match self.say(FromStation::Transaction(start_report(card(CARD), START, 1_000))).await {
            Heard::Transaction { number: Some(number), .. } => number,
            other => panic!("{other:?}"),
        }
    }

    async fn stop(&self, number: i32) {
        self.say(FromStation::Transaction(stop_report(number, START, 2_000, Vec::new()))).await;
    }

    async fn heard(&self, count: usize) -> Vec<FromStation> {
        let reached = async {
            while self.csms.heard().len() < count {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), reached).await.expect("the CSMS hears it");
        self.csms.heard()
    }
}

#[tokio::test]
async fn while_the_csms_is_there_it_decides() {
    let site = site(false).await;
    assert_eq!(site.boot().await, Admission::Accepted);
    assert_eq!(site.tap("04FFFFFFFF").await, Allowed::Yes, "its word, not the list");
    assert_eq!(site.start().await, 77, "its number");
    site.stop(77).await;
    assert_eq!(site.heard(4).await.len(), 4, "each once");
    assert_eq!(site.csms.order(ToStation::Reset(ResetKind::Hard)).await, StationAnswer::Accepted);
    assert!(matches!(site.line.told.lock().unwrap()[..], [ToStation::Reset(ResetKind::Hard)]));
}

#[tokio::test]
async fn while_it_is_away_the_list_decides_and_it_hears_all_of_it_later() {
    let site = site(true).await;
    assert_eq!(site.boot().await, Admission::Accepted);
    assert_eq!(site.tap("04FFFFFFFF").await, Allowed::Unanswered);
    assert_eq!(site.tap(CARD).await, Allowed::Yes);
    let number = site.start().await;
    assert!(number >= 1 << 30, "a number of ours: {number}");
    assert!(site.csms.heard().is_empty());
    site.csms.back();
    let heard = site.heard(2).await;
    assert!(matches!(heard[0], FromStation::Boot(_)), "the boot that it missed comes first");
    // it has its own number for the transaction, and each side hears the one it knows
    assert_eq!(site.csms.transactions()[0].stage, Stage::Started);
    let stop = ToStation::Stop { key: TransactionKey::Number(77) };
    let told = async {
        loop {
            site.csms.order(stop.clone()).await;
            let told = site.line.told.lock().unwrap().pop();
            if matches!(&told, Some(ToStation::Stop { key }) if *key == TransactionKey::Number(number)) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("the station hears its own number");
    site.stop(number).await;
    let heard = site.heard(3).await;
    match &heard[2] {
        FromStation::Transaction(report) => {
            assert_eq!((report.stage, &report.key), (Stage::Ended, &Some(TransactionKey::Number(77))));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_charges_by_default_and_a_card_is_not_readable() {
    let tags = TagKey::new(&Secret::new([2; 32]));
    let listed = [Personal::new(TokenUid::new(CARD).unwrap())];
    let verdict = |offline| Rules::new(offline, &listed, &tags).verdict(&card(CARD), &tags).allowed;
    assert_eq!(verdict(Offline::default()), Allowed::Unanswered);
    assert_eq!(verdict(Offline::Listed), Allowed::Yes);
    assert_eq!(verdict(Offline::Everybody), Allowed::Yes);
    assert!(!format!("{:?}", Rules::new(Offline::Listed, &listed, &tags)).contains(CARD));
}
