//! A broker at work: partners of OICP 2.3 and 2.0 over mutual TLS, beside the parties of OCPI at the same hub.
//!
//! The tests of the matrix are named after their cell: `cross_<from>_<to>_<function>`.

use ::oicp::bridge::answer;
use ::oicp::message::{self, Reply, Request as Message};
use ::oicp::operation::{self, Row};
use ::oicp::{Operation, Record, Version as Oicp};
mod across;
pub(in crate::road::tests) mod brokered;
mod mailbox;
mod members;

use axum::extract::State;
use trust::pki::Identity;
use trust::tls::Trusted;

use super::*;
use crate::road::oicp::{Broker, Pricing, Sessions, Setup, broker_router};

/// What a partner heard: the operation and the body as it came.
pub(in crate::road::tests) type Heard = Arc<Mutex<Vec<(Operation, String)>>>;

pub(in crate::road::tests) struct Side {
    pub party: PartyId,
    pub version: Oicp,
    pub heard: Heard,
    http: reqwest::Client,
    /// What its server answers to orders.
    pub code: Arc<Mutex<&'static str>>,
    _stop: oneshot::Sender<()>,
}

impl Side {
    /// With its certificate.
    pub async fn read(&self, url: &str) -> reqwest::Result<reqwest::Response> {
        self.http.get(url).send().await
    }

    pub fn heard(&self, operation: Operation) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|(each, _)| *each == operation).map(|(_, body)| body.clone()).collect()
    }

    /// The one body of an operation, read.
    pub fn told(&self, operation: Operation) -> Record {
        let bodies = self.heard(operation);
        let [body] = &bodies[..] else { panic!("{operation:?} was heard {} times", bodies.len()) };
        read(self.version, operation, body.as_bytes())
    }
}

fn read(version: Oicp, operation: Operation, bytes: &[u8]) -> Record {
    match version {
        Oicp::V23 => message::read_json_request(operation, bytes).unwrap().value.body,
        Oicp::V20 => message::read_soap_request(bytes).unwrap().value.body,
    }
}

/// The hub's tariff is a price per kilowatt-hour.
struct PerKwh;

impl Pricing for PerKwh {
    fn priced(
        &self,
        tariff: &charge::tariff::Tariff,
        time_zone: &str,
        unrated: charge::record::Cdr,
    ) -> Option<charge::record::Cdr> {
        assert_eq!(time_zone, "Europe/Berlin");
        let price = tariff.elements.first()?.components.first()?.price;
        let total_cost = charge::money::Price { before_vat: price * unrated.energy.kwh(), with_vat: None };
        Some(charge::record::Cdr { tariff: tariff.clone(), total_cost, ..unrated })
    }
}

struct Beyond {
    world: World,
    broker: Broker,
    base: String,
    authority: Authority,
    /// Of the certificate that the broker comes with.
    own: [u8; 32],
    operator: Side,
    provider: Side,
    _stop: oneshot::Sender<()>,
}

fn required(roots: &str) -> ClientCertificates {
    ClientCertificates::Required(Trusted { roots_pem: roots.to_owned(), on_refused: Arc::new(|_| {}) })
}

pub(in crate::road::tests) const EVSE: &str = "DE*ICE*E1";
const EVCO: &str = "DE-EMP-CONETIME1-X";

