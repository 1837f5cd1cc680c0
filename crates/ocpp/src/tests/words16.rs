//! Every action of 1.6 and of its security whitepaper, both directions and both ends, with all optional members.

mod cases;
pub(crate) mod samples;

use super::ends16::{Ends, hash, opened, refused};
use super::{at, now};
use charge::talk::line::certificate::{
    CertificateNews, CertificateOrder, CertificateUse, ContractProof, ContractStanding, InstalledCertificate,
    StationKey,
};
use charge::talk::line::document::Document;
use charge::talk::line::terms::Offer;
use charge::talk::line::{FromStation, Heard, StationAnswer, Tap, ToStation, Trigger};
use charge::token::{Allowed, PresentedToken, TokenKind, TokenUid, Verdict};
pub(crate) use samples::profile;
use samples::{messages, orders};

#[test]
fn every_message_of_1_6_arrives_as_it_was_said_and_so_does_its_answer() {
    let mut actions = Vec::new();
    for (what, answer) in messages() {
        let mut ends = Ends::new();
        assert_eq!(ends.say(what.clone(), answer.clone()), (what, answer));
        actions.push(action(&ends.frames[0]));
    }
    let all = "Authorize BootNotification DataTransfer DiagnosticsStatusNotification FirmwareStatusNotification Heartbeat \
               LogStatusNotification MeterValues SecurityEventNotification SignCertificate \
               SignedFirmwareStatusNotification StartTransaction StatusNotification StopTransaction";
    actions.sort();
    actions.dedup();
    assert_eq!(actions.join(" "), all, "the 10 of 1.6 and the 4 of the whitepaper");
}

fn action(frame: &str) -> String {
    let frame: serde_json::Value = serde_json::from_str(frame).unwrap();
    frame[2].as_str().unwrap().to_owned()
}

#[test]
fn every_order_of_1_6_arrives_as_it_was_given_and_so_does_its_answer() {
    let mut actions = Vec::new();
    for (what, answer) in orders() {
        let mut ends = Ends::new();
        let (told, heard) = ends.tell(what.clone(), vec![answer.clone()]);
        assert_eq!(opened(&told[0]), opened(&what));
        assert_eq!(heard, Ok(answer));
        actions.push(action(&ends.frames[0]));
    }
    let all = "CancelReservation CertificateSigned ChangeAvailability ChangeConfiguration ClearCache \
               ClearChargingProfile DataTransfer DeleteCertificate ExtendedTriggerMessage GetCompositeSchedule \
               GetConfiguration GetDiagnostics GetInstalledCertificateIds GetLocalListVersion GetLog \
               InstallCertificate RemoteStartTransaction RemoteStopTransaction ReserveNow Reset SendLocalList \
               SetChargingProfile SignedUpdateFirmware TriggerMessage UnlockConnector UpdateFirmware";
    actions.sort();
    actions.dedup();
    assert_eq!(actions.join(" "), all, "the 19 of 1.6 and the 7 of the whitepaper");
}

