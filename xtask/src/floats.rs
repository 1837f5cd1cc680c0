//! No binary fractions near energy or money: the words, the skills and the rooms do without `f32` and `f64`.

use std::path::Path;

/// Crates where a float would sooner or later touch an amount.
const WITHOUT: [&str; 8] = ["charge", "billing", "ocpp", "ocpi", "operator", "hub", "provider", "station"];

pub fn check(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for name in WITHOUT {
        for path in crate::files(&root.join("crates").join(name).join("src"), &[".rs"]) {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            for (number, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                if has_word(code, "f64") || has_word(code, "f32") {
                    let shown = path.strip_prefix(root).unwrap_or(&path).display();
                    faults.push(format!("{shown}:{}: a float", number + 1));
                }
            }
        }
    }
    faults
}

fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        ![before, after].iter().flatten().any(|c| c.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn a_float_is_found_in_types_and_suffixes_but_not_in_words() {
        assert!(has_word("let x: f64 = y;", "f64"));
        assert!(has_word("as_f64_lossy", "f64"));
        assert!(!has_word("let rf640 = 1;", "f64"));
    }
}
