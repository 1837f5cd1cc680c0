#![allow(clippy::unwrap_used, reason = "a test may panic")]

use charge::Secret;
use proptest::prelude::*;

use super::*;

fn limits() -> Limits {
    Limits::default()
}

fn refused(text: &str) -> Broken {
    read(text.as_bytes(), &limits()).unwrap_err()
}

#[test]
fn what_a_message_has_no_use_for_is_refused() {
    let laughs = "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><x>&b;</x>";
    assert_eq!(refused(laughs), Broken::DocumentType);
    let file = "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>";
    assert_eq!(refused(file), Broken::DocumentType);
    assert_eq!(refused("<!DOCTYPE x SYSTEM \"http://192.0.2.1/x.dtd\"><x/>"), Broken::DocumentType);
    assert_eq!(refused("<x><!DOCTYPE y></x>"), Broken::DocumentType);
    assert_eq!(refused("<x>&e;</x>"), Broken::Entity);
    assert_eq!(refused("<x a='&e;'/>"), Broken::Entity);
    assert_eq!(refused("<x>&#0;</x>"), Broken::Entity);
    assert_eq!(refused("<x>&#x1;</x>"), Broken::Character);
    assert_eq!(refused("<x a='&#x1;'/>"), Broken::Character);
    assert_eq!(refused("<x>\u{1}</x>"), Broken::Character);
    assert_eq!(refused("<?xml-stylesheet href='x'?><x/>"), Broken::Instruction);
    assert_eq!(refused("<?xml version='1.0' encoding='ISO-8859-1'?><x/>"), Broken::Encoding);
    assert_eq!(refused("<?xml version='1.1'?><x/>"), Broken::Syntax);
    assert_eq!(refused("<p:x/>"), Broken::Prefix);
    assert_eq!(refused("<x p:a='1'/>"), Broken::Prefix);
    // found by fuzzing: no prefix can be declared for it, so it could not be written again
    assert_eq!(refused("<xmlns:x/>"), Broken::Prefix);
    assert_eq!(refused("<x><xmlns:y a='1'/></x>"), Broken::Prefix);
    assert_eq!(read(&[0xff, 0xfe, b'<', 0], &limits()).unwrap_err(), Broken::Encoding);
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for text in [
        "",
        " ",
        "x",
        "<x>",
        "</x>",
        "<x></y>",
        "<x/><y/>",
        "<x/>y",
        "y<x/>",
        "<x a='1' a='2'/>",
        "<x a='<'/>",
        "<1x/>",
        "<x a=1/>",
        "<x><![CDATA[",
        "<!-- -- --><x/>",
        "<x/>&amp;",
        "<a:b:c xmlns:a='u'/>",
        "<html><p>login",
        "<x/><?xml version='1.0'?>",
        // found by fuzzing: a name space that could not be written again as it was read
        "<x xmlns='urn~>'/>",
        "<x xmlns='a\"b'/>",
        "<x xmlns='a\nb'/>",
    ] {
        assert!(read(text.as_bytes(), &limits()).is_err(), "{text}");
    }
}

#[test]
fn every_bound_holds() {
    let bomb = format!("{}{}", "<x>".repeat(100_000), "</x>".repeat(100_000));
    let wide = Limits { bytes_max: 1 << 20, ..limits() };
    assert_eq!(read(bomb.as_bytes(), &wide).unwrap_err(), Broken::TooDeep);
    assert_eq!(refused(&bomb), Broken::TooLong);
    let many = format!("<x>{}</x>", "<y/>".repeat(limits().elements_max));
    assert_eq!(refused(&many), Broken::TooManyElements);
    let attributes: String = (0..=limits().attributes_max).map(|n| format!(" a{n}=''")).collect();
    assert_eq!(refused(&format!("<x{attributes}/>")), Broken::TooManyAttributes);
    let spaces: String = (0..=limits().attributes_max).map(|n| format!(" xmlns:a{n}='u{n}'")).collect();
    assert_eq!(refused(&format!("<x{spaces}/>")), Broken::TooManyAttributes);
    // every element has the name space that it stands in: none is long enough to matter when it is copied
    let space = |length| format!("<x xmlns='{}'><a/><b xmlns:p='u' p:c=''/></x>", "s".repeat(length));
    assert!(read(space(limits().space_bytes_max).as_bytes(), &limits()).is_ok());
    assert_eq!(refused(&space(limits().space_bytes_max + 1)), Broken::SpaceTooLong);
    assert_eq!(refused(&space(200_000)), Broken::SpaceTooLong);
    let attribute = format!("<x xmlns:p='{}' p:a=''/>", "s".repeat(200_000));
    assert_eq!(refused(&attribute), Broken::SpaceTooLong);
    let deep: String = (0..limits().depth_max).map(|_| "<x>".to_owned()).collect();
    assert!(read(format!("{deep}{}", "</x>".repeat(limits().depth_max)).as_bytes(), &limits()).is_ok());
    let long = format!("<x a='{}'/>", "y".repeat(limits().bytes_max));
    assert_eq!(refused(&long), Broken::TooLong);
}