/// A partner's server: says yes to everything, and orders what it was told to say.
async fn respond(
    State((party, version, heard, code)): State<(PartyId, Oicp, Heard, Arc<Mutex<&'static str>>)>,
    request: Request,
) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let asked = match version {
        Oicp::V23 => message::read_json_request(operation::found(parts.uri.path()).unwrap().0, &bytes),
        Oicp::V20 => message::read_soap_request(&bytes),
    };
    let asked = asked.unwrap().value;
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    heard.lock().unwrap().push((asked.operation, text));
    let session = asked.body.text("SessionID").map(str::to_owned);
    let reply = match asked.operation {
        Operation::AuthorizeStart | Operation::AuthorizeStop => {
            let verdict = Verdict {
                contract: Some(Personal::new(ContractId::new(format!("{party}-CONETIME1-X")).unwrap())),
                party: Some(party),
                reference: Some("EMP-REF".parse().unwrap()),
                ..Verdict::bare(Allowed::Yes)
            };
            answer::authorisation(&asked, &verdict, session.as_deref(), &mut Vec::new())
        }
        _other => {
            let code = ::oicp::status::Code(code.lock().unwrap().parse().unwrap());
            Reply::Proper(answer::acknowledgement(code, None, None, &asked.body))
        }
    };
    let written = message::write_answer(version, asked.operation, &reply).unwrap().value;
    // a member that no paper knows
    let written = written.replacen(r#"{"SessionID""#, r#"{"VendorField":7,"SessionID""#, 1);
    axum::response::IntoResponse::into_response(written)
}

async fn side(id: &str, version: Oicp, authority: &Authority, listener: TcpListener) -> (Side, Identity) {
    let (now, day) = (SystemClock.now(), Duration::from_secs(86_400));
    let identity = authority.party_certificate(party(id), day, now, &SystemDice).unwrap();
    let serving = authority.server_certificate(&["127.0.0.1".to_owned()], day, now, &SystemDice).unwrap();
    let tls = tls::server(&serving, required(authority.certificate_pem()), &["http/1.1"]).unwrap();
    let (heard, code) = (Heard::default(), Arc::new(Mutex::new("000")));
    let state = (party(id), version, Arc::clone(&heard), Arc::clone(&code));
    let router = Router::new().fallback(respond).with_state(state);
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::new(tls), router, async {
        let _ = stopped.await;
    })
    .unwrap();
    let client = tls::client(authority.certificate_pem(), Some(&identity), &["http/1.1"]).unwrap();
    let http = reqwest::Client::builder().tls_backend_preconfigured(client).build().unwrap();
    (Side { party: party(id), version, heard, http, code, _stop: stop }, identity)
}

fn fingerprint(identity: &Identity) -> [u8; 32] {
    ClientCertificate::of(&identity.facts().unwrap()).unwrap().0
}

/// A broker at a hub, on a door of its own.
pub(in crate::road::tests) struct Brokerage {
    pub broker: Broker,
    pub base: String,
    /// Of the certificate that the broker comes with.
    own: [u8; 32],
    _stop: oneshot::Sender<()>,
}

