//! The control: one line of text lets one thing happen to a running station, and is answered by one line.
//!
//! `VERB STATION key=value …`, where the verbs and their keys are the steps of a scenario, and `*` means all stations.
//! The answer is `ok`, `ok` with JSON, or `no` with the reason. Lines come from standard input or over a Unix socket
//! that only its owner may open; there is no door for the network. Invariant: a line that is not understood changes
//! nothing.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use super::actor::Actor;
use super::scenario::Step;
use crate::Failure;

/// The stations by their identity.
pub(crate) type Crew = BTreeMap<String, Arc<Actor>>;

/// Clients of the socket at a time: a person and a few scripts.
const CLIENTS_MAX: usize = 16;

const HELP: &str = "list | VERB STATION key=value ... | quit; STATION is an identity or *; VERB is a step of a scenario: \
    plug, unplug, tap, arrive, leave, fault, repair, reboot, power-loss, offline, online, power-curve, set, expect, \
    settled, wait, clock-drift, duplicate, reorder, raw";

/// Where the lines come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Standard input; the answers go to standard output.
    Stdin,
    Socket(PathBuf),
}

/// What a line asks for.
#[derive(Debug, PartialEq)]
enum Order {
    Nothing,
    Help,
    List,
    Quit,
    Step { station: String, step: Step },
}

impl Control {
    /// `-` is standard input.
    pub(crate) fn at(place: &str) -> Self {
        if place == "-" { Self::Stdin } else { Self::Socket(place.into()) }
    }

    /// Until `quit`, or the end of standard input.
    pub(crate) async fn serve(self, crew: Crew) -> Result<(), Failure> {
        match self {
            Self::Stdin => {
                let mut lines = typed();
                while let Some(line) = lines.recv().await {
                    let Some((answer, quit)) = reply(&crew, &line).await else { continue };
                    println!("{answer}");
                    if quit {
                        break;
                    }
                }
                Ok(())
            }
            Self::Socket(path) => {
                let listener = open(&path)?;
                let served = accept(listener, crew).await;
                // whoever comes next makes its own
                let _gone = std::fs::remove_file(&path);
                served
            }
        }
    }
}

/// The socket, for its owner only. One that a dead process left behind is taken over.
fn open(path: &Path) -> Result<UnixListener, Failure> {
    if path.exists() && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path).map_err(|fault| Failure::io(path, &fault))?;
    }
    let listener = UnixListener::bind(path).map_err(|fault| Failure::io(path, &fault))?;
    let own = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, own).map_err(|fault| Failure::io(path, &fault))?;
    Ok(listener)
}

async fn accept(listener: UnixListener, crew: Crew) -> Result<(), Failure> {
    let (crew, over) = (Arc::new(crew), Arc::new(Notify::new()));
    let mut clients = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept(), if clients.len() < CLIENTS_MAX => accepted,
            Some(_left) = clients.join_next() => continue,
            () = over.notified() => return Ok(()),
        };
        let (stream, _nameless) = stream.map_err(|fault| Failure::plain(format!("the control: {fault}")))?;
        let (crew, over) = (Arc::clone(&crew), Arc::clone(&over));
        clients.spawn(async move { talk(&crew, stream, &over).await });
    }
}

/// The lines of standard input. Its thread ends with the process: nothing can end a read.
fn typed() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// One client of the socket, line by line.
async fn talk(crew: &Crew, stream: UnixStream, over: &Notify) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let Some((answer, quit)) = reply(crew, &line).await else { continue };
        if write.write_all(format!("{answer}\n").as_bytes()).await.is_err() {
            return;
        }
        if quit {
            over.notify_one();
            return;
        }
    }
}

/// The answer to a line, and whether it was the last; nothing to an empty one.
async fn reply(crew: &Crew, line: &str) -> Option<(String, bool)> {
    let answer = match read(line) {
        Ok(Order::Nothing) => return None,
        Ok(Order::Help) => format!("ok {HELP}"),
        Ok(Order::Quit) => return Some(("ok".to_owned(), true)),
        Ok(Order::List) => {
            let all: Vec<_> = crew.values().map(|actor| actor.shown()).collect();
            format!("ok {}", serde_json::Value::from(all))
        }
        Ok(Order::Step { station, step }) => told(act(crew, &station, &step).await),
        Err(why) => told(Err(why)),
    };
    Some((answer, false))
}

fn told(done: Result<(), String>) -> String {
    // one line, whatever the reason looks like
    done.map_or_else(|why| format!("no {}", why.replace('\n', " ")), |()| "ok".to_owned())
}

