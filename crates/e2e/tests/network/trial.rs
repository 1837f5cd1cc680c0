//! Partners that speak neither our code nor OCPI, at the main door and on trial: who comes with which certificate, and what
//! `leyden partner test` says of a server that answers, one that does not know us, and one that speaks something else.
//!
//! The servers of OICP are those of `oicp-kit`; those of OCHPdirect answer one fixed message.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::post;
use charge::{Clock, SystemClock};
use gate::road::{Serving, serve};
use http::StatusCode;
use oicp_kit::cpo::{
    AuthorizationStartResponse, AuthorizationStopResponse, AuthorizeRemoteReservationStartRequest,
    AuthorizeRemoteReservationStopRequest, AuthorizeRemoteStartRequest, AuthorizeRemoteStopRequest,
    AuthorizeStartRequest, AuthorizeStopRequest, ChargeDetailRecord, ChargingNotification,
};
use oicp_kit::server::{CpoService, EmpService, cpo_router, emp_router};
use oicp_kit::types::{Acknowledgement, Code};
use tokio::net::TcpListener;
use trust::dice::SystemDice;
use trust::pki::{Authority, Identity};
use trust::tls::{self, ClientCertificates, Trusted};

use super::house::{HUB, House, OPERATOR, Start, free_port};
use super::partner::{held, onboarding, partner};

const DAY: Duration = Duration::from_secs(86_400);

/// The authority of the house, which partners of a test trust as well.
pub(super) fn authority(house: &House) -> Authority {
    Authority::load(&Identity::read(&house.path("pki/root-key.pem")).unwrap()).unwrap()
}

/// The certificate of a party, and its digest in hex.
pub(super) fn certificate(root: &Authority, party: &str) -> (Identity, String) {
    let made = root.party_certificate(party.parse().unwrap(), DAY, SystemClock.now(), &SystemDice).unwrap();
    let print = made.facts().unwrap().fingerprint;
    (made, print)
}

/// For a server on loopback.
pub(super) fn server(root: &Authority) -> Identity {
    root.server_certificate(&["127.0.0.1".to_owned()], DAY, SystemClock.now(), &SystemDice).unwrap()
}

