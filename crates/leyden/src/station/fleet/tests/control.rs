//! The control over its socket, while stations run.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use charge::Dice;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::*;

struct Client {
    lines: Lines<BufReader<OwnedReadHalf>>,
    write: OwnedWriteHalf,
}

impl Client {
    async fn ask(&mut self, line: &str) -> String {
        self.write.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(PATIENCE, self.lines.next_line()).await;
        answer.unwrap_or_else(|_| panic!("no answer to {line}")).unwrap().unwrap()
    }

    async fn ok(&mut self, line: &str) {
        assert_eq!(self.ask(line).await, "ok", "{line}");
    }
}

fn socket() -> PathBuf {
    std::env::temp_dir().join(format!("leyden-control-{}.sock", SystemDice.uuid()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_station_does_what_the_lines_say() {
    let (server, desk, operator) = open();
    let path = socket();
    let two = scenario("name = \"two\"\nspeed = 600\nstation = [ { id = \"A{n}\", count = 2, version = \"2.0.1\" } ]");
    let controlled = tokio::spawn({
        let path = path.clone();
        async move {
            let journals = Store::in_memory(station::MIGRATIONS).unwrap();
            play(&two, &operator, Path::new("."), &journals, Some(Control::Socket(path))).await.unwrap()
        }
    });
    desk.until("both stations", |desk| desk.said(|said| matches!(said, FromStation::Boot(_))) == 2).await;
    let stream = loop {
        // the socket is made once all stations are on
        match UnixStream::connect(&path).await {
            Ok(stream) => break stream,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (read, write) = stream.into_split();
    let mut client = Client { lines: BufReader::new(read).lines(), write };
    assert!(client.ask("help").await.starts_with("ok list"));
    client.ok("expect * state=Available within=600").await;
    client.ok("plug A1 car.max-watts=11000").await;
    client.ok("tap A1").await;
    client.ok("expect A1 state=Charging within=600").await;
    assert!(client.ask("tap A2 evse=7").await.starts_with("no A2: "), "no such EVSE");
    assert!(client.ask("plug A3").await.starts_with("no there is no station"));
    client.ok("offline A1").await;
    let list: serde_json::Value = serde_json::from_str(&client.ask("list").await["ok ".len()..]).unwrap();
    assert_eq!((&list[0]["id"], &list[0]["version"]), (&"A1".into(), &serde_json::Value::Null));
    assert_eq!((&list[1]["id"], &list[1]["version"]), (&"A2".into(), &"2.0.1".into()));
    client.ok("fault A1 code=GroundFailure").await;
    client.ok("online A1").await;
    client.ok("settled A1 within=600").await;
    assert_eq!(desk.ended.lock().unwrap().len(), 1, "the fault ended it, and it was told");
    client.ok("repair A1").await;
    client.ok("unplug A1").await;
    client.ok("reboot A2").await;
    desk.until("another boot", |desk| desk.said(|said| matches!(said, FromStation::Boot(_))) == 3).await;
    client.ok("quit").await;
    let report = tokio::time::timeout(PATIENCE, controlled).await.unwrap().unwrap();
    assert!(report.held && report.stations.len() == 2);
    assert!(report.stations[0].messages.contains_key("TransactionEvent"));
    assert!(!path.exists());
    server.stop().await;
}