pub(in crate::road::tests) async fn brokerage(hub: &House, authority: &Authority) -> Brokerage {
    let (crossing, partners) = hub.inside.clone().unwrap();
    let (now, day) = (SystemClock.now(), Duration::from_secs(86_400));
    let own = authority.party_certificate(party("DE-HUB"), day, now, &SystemDice).unwrap();
    let broker = Broker::new(Setup {
        crossing,
        partners,
        sessions: Sessions::open(store::Store::in_memory(&[]).unwrap()).unwrap(),
        tags: trust::token_tag::TagKey::new(&Secret::new([5; 32])),
        pricing: Arc::new(PerKwh),
        tls: Arc::new(tls::client(authority.certificate_pem(), Some(&own), &["http/1.1"]).unwrap()),
        clock: Arc::new(SystemClock),
        dice: Arc::new(SystemDice),
        hotline: "+49731123456".to_owned(),
        currency: charge::money::Currency::EUR,
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let serving = authority.server_certificate(&["127.0.0.1".to_owned()], day, now, &SystemDice).unwrap();
    let tls = tls::server(&serving, required(authority.certificate_pem()), &["http/1.1"]).unwrap();
    let (stop, stopped) = oneshot::channel();
    serve(listener, Arc::new(tls), broker_router(&broker), async {
        let _ = stopped.await;
    })
    .unwrap();
    Brokerage { broker, base, own: fingerprint(&own), _stop: stop }
}

/// A partner with a server of its own, in the hub's register.
pub(in crate::road::tests) async fn enrolled(
    id: &str,
    role: Role,
    version: Oicp,
    partners: &Partners,
    authority: &Authority,
) -> Side {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    let (side, identity) = side(id, version, authority, listener).await;
    let entry = Partner {
        party: party(id),
        name: id.to_owned(),
        roles: vec![role],
        protocol: if version == Oicp::V23 { Protocol::Oicp23 } else { Protocol::Oicp20 },
        addresses: vec![("".into(), base)],
        login: None,
        entry: None,
        certificate: Some(fingerprint(&identity)),
        roots_pem: None,
        local: true,
    };
    partners.put(entry).await.unwrap();
    side
}

/// A request of a partner: HTTP status, and the answer.
pub(in crate::road::tests) async fn posted(
    base: &str,
    from: &Side,
    row: &Row,
    id: &str,
    body: String,
) -> (u16, String) {
    let path = match from.version {
        Oicp::V23 => operation::path(row, id),
        Oicp::V20 => format!("{}{}", operation::SOAP_BASE, row.path.0),
    };
    let response = from.http.post(format!("{base}{path}")).body(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

impl Beyond {
    async fn new(operator: Oicp, provider: Oicp) -> Self {
        let world = World::new().await;
        let (_, partners) = world.hub.inside.as_ref().unwrap();
        let (now, day) = (SystemClock.now(), Duration::from_secs(86_400));
        let authority = Authority::create("brokers", day, now, &SystemDice).unwrap();
        let operator = enrolled("DE-ICE", Role::Operator, operator, partners, &authority).await;
        let provider = enrolled("DE-EMP", Role::Provider, provider, partners, &authority).await;
        let Brokerage { broker, base, own, _stop } = brokerage(&world.hub, &authority).await;
        Self { world, broker, base, own, authority, operator, provider, _stop }
    }

    /// A request of a partner: HTTP status, and the answer.
    async fn post(&self, from: &Side, operation: Operation, json: &str) -> (u16, String) {
        let body = record(json);
        let written = message::write_request(from.version, &Message { operation, body }).unwrap().value;
        self.post_raw(from, from.version.row(operation).unwrap(), &id(from), written).await
    }

    async fn post_raw(&self, from: &Side, row: &Row, id: &str, body: String) -> (u16, String) {
        posted(&self.base, from, row, id, body).await
    }

    /// The answer of an operation, read; `None` for a refusal in its place.
    async fn ask(&self, from: &Side, operation: Operation, json: &str) -> Record {
        let (http, text) = self.post(from, operation, json).await;
        assert_eq!(http, 200, "{text}");
        match message::read_answer(from.version, operation, text.as_bytes()).unwrap().value {
            Reply::Proper(record) | Reply::Refusal(record) => record,
        }
    }

    /// A place of the operator of OICP, and one of the operator of OCPI, known to everybody.
    async fn published(&self) {
        let taken = self.ask(&self.operator, Operation::PushEvseData, &evse_data()).await;
        assert_eq!(code(&taken), "000", "{taken:?}");
        let put = Question::PutLocation(Box::new(samples::location()));
        assert_eq!(self.world.ask(&self.world.operator, None, put).await, Ok(Answer::Noted));
        assert_eq!(self.broker.knows("DE*OPA*E1").await, Ok(true));
    }

    fn heard_by(&self, house: &House) -> Vec<Question> {
        house.desk.questions()
    }
}

use super::crossing::until;

fn id(side: &Side) -> String {
    if side.party == party("DE-ICE") {
        ::oicp::form::operator_id(side.party)
    } else {
        ::oicp::form::provider_id(side.party)
    }
}

pub(in crate::road::tests) fn record(json: &str) -> Record {
    ::oicp::doc::read(json.as_bytes()).unwrap().as_record().unwrap().clone()
}

pub(in crate::road::tests) fn code(record: &Record) -> String {
    record.record("StatusCode").and_then(|status| status.text("Code")).unwrap_or_default().to_owned()
}

pub(in crate::road::tests) fn evse_data() -> String {
    format!(
        r#"{{"ActionType":"fullLoad","OperatorEvseData":{{"OperatorID":"DE*ICE","OperatorName":"Ice","EvseDataRecord":[{{
        "EvseID":"{EVSE}","ChargingStationID":"STATION1","ChargingStationNames":[{{"lang":"de","value":"Hafen"}}],
        "Address":{{"Country":"DEU","City":"Kiel","Street":"Kai","PostalCode":"24103","HouseNum":"7","TimeZone":"UTC+01:00"}},
        "GeoCoordinates":{{"Google":{{"Coordinates":"54.320000 10.140000"}}}},"Plugs":["Type 2 Outlet"],
        "ChargingFacilities":[{{"PowerType":"AC_3_PHASE","Power":22,"Voltage":400,"Amperage":32}}],"RenewableEnergy":true,
        "CalibrationLawDataAvailability":"Local","AuthenticationModes":["REMOTE"],"PaymentOptions":["Contract"],
        "ValueAddedServices":["None"],"Accessibility":"Free publicly accessible","HotlinePhoneNumber":"+49431123456",
        "IsOpen24Hours":true,"IsHubjectCompatible":true,"DynamicInfoAvailable":"true"}}]}}}}"#
    )
}