/// A partner's server on a port of its own; `asks` for the hub's certificate.
pub(super) async fn stand(root: &Authority, router: Router, asks: bool) -> (String, Serving) {
    let identity = server(root);
    let trusted = Trusted { roots_pem: root.certificate_pem().to_owned(), on_refused: Arc::new(|_| {}) };
    let clients = if asks { ClientCertificates::Required(trusted) } else { ClientCertificates::None };
    let config = tls::server(&identity, clients, &["http/1.1"]).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://{}", listener.local_addr().unwrap());
    (base, serve(listener, Arc::new(config), router, std::future::pending()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_bound_to_a_certificate_comes_to_the_main_door_with_that_one_alone() {
    let house = House::start().await;
    onboarding(&house).await;
    let root = authority(&house);
    let (right, digest) = certificate(&root, "DE-OCH");
    // of nobody whom the hub believes: the digest is what counts
    let elsewhere = Authority::create("Elsewhere", DAY, SystemClock.now(), &SystemDice).unwrap();
    let (wrong, _) = certificate(&elsewhere, "DE-OCH");
    let entry = ["add", "DE-OCH", "--name", "Old friend", "--role", "operator", "--protocol", "ochp/1.4"];
    let proofs = ["--entry", "och", "--certificate", &digest, "--address", "https://partner.example/ochp"];
    let entered = held(&house, &[&entry[..], &proofs].concat());
    let password = entered.lines().last().unwrap().rsplit(' ').next().unwrap();
    let message = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header><w:Security xmlns:w=\"http://docs.oasis-open.org/\
         wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd\"><w:UsernameToken><w:Username>och</w:Username><w:Password>{password}\
         </w:Password></w:UsernameToken></w:Security></s:Header><s:Body><o:GetChargePointListRequest xmlns:o=\"http://ochp.eu/1.4\"/>\
         </s:Body></s:Envelope>"
    );
    for (shown, wanted) in [(Some(&right), "ok"), (Some(&wrong), "not-authorized"), (None, "not-authorized")] {
        let tls = tls::client(&house.roots(), shown, &["http/1.1"]).unwrap();
        let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
        let url = format!("{}/ochp/1.4", house.road(HUB));
        let answer = http.post(url).header("content-type", "text/xml").body(message.clone()).send().await.unwrap();
        let said = answer.text().await.unwrap();
        assert!(said.contains(&format!("resultCode>{wanted}</")), "{wanted}: {said}");
    }
    // a partner of OCPI has a token, whatever certificate it shows beside it
    let tls = tls::client(&house.roots(), Some(&wrong), &["http/1.1"]).unwrap();
    let http = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().unwrap();
    let token = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, house.road_token(OPERATOR, HUB));
    let versions = http.get(format!("{}/ocpi/versions", house.road(HUB)));
    assert_eq!(versions.header("authorization", format!("Token {token}")).send().await.unwrap().status(), 200);
}

/// A house whose hub is a broker as well, and the broker's port.
pub(super) async fn brokering() -> (House, u16) {
    let mut house = House::lay_out();
    let root = authority(&house);
    certificate(&root, HUB).0.write(&house.path("pki/broker-client.pem")).unwrap();
    let port = free_port();
    let broker = format!(
        "\n[hub.oicp]\nlisten = \"127.0.0.1:{port}\"\nidentity = \"pki/road.pem\"\nclient = \"pki/broker-client.pem\"\n\
         roots = \"pki/root.pem\"\nhotline = \"+4989123456\"\ncurrency = \"EUR\"\n\n[[provider]]"
    );
    house.configure(|text| text.replacen("[[provider]]", &broker, 1));
    house.start_as(&Start::default()).await;
    (house, port)
}

struct Desk;

impl CpoService for Desk {
    async fn authorize_remote_start(&self, _: AuthorizeRemoteStartRequest) -> Acknowledgement {
        Acknowledgement::failure(Code::CommunicationToEvseFailed)
    }
    async fn authorize_remote_stop(&self, _: AuthorizeRemoteStopRequest) -> Acknowledgement {
        Acknowledgement::failure(Code::SessionIsInvalid)
    }
    async fn reservation_start(&self, _: AuthorizeRemoteReservationStartRequest) -> Acknowledgement {
        Acknowledgement::failure(Code::ServiceNotAvailable)
    }
    async fn reservation_stop(&self, _: AuthorizeRemoteReservationStopRequest) -> Acknowledgement {
        Acknowledgement::failure(Code::ServiceNotAvailable)
    }
}

impl EmpService for Desk {
    async fn authorize_start(&self, _: AuthorizeStartRequest) -> AuthorizationStartResponse {
        AuthorizationStartResponse::not_authorized(Code::NoValidContract)
    }
    async fn authorize_stop(&self, _: AuthorizeStopRequest) -> AuthorizationStopResponse {
        unreachable!("nobody stops anything here")
    }
    async fn charge_detail_record(&self, _: ChargeDetailRecord) -> Acknowledgement {
        Acknowledgement::failure(Code::SessionIsInvalid)
    }
    async fn charging_notification(&self, _: ChargingNotification) -> Acknowledgement {
        Acknowledgement::failure(Code::SessionIsInvalid)
    }
}

fn enter(house: &House, (id, role, protocol): (&str, &str, &str), more: &[&str]) {
    let entry = ["add", id, "--name", "Stranger", "--role", role, "--protocol", protocol, "--local"];
    held(house, &[&entry[..], more].concat());
}

/// The last line of a trial that is no advice, whether all held, and the whole.
fn tried(house: &House, id: &str) -> (bool, String) {
    partner(house, &["test", id])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_of_oicp_is_tried_with_a_request_that_changes_nothing() {
    let (house, _) = brokering().await;
    onboarding(&house).await;
    let root = authority(&house);
    let both = Router::new().merge(cpo_router(Arc::new(Desk))).merge(emp_router(Arc::new(Desk)));
    let good = stand(&root, Router::new().nest("/api/oicp", both), true).await;
    let stranger = stand(&root, Router::new().fallback(async || StatusCode::UNAUTHORIZED), true).await;
    let empty = stand(&root, Router::new(), true).await;
    let pages = stand(&root, Router::new().fallback(async || "<html>welcome</html>"), true).await;
    let cases = [
        ("DE-OP1", "operator", &good, Ok("refuses to stop a session that nobody has")),
        ("DE-PR1", "provider", &good, Ok("refuses an unknown token")),
        ("DE-OP2", "operator", &stranger, Err("they do not accept who we are")),
        ("DE-PR3", "provider", &empty, Err("nothing of this service is at this address")),
        ("DE-PR4", "provider", &pages, Err("the answer is not one of their protocol")),
    ];
    for (id, role, (base, _), wanted) in cases {
        let (_, digest) = certificate(&root, id);
        enter(&house, (id, role, "oicp/2.3"), &["--address", base, "--certificate", &digest]);
        let (all, said) = tried(&house, id);
        assert_eq!(all, wanted.is_ok(), "{id}: {said}");
        assert!(said.contains(wanted.unwrap_or_else(|words| words)), "{id}: {said}");
    }
}

/// What a partner of OICP 2.0 says in its service for authorizations.
fn old(body: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns:a=\"http://www.hubject.com/b2b/services/\
         authorization/v2.0\" xmlns:c=\"http://www.hubject.com/b2b/services/commontypes/v2.0\"><s:Body>{body}</s:Body></s:Envelope>"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_of_oicp_20_is_tried_and_told_of_in_plain_words() {
    let (house, _) = brokering().await;
    onboarding(&house).await;
    let root = authority(&house);
    let refused = |code: u16| {
        old(&format!(
            "<c:eRoamingAcknowledgement><c:Result>false</c:Result><c:StatusCode><c:Code>{code:03}</c:Code></c:StatusCode>\
             </c:eRoamingAcknowledgement>"
        ))
    };
    let no = |code: u16| {
        old(&format!(
            "<a:eRoamingAuthorizationStart><a:AuthorizationStatus>NotAuthorized</a:AuthorizationStatus><a:StatusCode><c:Code>\
             {code}</c:Code></a:StatusCode></a:eRoamingAuthorizationStart>"
        ))
    };
    let yes = no(102).replace("NotAuthorized", "Authorized").replace("102", "000");
    let cases = [
        (
            "DE-OP1",
            "operator",
            200,
            refused(400),
            Ok("eRoamingAuthorizeRemoteStop of OICP 2.0: refuses to stop a session"),
        ),
        ("DE-PR1", "provider", 200, no(102), Ok("eRoamingAuthorizeStart of OICP 2.0: refuses an unknown token")),
        ("DE-PR2", "provider", 200, yes, Ok("lets a token charge that was made up just now: ask why")),
        ("DE-PR3", "provider", 200, refused(17), Err("they do not accept who we are")),
        ("DE-PR4", "provider", 500, FAULT.to_owned(), Err("HTTP 500: is a SOAP fault")),
        (
            "DE-PR5",
            "provider",
            200,
            "{\"AuthorizationStatus\":\"NotAuthorized\"}".to_owned(),
            Err("it is JSON, as OICP 2.3 is"),
        ),
        ("DE-OP2", "operator", 404, String::new(), Err("nothing of this service is at this address")),
        ("DE-OP3", "operator", 500, String::new(), Err("HTTP 500 without a body")),
        ("DE-OP4", "operator", 200, refused(320), Err("somebody behind them is not reached")),
    ];
    for (id, role, http, said, wanted) in cases {
        let answer = move || async move {
            (StatusCode::from_u16(http).unwrap(), [("content-type", "text/xml")], said).into_response()
        };
        let service = Router::new().route("/ibis/ws/eRoamingAuthorization_V2.0", post(answer));
        let (base, _serving) = stand(&root, service, true).await;
        let (_, digest) = certificate(&root, id);
        enter(&house, (id, role, "oicp/2.0"), &["--address", &base, "--certificate", &digest]);
        let (all, told) = tried(&house, id);
        assert_eq!(all, wanted.is_ok(), "{id}: {told}");
        assert!(told.contains(wanted.unwrap_or_else(|words| words)), "{id}: {told}");
        let steps = ["Address", "TCP", "TLS", "HTTP", if role == "operator" { "As operator" } else { "As provider" }];
        assert!(steps.iter().all(|step| told.contains(step)), "{id}: {told}");
    }
}

/// The answer to every question about status.
const STATUS: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
                      <GetStatusResponse xmlns=\"http://ochp.eu/1.4\"/></s:Body></s:Envelope>";
const FAULT: &str = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault><faultcode>s:Server\
                     </faultcode><faultstring>out of order</faultstring></s:Fault></s:Body></s:Envelope>";

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_partner_of_ochp_is_tried_with_a_request_that_changes_nothing() {
    let house = House::start().await;
    onboarding(&house).await;
    let root = authority(&house);
    let soap = |code: StatusCode, text: &'static str| {
        let answer = move || async move { (code, [("content-type", "text/xml")], text).into_response() };
        Router::new().route("/direct", post(answer))
    };
    let good = stand(&root, soap(StatusCode::OK, STATUS), false).await;
    let broken = stand(&root, soap(StatusCode::INTERNAL_SERVER_ERROR, FAULT), false).await;
    let stranger = stand(&root, soap(StatusCode::UNAUTHORIZED, ""), false).await;
    let cases = [
        ("DE-OP1", "operator", &good, Ok("answers a question for the status")),
        ("DE-PR2", "provider", &broken, Err("a SOAP fault")),
        ("DE-OP3", "operator", &stranger, Err("our name and password are refused")),
    ];
    let word = house.folder.path("direct.key");
    trust::private_file::write(&word, b"secret").unwrap();
    for (id, role, (base, _), wanted) in cases {
        let address = format!("{role}={base}/direct");
        let login = ["--login", "hub", "--password-file", word.to_str().unwrap(), "--entry", id];
        enter(&house, (id, role, "ochp/direct"), &[&["--address", &address][..], &login].concat());
        let (all, said) = tried(&house, id);
        assert_eq!(all, wanted.is_ok(), "{id}: {said}");
        assert!(said.contains(wanted.unwrap_or_else(|words| words)), "{id}: {said}");
    }
    enter(&house, ("DE-OP4", "operator", "ochp/direct"), &["--address", &good.0, "--entry", "four"]);
    let (all, said) = tried(&house, "DE-OP4");
    assert!(!all && said.contains("no address, or no login"), "{said}");
}
