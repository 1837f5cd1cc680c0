//! Partners of another protocol at the same hub: a speaker with a script stands for the protocol, OCPI goes over
//! sockets.

use charge::place::EvseStatus;
use charge::talk::road::{OrderKind, OrderResult, RoadFault};
use tokio::sync::watch;

use super::hub::start;
use super::*;
use crate::road::relay::{Origin, WayOut};
use crate::road::running::Running;
use crate::road::speaker::Speakers;
use crate::road::waiting::Waiting;

type Script = Box<dyn Fn(&Letter) -> Result<Told, RoadFault> + Send + Sync>;

/// Remembers what it was told to say, and answers by its script.
struct Scripted {
    heard: Mutex<Vec<(PartyId, Letter, Option<Native>)>>,
    script: Script,
    /// Whether its partners have anything to say yet.
    goes_on: watch::Sender<bool>,
}

impl Speaker for Scripted {
    fn speak(&self, to: PartyId, letter: Letter, native: Option<Native>) -> Soon<'_, Result<Told, RoadFault>> {
        let said = (self.script)(&letter);
        self.heard.lock().unwrap().push((to, letter, native));
        Box::pin(async move {
            self.goes_on.subscribe().wait_for(|goes_on| *goes_on).await.unwrap();
            said
        })
    }
}

impl Scripted {
    fn heard(&self) -> Vec<(PartyId, Letter, Option<Native>)> {
        self.heard.lock().unwrap().clone()
    }
}

fn ack() -> Answer {
    Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 30 }, message: None }
}

/// What a partner says whose protocol has no second message.
fn synchronous(letter: &Letter) -> Result<Told, RoadFault> {
    let answer = match &letter.question {
        Question::MayCharge { token } if *token == self::token(FOREIGN) => Answer::May(Verdict {
            contract: Some(Personal::new(ContractId::new("DE-EMP-C12345678-X").unwrap())),
            ..Verdict::bare(Allowed::Yes)
        }),
        Question::MayCharge { .. } => Answer::May(Verdict::bare(Allowed::Unknown)),
        Question::Start(_) | Question::Stop { .. } => {
            return Ok(Told { outcome: Some(OrderResult::EvseOccupied), ..Told::new(ack()) });
        }
        Question::PostCdr(cdr) => Answer::Kept(cdr.id.clone()),
        _notice => Answer::Noted,
    };
    Ok(Told { lost: vec!["/evses/0/floor_level has no word".into()], ..Told::new(answer) })
}

pub(super) fn partner(id: &str, role: Role) -> Partner {
    Partner {
        party: party(id),
        name: id.to_owned(),
        roles: vec![role],
        protocol: Protocol::Oicp23,
        addresses: Vec::new(),
        login: None,
        entry: None,
        certificate: None,
        roots_pem: None,
        local: true,
    }
}

/// The world with operator ICE and provider EMP, who speak something else.
async fn beyond(world: &World) -> Arc<Scripted> {
    let (crossing, partners) = world.hub.inside.as_ref().unwrap();
    partners.put(partner("DE-ICE", Role::Operator)).await.unwrap();
    partners.put(partner("DE-EMP", Role::Provider)).await.unwrap();
    let speaker = Arc::new(Scripted {
        heard: Mutex::default(),
        script: Box::new(synchronous),
        goes_on: watch::Sender::new(true),
    });
    crossing.attach(Protocol::Oicp23, speaker.clone());
    speaker
}

fn letter(from: &str, to: Option<&str>, question: Question) -> Letter {
    Letter { from: party(from), to: to.map(party), correlation: CorrelationId::new("far-1").unwrap(), question }
}

fn document() -> Option<Native> {
    Some(Native { tongue: "oicp/2.3", kind: "eRoamingAuthorizeStart", bytes: "{\"x\":1}".into() })
}

impl World {
    async fn carry(&self, from: &str, to: Option<&str>, question: Question) -> Result<Told, Denial> {
        let (crossing, _) = self.hub.inside.as_ref().unwrap();
        crossing.carry(letter(from, to, question), document()).await
    }
}

