//! Every example of the papers of both sides: read by its operation's shape, judged, written again unchanged. What is
//! faulty in them is listed here by name with the reasons.

use super::paper;
use crate::message::{Reply, read_answer, read_json_request, write_answer};
use crate::operation::{Operation, Version};
use crate::shape::strict;
use crate::{Doc, Record};

/// A snippet of a chapter: its heading, request or response, its text.
fn snippets(text: &str) -> Vec<(String, bool, String)> {
    let (mut found, mut heading, mut request, mut inside) = (Vec::new(), String::new(), true, None::<String>);
    for line in text.lines() {
        if let Some(snippet) = &mut inside {
            if line.trim() == "----" {
                found.push((heading.clone(), request, inside.take().unwrap()));
            } else {
                snippet.push_str(line);
                snippet.push('\n');
            }
        } else if line.trim() == "----" {
            inside = Some(String::new());
        } else if let Some(name) = line.strip_prefix("== ") {
            heading = name.trim().to_owned();
        } else if line.starts_with("===") {
            request = line.contains("Request");
        }
    }
    found
}

const OPERATIONS: [(&str, Operation); 23] = [
    ("eRoamingPushEvseData", Operation::PushEvseData),
    ("eRoamingPushEVSEStatus", Operation::PushEvseStatus),
    ("eRoamingPullEVSEData", Operation::PullEvseData),
    ("eRoamingPullEVSEStatus", Operation::PullEvseStatus),
    ("eRoamingPullEVSEStatusByID", Operation::PullEvseStatusById),
    ("eRoamingPullEVSEStatusByOperatorID", Operation::PullEvseStatusByOperator),
    ("eRoamingAuthorizeStart", Operation::AuthorizeStart),
    ("eRoamingAuthorizeStop", Operation::AuthorizeStop),
    ("eRoamingAuthorizeRemoteStart", Operation::RemoteStart),
    ("eRoamingAuthorizeRemoteStop", Operation::RemoteStop),
    ("eRoamingChargeDetailRecord", Operation::ChargeDetailRecord),
    ("eRoamingGetChargeDetailRecord", Operation::GetChargeDetailRecords),
    ("eRoamingPushAuthenticationData", Operation::PushAuthenticationData),
    ("eRoamingRemoteReservationStart", Operation::ReservationStart),
    ("eRoamingRemoteReservationStop", Operation::ReservationStop),
    ("eRoamingPushPricingProductData", Operation::PushPricingProducts),
    ("eRoamingPushEVSEPricing", Operation::PushEvsePricing),
    ("PushEVSEPricing", Operation::PushEvsePricing),
    ("eRoamingPullEVSEPricing", Operation::PullEvsePricing),
    ("eRoamingPullPricingProductData", Operation::PullPricingProducts),
    ("eRoamingChargingNotificationStart", Operation::NotificationStart),
    ("eRoamingChargingNotificationProgress", Operation::NotificationStart),
    ("eRoamingChargingNotificationEnd", Operation::NotificationStart),
];

