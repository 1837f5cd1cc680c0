//! Measures and habits of partners that speak OCHP, read off the wire: night's records for who fetches them, an operator's
//! own name for a contract, what a provider's list has hashes of.

use ::ochp::bridge::token::hashes;
use charge::clock::ManualClock;
use charge::talk::partner::{Form, HashInput, Seen};
use store::Store;
use trust::seal::SealKey;

use super::square::{Market, hub_with};
use super::*;
use crate::road::Book;

/// Ten in the morning.
const MORNING: i64 = 1_790_000_000 / 86_400 * 86_400 + 10 * 3_600;

#[tokio::test]
async fn m12_a_provider_that_fetches_gets_the_records_of_last_night() {
    let tls = trusting();
    let (market, peers) = (Arc::new(Market::default()), Arc::new(Peers::new()));
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(MORNING)));
    let hub = hub_with(&tls.0, &tls.1, Arc::clone(&market), clock.clone(), (Arc::clone(&peers), peers)).await;
    let square = Square::around(hub, market, tls).await;
    square.publish().await;
    let list = Tokens { tokens: vec![entry(FOREIGN)] };
    let Said::SetTokens(taken) = square.provider(Ask::SetTokens(list)).await else { panic!("a list") };
    assert_eq!(taken.result.code, ResultCode::Ok);
    square.market.turn(party(PROVIDER), Measure::NightlyCdrs, true);
    let mut info = cdr_info();
    info.contract = Personal::new(Contract::new(CONTRACT).unwrap());
    assert_eq!(square.hand_in(vec![info.clone()]).await, (ResultCode::Ok, 0));
    assert_eq!(square.waiting().await, [], "not before the night");
    square.market.turn(party(PROVIDER), Measure::NightlyCdrs, false);
    assert_eq!(square.waiting().await.len(), 1, "without the switch at once");
    square.market.turn(party(PROVIDER), Measure::NightlyCdrs, true);
    clock.advance(Duration::from_secs(24 * 3_600));
    assert_eq!(square.waiting().await.len(), 1, "and after the night");
    assert_eq!(square.judge(vec![name(&info)], vec![]).await, ResultCode::Ok);
    assert_eq!(square.waiting().await, []);
}

#[tokio::test]
async fn m8_an_operator_of_ochp_knows_a_contract_by_its_own_name() {
    let square = Square::new().await;
    square.publish().await;
    let real = || "DE-8AA-CONETIME1-X";
    let word = async || square.word(emt(OWNED)).await.unwrap().contract;
    let plain = |contract: &Personal<Contract>| contract.reveal(Purpose::Transmit).as_str().to_owned();
    assert_eq!(plain(&word().await), real());
    square.market.turn(party(OPERATOR), Measure::PairContracts, true);
    let known = word().await;
    assert!(plain(&known) != real() && plain(&known).starts_with("DE-8AA-C"), "{}", plain(&known));
    assert_eq!(plain(&word().await), plain(&known), "one name for one contract");
    let mut info = cdr_info();
    info.contract = known;
    assert_eq!(square.hand_in(vec![info]).await, (ResultCode::Ok, 0));
    let billed = square.ocpi_provider.desk.questions().into_iter().find_map(|question| match question {
        Question::PostCdr(cdr) => Some(cdr.token.contract.reveal(Purpose::Bill).as_str().to_owned()),
        _other => None,
    });
    assert_eq!(billed.as_deref(), Some(real()), "its provider knows it by the real one");
    square.market.turn(party(OPERATOR), Measure::PairContracts, false);
    assert_eq!(plain(&word().await), real());
}

#[tokio::test]
async fn what_a_list_has_hashes_of_is_seen_and_can_be_fixed() {
    let tls = trusting();
    let store = Store::in_memory(&[]).unwrap();
    let seal = || SealKey::new(&Secret::new([7; 32])).unwrap();
    let open = || Book::open(store.clone(), seal(), Arc::clone(&tls.1), RoadLimits::default(), Arc::new(SystemDice));
    let book = Arc::new(open().await.unwrap());
    let (market, peers) = (Arc::new(Market::default()), Arc::new(Peers::new()));
    let hub = hub_with(&tls.0, &tls.1, Arc::clone(&market), Arc::new(SystemClock), (peers, book.clone())).await;
    let square = Square::around(hub, market, (Arc::clone(&tls.0), Arc::clone(&tls.1))).await;
    // one entry over capital letters, one over small ones
    let hashed = |uid: &str, of: Form| {
        let hash = hashes(uid).into_iter().find(|(form, hash)| *form == of && hash.len() == 64).unwrap().1;
        let mut entry = entry(&hash);
        entry.token.representation = Some(Representation::Sha256);
        entry
    };
    let tokens = vec![hashed("04AABB", Form::Upper), hashed("04CCDD", Form::Lower)];
    let Said::SetTokens(taken) = square.provider(Ask::SetTokens(Tokens { tokens })).await else { panic!("a list") };
    assert_eq!(taken.result.code, ResultCode::Ok);
    let known = async || (square.word(emt("04AABB")).await.is_some(), square.word(emt("04ccdd")).await.is_some());
    assert_eq!(known().await, (true, true), "either is tried");
    let seen = |book: &Book| {
        let of = |form| book.sightings().of(party(PROVIDER)).into_iter().find(|(seen, _)| *seen == Seen::Hash(form));
        (of(Form::Upper).map_or(0, |(_, count)| count), of(Form::Lower).map_or(0, |(_, count)| count))
    };
    assert_eq!(seen(&book), (1, 1));
    book.hash_with(party(PROVIDER), HashInput::Upper).await.unwrap();
    assert_eq!(known().await, (true, false), "capital letters alone");
    book.hash_with(party(PROVIDER), HashInput::Lower).await.unwrap();
    assert_eq!(known().await, (false, true), "small letters alone");

    // after a restart both the habit and the counts are there
    square.hub.inside.as_ref().unwrap().0.duty().await.unwrap();
    let again = open().await.unwrap();
    assert_eq!(seen(&again), seen(&book));
    assert_eq!(again.hash_input(party(PROVIDER)), HashInput::Lower);
}
