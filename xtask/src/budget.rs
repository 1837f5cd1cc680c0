//! Is every file readable in one sitting? 800 lines is the end; generated files and fixtures are not counted.

use std::path::Path;

/// The hard limit of the house, tests in their own file included.
const LINES_MAX: usize = 800;

pub fn check(root: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for path in crate::files(root, &[".rs", ".ts", ".svelte"]) {
        let lines = std::fs::read_to_string(&path).map(|text| text.lines().count()).unwrap_or_default();
        if lines > LINES_MAX {
            let shown = path.strip_prefix(root).unwrap_or(&path).display();
            faults.push(format!("{shown} has {lines} lines: split it by its own sub-nouns"));
        }
    }
    faults
}