pub(in crate::road::tests) fn tap(uid: &str) -> String {
    format!(
        r#"{{"OperatorID":"DE*ICE","EvseID":"{EVSE}","Identification":{{"RFIDMifareFamilyIdentification":{{"UID":"{uid}"}}}}}}"#
    )
}

pub(in crate::road::tests) fn remote(evse: &str) -> String {
    format!(
        r#"{{"EMPPartnerSessionID":"EMP-REF","ProviderID":"DE-EMP","EvseID":"{evse}","Identification":{{"RemoteIdentification":{{"EvcoID":"{EVCO}"}}}}}}"#
    )
}

pub(in crate::road::tests) fn cdr(session: &str) -> String {
    format!(
        r#"{{"SessionID":"{session}","PartnerProductID":"AC1","EvseID":"{EVSE}","Identification":{{"RFIDMifareFamilyIdentification":{{"UID":"{OWNED}"}}}},
        "ChargingStart":"2026-11-22T10:00:00Z","ChargingEnd":"2026-11-22T11:00:00Z","SessionStart":"2026-11-22T10:00:00Z",
        "SessionEnd":"2026-11-22T11:00:00Z","ConsumedEnergy":10.5}}"#
    )
}

pub(in crate::road::tests) const PRODUCT: &str = r#"{"ActionType":"fullLoad","PricingProductData":{"OperatorID":"DE*ICE","ProviderID":"*",
    "PricingDefaultPrice":0.4,"PricingDefaultPriceCurrency":"EUR","PricingDefaultReferenceUnit":"KILOWATT_HOUR",
    "PricingProductDataRecords":[{"ProductID":"AC1","ReferenceUnit":"KILOWATT_HOUR","ProductPriceCurrency":"EUR",
    "PricePerReferenceUnit":0.4,"MaximumProductChargingPower":22,"IsValid24hours":true,"ProductAvailabilityTimes":[]}]}}"#;

pub(in crate::road::tests) fn notification(session: &str) -> String {
    format!(
        r#"{{"Type":"Progress","SessionID":"{session}","EvseID":"{EVSE}","ChargingStart":"2026-11-22T10:00:00Z","EventOccurred":"2026-11-22T10:10:00Z",
        "ConsumedEnergyProgress":2.5,"OperatorID":"DE*ICE","Identification":{{"RFIDMifareFamilyIdentification":{{"UID":"{OWNED}"}}}}}}"#
    )
}

/// The session that a card of 8AA, who speaks OCPI, began at the operator of OICP.
async fn begun(beyond: &Beyond, uid: &str) -> String {
    let answer = beyond.ask(&beyond.operator, Operation::AuthorizeStart, &tap(uid)).await;
    assert_eq!(answer.text("AuthorizationStatus"), Some("Authorized"), "{}", code(&answer));
    answer.text("SessionID").unwrap().to_owned()
}