#[test]
fn name_spaces_texts_and_entities_come_out_resolved() {
    let text = "\u{feff}<?xml version='1.0' encoding='utf-8'?>\n<!-- hello --><a:x xmlns:a='u' xmlns='v' a:k='1 &lt; 2'>\n \
                <y xmlns=''>&#65;&amp;<![CDATA[<b>]]>\r\n</y><z/></a:x>\n";
    let root = read(text.as_bytes(), &limits()).unwrap();
    assert!(root.name.is("u", "x"));
    assert_eq!(root.attribute("u", "k"), Some("1 < 2"));
    assert_eq!(root.child("", "y").unwrap().text, "A&<b>\n");
    assert!(root.child("v", "z").is_some());
    assert_eq!(root.text, "");
    assert!(!format!("{root:?}").contains("<b>"));
}

#[test]
fn an_envelope_has_one_body_and_no_header_twice() {
    let envelope = |inner: &str| {
        let text = format!("<s:Envelope xmlns:s='{}'>{inner}</s:Envelope>", Version::V12.namespace());
        Envelope::read(text.as_bytes(), &limits())
    };
    assert_eq!(envelope("<s:Body/>").unwrap().body, None);
    assert!(envelope("<s:Header/><s:Body><x/></s:Body>").unwrap().body.is_some());
    for inner in ["", "<s:Header/>", "<s:Body/><s:Body/>", "<s:Body><x/><y/></s:Body>", "<s:Body/><x/>", "<Body/>"] {
        assert_eq!(envelope(inner).unwrap_err(), Malformed::Body, "{inner}");
    }
    let twice = envelope("<s:Header><x/><x/></s:Header><s:Body/>").unwrap();
    assert_eq!(twice.header(|name| name.is("", "x")).unwrap_err(), Malformed::Twice);
    assert_eq!(Envelope::read(b"<html/>", &limits()).unwrap_err(), Malformed::NoEnvelope);
}

#[test]
fn a_header_that_must_be_understood_is_named() {
    let text = format!(
        "<s:Envelope xmlns:s='{}'><s:Header><x s:mustUnderstand='true'/><y s:mustUnderstand='1' s:role='urn:other'/>\
         <z/></s:Header><s:Body/></s:Envelope>",
        Version::V12.namespace()
    );
    let envelope = Envelope::read(text.as_bytes(), &limits()).unwrap();
    assert_eq!(envelope.not_understood(|_| false), Some(&Name::new("", "x")));
    assert_eq!(envelope.not_understood(|name| name.is("", "x")), None);
}

#[test]
fn a_header_for_whoever_is_next_is_for_us() {
    for (version, role) in [
        (Version::V11, "actor='http://schemas.xmlsoap.org/soap/actor/next'"),
        (Version::V12, "role='http://www.w3.org/2003/05/soap-envelope/role/next'"),
    ] {
        let text = format!(
            "<s:Envelope xmlns:s='{}'><s:Header><x s:mustUnderstand='1' s:{role}/></s:Header><s:Body/></s:Envelope>",
            version.namespace()
        );
        let envelope = Envelope::read(text.as_bytes(), &limits()).unwrap();
        assert_eq!(envelope.not_understood(|_| false), Some(&Name::new("", "x")), "{role}");
    }
}

