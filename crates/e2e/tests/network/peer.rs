//! Programs that are not ours, as processes: each tells what it does in one JSON line a step, and never outlives its test.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::wait::PATIENCE;

/// A foreign program under way.
pub(super) struct Peer {
    name: String,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it has told so far.
    pub told: Vec<Value>,
}

/// A script of `tests/interop`.
pub(super) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop").join(name)
}

/// The interpreter of the Python scripts with the package `ocpp`, or why there is none.
pub(super) fn python() -> Result<PathBuf, String> {
    let path = std::env::var_os("LEYDEN_PYTHON").ok_or("LEYDEN_PYTHON is not set")?;
    let path = PathBuf::from(path);
    let tried = std::process::Command::new(&path).args(["-c", "import ocpp, websockets"]).output();
    match tried {
        Ok(tried) if tried.status.success() => Ok(path),
        Ok(_) => Err(format!("{} has no package `ocpp`", path.display())),
        Err(fault) => Err(format!("{}: {fault}", path.display())),
    }
}

/// The folder with the npm packages, or why there is none.
pub(super) fn node_modules() -> Result<PathBuf, String> {
    let path = std::env::var_os("LEYDEN_NODE_MODULES").ok_or("LEYDEN_NODE_MODULES is not set")?;
    let path = PathBuf::from(path);
    let there = path.join("ocpp-rpc").exists() && path.join("ocpp-ws-io").exists() && path.join("ocpp-ws-cli").exists();
    there.then(|| path.clone()).ok_or_else(|| format!("{} has not all packages", path.display()))
}

/// Says loudly that a peer is not there.
pub(super) fn skipped(what: &str, why: &str) {
    eprintln!("SKIPPED, {what}: {why}; run `make tools`, `make e2e` sets what it installed");
}

impl Peer {
    pub(super) fn start(name: &str, mut command: Command) -> Self {
        Self::spawn(name, command.stdin(Stdio::null()))
    }

    /// One that is told something later (see [`Self::hear`]).
    pub(super) fn listening(name: &str, mut command: Command) -> Self {
        Self::spawn(name, command.stdin(Stdio::piped()))
    }

    fn spawn(name: &str, command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { name: name.to_owned(), child, lines, told: Vec::new() }
    }

    /// A line on its standard input.
    pub(super) async fn hear(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        input.flush().await.unwrap();
    }

    /// A script of `tests/interop` that runs in Node.
    pub(super) fn node(name: &str, modules: &Path, file: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("node");
        command.arg(script(file)).args(arguments).env("NODE_PATH", modules);
        Self::start(name, command)
    }

    /// The next step; `None` when the program has ended.
    pub(super) async fn next(&mut self) -> Option<Value> {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("{}: silent after {:?}", self.name, self.told.last())).unwrap()?;
        let step: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{}: {line}", self.name));
        self.told.push(step.clone());
        Some(step)
    }

    /// Goes on to a step by its name, which must come.
    pub(super) async fn until(&mut self, wanted: &str) -> Value {
        loop {
            let step = self.next().await;
            let step = step.unwrap_or_else(|| panic!("{}: ended before {wanted}, after {:?}", self.name, self.told));
            assert!(step["step"] != "failed", "{}: {step}", self.name);
            if step["step"] == wanted {
                return step;
            }
        }
    }

    /// Waits until the program ends by itself.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        while self.next().await.is_some() {}
        timeout(PATIENCE, self.child.wait()).await.expect("the program ends").unwrap()
    }
}

/// Goes on until this operation was served in this way, from a number of steps on.
pub(super) async fn served(peer: &mut Peer, from: usize, operation: &str, fits: impl Fn(&Value) -> bool) -> Value {
    let is = |step: &&Value| step["step"] == "served" && step["op"] == operation && fits(step);
    loop {
        if let Some(step) = peer.told[from..].iter().find(is) {
            return step.clone();
        }
        let step = peer.next().await.expect("the program goes on");
        assert!(step["step"] != "failed", "{step}");
    }
}