#[test]
fn a_whole_inventory_is_three_questions_and_one_answer() {
    let row = |used_for| InstalledCertificate { used_for, hash: hash(), children: vec![] };
    let uses = [CertificateUse::OperatorRoot, CertificateUse::ManufacturerRoot, CertificateUse::V2gRoot];
    let mut ends = Ends::new();
    let answers = uses.map(|used_for| StationAnswer::Certificates(vec![row(used_for)])).to_vec();
    let (told, heard) = ends.tell(ToStation::Certificate(CertificateOrder::List(vec![])), answers);
    let asked = |uses| opened(&ToStation::Certificate(CertificateOrder::List(uses)));
    let told: Vec<_> = told.iter().map(opened).collect();
    assert_eq!(told, [asked(vec![uses[0]]), asked(vec![uses[1]]), asked(vec![])]);
    assert_eq!(heard, Ok(StationAnswer::Certificates(uses.map(row).to_vec())));
    let ids: Vec<_> = ends.frames.iter().map(|frame| frame.split(',').nth(1).unwrap().to_owned()).collect();
    assert_eq!(ids, [r#""o1""#, r#""o1""#, r#""o1+1""#, r#""o1+1""#, r#""o1+2""#, r#""o1+2""#]);

    // a station without Plug & Charge has no certificates of it
    let answers = vec![refused("NotFound"), refused("NotFound"), refused("NotImplemented")];
    let (_, heard) = Ends::new().tell(ToStation::Certificate(CertificateOrder::List(vec![])), answers);
    assert_eq!(heard, Ok(StationAnswer::Certificates(vec![])));
}

#[test]
fn a_certificate_to_delete_is_looked_for_among_those_for_cars_too() {
    let order = || ToStation::Certificate(CertificateOrder::Delete(hash()));
    let (told, heard) = Ends::new().tell(order(), vec![refused("NotFound"), StationAnswer::Accepted]);
    assert_eq!(told.iter().map(opened).collect::<Vec<_>>(), [opened(&order()), opened(&order())]);
    assert_eq!(heard, Ok(StationAnswer::Accepted));
    for second in ["NotFound", "NotImplemented"] {
        let (_, heard) = Ends::new().tell(order(), vec![refused("NotFound"), refused(second)]);
        assert_eq!(heard, Ok(refused("NotFound")), "{second}");
    }
}

/// OCA, "Using ISO 15118 Plug & Charge with OCPP 1.6": the four messages of a station.
#[test]
fn plug_and_charge_messages_ride_on_data_transfer_in_the_words_of_2_x() {
    let hashes = r#"[{"hashAlgorithm":"SHA256","issuerNameHash":"a","issuerKeyHash":"b","serialNumber":"1","responderURL":"http://ocsp"}]"#;
    let proof = ContractProof { certificate: Some("-----BEGIN".into()), hashes: Some(Document::new(hashes)) };
    let emaid = PresentedToken::new(TokenUid::new("DE-LEY-C00000001").unwrap(), TokenKind::Emaid);
    let tap = FromStation::Tap(Tap { token: emaid, contract: Some(Box::new(proof)) });
    let standing = Heard::Offered {
        verdict: Verdict::bare(Allowed::Yes),
        offer: Box::new(Offer { standing: Some(ContractStanding::Accepted), ..Offer::default() }),
    };
    let news = [
        (
            CertificateNews::Sign { key: StationKey::V2g, request: None, csr: "-----BEGIN".into() },
            Heard::Taken(true),
            "SignCertificate",
        ),
        (
            CertificateNews::Contract {
                schema: "urn:iso:15118:2:2013:MsgDef".into(),
                update: false,
                exi: "gJgC".into(),
                chains_max: None,
            },
            Heard::Exi { body: Some("gJgD".into()), remaining: None },
            "Get15118EVCertificate",
        ),
        (
            CertificateNews::Status { hash: hash(), responder: "http://ocsp.example.net".into() },
            Heard::Ocsp(Some("MIIB".into())),
            "GetCertificateStatus",
        ),
    ];
    let mut all = vec![(tap, standing, "Authorize")];
    all.extend(news.map(|(news, heard, name)| (FromStation::Certificate(news), heard, name)));
    for (what, answer, message) in all {
        let mut ends = Ends::new();
        assert_eq!(ends.say(what.clone(), answer.clone()), (what.clone(), answer));
        let head = format!(
            r#""DataTransfer",{{"vendorId":"org.openchargealliance.iso15118pnc","messageId":"{message}","data":"{{"#
        );
        assert!(ends.frames[0].contains(&head), "{}", ends.frames[0]);
        assert!(ends.frames[1].contains(r#"{"status":"Accepted","data":"{"#), "{}", ends.frames[1]);
        let (_, unserved) = Ends::new().say(what, Heard::NotServed);
        assert!(
            matches!(
                unserved,
                Heard::NotServed | Heard::Taken(false) | Heard::Ocsp(None) | Heard::Exi { body: None, .. }
            ),
            "{unserved:?}"
        );
    }
}

/// The same note: the five orders.
#[test]
fn plug_and_charge_orders_ride_on_data_transfer_in_the_words_of_2_x() {
    let signed = CertificateOrder::Signed { key: StationKey::V2g, chain: "-----BEGIN".into(), request: None };
    let install = |used_for| CertificateOrder::Install { used_for, certificate: "-----BEGIN".into() };
    let row = InstalledCertificate { used_for: CertificateUse::V2gChain, hash: hash(), children: vec![hash()] };
    let orders = [
        (ToStation::Certificate(signed), StationAnswer::Accepted, "CertificateSigned"),
        (ToStation::Certificate(install(CertificateUse::V2gRoot)), StationAnswer::Accepted, "InstallCertificate"),
        (ToStation::Certificate(install(CertificateUse::MoRoot)), refused("Failed"), "InstallCertificate"),
        (
            ToStation::Certificate(CertificateOrder::List(vec![CertificateUse::V2gChain, CertificateUse::MoRoot])),
            StationAnswer::Certificates(vec![row]),
            "GetInstalledCertificateIds",
        ),
        (
            ToStation::Trigger { what: Trigger::Sign(StationKey::V2g), evse: None },
            StationAnswer::Accepted,
            "TriggerMessage",
        ),
    ];
    for (what, answer, message) in orders {
        let mut ends = Ends::new();
        let (told, heard) = ends.tell(what.clone(), vec![answer.clone()]);
        assert_eq!(opened(&told[0]), opened(&what));
        assert_eq!(heard, Ok(answer));
        let head = format!(
            r#""DataTransfer",{{"vendorId":"org.openchargealliance.iso15118pnc","messageId":"{message}","data":"{{"#
        );
        assert!(ends.frames[0].contains(&head), "{}", ends.frames[0]);
    }
}