#[test]
fn faults_of_both_versions_come_back_as_they_went() {
    let own = Name::new("urn:own", "SecurityError");
    for version in Version::ALL {
        for (blame, subcode) in
            [(Blame::Sender, None), (Blame::Receiver, Some(own.clone())), (Blame::MustUnderstand, None)]
        {
            let fault = Fault::new(blame, subcode, "not so: <no>");
            let text = fault.write(version, Vec::new());
            let envelope = Envelope::read(text.as_bytes(), &limits()).unwrap();
            let again = Fault::of(&envelope).unwrap();
            assert_eq!(again.reason, fault.reason);
            assert_eq!(again.subcode.map(|name| name.local), fault.subcode.map(|name| name.local), "{text}");
            if version == Version::V12 || again.blame == Blame::Sender {
                assert_eq!(again.blame, blame);
            }
        }
    }
    assert_eq!(Fault::new(Blame::Sender, None, "").http_status(Version::V12), 400);
    assert_eq!(Fault::new(Blame::Sender, None, "").http_status(Version::V11), 500);
}

#[test]
fn addresses_and_name_tokens_come_back_as_they_went() {
    let addressing = Addressing {
        message_id: Some("urn:uuid:1".into()),
        action: Some("urn://Ocpp/Cs/2012/06/CentralSystemService/Heartbeat".into()),
        to: Some("https://op.example/ocpp".into()),
        from: Some("https://cp.example/cp?a=1&b=2".into()),
        reply_to: Some(addressing::ANONYMOUS.into()),
        relates_to: Some("uuid:0".into()),
    };
    let token = UsernameToken { username: "u".into(), password: Secret::new("p<&>".into()) };
    let mut headers = addressing.write();
    headers.push(token.write());
    let text = Envelope::new(Version::V11, headers, Element::new("urn:x", "y")).write(&[addressing::PREFIX]);
    let envelope = Envelope::read(text.as_bytes(), &limits()).unwrap();
    let again = Addressing::read(&envelope).unwrap();
    assert_eq!(again, addressing);
    assert_eq!(again.operation(), Some("Heartbeat"));
    let again = UsernameToken::read(&envelope).unwrap().unwrap();
    assert_eq!((again.username.as_str(), again.password.expose().as_str()), ("u", "p<&>"));
}

fn names() -> impl Strategy<Value = Name> {
    ("[a-zA-Z_][a-zA-Z0-9_.-]{0,8}", prop_oneof![Just(String::new()), "[a-z:/]{1,12}"])
        .prop_map(|(local, space)| Name::new(&space, &local))
}

fn texts() -> impl Strategy<Value = String> {
    proptest::collection::vec(any::<char>(), 0..12)
        .prop_map(|chars| chars.into_iter().filter(|c| read::allowed(*c)).collect())
}

fn trees() -> impl Strategy<Value = Element> {
    let attributes = || proptest::collection::btree_map(names(), texts(), 0..3);
    let leaf = (names(), attributes(), texts()).prop_map(|(name, attributes, text)| Element {
        name,
        attributes: attributes.into_iter().collect(),
        text,
        children: Vec::new(),
    });
    leaf.prop_recursive(4, 32, 4, move |inner| {
        (names(), attributes(), proptest::collection::vec(inner, 1..4)).prop_map(|(name, attributes, children)| {
            Element { name, attributes: attributes.into_iter().collect(), text: String::new(), children }
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(tree in trees()) {
        let wide = Limits { attributes_max: 256, ..limits() };
        let text = write(&tree, &[]);
        prop_assert_eq!(read(text.as_bytes(), &wide), Ok(tree), "{}", text);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
        let _refused_or_read = read(&bytes, &limits());
    }

    #[test]
    fn arbitrary_markup_never_panics(text in "[<>/&;#x!?a:= '\"\\[\\]-]{0,64}") {
        if let Ok(tree) = read(text.as_bytes(), &limits()) {
            prop_assert_eq!(read(write(&tree, &[]).as_bytes(), &limits()), Ok(tree));
        }
    }
}
