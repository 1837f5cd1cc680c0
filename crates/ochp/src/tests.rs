//! Every message there and back, its schema as judge, the standard's own examples, and the crossings.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bent;
mod crossing;
mod examples;

use std::collections::BTreeSet;

use soap::{Element, Limits};

use crate::envelope::{
    LIMITS, NoAnswer, Refused, credentials, open, read_response, write_fault, write_request, write_response,
};
use crate::message::{Operation, Request, Response, Unread};
use crate::samples;

#[test]
fn every_message_comes_back_as_it_went() {
    let mut seen = BTreeSet::new();
    for (request, response) in samples::all() {
        let operation = request.operation();
        seen.insert(operation.request_name());
        assert_eq!(response.operation(), operation);
        let text = write_request(&request, Some(&credentials("DE8AA", "secret"))).unwrap();
        let opened = open(text.as_bytes(), &LIMITS).unwrap();
        assert_eq!(opened.operation(), Some(operation));
        let shown = opened.credentials.as_ref().unwrap();
        assert_eq!((shown.username.as_str(), shown.password.expose().as_str()), ("DE8AA", "secret"));
        let heard = opened.request().unwrap();
        assert_eq!(heard.said, request, "{operation:?}");
        assert!(heard.lost.is_empty() && heard.refused.is_empty(), "{operation:?}: {heard:?}");
        let text = write_response(&response).unwrap();
        let heard = read_response(operation, text.as_bytes(), &LIMITS).unwrap();
        assert_eq!(heard.said, response, "{operation:?}");
        assert!(heard.lost.is_empty() && heard.refused.is_empty(), "{operation:?}: {heard:?}");
    }
    assert_eq!(seen.len(), Operation::ALL.len());
}

/// Another prefix, no name space at all, children in another order, other letter case, no wrappers, an addition.
#[test]
fn odd_spellings_are_understood_and_told() {
    let body = r#"<GetSingleRoamingAuthorisationRequest xmlns="urn:other"><emtid>
        <TOKENTYPE>RFID</TOKENTYPE><colour>red</colour><instance> 04A2B3C4 </instance></emtid>
        </GetSingleRoamingAuthorisationRequest>"#;
    let heard = Request::read(&soap::read(body.as_bytes(), &LIMITS).unwrap()).unwrap();
    let mut plain = samples::authorisation().token;
    (plain.sub_kind, plain.representation) = (None, None);
    assert_eq!(heard.said, Request::GetToken(crate::message::TokenWanted { token: plain }));
    assert_eq!(heard.lost.len(), 1);
    assert_eq!(heard.lost[0].path, "/emtid/colour");

    let body = r#"<UpdateStatusRequest><ttl>2026-11-22T15:00:00Z</ttl><evse MAJOR="Available"><evseId>DE*OPA*E1</evseId></evse>
        <evse major="perhaps"><evseId>DE*OPA*E2</evseId></evse></UpdateStatusRequest>"#;
    let heard = Request::read(&soap::read(body.as_bytes(), &LIMITS).unwrap()).unwrap();
    let Request::UpdateStatus(status) = heard.said else { panic!("another request") };
    assert_eq!((status.evses.len(), status.ttl.is_some(), heard.refused.len()), (1, true, 1));
    assert_eq!(heard.refused[0].path, "/evse/1/major");
}

/// A record with one line that cannot be read is refused whole: without it the amount would be another.
#[test]
fn a_record_is_refused_rather_than_read_without_a_line() {
    let request = samples::all().into_iter().map(|(request, _)| request).find(|r| r.operation() == Operation::AddCdrs);
    let mut element = request.unwrap().write().unwrap();
    let price =
        &mut element.children[0].children.iter_mut().find(|c| &*c.name.local == "chargingPeriods").unwrap().children[4];
    assert_eq!(&*price.name.local, "itemPrice");
    price.text = "cheap".to_owned();
    let heard = Request::read(&element).unwrap();
    let Request::AddCdrs(cdrs) = heard.said else { panic!("another request") };
    assert!(cdrs.cdrs.is_empty());
    assert_eq!(
        heard.refused[0].to_string(),
        "/cdrInfoArray/0/chargingPeriods/0/itemPrice is no number that can be meant"
    );
}

#[test]
fn what_is_no_message_is_refused_without_being_repeated() {
    let refused =
        |text: &str| open(text.as_bytes(), &LIMITS).and_then(|opened| opened.request().map(|_| ())).unwrap_err();
    assert!(matches!(refused("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), Refused::Soap(_)));
    let envelope =
        |space: &str, body: &str| format!("<s:Envelope xmlns:s='{space}'><s:Body>{body}</s:Body></s:Envelope>");
    let (v11, v12) = ("http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope");
    assert_eq!(refused(&envelope(v12, "<GetCDRsRequest/>")), Refused::Version);
    assert_eq!(refused(&envelope(v11, "<GetMoneyRequest/>")), Refused::Body(Unread::NoOperation));
    let fault = refused(&envelope(v11, "<SelectEvseRequest><evseId>hidden</evseId></SelectEvseRequest>"));
    assert!(!fault.to_string().contains("hidden"), "{fault}");
    let must = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header><x s:mustUnderstand='1'/></s:Header><s:Body/></s:Envelope>";
    assert_eq!(open(must.as_bytes(), &LIMITS).unwrap_err(), Refused::MustUnderstand);
    let small = Limits { bytes_max: 10, ..LIMITS };
    assert!(open(envelope(v11, "").as_bytes(), &small).is_err());

    let (status, fault) = write_fault(soap::Blame::Sender, "no such operation");
    assert_eq!(status, 500);
    let answer = read_response(Operation::GetCdrs, fault.as_bytes(), &LIMITS).unwrap_err();
    assert_eq!(answer, NoAnswer::Fault("no such operation".into()));
    let other = write_response(&Response::GetEvseStatus(crate::message::StatusesGiven {
        combined: vec![],
        evses: vec![],
        parkings: vec![],
    }));
    assert!(matches!(read_response(Operation::GetCdrs, other.unwrap().as_bytes(), &LIMITS), Err(NoAnswer::Body(_))));
}

#[test]
fn an_empty_list_is_not_sent_where_the_schema_wants_one() {
    let empty = Request::SetTokens(crate::message::Tokens { tokens: vec![] });
    assert_eq!(empty.write().unwrap_err().path, "/roamingAuthorisationInfoArray");
}

/// Personal values do not print.
#[test]
fn messages_can_be_logged_without_naming_anybody() {
    for (request, response) in samples::all() {
        let shown = format!("{request:?} {response:?}");
        for value in ["04A2B3C4", "CA2B3C4D5", "OPA-1", "cable is cut", "token-of-today"] {
            assert!(!shown.contains(value), "{value} in {shown}");
        }
    }
}

/// For the tests below: a document of one element.
fn parsed(text: &str) -> Result<Element, soap::Broken> {
    soap::read(text.as_bytes(), &LIMITS)
}
