//! The matrix of crossings, `docs/roaming.md`: which test shows that a letter of one protocol reaches a partner of another.
//!
//! Reads test names (`cross_<from>_<to>_<functions>`) and, above tests of many pairs, lines `// cells: <from>… > <to>…:
//! <functions>`. `check` compares the page with the sources, `write` writes it. Judges nothing: what a test shows is for
//! its reader.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

const PAGE: &str = "docs/roaming.md";
const PROTOCOLS: [(&str, &str); 6] = [
    ("ocpi211", "OCPI 2.1.1"),
    ("ocpi221", "OCPI 2.2.1"),
    ("ocpi230", "OCPI 2.3.0"),
    ("oicp23", "OICP 2.3"),
    ("oicp20", "OICP 2.0"),
    ("ochp14", "OCHP 1.4"),
];
const FUNCTIONS: [(&str, &str); 9] = [
    ("tap", "A card is asked about"),
    ("remote", "Start from afar"),
    ("session", "Progress of a session"),
    ("cdr", "CDR"),
    ("place", "Locations"),
    ("status", "Live status"),
    ("tariff", "Tariffs"),
    ("reservation", "Reservations"),
    ("booking", "Bookings"),
];
/// What a protocol has no message for, and why; an empty reason is told by the one above.
const WORDLESS: [(&str, &str, &str); 8] = [
    (
        "oicp20",
        "session",
        "OICP 2.0 has no message between an authorisation and the CDR: charging notifications are of 2.3. A provider of \
         another protocol hears from the hub that a session which it started is pending, so that it can stop it, and no more.",
    ),
    ("oicp20", "tariff", "OICP 2.0 has no word for a price: products came with dynamic pricing in 2.2."),
    ("oicp20", "reservation", "OICP 2.0 has no service for reservations: it came with 2.1."),
    (
        "ocpi211",
        "booking",
        "OCPI 2.1.1 and 2.2.1 have no module for bookings: it is an extension of 2.3.0. The hub refuses the letter, and both \
         parties can read why. A reservation is another thing: it begins when it is made.",
    ),
    ("ocpi221", "booking", ""),
    ("oicp23", "booking", "OICP 2.3 reserves for some minutes from now on and has no calendar; 2.0 reserves nothing."),
    ("oicp20", "booking", ""),
    ("ochp14", "booking", "OCHP can show that a point will be in use, and has no message that books it."),
];
/// A crossing without a test and without a reason.
const MISSING: &str = "missing";
/// What holds for crossings that are shown, where a protocol has half a word.
const NOTES: [(&str, &str); 6] = [
    (
        "tap",
        "OCPI 2.1.1 answers without provider and contract. Where OCHP cannot say yes without a contract, the hub makes one for \
         the card and takes it off the CDR again. A provider of OCHP is not asked: its list is.",
    ),
    (
        "remote",
        "OCHP 1.4 itself has no orders: this is OCHPdirect. OCPI 2.1.1 names no receiver: the hub finds an order's operator by \
         the place, and a stop's by the session that it passed on.",
    ),
    ("session", "OCHP 1.4 itself has no sessions under way: this is OCHPdirect."),
    (
        "cdr",
        "OICP has no member for a price. A provider of OICP gets the record without one, and both are told; the record of an \
         operator of OICP is priced by its product, or refused where none is known. A credit goes to providers of OCPI 2.2.1 \
         and 2.3.0 alone.",
    ),
    ("tariff", "A tariff that the receiver's protocol cannot say exactly is refused, and both parties are told."),
    (
        "reservation",
        "OCHPdirect reserves with a selection and gives up with its release. OCPI 2.1.1 has no CANCEL_RESERVATION: whoever \
         gives up a reservation at such an operator is refused, and it runs out.",
    ),
];

type Cells = BTreeMap<(&'static str, &'static str, &'static str), BTreeSet<String>>;

pub fn check(root: &Path) -> Vec<String> {
    let kept = std::fs::read_to_string(root.join(PAGE)).unwrap_or_default();
    let written = page(&cells(root));
    let old = (kept != written).then(|| format!("{PAGE} is old: run `cargo xtask matrix`"));
    let gaps = written.matches(MISSING).count();
    let missing = (gaps > 0).then(|| format!("{PAGE}: {gaps} crossings have neither a test nor a reason"));
    old.into_iter().chain(missing).collect()
}

pub fn write(root: &Path) -> Vec<String> {
    match std::fs::write(root.join(PAGE), page(&cells(root))) {
        Ok(()) => Vec::new(),
        Err(fault) => vec![format!("{PAGE}: {fault}")],
    }
}

fn cells(root: &Path) -> Cells {
    let mut cells = Cells::new();
    for file in super::files(&root.join("crates"), &[".rs"]) {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let mut many: Vec<&str> = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(claim) = line.strip_prefix("// cells: ") {
                many.push(claim);
            } else if let Some(name) = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next()) {
                for (from, to, function) in named(name).into_iter().chain(many.drain(..).flat_map(claimed)) {
                    cells.entry((from, to, function)).or_default().insert(name.to_owned());
                }
            }
        }
    }
    cells
}

