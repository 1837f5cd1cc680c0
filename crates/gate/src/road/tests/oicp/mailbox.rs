//! CDRs that wait for a provider of OICP, and what of a tap and a PIN goes on.

use charge::talk::thrift::Measure;

use super::*;

/// Where nobody listens.
async fn nowhere() -> String {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    format!("https://{free}")
}

impl Beyond {
    async fn with_mailbox() -> Self {
        let beyond = Self::new(Oicp::V23, Oicp::V23).await;
        beyond.world.keep_vault().await;
        beyond.world.turn(party("DE-EMP"), Measure::ShortMailbox, true);
        beyond.published().await;
        beyond
    }

    /// The provider's server is somewhere else from now on.
    async fn moved(&self, base: String) -> String {
        let (_, partners) = self.world.hub.inside.as_ref().unwrap();
        let entry = partners.find(party("DE-EMP")).unwrap();
        let before = entry.addresses[0].1.clone();
        partners.put(Partner { addresses: vec![("".into(), base)], ..(*entry).clone() }).await.unwrap();
        before
    }

    async fn charged(&self) -> (String, String) {
        let session = begun(self, FOREIGN).await;
        let told = self.ask(&self.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
        (session, code(&told))
    }

    async fn fetch(&self) -> Vec<String> {
        let (from, to) = (SystemClock.now().minus(HOUR), SystemClock.now().plus(HOUR));
        let wish = format!(r#"{{"ProviderID":"DE-EMP","From":"{from}","To":"{to}"}}"#);
        let page = self.ask(&self.provider, Operation::GetChargeDetailRecords, &wish).await;
        page.records("content").map(|record| record.text("SessionID").unwrap().to_owned()).collect()
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn m14_a_provider_that_was_away_is_told_when_it_is_back_in_order_and_once() {
    let beyond = Beyond::with_mailbox().await;
    let home = beyond.moved(nowhere().await).await;
    let mut sessions = Vec::new();
    for _ in 0..2 {
        beyond.moved(home.clone()).await;
        let session = begun(&beyond, FOREIGN).await;
        beyond.moved(nowhere().await).await;
        let told = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
        assert_eq!(code(&told), "000", "the operator need not wait for it");
        sessions.push(session);
    }
    beyond.broker.duty().await.unwrap();
    beyond.moved(home).await;
    beyond.broker.duty().await.unwrap();
    beyond.broker.duty().await.unwrap();
    let heard = beyond.provider.heard(Operation::ChargeDetailRecord);
    let heard: Vec<_> = heard.iter().map(|body| record(body).text("SessionID").unwrap().to_owned()).collect();
    assert_eq!(heard, sessions);
    assert_eq!(beyond.fetch().await, sessions, "and it can fetch them within the window");
    let (session, told) = beyond.charged().await;
    assert_eq!(told, "000");
    beyond.broker.duty().await.unwrap();
    assert_eq!(beyond.provider.heard(Operation::ChargeDetailRecord).len(), 3, "what was pushed is not pushed again");
    assert_eq!(beyond.fetch().await.last(), Some(&session));
}

#[tokio::test]
async fn m14_what_is_being_pushed_is_pushed_by_nobody_else() {
    let beyond = Beyond::with_mailbox().await;
    let session = begun(&beyond, FOREIGN).await;
    // it takes the call, and hangs up when the test has seen enough
    let slow = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = beyond.moved(format!("https://{}", slow.local_addr().unwrap())).await;
    let record = cdr(&session);
    let mut push = std::pin::pin!(beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &record));
    let (call, _) = tokio::select! {
        call = slow.accept() => call.unwrap(),
        told = &mut push => panic!("answered too early: {told:?}"),
    };
    beyond.broker.duty().await.unwrap();
    let again = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &record).await;
    assert_ne!(code(&again), "000", "nobody knows yet how the first one ends");
    drop((call, slow));
    assert_eq!(code(&push.await), "000");
    beyond.moved(home).await;
    beyond.broker.duty().await.unwrap();
    beyond.broker.duty().await.unwrap();
    assert_eq!(beyond.provider.heard(Operation::ChargeDetailRecord).len(), 1);
}

#[tokio::test]
async fn m14_what_a_provider_fetched_is_not_pushed_and_without_a_mailbox_nothing_is_kept() {
    let beyond = Beyond::with_mailbox().await;
    let session = begun(&beyond, FOREIGN).await;
    let home = beyond.moved(nowhere().await).await;
    let told = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
    assert_eq!(code(&told), "000");
    assert_eq!(beyond.fetch().await, [session]);
    beyond.moved(home.clone()).await;
    beyond.broker.duty().await.unwrap();
    assert!(beyond.provider.heard(Operation::ChargeDetailRecord).is_empty());

    beyond.world.turn(party("DE-EMP"), Measure::ShortMailbox, false);
    let session = begun(&beyond, FOREIGN).await;
    beyond.moved(nowhere().await).await;
    let told = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
    assert_ne!(code(&told), "000", "its operator keeps it");
    beyond.moved(home).await;
    let told = beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &cdr(&session)).await;
    assert_eq!(code(&told), "000", "and tells it again");
    assert_eq!(beyond.provider.heard(Operation::ChargeDetailRecord).len(), 1);
}

#[tokio::test]
async fn m7_what_else_may_stop_a_session_is_not_told_to_an_operator_of_oicp() {
    let beyond = Beyond::with_mailbox().await;
    let whole = beyond.ask(&beyond.operator, Operation::AuthorizeStart, &tap(FOREIGN)).await;
    assert!(whole.get("AuthorizationStopIdentifications").is_some(), "{whole:?}");
    beyond.world.turn(party("DE-ICE"), Measure::BareTokens, true);
    let (_, bare) = beyond.post(&beyond.operator, Operation::AuthorizeStart, &tap(FOREIGN)).await;
    assert!(!bare.contains("AuthorizationStopIdentifications") && bare.contains("VendorField"), "{bare}");
}

#[tokio::test]
async fn m17_a_pin_is_refused_here_or_goes_on_in_the_document_that_it_came_in() {
    let beyond = Beyond::with_mailbox().await;
    let qr = format!(
        r#"{{"OperatorID":"DE*ICE","EvseID":"{EVSE}","Identification":{{"QRCodeIdentification":{{"EvcoID":"{EVCO}","PIN":"4711"}}}}}}"#
    );
    let asked = async || {
        let answer = beyond.ask(&beyond.operator, Operation::AuthorizeStart, &qr).await;
        answer.text("AuthorizationStatus").map(str::to_owned)
    };
    beyond.world.turn(party("DE-EMP"), Measure::NoPins, true);
    assert_ne!(asked().await.as_deref(), Some("Authorized"));
    assert!(beyond.provider.heard(Operation::AuthorizeStart).is_empty(), "nobody hears of it");
    beyond.world.turn(party("DE-EMP"), Measure::NoPins, false);
    assert_eq!(asked().await.as_deref(), Some("Authorized"));
    let heard = beyond.provider.heard(Operation::AuthorizeStart);
    assert!(heard.len() == 1 && heard[0].contains("4711"), "its provider checks it");
}
