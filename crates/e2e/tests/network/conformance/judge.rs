//! The validator that is not ours: a Python script over `jsonschema` and the official schemas.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use super::frames::Record;

/// What the validator found, by the number of the record.
pub(super) struct Verdicts {
    faults: HashMap<usize, String>,
    /// False where there was no validator or no schema: then nothing has been judged.
    pub judged: bool,
}

impl Verdicts {
    pub(super) fn fault(&self, record: usize) -> Option<&str> {
        self.faults.get(&record).map(String::as_str)
    }

    fn none() -> Self {
        Self { faults: HashMap::new(), judged: false }
    }
}

pub(super) fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ocpp")
}

/// The interpreter with the package, or why there is none.
fn python() -> Result<PathBuf, String> {
    let schemas = spec().join("2.1/json");
    if !schemas.exists() {
        return Err(format!("no schemas at {}", schemas.display()));
    }
    let path = PathBuf::from(std::env::var_os("LEYDEN_PYTHON").ok_or("LEYDEN_PYTHON is not set")?);
    match std::process::Command::new(&path).args(["-c", "import jsonschema"]).output() {
        Ok(tried) if tried.status.success() => Ok(path),
        Ok(_) => Err(format!("{} has no package `jsonschema`", path.display())),
        Err(fault) => Err(format!("{}: {fault}", path.display())),
    }
}

/// Judges all records in one go.
pub(super) async fn judge(records: &[Record]) -> Verdicts {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            eprintln!(
                "SKIPPED, validation of {} payloads: {why}; run `make tools` and set LEYDEN_PYTHON",
                records.len()
            );
            return Verdicts::none();
        }
    };
    let folder =
        std::env::temp_dir().join(format!("leyden-conformance-{}", charge::Dice::uuid(&trust::dice::SystemDice)));
    std::fs::create_dir(&folder).unwrap();
    let (frames, results) = (folder.join("frames.jsonl"), folder.join("results.json"));
    let lines: String = records.iter().map(|record| format!("{}\n", record.line())).collect();
    std::fs::write(&frames, lines).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/validate.py");
    let mut command = Command::new(python);
    command.arg(script).arg(&frames).arg(spec()).arg(&results).stdin(Stdio::null()).kill_on_drop(true);
    let ended = command.status().await.unwrap();
    let found: Value = serde_json::from_slice(&std::fs::read(&results).unwrap_or_default()).unwrap_or_default();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(found["judged"].as_u64(), Some(records.len() as u64), "the validator ended with {ended}");
    let fault = |row: &Value| {
        let number = usize::try_from(row["record"].as_u64()?).ok()?;
        Some((number, format!("{}: {}", row["path"].as_str()?, row["why"].as_str()?)))
    };
    Verdicts {
        faults: found["failures"].as_array().unwrap().iter().map(|row| fault(row).unwrap()).collect(),
        judged: true,
    }
}

/// Every file of the official schemas of a version, without its ending.
pub(super) fn schemas(folders: &[&str]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for folder in folders {
        for file in std::fs::read_dir(spec().join(folder)).ok()? {
            let name = file.ok()?.file_name().into_string().ok()?;
            names.extend(name.strip_suffix(".json").map(str::to_owned));
        }
    }
    names.sort_unstable();
    Some(names)
}
