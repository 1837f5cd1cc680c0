//! The tables against the papers: examples, JSON schemas, SOAP schemas. Skipped, loudly, where the papers are not beside
//! the project.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod examples;
mod schemas;
mod soap_schemas;

use std::path::PathBuf;

fn paper(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/oicp").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("SKIPPED: the standard is not at ../shared/spec/oicp/{name}");
    None
}