/// Examples that are faulty, by side, heading and half, with what is wrong in them.
const FAULTY: &[(&str, &str, bool, &str)] = &[
    ("cpo", "eRoamingPushEvseData", false, "/SessionID is no session id"),
    ("cpo", "eRoamingPushEVSEStatus", false, "/SessionID is no session id"),
    (
        "cpo",
        "eRoamingAuthorizeStart",
        true,
        "/Identification/RFIDMifareFamilyIdentification/UID is no RFID uid of 8, 14 or 20 hexadecimal digits; /Identification is a further one where one belongs",
    ),
    ("cpo", "eRoamingAuthorizeStart", false, "/AuthorizationStopIdentifications/0 is a further one where one belongs"),
    (
        "cpo",
        "eRoamingAuthorizeStop",
        true,
        "/Identification/RFIDMifareFamilyIdentification/UID is no RFID uid of 8, 14 or 20 hexadecimal digits; /Identification is a further one where one belongs",
    ),
    (
        "cpo",
        "eRoamingAuthorizeRemoteStart",
        true,
        "/SessionID is no session id; /Identification is a further one where one belongs",
    ),
    ("cpo", "eRoamingChargeDetailRecord", true, "/SessionID is no session id"),
    (
        "cpo",
        "eRoamingRemoteReservationStart",
        true,
        "/SessionID is no session id; /Identification is a further one where one belongs",
    ),
    ("cpo", "eRoamingPushEVSEPricing", false, "/SessionID is no session id"),
    ("cpo", "eRoamingPushPricingProductData", false, "/SessionID is no session id"),
    (
        "emp",
        "eRoamingPullEVSEData",
        true,
        "/SearchCenter/GeoCoordinates/Google/Coordinates is no pair of coordinates; /SearchCenter/GeoCoordinates/DecimalDegree/Longitude is no coordinate in degrees",
    ),
    ("emp", "eRoamingPullEVSEData", false, "/content/0/OperatorID is spelled otherwise"),
    (
        "emp",
        "eRoamingPullEVSEStatus",
        true,
        "/SearchCenter/GeoCoordinates/Google/Coordinates is no pair of coordinates; /SearchCenter/GeoCoordinates/DecimalDegree/Longitude is no coordinate in degrees",
    ),
    (
        "emp",
        "eRoamingAuthorizeStart",
        true,
        "/Identification/RFIDMifareFamilyIdentification/UID is no RFID uid of 8, 14 or 20 hexadecimal digits; /Identification is a further one where one belongs",
    ),
    (
        "emp",
        "eRoamingAuthorizeStart",
        false,
        "/AuthorizationStopIdentifications/0/RFIDMifareFamilyIdentification/UID is no RFID uid of 8, 14 or 20 hexadecimal digits; /AuthorizationStopIdentifications/0 is a further one where one belongs",
    ),
    (
        "emp",
        "eRoamingAuthorizeStop",
        true,
        "/Identification/RFIDMifareFamilyIdentification/UID is no RFID uid of 8, 14 or 20 hexadecimal digits; /Identification is a further one where one belongs",
    ),
    ("emp", "eRoamingAuthorizeStop", false, "is an acknowledgement and not the operation's answer"),
    (
        "emp",
        "eRoamingAuthorizeRemoteStart",
        true,
        "/SessionID is no session id; /Identification is a further one where one belongs",
    ),
    (
        "emp",
        "eRoamingGetChargeDetailRecord",
        true,
        "/SessionID/0 is no session id; /SessionID is no session id; /OperatorID is no operator id",
    ),
    ("emp", "eRoamingGetChargeDetailRecord", false, "/content/0/SessionID is no session id; /StatusCode is missing"),
    (
        "emp",
        "eRoamingRemoteReservationStart",
        true,
        "/SessionID is no session id; /Identification is a further one where one belongs",
    ),
    (
        "emp",
        "eRoamingPushAuthenticationData",
        true,
        "/ProviderAuthenticationData/AuthenticationDataRecord/0/Identification/RFIDMifareFamilyIdentification/UID is no RFID uid of 8, 14 or 20 hexadecimal digits; /ProviderAuthenticationData/AuthenticationDataRecord/0/Identification is a further one where one belongs",
    ),
    ("emp", "eRoamingPushAuthenticationData", false, "/SessionID is no session id"),
    ("emp", "eRoamingPullPricingProductData", false, "is an acknowledgement and not the operation's answer"),
    ("emp", "eRoamingChargingNotificationError", true, "/ErrorType is none of the words allowed here"),
];

