//! The binary under test as a process: laid out in a folder of its own, started, killed, started again, stopped.
//!
//! Everything a house makes is in its folder, which is removed with it, and the process never outlives the test.

pub(super) use e2e::{Folder, leyden};
use std::collections::HashSet;
use std::fs::{self, File};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{LazyLock, Mutex};

use charge::Dice;
use serde_json::Value;
use trust::dice::SystemDice;

use super::api::Session;
use super::wait::until;

/// The parties of every test's house.
pub(super) const OPERATOR: &str = "DE-VLT";
pub(super) const HUB: &str = "DE-HUB";
pub(super) const PROVIDERS: [(&str, &str); 2] = [("8aa", "DE-8AA"), ("8bb", "DE-8BB")];

/// The ports that `leyden init` writes, each replaced by a free one: pages, line, operator, hub, two providers.
const USUAL_PORTS: [u16; 6] = [8443, 8444, 8450, 8451, 8460, 8461];
/// Below the range from which the kernel takes ports for callers: one that is free now is free after a restart.
const PORTS: (u16, u16) = (12_000, 32_000);

/// Runs a command of the program to its end.
pub(super) fn run(arguments: &[&str]) -> Output {
    Command::new(leyden()).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// A port that nobody has and that no other test of this run was given.
pub(super) fn free_port() -> u16 {
    static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);
    let mut given = GIVEN.lock().unwrap();
    loop {
        let spread = u64::from(PORTS.1 - PORTS.0);
        let port = PORTS.0 + u16::try_from(SystemDice.below(spread)).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() && given.insert(port) {
            return port;
        }
    }
}

/// How the next start differs from the usual.
#[derive(Clone, Default)]
pub(super) struct Start {
    /// `RUST_LOG`.
    pub traces: Option<&'static str>,
    /// The largest file that the process can write, in kilobytes: what a full disk is to a database.
    pub file_kb_max: Option<u64>,
}

/// A network of one operator, one hub and two providers: one process, or several.
pub(super) struct House {
    pub folder: Folder,
    ports: [u16; 6],
    units: Vec<Unit>,
}

/// One process of a house.
pub(super) struct Unit {
    /// Below the house's folder: configuration, logins and databases.
    dir: &'static str,
    /// Of these parties.
    parties: &'static [&'static str],
    web_port: u16,
    child: Option<Child>,
}

impl Unit {
    pub(super) const fn new(dir: &'static str, parties: &'static [&'static str], web_port: u16) -> Self {
        Self { dir, parties, web_port, child: None }
    }
}

impl House {
    /// Lays a network out without starting it.
    pub(super) fn lay_out() -> Self {
        let folder = Folder::new();
        let dir = folder.path("house");
        let [(_, first), (_, second)] = PROVIDERS;
        let dir_text = dir.to_str().unwrap();
        let made =
            run(&["init", dir_text, "--operator", OPERATOR, "--hub", HUB, "--provider", first, "--provider", second]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let ports = USUAL_PORTS.map(|_| free_port());
        let all = &[OPERATOR, HUB, PROVIDERS[0].1, PROVIDERS[1].1];
        let house = Self { folder, ports, units: vec![Unit::new("", all, ports[0])] };
        house.configure(|text| {
            let text = text.replace("0.0.0.0", "127.0.0.1");
            let moved =
                |text: String, (usual, port): (&u16, &u16)| text.replace(&format!(":{usual}"), &format!(":{port}"));
            USUAL_PORTS.iter().zip(&ports).fold(text, moved)
        });
        house
    }

    /// Lays a network out and starts it.
    pub(super) async fn start() -> Self {
        let mut house = Self::lay_out();
        house.start_as(&Start::default()).await;
        house
    }

    /// Rewrites the configuration.
    pub(super) fn configure(&self, change: impl FnOnce(String) -> String) {
        let file = self.path("leyden.toml");
        let text = change(fs::read_to_string(&file).unwrap());
        fs::write(&file, text).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path("house").join(name)
    }

    /// Lives in these processes from the next start on.
    pub(super) fn divide(&mut self, units: Vec<Unit>) {
        assert!(self.units.iter().all(|unit| unit.child.is_none()), "the house runs already");
        self.units = units;
    }

    /// Starts every process and waits until each says that it is ready.
    pub(super) async fn start_as(&mut self, start: &Start) {
        for unit in 0..self.units.len() {
            self.start_unit(unit, start).await;
        }
    }

    pub(super) async fn start_unit(&mut self, unit: usize, start: &Start) {
        let dir = self.units[unit].dir;
        assert!(self.units[unit].child.is_none(), "the house runs already");
        let said = self.folder.path(&format!("{dir}out.txt"));
        let traces = File::options().create(true).append(true).open(self.folder.path("err.txt")).unwrap();
        let mut command = self.command(unit, start);
        command.stdin(Stdio::null()).stdout(File::create(&said).unwrap()).stderr(traces);
        self.units[unit].child = Some(command.spawn().unwrap());
        until("the house to be ready", async || {
            if let Some(status) = self.units[unit].child.as_mut().unwrap().try_wait().unwrap() {
                panic!("the house ended with {status}: {}", self.traces());
            }
            fs::read_to_string(&said).unwrap().lines().any(|line| line == "ready").then_some(())
        })
        .await;
    }

    pub(super) async fn start_again(&mut self) {
        self.start_as(&Start::default()).await;
    }

    fn command(&self, unit: usize, start: &Start) -> Command {
        let config = self.path(self.units[unit].dir).join("leyden.toml");
        let mut command = match start.file_kb_max {
            None => Command::new(leyden()),
            Some(kilobytes) => {
                // without the trap the signal of the limit (XFSZ) would end the process before it can answer;
                // a shell counts blocks of 512 bytes
                let mut shell = Command::new("sh");
                let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kilobytes * 2);
                shell.arg("-c").arg(script).arg(leyden());
                shell
            }
        };
        command.arg("serve").arg("--config").arg(config);
        command.env_remove("RUST_LOG");
        command.envs(start.traces.map(|filter| ("RUST_LOG", filter)));
        command
    }

