//! Which requirements and test cases of the OCPP standards are cited, in code where they are obeyed and in tests where
//! they are proved: `docs/conformance-cites.md`, written by `cargo xtask cites`.
//!
//! Reads source texts and the lists beside the project. A citation is the id itself (`A00.FR.204`, `TC_A_14_CSMS`) or a
//! section of 1.6 in a comment (`1.6, 4.2`). Judges nothing: whether a test proves what it cites is for its reader.

mod find;
mod index;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use find::{Cite, Kind};
use index::Index;

const PAGE: &str = "docs/conformance-cites.md";

/// Writes the page. Without the lists, which lie beside the project, the page stays as it is.
pub fn write(root: &Path) -> Vec<String> {
    let Some(index) = Index::read(&root.join("../shared/spec/ocpp/conformance")) else {
        println!("  SKIPPED: the lists of requirements are not beside the project; {PAGE} stays as it is");
        return Vec::new();
    };
    let cites = find::all(root);
    match std::fs::write(root.join(PAGE), page(&index, &cites)) {
        Ok(()) => Vec::new(),
        Err(fault) => vec![format!("{PAGE}: {fault}")],
    }
}

fn page(index: &Index, cites: &[Cite]) -> String {
    let mut text = String::from(
        "# Requirements and test cases that are cited\n\n\
         Written by `cargo xtask cites` from the sources; do not edit. A requirement is cited in code where it is obeyed and \
         in a test where it is proved. The index holds the requirements that the standard's own test cases name, so a \
         requirement outside of it may be cited as well.\n\n",
    );
    blocks(&mut text, index, cites);
    cases(&mut text, index, cites);
    sections(&mut text, cites);
    text
}

/// Distinct ids of a kind, in code or in tests.
fn ids(cites: &[Cite], kind: Kind, test: bool) -> BTreeSet<&str> {
    let own = cites.iter().filter(|cite| cite.kind == kind && cite.test.is_some() == test);
    own.map(|cite| cite.id.as_str()).collect()
}

fn blocks(text: &mut String, index: &Index, cites: &[Cite]) {
    let (code, tests) = (ids(cites, Kind::Requirement, false), ids(cites, Kind::Requirement, true));
    text.push_str(
        "## OCPP 2.0.1 by functional block\n\n\
         | block | requirements in the index | cited in code | cited in tests | cited outside of the index |\n\
         |---|---|---|---|---|\n",
    );
    let mut sums = [0; 4];
    let letters: BTreeSet<char> = index
        .requirements
        .iter()
        .map(String::as_str)
        .chain(code.iter().chain(&tests).copied())
        .filter_map(first)
        .collect();
    for letter in letters {
        let known: Vec<&str> =
            index.requirements.iter().map(String::as_str).filter(|id| first(id) == Some(letter)).collect();
        let inside = |cited: &BTreeSet<&str>| known.iter().filter(|id| cited.contains(*id)).count();
        let outside = code.union(&tests).filter(|id| first(id) == Some(letter) && !known.contains(*id)).count();
        let row = [known.len(), inside(&code), inside(&tests), outside];
        for (sum, number) in sums.iter_mut().zip(row) {
            *sum += number;
        }
        let _written = writeln!(text, "| {letter} | {} |", row.map(|number| number.to_string()).join(" | "));
    }
    let _written = writeln!(text, "| all | {} |\n", sums.map(|number| number.to_string()).join(" | "));
}

fn first(id: &str) -> Option<char> {
    id.chars().next()
}

/// Test case to the tests that cite it.
fn proofs(cites: &[Cite]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut proofs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for cite in cites.iter().filter(|cite| cite.kind == Kind::Case) {
        if let Some(test) = &cite.test {
            proofs.entry(&cite.id).or_default().insert(test);
        }
    }
    proofs
}

fn cases(text: &mut String, index: &Index, cites: &[Cite]) {
    let proofs = proofs(cites);
    let cited = |id: &str| proofs.get(id).map(|tests| tests.iter().copied().collect::<Vec<_>>().join(", "));
    for (whose, lists) in [("an operator", &index.mandatory), ("a station", &index.mandatory_for_a_station)] {
        let _written = writeln!(text, "## Mandatory cases for {whose}, OCPP 2.0.1, by certification profile\n");
        for (profile, cases) in lists {
            let shown: Vec<_> = cases.iter().filter_map(|id| cited(id).map(|tests| (id, tests))).collect();
            let _written = writeln!(text, "### {profile}, {whose}: {} of {} cited\n", shown.len(), cases.len());
            if !shown.is_empty() {
                text.push_str("| case | tests |\n|---|---|\n");
                for (id, tests) in shown {
                    let _written = writeln!(text, "| {id} | {tests} |");
                }
                text.push('\n');
            }
            let open: Vec<&str> = cases.iter().map(String::as_str).filter(|id| cited(id).is_none()).collect();
            if !open.is_empty() {
                let _written = writeln!(text, "Not cited: {}.\n", open.join(", "));
            }
        }
    }
    for (title, list) in [("OCPP 1.6", &index.cases_16), ("OCPP 2.1, ids of a third party", &index.cases_21)] {
        let shown: Vec<_> = list.iter().filter_map(|id| cited(id).map(|tests| (id, tests))).collect();
        let _written = writeln!(text, "## Cases of {title}: {} of {} cited\n", shown.len(), list.len());
        if !shown.is_empty() {
            text.push_str("| case | tests |\n|---|---|\n");
            for (id, tests) in shown {
                let _written = writeln!(text, "| {id} | {tests} |");
            }
            text.push('\n');
        }
    }
    let known = |id: &str| index.knows(id);
    let odd: Vec<&str> = proofs.keys().copied().filter(|id| !known(id)).collect();
    if !odd.is_empty() {
        let _written = writeln!(text, "Cited and in none of the lists: {}.\n", odd.join(", "));
    }
}

fn sections(text: &mut String, cites: &[Cite]) {
    let (code, tests) = (ids(cites, Kind::Section, false), ids(cites, Kind::Section, true));
    let line = |ids: &BTreeSet<&str>| {
        let mut ids: Vec<&str> = ids.iter().copied().collect();
        ids.sort_by_key(|id| id.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>());
        if ids.is_empty() { "none".to_owned() } else { ids.join(", ") }
    };
    let _written = write!(
        text,
        "## Sections of OCPP 1.6\n\nCited in code ({}): {}.\n\nCited in tests ({}): {}.\n",
        code.len(),
        line(&code),
        tests.len(),
        line(&tests)
    );
}
