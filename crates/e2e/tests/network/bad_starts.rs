//! Starts that must fail: with the exit status that says whose turn it is, and words that say what to do.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use super::house::House;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let house = House::lay_out();
    let taken = house.web_port();
    let _held = TcpListener::bind(("127.0.0.1", taken)).unwrap();
    let failed = house.fail_to_start();
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert!(said(&failed).contains(&format!("127.0.0.1:{taken} is in use")), "{}", said(&failed));
}

#[tokio::test]
async fn a_port_of_the_line_in_use_is_named() {
    let house = House::lay_out();
    let taken = house.line_port();
    let _held = TcpListener::bind(("127.0.0.1", taken)).unwrap();
    let failed = house.fail_to_start();
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert!(said(&failed).contains(&format!("127.0.0.1:{taken}")), "{}", said(&failed));
}

#[tokio::test]
async fn a_broken_key_of_the_configuration_is_named_with_file_and_line() {
    let house = House::lay_out();
    house.configure(|text| text.replace("[hub]", "[hub]\ncolour = \"red\""));
    let file = house.path("leyden.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let line = text.lines().position(|line| line.starts_with("colour")).unwrap() + 1;
    let failed = house.fail_to_start();
    assert_eq!(failed.status.code(), Some(2), "{}", said(&failed));
    let place = format!("{}:{line}:", file.display());
    assert!(said(&failed).contains(&place) && said(&failed).contains("colour"), "{place} in {}", said(&failed));
}

#[tokio::test]
async fn a_secret_that_others_can_read_is_refused_with_the_remedy() {
    let house = House::lay_out();
    let secret = house.path("secrets/road-DE-HUB-DE-VLT");
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o640)).unwrap();
    let failed = house.fail_to_start();
    assert_eq!(failed.status.code(), Some(1), "{}", said(&failed));
    assert!(said(&failed).contains(secret.to_str().unwrap()), "{}", said(&failed));
    assert!(said(&failed).contains("600"), "{}", said(&failed));
}