/// What reading an example tells, or why it is refused; empty where it is as it should be and comes back unchanged.
fn judged(operation: Operation, request: bool, text: &str) -> Vec<String> {
    let original = crate::doc::read(text.as_bytes()).unwrap();
    let read = if request {
        read_json_request(operation, text.as_bytes()).map(|read| (read.value.operation, read.value.body, read.lost))
    } else {
        match read_answer(Version::V23, operation, text.as_bytes()) {
            Ok(read) => match read.value {
                Reply::Proper(body) => Ok((operation, body, read.lost)),
                Reply::Refusal(_) => return vec!["is an acknowledgement and not the operation's answer".to_owned()],
            },
            Err(fault) => return vec![format!("{fault}")],
        }
    };
    let (operation, body, lost) = match read {
        Ok(read) => read,
        Err(fault) => return vec![fault.to_string()],
    };
    let mut told: Vec<String> = lost.iter().map(ToString::to_string).collect();
    let row = Version::V23.row(operation).unwrap();
    let shape = if request { row.request } else { row.answer };
    match strict(shape, body.clone()) {
        Ok(strict) if told.is_empty() => assert_eq!(sorted(Doc::from(strict)), sorted(original), "{operation:?}"),
        Ok(_) => {}
        Err(fault) => told.push(fault.to_string()),
    }
    if !request && told.is_empty() {
        let written = write_answer(Version::V23, operation, &Reply::Proper(body)).unwrap();
        assert_eq!(
            sorted(crate::doc::read(written.value.as_bytes()).unwrap()),
            sorted(crate::doc::read(text.as_bytes()).unwrap())
        );
    }
    told
}

/// Of several identifications where one belongs, the place of all of them is told once.
fn shortened(told: &[String]) -> String {
    let mut short: Vec<String> = Vec::new();
    for each in told {
        let several = each.strip_suffix(" is a further one where one belongs").and_then(|path| path.rsplit_once('/'));
        let each =
            several.map_or_else(|| each.clone(), |(path, _)| format!("{path} is a further one where one belongs"));
        if !short.contains(&each) {
            short.push(each);
        }
    }
    short.join("; ")
}

/// Members in the order of their names, as reading has them.
fn sorted(doc: Doc) -> String {
    fn order(doc: Doc) -> Doc {
        match doc {
            Doc::Record(Record(mut members)) => {
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Doc::Record(Record(members.into_iter().map(|(name, value)| (name, order(value))).collect()))
            }
            Doc::List(items) => Doc::List(items.into_iter().map(order).collect()),
            leaf => leaf,
        }
    }
    order(doc).to_string()
}

/// What is listed here, for people.
const PAGE: &str = include_str!("../../../../docs/faulty-examples.md");

#[test]
fn the_page_lists_what_is_faulty() {
    for (side, heading, request, why) in FAULTY {
        let half = if *request { "request" } else { "answer" };
        let row = format!("| OICP 2.3 {side} | {heading}, {half} | {why} |");
        assert!(PAGE.lines().any(|line| line == row), "{row}");
    }
    assert_eq!(PAGE.lines().filter(|line| line.starts_with("| OICP ")).count(), FAULTY.len());
}

#[test]
fn every_example_comes_back_or_is_listed_as_faulty() {
    for (side, file) in
        [("cpo", "2.3/cpo/06_CPO_Code_Snippets.asciidoc"), ("emp", "2.3/emp/06_EMP_Code_Snippets.asciidoc")]
    {
        let Some(path) = paper(file) else { return };
        let text = std::fs::read_to_string(path).unwrap();
        let snippets = snippets(&text);
        assert!(snippets.len() >= 28, "{file} has {} snippets", snippets.len());
        for (heading, request, snippet) in snippets {
            let known = OPERATIONS.iter().find(|(name, _)| *name == heading).map(|(_, operation)| *operation);
            let operation = match known {
                Some(operation) => operation,
                None if heading == "eRoamingChargingNotificationError" => Operation::NotificationStart,
                None => panic!("{side}: no operation is called {heading}"),
            };
            let told = shortened(&judged(operation, request, &snippet));
            let listed = FAULTY.iter().find(|(s, h, r, _)| (*s, *h, *r) == (side, &*heading, request));
            assert_eq!(told, listed.map_or("", |(.., why)| why), "{side} {heading} {request}");
        }
    }
}
