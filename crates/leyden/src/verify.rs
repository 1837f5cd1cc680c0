//! `leyden verify FILE…`: are these signed meter records good? In four words, with everything a driver must see.
//!
//! Whoever reads along may stop reading (`| head`): the exit code and the report file say all the same.
//! Works without network and without the parties' data. "Cannot be checked" is never shown as "not valid".

use std::io::{self, Write};
use std::process::ExitCode;

use billing::record::{self, KeySource, PublicKey, Verdict};
use serde::Serialize;

use crate::Failure;
use crate::cli::Verify;

/// The report of a run, one JSON document.
#[derive(Debug, Serialize)]
struct Document {
    files: Vec<FileReport>,
}

#[derive(Debug, Serialize)]
struct FileReport {
    file: String,
    /// Why the file could not be read; its sessions are empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    unreadable: Option<String>,
    sessions: Vec<SessionReport>,
}

#[derive(Debug, Serialize)]
struct SessionReport {
    verdict: &'static str,
    reasons: Vec<String>,
    details: Vec<Detail>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Detail {
    label: &'static str,
    value: String,
}

/// 0: all valid. 1: one is not. 2: one cannot be checked, or a file cannot be read.
pub(crate) fn run(wish: &Verify) -> Result<ExitCode, Failure> {
    let given = wish.key.as_deref().map(PublicKey::read).transpose();
    let given = given.map_err(|fault| Failure::misuse(format!("--key: {fault}")))?;
    let files: Vec<FileReport> = wish.files.iter().map(|file| look(file, given.as_ref())).collect();
    shown(&files, &mut io::stdout().lock()).map_err(|fault| Failure::plain(fault.to_string()))?;
    let (mut bad, mut open) = (false, false);
    for session in files.iter().flat_map(|file| &file.sessions) {
        match session.verdict {
            "not valid" => bad = true,
            "cannot be checked" => open = true,
            _ => {}
        }
    }
    open |= files.iter().any(|file| file.unreadable.is_some());
    if let Some(path) = &wish.report {
        crate::report::write(path, &Document { files })?;
    }
    Ok(if bad {
        ExitCode::from(1)
    } else if open {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    })
}

fn look(file: &std::path::Path, given: Option<&PublicKey>) -> FileReport {
    let mut report = FileReport { file: file.display().to_string(), unreadable: None, sessions: Vec::new() };
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(fault) => {
            report.unreadable = Some(fault.to_string());
            return report;
        }
    };
    match record::file::read(&bytes) {
        Ok(bundles) => {
            for (records, beside) in &bundles {
                let key = match (given, beside) {
                    (Some(key), _) => Some((key, KeySource::GivenByUser)),
                    (None, Some(key)) => Some((key, KeySource::InFile)),
                    (None, None) => None,
                };
                let verdict = record::verify(records, key);
                report.sessions.push(told(&verdict, &record::explain(&verdict, records)));
            }
        }
        Err(fault) => report.unreadable = Some(fault.to_string()),
    }
    report
}

fn told(verdict: &Verdict, explained: &record::Report) -> SessionReport {
    SessionReport {
        verdict: verdict.words(),
        reasons: explained.reasons.clone(),
        details: explained.lines.iter().map(|(label, value)| Detail { label, value: value.clone() }).collect(),
        warnings: explained.warnings.clone(),
    }
}

/// Writes what was found. A reader that has gone away is no failure.
fn shown(files: &[FileReport], out: &mut impl Write) -> io::Result<()> {
    match files.iter().try_for_each(|file| show(file, out)).and_then(|()| out.flush()) {
        Err(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn show(file: &FileReport, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", file.file)?;
    if let Some(why) = &file.unreadable {
        writeln!(out, "  cannot be checked: {why}")?;
    }
    for session in &file.sessions {
        let colon = if session.reasons.is_empty() { "" } else { ":" };
        writeln!(out, "  {}{colon}", session.verdict.to_uppercase())?;
        for line in session.reasons.iter().chain(&session.warnings) {
            writeln!(out, "    - {line}")?;
        }
        let width = session.details.iter().map(|detail| detail.label.chars().count()).max().unwrap_or_default();
        for Detail { label, value } in &session.details {
            writeln!(out, "    {label:width$}  {value}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    /// Takes one write, then fails like this.
    struct Reader {
        heard: usize,
        fails: io::ErrorKind,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.heard += 1;
            if self.heard > 1 { Err(self.fails.into()) } else { Ok(bytes.len()) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_no_failure_and_a_full_disk_is() {
        let file = || FileReport { file: "a.xml".into(), unreadable: Some("it is empty".into()), sessions: Vec::new() };
        let files = [file(), file()];
        let mut gone = Reader { heard: 0, fails: io::ErrorKind::BrokenPipe };
        shown(&files, &mut gone).unwrap();
        assert_eq!(gone.heard, 2, "nothing more is written after the refusal");
        let full = shown(&files, &mut Reader { heard: 0, fails: io::ErrorKind::StorageFull });
        assert_eq!(full.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
