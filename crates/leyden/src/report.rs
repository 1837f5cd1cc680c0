//! The one JSON document that `--report FILE` writes, as a whole or not at all.

use std::path::Path;

use serde::Serialize;

use crate::Failure;

pub(crate) fn write(path: &Path, document: &impl Serialize) -> Result<(), Failure> {
    let mut text = serde_json::to_string_pretty(document).map_err(|fault| Failure::plain(fault.to_string()))?;
    text.push('\n');
    let beside = path.with_extension("part");
    std::fs::write(&beside, text).map_err(|fault| Failure::io(&beside, &fault))?;
    std::fs::rename(&beside, path).map_err(|fault| Failure::io(path, &fault))
}