#[tokio::test]
async fn a_party_is_who_its_certificate_says_and_nobody_else() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    let row = Oicp::V23.row(Operation::AuthorizeStart).unwrap();
    let body = |operator: &str| tap(OWNED).replace("DE*ICE", operator);
    let cases = [
        (&beyond.operator, "DE*OPA", body("DE*OPA"), "another operator"),
        (&beyond.operator, "DE*ICE", body("DE*OPA"), "another in the body"),
        (&beyond.operator, "DE*OPA", body("DE*ICE"), "another in the path"),
        (&beyond.provider, "DE*EMP", body("DE*EMP"), "a provider is no operator"),
    ];
    for (from, id, body, why) in cases {
        let (http, text) = beyond.post_raw(from, row, id, body).await;
        assert_eq!((http, code(&record(&text))), (200, "017".to_owned()), "{why}");
    }
    assert!(beyond.world.a.desk.heard().is_empty(), "no desk heard of it");

    let (_, partners) = beyond.world.hub.inside.as_ref().unwrap();
    partners.remove(party("DE-ICE")).await.unwrap();
    let (http, text) = beyond.post(&beyond.operator, Operation::AuthorizeStart, &tap(OWNED)).await;
    assert_eq!((http, code(&record(&text))), (401, "017".to_owned()));
    let bare = tls::client(beyond.authority.certificate_pem(), None, &["http/1.1"]).unwrap();
    let http = reqwest::Client::builder().tls_backend_preconfigured(bare).build().unwrap();
    assert!(http.post(format!("{}/api/oicp/x", beyond.base)).send().await.is_err(), "no certificate, no connection");
}

#[tokio::test]
async fn another_operators_evse_and_another_partys_session_are_not_spoken_of() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    beyond.published().await;
    let foreign = evse_data().replace(EVSE, "DE*OPA*E1");
    assert_eq!(code(&beyond.ask(&beyond.operator, Operation::PushEvseData, &foreign).await), "018");
    let session = begun(&beyond, FOREIGN).await;
    let elsewhere = cdr(&session).replace(EVSE, "DE*OPA*E1");
    assert_eq!(code(&beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &elsewhere).await), "018");
    let unheard = cdr("b2688855-7f00-0002-6d8e-48d883f6abb6");
    assert_eq!(code(&beyond.ask(&beyond.operator, Operation::ChargeDetailRecord, &unheard).await), "400");
    let made_up = remote(EVSE).replacen('{', r#"{"SessionID":"b2688855-7f00-0002-6d8e-48d883f6abb6","#, 1);
    assert_eq!(code(&beyond.ask(&beyond.provider, Operation::RemoteStart, &made_up).await), "400");
}

#[tokio::test]
async fn what_a_hub_must_not_do_it_does_not() {
    let beyond = Beyond::new(Oicp::V20, Oicp::V23).await;
    let all = beyond.ask(&beyond.operator, Operation::PullAuthenticationData, r#"{"OperatorID":"DE*ICE"}"#).await;
    assert_eq!(all.record("AuthenticationData").unwrap().list("ProviderAuthenticationData").len(), 0);
    let pin = r#"{"OperatorID":"DE*ICE","Identification":{"QRCodeIdentification":{"EvcoID":"DE*EMP*123456*X","PIN":"1234"}}}"#;
    let refused = beyond.ask(&beyond.operator, Operation::AuthorizeStart, pin).await;
    assert_eq!((refused.text("AuthorizationStatus"), &*code(&refused)), (Some("NotAuthorized"), "101"));
    assert!(beyond.provider.heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_provider_fills_the_index_of_tags() {
    let beyond = Beyond::new(Oicp::V23, Oicp::V23).await;
    let list = r#"{"ActionType":"insert","ProviderAuthenticationData":{"ProviderID":"DE-EMP","AuthenticationDataRecord":[
        {"Identification":{"RFIDMifareFamilyIdentification":{"UID":"04AABBCCDDEE80"}}}]}}"#;
    assert_eq!(code(&beyond.ask(&beyond.provider, Operation::PushAuthenticationData, list).await), "000");
    let envelopes = beyond.world.office.envelopes.lock().unwrap().clone();
    let tagged = |envelope: &Envelope| matches!(&envelope.errand, Errand::Token { owner, valid: true, .. } if *owner == party("DE-EMP"));
    assert!(envelopes.iter().any(tagged));
}

#[tokio::test]
async fn power_has_no_word_in_oicp_and_whoever_asks_for_it_hears_so() {
    for version in [Oicp::V23, Oicp::V20] {
        let beyond = Beyond::new(version, version).await;
        let heard = profiles::heard_of_power(&beyond.world, "ICE").await;
        assert_eq!(heard, (405, Some(2000)), "OCPI has no code of its own for a module that is not offered");
        assert!(beyond.operator.heard.lock().unwrap().is_empty(), "nothing is sent that the operator has no word for");
    }
}
