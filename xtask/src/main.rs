//! The project's own checks, run by `make test`: `cargo xtask layers`, `cargo xtask budget`, `cargo xtask floats`,
//! `cargo xtask roaming`. Two words write in the place of checking: `cargo xtask cites` makes the page of cited
//! requirements, `cargo xtask matrix` the one of crossings.
//!
//! Plain Rust over the manifests and source texts; no build scripts, no code generation.

mod budget;
mod cites;
mod floats;
mod layers;
mod roaming;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = root();
    let checks: [(&str, Check); 4] =
        [("layers", layers::check), ("budget", budget::check), ("floats", floats::check), ("roaming", roaming::check)];
    let wanted = std::env::args().nth(1);
    let mut chosen: Vec<_> =
        checks.into_iter().filter(|(name, _)| wanted.as_deref().is_none_or(|w| w == *name)).collect();
    if wanted.as_deref() == Some("cites") {
        chosen.push(("cites", cites::write));
    }
    if wanted.as_deref() == Some("matrix") {
        chosen.push(("matrix", roaming::write));
    }
    if chosen.is_empty() {
        eprintln!(
            "usage: cargo xtask [layers|budget|floats|roaming|cites|matrix]   (without a word: all but the last two, which write)"
        );
        return ExitCode::from(2);
    }
    let mut failed = false;
    for (name, check) in chosen {
        let faults = check(&root);
        println!("{name}: {}", if faults.is_empty() { "ok".to_owned() } else { format!("{} faults", faults.len()) });
        for fault in &faults {
            println!("  {fault}");
        }
        failed |= !faults.is_empty();
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Looks at the workspace and returns what is wrong, one line each.
type Check = fn(&Path) -> Vec<String>;

/// The workspace root: the parent of this crate's folder.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Every file below `folder` with one of the endings, in a stable order.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() && !matches!(name, "target" | "node_modules" | "dist" | "fixtures") {
                open.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