/// All that are meant, beside each other; the first reason of those that failed.
async fn act(crew: &Crew, station: &str, step: &Step) -> Result<(), String> {
    let meant: Vec<_> = crew.iter().filter(|(id, _)| station == "*" || id.eq_ignore_ascii_case(station)).collect();
    if meant.is_empty() {
        return Err(format!("there is no station {station}"));
    }
    let mut deeds = JoinSet::new();
    for (id, actor) in meant {
        let (id, actor, step) = (id.clone(), Arc::clone(actor), step.clone());
        deeds.spawn(async move { actor.step(&step).await.map_err(|why| format!("{id}: {why}")) });
    }
    let mut done = Ok(());
    while let Some(deed) = deeds.join_next().await {
        done = done.and(deed.unwrap_or_else(|_| Err("a station's task ended badly".to_owned())));
    }
    done
}

/// Understands a line.
fn read(line: &str) -> Result<Order, String> {
    let mut words = split(line)?.into_iter();
    let Some(verb) = words.next() else { return Ok(Order::Nothing) };
    match verb.as_str() {
        "help" => return Ok(Order::Help),
        "list" => return Ok(Order::List),
        "quit" => return Ok(Order::Quit),
        _step => {}
    }
    let station = words.next().ok_or("which station? (help tells more)")?;
    let pairs = words.map(|word| {
        let (key, value) = word.split_once('=').ok_or_else(|| format!("{word}: not key=value"))?;
        Ok((key.to_owned(), notation(value)))
    });
    let pairs = pairs.collect::<Result<Vec<_>, String>>()?;
    Ok(Order::Step { station, step: Step::spoken(&verb, &pairs)? })
}

/// A value in TOML's notation: numbers, flags, lists and tables as they stand, everything else is text. What is
/// written in quotes is text whatever it looks like.
fn notation(value: &str) -> String {
    if let Some(text) = value.strip_prefix(QUOTED) {
        return toml::Value::from(text).to_string();
    }
    let number = value.parse::<i64>().is_ok_and(|number| number.to_string() == value);
    let raw = number || matches!(value, "true" | "false") || value.starts_with(['[', '{']);
    if raw { value.to_owned() } else { toml::Value::from(value).to_string() }
}

/// Marks a value that stood in quotes; no line can hold it.
const QUOTED: char = '\n';

/// Words, with what stands in quotes of either kind as part of one.
fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for letter in line.chars() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => word.get_or_insert_default().push(letter),
            None if letter == '\'' || (letter == '"' && !within(word.as_deref())) => {
                quote = Some(letter);
                let word = word.get_or_insert_default();
                if word.ends_with('=') {
                    word.push(QUOTED);
                }
            }
            None if letter.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return Err("a quote is not closed".to_owned());
    }
    words.extend(word);
    Ok(words)
}

/// A list or a table has quotes of its own.
fn within(word: Option<&str>) -> bool {
    word.and_then(|word| word.split_once('=')).is_some_and(|(_, value)| value.starts_with(['[', '{']))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn step(line: &str) -> Step {
        match read(line) {
            Ok(Order::Step { step, .. }) => step,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn a_line_is_a_step_of_a_scenario() {
        assert_eq!(step("unplug A"), Step::Unplug { evse: 1 });
        assert_eq!(step("  unplug  A evse=2 "), Step::Unplug { evse: 2 });
        assert_eq!(step("tap A token=04A2"), Step::Tap { evse: 1, token: Some("04A2".to_owned()) });
        assert_eq!(step("tap A token=\"1234\""), Step::Tap { evse: 1, token: Some("1234".to_owned()) });
        assert_eq!(step("offline *"), Step::Offline { seconds: None });
        assert_eq!(
            step("set A key=HeartbeatInterval value='60'"),
            Step::Set { key: "HeartbeatInterval".to_owned(), value: "60".to_owned() }
        );
        let Step::Plug { car, .. } = step("plug A car.max-watts=11000 car.one-phase=true") else { panic!() };
        assert!(car.one_phase && car.max_watts == 11_000);
        let Step::PowerCurve { points, .. } = step("power-curve A points=[{watts=7000,seconds=60}]") else { panic!() };
        assert_eq!(points.len(), 1);
        assert_eq!(step("raw A frame='[2,\"x y\"'"), Step::Raw { frame: "[2,\"x y\"".to_owned() });
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (line, told) in [
            ("dance A", "dance"),
            ("plug", "which station"),
            ("plug A evse", "key=value"),
            ("plug A colour=1", "colour"),
            ("plug A evse=x", "evse"),
            ("tap A token='x", "quote"),
            ("wait A", "seconds"),
        ] {
            let why = read(line).unwrap_err();
            assert!(why.contains(told) || why.contains("invalid type"), "{line}: {why}");
        }
        assert_eq!(read("   "), Ok(Order::Nothing));
        assert_eq!((read("list"), read("quit"), read("help")), (Ok(Order::List), Ok(Order::Quit), Ok(Order::Help)));
    }
}
