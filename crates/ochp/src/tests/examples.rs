//! The standard's own examples, and its schemas as judges of everything that is written here.
//!
//! Both are beside the project and are skipped, loudly, where they are not. The schemas need `LEYDEN_PYTHON` with lxml.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::parsed;
use crate::message::{Operation, Request};
use crate::samples;
use crate::{NAMESPACE, envelope};

/// Why an example is not held against us: which block of the text, and what is wrong with it.
const FAULTY: [(&str, &str); 4] = [
    ("<operatingTimes>\n   <twentyfourseven>true", "the element is named `openingTimes`; `closedCharging` is missing"),
    ("<operatingTimes>\n     <regularHours", "`regularHours` are not closed; the same mistakes as above"),
    ("<operatingTimes>\n\t <twentyfourseven>false", "ends two years before it begins; the same mistakes as above"),
    ("<soapenv:Envelope", "an excerpt: dots stand for the body"),
];

/// What is listed here, for people.
const PAGE: &str = include_str!("../../../../docs/faulty-examples.md");

#[test]
fn the_page_lists_what_is_faulty() {
    for (begin, why) in FAULTY {
        let row = format!("| OCHP | `{}` | {why} |", begin.split_whitespace().collect::<Vec<_>>().join(" "));
        assert!(PAGE.lines().any(|line| line == row), "{row}");
    }
    assert_eq!(PAGE.lines().filter(|line| line.starts_with("| OCHP ")).count(), FAULTY.len());
}

fn spec(file: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ochp").join(file);
    let text = std::fs::read_to_string(&path);
    if text.is_err() {
        eprintln!("SKIPPED: no standard at {}", path.display());
    }
    text.ok()
}

fn blocks(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    text.split("```XML\n").skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

fn tariffs(block: &str) -> String {
    format!("<UpdateTariffsRequest xmlns=\"{NAMESPACE}\">{block}</UpdateTariffsRequest>")
}

#[test]
fn the_examples_of_the_standard_are_read_or_listed_as_faulty() {
    for (file, count) in [("1.4/OCHP.md", 6), ("1.4.1/OCHP.md", 6)] {
        let Some(text) = spec(file) else { return };
        let blocks = blocks(&text);
        assert_eq!(blocks.len(), count, "{file}");
        for block in blocks {
            let faulty = FAULTY.iter().find(|(begin, _)| block.starts_with(begin));
            let read = parsed(&tariffs(&block)).ok().and_then(|element| Request::read(&element).ok());
            let sound = read.filter(|heard| heard.refused.is_empty() && heard.lost.is_empty());
            match (sound, faulty) {
                (Some(heard), None) => {
                    let again = Request::read(&heard.said.write().unwrap()).unwrap();
                    assert_eq!(again.said, heard.said);
                }
                (None, Some((_, why))) => eprintln!("{file}: an example is faulty: {why}"),
                (Some(_), Some((begin, _))) => panic!("{file}: {begin} is sound after all"),
                (None, None) => panic!("{file}: not read: {block}"),
            }
        }
    }
}

/// The interpreter with lxml, or why there is none.
fn python() -> Result<PathBuf, String> {
    let path = PathBuf::from(std::env::var_os("LEYDEN_PYTHON").ok_or("LEYDEN_PYTHON is not set")?);
    let tried = Command::new(&path).args(["-c", "import lxml"]).output();
    let works = tried.is_ok_and(|tried| tried.status.success());
    if works { Ok(path) } else { Err(format!("{} has no package `lxml`", path.display())) }
}

#[test]
fn everything_that_is_written_is_valid_by_the_schemas() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/ochp/1.4");
    let python = match python() {
        Ok(python) if folder.exists() => python,
        Ok(_) => return eprintln!("SKIPPED: no schemas at {}", folder.display()),
        Err(why) => {
            return eprintln!("SKIPPED, validation by the schemas: {why}; run `make tools` and set LEYDEN_PYTHON");
        }
    };
    let mut documents = Vec::new();
    for (request, response) in samples::all() {
        for element in [request.write().unwrap(), response.write().unwrap()] {
            documents.push(soap::write(&element, &[("o", NAMESPACE)]));
        }
    }
    for block in spec("1.4/OCHP.md").iter().flat_map(|text| blocks(text)) {
        documents.extend(block.starts_with("<TariffInfoArray>").then(|| tariffs(&block)));
    }
    // one that is not valid: the judge must see it
    documents.push(format!("<GetCDRsRequest xmlns=\"{NAMESPACE}\"><colour/></GetCDRsRequest>"));
    let verdicts = judged(&python, &folder, &documents);
    let invalid: Vec<&String> = verdicts.iter().filter(|verdict| *verdict != "valid").collect();
    assert_eq!(verdicts.len(), Operation::ALL.len() * 2 + 3);
    assert_eq!(invalid.len(), 1, "{invalid:#?}");
    assert!(verdicts.last().is_some_and(|verdict| verdict.contains("colour")));
}

/// One line for each document.
fn judged(python: &PathBuf, folder: &PathBuf, documents: &[String]) -> Vec<String> {
    let mut child = Command::new(python)
        .args(["-c", include_str!("validate.py")])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text: String = documents.iter().map(|document| document.replace(['\r', '\n'], " ") + "\n").collect();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "the judge failed");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The actions and element names of our table are those of the WSDLs.
#[test]
fn the_table_of_operations_is_that_of_the_wsdls() {
    let Some(house) = spec("1.4/ochp.wsdl") else { return };
    let Some(direct) = spec("1.4/ochp-direct.wsdl") else { return };
    let both = house + &direct;
    for operation in Operation::ALL {
        assert!(both.contains(&format!("soapAction=\"{}\"", operation.action())), "{operation:?}");
        assert!(both.contains(&format!("tns:{}\"", operation.request_name())), "{operation:?}");
        assert!(both.contains(&format!("tns:{}\"", operation.response_name())), "{operation:?}");
    }
    assert_eq!(both.matches("soapAction=").count(), Operation::ALL.len());
    assert_eq!(envelope::MEDIA_TYPE, "text/xml; charset=utf-8");
}
