//! A real charging register on the map. The data lies beside the project, not in it; where it is missing the test
//! says so.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::api::Session;
use super::house::{Folder, free_port, leyden};
use super::wait::until_within;

const REGISTER: &str = "../../../shared/data/poi/bnetza-ladesaeulenregister-2019-07-19.csv";
const ROWS: u64 = 9_690;
/// Stations whose addresses are in Germany and whose positions are not: one of Frankfurt am Main lies east of
/// Frankfurt an der Oder, others in Austria, Switzerland, the Netherlands, France and the Giant Mountains.
const OUTSIDE: [u64; 8] = [1713, 2265, 2266, 2267, 4851, 6111, 8485, 8709];
/// Ten thousand places cross the road to two providers, in a build without optimisation.
const IMPORT_PATIENCE: Duration = Duration::from_secs(180);
/// Germany.
const SQUARE: &str = "west=5.8&south=47.2&east=15.1&north=55.1";

/// Ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_register_is_told_its_faults_and_shown_on_the_map() {
    let register = Path::new(env!("CARGO_MANIFEST_DIR")).join(REGISTER);
    if !register.exists() {
        eprintln!("SKIPPED, real register: {} is not there", register.display());
        return;
    }
    let folder = Folder::new();
    let (dir, report, port) = (folder.path("demo"), folder.path("import.json"), free_port());
    let mut command = Command::new(leyden());
    command.arg("demo").arg("--dir").arg(&dir).arg("--listen").arg(format!("127.0.0.1:{port}"));
    command.args(["--stations", "2", "--locations"]).arg(&register).arg("--report").arg(&report);
    let begun = Instant::now();
    let _demo = Running(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());

    let told = until_within(IMPORT_PATIENCE, "the report of the import", async || {
        serde_json::from_slice::<Value>(&std::fs::read(&report).ok()?).ok()
    })
    .await;
    assert_eq!(told["rows"], ROWS);
    assert_eq!(told["imported"].as_u64().unwrap() + told["left_out"].as_u64().unwrap(), ROWS);
    let rules = &told["faults_by_rule"];
    assert_eq!(rules["malformed-post-code"], 32, "{rules}");
    let faults = told["faults"].as_array().unwrap();
    let outside = faults.iter().filter(|fault| fault["rule"] == "outside-country");
    assert_eq!(outside.map(|fault| fault["row"].as_u64().unwrap()).collect::<Vec<_>>(), OUTSIDE);
    let total: u64 = rules.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(faults.len() as u64, total, "every fault is told with its row");
    assert!(faults.iter().all(|fault| fault["row"].as_u64() > Some(1) && fault["column"].is_string()));
    let keys = told["meter_keys"].as_object().unwrap();
    assert!(keys.keys().any(|kind| kind != "unusable"), "{keys:?}");

    let settled: Value = serde_json::from_slice(&std::fs::read(dir.join("demo.json")).unwrap()).unwrap();
    let driver = &settled["drivers"]["amsel"][0];
    let roots = std::fs::read_to_string(dir.join("pki/root.pem")).unwrap();
    let base = format!("https://localhost:{port}");
    let (user, password) = (driver["user"].as_str().unwrap(), driver["password"].as_str().unwrap());
    let phone = Session::sign_in(&roots, &base, "amsel", user, password).await;
    let wanted = told["imported"].as_u64().unwrap();
    let (count, took) = until_within(IMPORT_PATIENCE, "the places to reach the driver's map", async || {
        let asked = Instant::now();
        let places = phone.look(&format!("/driver/places?{SQUARE}")).await?;
        let count = places["items"].as_array()?.len() as u64;
        // the demo's own places are on it as well
        (count >= wanted).then(|| (count, asked.elapsed()))
    })
    .await;
    assert!(count > 9_000, "{count}");
    println!(
        "{count} places in one answer of {} ms, {} s after the start",
        took.as_millis(),
        begun.elapsed().as_secs()
    );
}