pub(super) async fn until(reached: impl Fn() -> bool) {
    let reached = async {
        while !reached() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap();
}

#[tokio::test]
async fn a_tap_crosses_both_ways_and_reaches_its_owner_alone() {
    let world = World::new().await;
    let speaker = beyond(&world).await;
    let tap = |uid| Question::MayCharge { token: token(uid) };

    let Ok(Answer::May(verdict)) = world.ask(&world.operator, None, tap(FOREIGN)).await else { panic!("a verdict") };
    assert_eq!((verdict.allowed, verdict.party), (Allowed::Yes, Some(party("DE-EMP"))));
    let [(to, said, None)] = &speaker.heard()[..] else { panic!("said once, without a document") };
    assert_eq!((*to, said.from, said.to), (party("DE-EMP"), world.operator.party, Some(party("DE-EMP"))));

    let told = world.carry("DE-ICE", None, tap(OWNED)).await.unwrap();
    let Answer::May(verdict) = &told.answer else { panic!("a verdict") };
    assert_eq!((verdict.allowed, told.by), (Allowed::Yes, Some(world.a.party)));
    assert_eq!(world.a.desk.heard()[0].from, party("DE-ICE"));
    assert!(world.a.seen().iter().any(|seen| seen.headers.get("ocpi-from-party-id").is_some_and(|id| id == "ICE")));

    let told = world.carry("DE-ICE", None, tap(FOREIGN)).await.unwrap();
    assert_eq!(told.by, Some(party("DE-EMP")));
    assert_eq!(speaker.heard()[1].2, document(), "the same tongue hears the very document");

    let told = world.carry("DE-ICE", None, tap("04FFFFFFFFFF80")).await.unwrap();
    assert_eq!((told.answer, told.by), (Answer::May(Verdict::bare(Allowed::Unknown)), None));
    assert_eq!((speaker.heard().len(), world.a.desk.heard().len(), world.b.desk.heard().len()), (2, 1, 0));
}

#[tokio::test]
async fn an_order_to_a_partner_whose_answer_is_the_outcome_has_an_outcome_afterwards() {
    let world = World::new().await;
    let speaker = beyond(&world).await;
    assert_eq!(world.ask(&world.a, Some("DE-ICE"), start("order-7")).await, Ok(ack()));
    until(|| !world.a.desk.heard().is_empty()).await;
    let stop = Question::Stop { order: "order-8".parse().unwrap(), return_to: None, session: "S1".parse().unwrap() };
    assert_eq!(world.ask(&world.a, Some("DE-ICE"), stop).await, Ok(ack()));
    until(|| world.a.desk.heard().len() == 2).await;
    let outcome = |letter: &Letter| match &letter.question {
        Question::Outcome { order, result, .. } => (letter.from, order.clone().unwrap().to_string(), *result),
        other => panic!("{other:?}"),
    };
    let ice = party("DE-ICE");
    let expected = ["order-7", "order-8"].map(|order| (ice, order.to_owned(), OrderResult::EvseOccupied));
    assert_eq!(world.a.desk.heard().iter().map(outcome).collect::<Vec<_>>(), expected);
    let said = speaker.heard();
    let Question::Start(given) = &said[0].1.question else { panic!("a start") };
    assert_eq!(given.order.as_str(), "hub-0", "the hub's own reference");
    assert_eq!(given.location.as_str(), "LOC1");
}

#[tokio::test]
async fn an_order_of_a_partner_without_a_second_message_waits_for_its_outcome() {
    let world = World::new().await;
    let speaker = beyond(&world).await;
    let operator = async {
        until(|| !world.operator.desk.heard().is_empty()).await;
        let Question::Start(order) = world.operator.desk.heard()[0].question.clone() else { panic!("a start") };
        let return_to = order.return_to.unwrap();
        assert!(return_to.0.starts_with(&world.hub.base), "the operator knows the hub's address only");
        let result = OrderResult::Accepted;
        let outcome = Question::Outcome { order: None, return_to: Some(return_to), result, message: None };
        assert_eq!(world.ask(&world.operator, None, outcome.clone()).await, Ok(Answer::Noted));
        outcome
    };
    let (told, outcome) = tokio::join!(world.carry("DE-EMP", Some("DE-OPA"), start("emp-1")), operator);
    let told = told.unwrap();
    assert_eq!((told.answer, told.outcome), (ack(), Some(OrderResult::Accepted)));
    assert_eq!(told.by, Some(world.operator.party));
    assert!(speaker.heard().is_empty(), "the call that waited was told");

    assert_eq!(world.ask(&world.operator, None, outcome).await, Ok(Answer::Noted));
    let late = speaker.heard();
    let Question::Outcome { order, result, .. } = &late[0].1.question else { panic!("an outcome") };
    assert_eq!((late[0].0, order.clone().unwrap().as_str()), (party("DE-EMP"), "emp-1"));
    assert_eq!(*result, OrderResult::Accepted, "one that nobody waits for any more is told in a letter");

    let told = world.carry("DE-EMP", Some("DE-ICE"), start("emp-2")).await.unwrap();
    assert_eq!(told.outcome, Some(OrderResult::EvseOccupied), "both without a second message");
    assert_eq!(speaker.heard().len(), 2, "and no letter after it");
}

#[tokio::test]
async fn a_giver_is_not_kept_waiting_by_a_slow_partner() {
    let world = World::new().await;
    let speaker = beyond(&world).await;
    let (crossing, partners) = world.hub.inside.as_ref().unwrap();
    let hurried = Arc::new(WayOut {
        exchange: world.office.clone(),
        peers: world.hub.peers.clone(),
        figures: Arc::default(),
        speakers: Speakers::new(Arc::clone(partners)),
        waiting: Waiting::default(),
        running: Running::default(),
        spare: Default::default(),
        clock: Arc::new(SystemClock),
        base: world.hub.base.clone(),
        first_word: Duration::ZERO,
    });
    hurried.speakers.attach(Protocol::Oicp23, speaker.clone());
    speaker.goes_on.send_replace(false);

    let letter = letter("DE-EMP", Some("DE-ICE"), start("hub-0"));
    let errand = Errand::Order(OrderKind::Start);
    let envelope =
        Envelope { from: letter.from, to: letter.to, correlation: letter.correlation.clone(), errand, bytes: 0 };
    let return_to = Some(ReturnAddress("crossing:emp-1".to_owned()));
    crossing.exchange.route(envelope.clone(), return_to, None).await.unwrap();
    let origin = Origin { letter, native: None };
    let told = hurried.speak(speaker.clone(), party("DE-ICE"), origin, &envelope).await.unwrap();
    assert_eq!(told.answer, Answer::Order { ack: OrderAck::Accepted { outcome_within_s: 25 }, message: None });
    assert_eq!(told.outcome, None, "acknowledged first");
    speaker.goes_on.send_replace(true);
    until(|| speaker.heard().len() == 2).await;
    let (to, later, _) = &speaker.heard()[1];
    let Question::Outcome { order, result, .. } = &later.question else { panic!("an outcome") };
    assert_eq!((*to, order.clone().unwrap().as_str()), (party("DE-EMP"), "emp-1"));
    assert_eq!(*result, OrderResult::EvseOccupied, "and told when it was there");
}

#[tokio::test]
async fn a_cdr_crosses_both_ways_unless_that_would_change_money() {
    let world = World::new().await;
    let speaker = beyond(&world).await;
    let cdr = Question::PostCdr(Box::new(samples::cdr()));
    let kept = Answer::Kept("C1".parse().unwrap());
    assert_eq!(world.ask(&world.operator, Some("DE-EMP"), cdr.clone()).await, Ok(kept.clone()));
    let Question::PostCdr(said) = &speaker.heard()[0].1.question else { panic!("a CDR") };
    assert_eq!(said.total_cost, samples::cdr().total_cost);

    let mut theirs = samples::cdr();
    theirs.party = party("DE-ICE");
    let told = world.carry("DE-ICE", Some("DE-8AA"), Question::PostCdr(Box::new(theirs))).await.unwrap();
    assert_eq!((told.answer, told.by), (kept, Some(world.a.party)));
    assert!(matches!(&world.a.desk.heard()[0].question, Question::PostCdr(cdr) if cdr.party == party("DE-ICE")));
    assert_eq!(world.carry("DE-ICE", Some("DE-8AA"), cdr).await, Err(Denial::NotYours), "in nobody else's name");

    let mut body: Value = serde_json::from_str(&sent_cdr(&world)).unwrap();
    body["total_reservation_cost"] = serde_json::json!({"excl_vat": 1.5});
    let mine = ocpi::credentials::authorization(&secret(world.operator.party, world.hub.party), false);
    let http = reqwest::Client::builder().tls_backend_preconfigured((*world.tls).clone()).build().unwrap();
    let post = http.post(format!("{}/ocpi/2.2.1/receiver/cdrs", world.hub.base));
    let post = post.header("authorization", mine.expose()).header("ocpi-to-country-code", "DE");
    let response = post.header("ocpi-to-party-id", "EMP").body(body.to_string()).send().await.unwrap();
    let refusal: Value = response.json().await.unwrap();
    assert_eq!(refusal["status_code"], 2001);
    let why = "/total_reservation_cost cannot be told to the receiver without changing money";
    assert_eq!(refusal["status_message"], why);
    assert_eq!(speaker.heard().len(), 1, "and nothing was said");
}

/// The CDR as the operator wrote it.
fn sent_cdr(world: &World) -> String {
    world.hub.seen().into_iter().rev().find(|seen| seen.path.ends_with("/receiver/cdrs")).unwrap().body
}

#[tokio::test]
async fn what_is_published_reaches_everyone_whatever_they_speak() {
    let world = World::new().await;
    let speaker = beyond(&world).await;
    let mut place = samples::location();
    place.party = party("DE-ICE");
    let noted = |told: Result<Told, Denial>| told.map(|told| (told.answer, told.by));
    let put = Question::PutLocation(Box::new(place.clone()));
    assert_eq!(noted(world.carry("DE-ICE", None, put).await), Ok((Answer::Noted, None)));
    let status = Question::PatchEvse {
        location: "LOC1".parse().unwrap(),
        evse: "LOC1-1".parse().unwrap(),
        status: EvseStatus::Charging,
        at: SystemClock.now(),
    };
    assert_eq!(noted(world.carry("DE-ICE", None, status.clone()).await), Ok((Answer::Noted, None)));
    for provider in [&world.a, &world.b] {
        until(|| provider.desk.heard().len() == 2).await;
        let heard = provider.desk.heard();
        assert!(matches!(&heard[0].question, Question::PutLocation(heard) if **heard == place));
        assert!(matches!(heard[1].question, Question::PatchEvse { status: EvseStatus::Charging, .. }));
        assert!(heard.iter().all(|letter| letter.from == place.party));
    }
    until(|| speaker.heard().len() == 2).await;
    assert_eq!(speaker.heard()[0].2, document(), "the very document");
    let kept: Value = serde_json::from_str(world.office.public.lock().unwrap().last().unwrap()).unwrap();
    assert_eq!((&kept["party_id"], &kept["evses"][0]["status"]), (&"ICE".into(), &"CHARGING".into()));

    assert_eq!(world.ask(&world.operator, None, status).await, Ok(Answer::Noted));
    until(|| speaker.heard().len() == 3).await;
    let (to, said, native) = &speaker.heard()[2];
    assert_eq!((*to, said.from, native), (party("DE-EMP"), world.operator.party, &None));
    assert!(matches!(said.question, Question::PatchEvse { status: EvseStatus::Charging, .. }));

    let told = world.carry("DE-EMP", None, Question::Locations(PageWish::default())).await.unwrap();
    let Answer::Locations(page) = told.answer else { panic!("locations") };
    assert_eq!((page.total, page.next, page.complaints.len()), (2, Some(1), 1));
}

#[tokio::test]
async fn what_a_receiver_has_no_word_for_can_be_read() {
    let world = World::new().await;
    let _speaker = beyond(&world).await;
    let session = Question::PutSession(Box::new(samples::session()));
    assert_eq!(world.ask(&world.operator, Some("DE-EMP"), session).await, Ok(Answer::Noted));
    let said = (world.operator.party, party("DE-EMP"), "/evses/0/floor_level has no word".into());
    assert!(world.office.lost.lock().unwrap().contains(&said));
    assert!(format!("{:?}", document()).contains("7 bytes"), "documents are not printed");
}