    /// Runs `leyden serve` to its end: for starts that must fail.
    pub(super) fn fail_to_start(&self) -> Output {
        self.command(0, &Start::default()).stdin(Stdio::null()).output().unwrap()
    }

    /// As a power failure does it: no goodbye, no last write.
    pub(super) fn kill(&mut self) {
        for unit in 0..self.units.len() {
            self.kill_unit(unit);
        }
    }

    pub(super) fn kill_unit(&mut self, unit: usize) {
        let mut child = self.units[unit].child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// As a service manager does it. The first status that is no success, if there is one.
    pub(super) async fn stop(&mut self) -> ExitStatus {
        let mut worst = ExitStatus::default();
        for unit in &mut self.units {
            let mut child = unit.child.take().unwrap();
            let told = Command::new("kill").arg("-TERM").arg(child.id().to_string()).status().unwrap();
            assert!(told.success());
            let status = until("the house to stop", async || child.try_wait().unwrap()).await;
            worst = if worst.success() { status } else { worst };
        }
        worst
    }

    pub(super) fn is_running(&mut self) -> bool {
        self.units.iter_mut().all(|unit| unit.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none()))
    }

    /// Everything that all starts so far wrote to standard error, and the newest to standard output.
    pub(super) fn traces(&self) -> String {
        let read =
            |name: &str| String::from_utf8_lossy(&fs::read(self.folder.path(name)).unwrap_or_default()).into_owned();
        let said: String = self.units.iter().map(|unit| read(&format!("{}out.txt", unit.dir))).collect();
        format!("{said}{}", read("err.txt"))
    }

    pub(super) const fn line_port(&self) -> u16 {
        self.ports[1]
    }

    pub(super) const fn web_port(&self) -> u16 {
        self.ports[0]
    }

    /// The file of a party's memory.
    pub(super) fn database(&self, party: &str) -> PathBuf {
        self.path(self.unit_of(party).dir).join(format!("data/{party}.sqlite"))
    }

    fn unit_of(&self, party: &str) -> &Unit {
        self.units.iter().find(|unit| unit.parties.contains(&party)).unwrap()
    }

    /// The road doors: the operator's, the hub's, the two providers'.
    pub(super) fn road(&self, party: &str) -> String {
        format!("https://127.0.0.1:{}", self.road_port(party))
    }

    pub(super) fn road_port(&self, party: &str) -> u16 {
        let parties = [OPERATOR, HUB, PROVIDERS[0].1, PROVIDERS[1].1];
        let at = parties.iter().position(|it| *it == party).unwrap();
        self.ports[2 + at]
    }

    /// The token with which one party comes to another.
    pub(super) fn road_token(&self, from: &str, to: &str) -> String {
        fs::read_to_string(self.path(&format!("secrets/road-{from}-{to}"))).unwrap().trim().to_owned()
    }

    pub(super) fn roots(&self) -> String {
        fs::read_to_string(self.path("pki/root.pem")).unwrap()
    }

    /// Where the pages of a party are, by its slug.
    pub(super) fn base_of(&self, slug: &str) -> String {
        let party = match slug {
            "operator" => OPERATOR,
            "hub" => HUB,
            provider => PROVIDERS.iter().find(|(it, _)| *it == provider).unwrap().1,
        };
        format!("https://localhost:{}", self.unit_of(party).web_port)
    }

    /// The first logins: slug, user, password.
    pub(super) fn logins(&self) -> Vec<(String, String, String)> {
        let word = |login: &Value, name: &str| login[name].as_str().unwrap().to_owned();
        let each = |login: &Value| (word(login, "slug"), word(login, "user"), word(login, "password"));
        let of = |unit: &Unit| {
            let text = fs::read_to_string(self.path(unit.dir).join("logins.json")).unwrap();
            let logins: Vec<Value> = serde_json::from_str(&text).unwrap();
            logins.iter().map(each).collect::<Vec<_>>()
        };
        self.units.iter().flat_map(of).collect()
    }

    pub(super) async fn sign_in(&self, slug: &str, user: &str, password: &str) -> Session {
        Session::sign_in(&self.roots(), &self.base_of(slug), slug, user, password).await
    }

    /// The first administrator of a party.
    pub(super) async fn admin(&self, slug: &str) -> Session {
        let logins = self.logins();
        let (_, user, password) = logins.iter().find(|login| login.0 == slug).unwrap();
        self.sign_in(slug, user, password).await
    }
}

impl Drop for House {
    fn drop(&mut self) {
        for mut child in self.units.iter_mut().filter_map(|unit| unit.child.take()) {
            // it may have ended by itself
            let _gone = child.kill();
            let _gone = child.wait();
        }
        if std::thread::panicking() {
            let traces = self.traces();
            let from = traces.char_indices().rev().nth(6_000).map_or(0, |(at, _)| at);
            eprintln!("the house said last:\n{}", &traces[from..]);
        }
    }
}