type Cell = (&'static str, &'static str, &'static str);

/// `cross_oicp23_ocpi221_tap`, `cross_ochp14_ocpi221_remote_and_session`.
fn named(name: &str) -> Vec<Cell> {
    let Some(rest) = name.strip_prefix("cross_") else { return Vec::new() };
    let words: Vec<&str> = rest.split('_').collect();
    let [from, to, functions @ ..] = words.as_slice() else { return Vec::new() };
    all(&[from], &[to], functions)
}

/// `ocpi211 ocpi221 > oicp23: tap cdr`.
fn claimed(claim: &str) -> Vec<Cell> {
    let Some((pair, functions)) = claim.split_once(": ") else { return Vec::new() };
    let Some((from, to)) = pair.split_once(" > ") else { return Vec::new() };
    all(
        &from.split(' ').collect::<Vec<_>>(),
        &to.split(' ').collect::<Vec<_>>(),
        &functions.split(' ').collect::<Vec<_>>(),
    )
}

fn all(from: &[&str], to: &[&str], functions: &[&str]) -> Vec<Cell> {
    let mut found = Vec::new();
    for (sender, _) in PROTOCOLS.iter().filter(|(key, _)| from.contains(key)) {
        for (receiver, _) in PROTOCOLS.iter().filter(|(key, _)| to.contains(key)) {
            let known = FUNCTIONS.iter().filter(|(key, _)| functions.contains(key));
            found.extend(known.map(|(function, _)| (*sender, *receiver, *function)));
        }
    }
    found
}

fn page(cells: &Cells) -> String {
    let mut text = String::from(
        "# Who can meet whom on the road\n\n\
         Written by `cargo xtask matrix` from the sources and compared with them by `make test`; do not edit. A row sends, a \
         column receives, and the hub carries it over: of a start, a reservation and a booking the provider is the sender, of all else \
         the operator. A number leads to the tests below; `no word` is a crossing that a protocol has no message for, with the \
         reason below its table.\n",
    );
    let mut tests: Vec<&str> = Vec::new();
    for (function, title) in FUNCTIONS {
        let _written = write!(text, "\n## {title}\n\n| from \\ to |");
        PROTOCOLS.iter().for_each(|(_, shown)| text.push_str(&format!(" {shown} |")));
        let _written = writeln!(text, "\n|---|{}", "---|".repeat(PROTOCOLS.len()));
        for (from, shown) in PROTOCOLS {
            let _written = write!(text, "| {shown} |");
            for (to, _) in PROTOCOLS {
                let cell = match cells.get(&(from, to, function)) {
                    Some(names) => {
                        names.iter().map(|name| number(&mut tests, name).to_string()).collect::<Vec<_>>().join(", ")
                    }
                    None if wordless(from, function) || wordless(to, function) => "no word".to_owned(),
                    None => MISSING.to_owned(),
                };
                let _written = write!(text, " {cell} |");
            }
            text.push('\n');
        }
        let told = WORDLESS.iter().filter(|(_, of, why)| *of == function && !why.is_empty());
        let reasons = told.map(|(.., why)| why);
        for note in reasons.chain(NOTES.iter().filter(|(of, _)| *of == function).map(|(_, note)| note)) {
            let _written = writeln!(text, "\n{note}");
        }
    }
    text.push_str("\n## The tests\n\n");
    for (at, name) in (1..).zip(&tests) {
        let _written = writeln!(text, "{at}. `{name}`");
    }
    text
}

fn wordless(protocol: &str, function: &str) -> bool {
    WORDLESS.iter().any(|(known, of, _)| (*known, *of) == (protocol, function))
}

/// Where a test stands in the list, which it joins with its first cell.
fn number<'n>(tests: &mut Vec<&'n str>, name: &'n str) -> usize {
    match tests.iter().position(|known| *known == name) {
        Some(at) => at + 1,
        None => {
            tests.push(name);
            tests.len()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_line_say_their_cells() {
        assert_eq!(named("cross_ochp14_ocpi221_remote_and_session").len(), 2);
        assert_eq!(named("cross_roads").len(), 0);
        let claim = claimed("ocpi211 ocpi221 > ocpi230: tap cdr");
        assert_eq!(claim.len(), 4);
        assert!(claim.contains(&("ocpi211", "ocpi230", "cdr")));
    }
}
