//! Citations in source texts, each with the test that it belongs to, if it belongs to one.

use std::path::Path;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `A00.FR.204`.
    Requirement,
    /// `TC_A_14_CSMS`, `TC_023_1_CSMS`.
    Case,
    /// A section of OCPP 1.6 in a comment.
    Section,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Cite {
    pub kind: Kind,
    pub id: String,
    /// `crate::test`, or `None` where code cites.
    pub test: Option<String>,
}

/// Those of all crates and of the foreign stations' scripts.
pub fn all(root: &Path) -> Vec<Cite> {
    let mut cites = Vec::new();
    for folder in ["crates", "tests"] {
        for path in crate::files(&root.join(folder), &[".rs", ".py"]) {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let shown = path.strip_prefix(root).unwrap_or(&path).display().to_string();
            cites.extend(of_file(&shown, &text));
        }
    }
    cites
}

/// `path` is below the root of the project.
fn of_file(path: &str, text: &str) -> Vec<Cite> {
    let lines: Vec<&str> = text.lines().collect();
    let whole = path.contains("/tests/") || path.ends_with("/tests.rs") || path.starts_with("tests/");
    let from =
        if whole { 0 } else { lines.iter().position(|line| line.contains("#[cfg(test)]")).unwrap_or(lines.len()) };
    let owner = path.strip_prefix("crates/").unwrap_or(path).split('/').next().unwrap_or_default();
    let mut cites = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let test = (at >= from).then(|| format!("`{owner}::{}`", test_at(&lines, at)));
        cites.extend(of_line(line).into_iter().map(|(kind, id)| Cite { kind, id, test: test.clone() }));
    }
    cites
}

/// The function below a comment, else the one around the line.
fn test_at<'a>(lines: &[&'a str], at: usize) -> &'a str {
    let head = |line: &&&str| line.trim_start().starts_with("//") || line.trim_start().starts_with("#[");
    let below = lines[at..].iter().find(|line| !head(line));
    let above = lines[..=at].iter().rev();
    below.and_then(|line| function(line)).or_else(|| above.map(|line| function(line)).find_map(|it| it)).unwrap_or("-")
}

fn function(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let signature = line.split_once("fn ").filter(|(before, _)| before.split_whitespace().all(is_modifier));
    let name = signature.map(|(_, after)| after).or_else(|| line.strip_prefix("def "))?;
    name.split(['(', '<']).next()
}

fn is_modifier(word: &str) -> bool {
    matches!(word, "async" | "const") || word.starts_with("pub")
}

fn of_line(line: &str) -> Vec<(Kind, String)> {
    let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    let words: Vec<&str> = words.map(|word| word.trim_matches('.')).filter(|word| !word.is_empty()).collect();
    let mut found: Vec<(Kind, String)> = words.iter().filter_map(|word| named(word)).collect();
    let comment = line.find("//").map(|at| &line[at..]).or_else(|| line.trim_start().starts_with('#').then_some(line));
    found.extend(comment.map(sections).unwrap_or_default().into_iter().map(|id| (Kind::Section, id)));
    found
}

fn named(word: &str) -> Option<(Kind, String)> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((case, number)) = word.split_once(".FR.") {
        let block = case.len() == 3 && case.as_bytes()[0].is_ascii_uppercase() && digits(&case[1..]);
        return (block && digits(number)).then(|| (Kind::Requirement, word.to_owned()));
    }
    let rest = word.strip_prefix("TC_")?;
    let number = rest.split('_').any(digits);
    number.then(|| (Kind::Case, word.to_owned()))
}

/// Numbers of sections right behind `1.6`, with a comma, `section` or `chapter` between or not.
fn sections(comment: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in comment.match_indices("1.6") {
        let before = comment[..at].chars().next_back();
        let mut rest = comment[at + 3..].trim_start_matches([',', ' ']);
        if before.is_some_and(|c| c.is_ascii_digit() || c == '.') || comment[at + 3..].starts_with('.') {
            continue;
        }
        for word in ["sections ", "section ", "chapters ", "chapter "] {
            rest = rest.strip_prefix(word).unwrap_or(rest);
        }
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let number = rest[..end].trim_end_matches('.');
        if number.contains('.') && !["1.6", "2.0.1", "2.1"].contains(&number) {
            found.push(number.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Kind, of_file, of_line};

    #[test]
    fn ids_and_sections_are_found_and_nothing_else() {
        let found = |line| of_line(line).into_iter().map(|(_, id)| id).collect::<Vec<_>>();
        assert_eq!(found("/// As told (OCPP 2.0.1 A00.FR.404)."), ["A00.FR.404"]);
        assert_eq!(found("/// (OCPP 1.6 section 3.13; 1.6, 4.2)"), ["3.13", "4.2"]);
        assert_eq!(found("// TC_B_58_CSMS and TC_023_1_CSMS"), ["TC_B_58_CSMS", "TC_023_1_CSMS"]);
        assert!(found(r#"let version = "1.6, 4.2";"#).is_empty());
        assert!(found("// 1.6 and 2.0.1; ocpp1.6; 1.6, 2.1").is_empty());
        assert!(found("TC_NAMES").is_empty());
    }

    #[test]
    fn a_citation_belongs_to_the_test_below_it_or_around_it() {
        let text = "//! A00.FR.101\n#[cfg(test)]\nmod tests {\n    /// A00.FR.204\n    #[test]\n    fn below() {\n        // TC_A_01_CSMS\n        let x = 1;\n    }\n}\n";
        let cites = of_file("crates/gate/src/x.rs", text);
        let tests: Vec<_> = cites.iter().map(|cite| (cite.kind, cite.test.as_deref())).collect();
        let below = Some("`gate::below`");
        assert_eq!(tests, [(Kind::Requirement, None), (Kind::Requirement, below), (Kind::Case, below)]);
    }
}
