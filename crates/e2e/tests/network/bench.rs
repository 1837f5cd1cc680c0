//! The benches run, at the smallest size, and their reports say what they promise to. What they measure there is worth
//! nothing; that every question reaches one provider and no other is a rule at any size.

use serde_json::Value;

use super::house::{Folder, run};

#[tokio::test]
async fn the_bench_of_the_road_runs_and_a_tap_is_one_message_however_many_providers_there_are() {
    let folder = Folder::new();
    let file = folder.path("road.json");
    let file = file.to_str().unwrap();
    let sizes = ["--taps", "128", "--rounds", "1", "--providers", "2,40", "--tokens", "500", "--locations", "50"];
    let out = run(&[&["bench", "road", "--report", file][..], &sizes].concat());
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let report: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();

    let one = Value::from(1.0);
    let costs = |cost: &Value| cost["cpu_us"]["median"].as_f64().is_some_and(|us| us > 0.0);
    let ways: Vec<String> = report["pairs"].as_array().unwrap().iter().map(way).collect();
    assert_eq!(ways, ["OCPI 2.2.1 → OCPI 2.2.1", "OCPI 2.1.1 → OCPI 2.2.1", "OCPI 2.2.1 → OICP 2.3"]);
    for pair in report["pairs"].as_array().unwrap() {
        assert!(costs(&pair["cost"]) && pair["per_core"].as_f64().unwrap() > 0.0, "{pair}");
        assert!(pair["cost"]["half"]["p99_us"]["median"].is_number(), "{pair}");
        assert_eq!((&pair["cost"]["messages"]["min"], &pair["cost"]["messages"]["max"]), (&one, &one), "{pair}");
    }
    assert!(costs(&report["floor"]));
    let sizes: Vec<_> = report["sizes"].as_array().unwrap().iter().map(|size| &size["providers"]).collect();
    assert_eq!(sizes, [&Value::from(2), &Value::from(40)]);
    assert_eq!(report["growth"]["messages_max"], one);
    let index = &report["index"];
    assert_eq!((&index["tokens"], &index["locations"]), (&Value::from(500), &Value::from(50)));
    assert!(index["resident_bytes"].as_u64().unwrap() > 0 && index["filled_s"].is_number());
    let page = String::from_utf8(out.stdout).unwrap();
    for title in ["An authorisation through the hub", "From few providers to many", "A full index"] {
        assert!(page.contains(title), "{page}");
    }
}

fn way(pair: &Value) -> String {
    format!("{} → {}", pair["from"].as_str().unwrap(), pair["to"].as_str().unwrap())
}
