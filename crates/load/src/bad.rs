//! Bad peers: strangers and stations gone mad that hammer at the door, each in a loop of its own.
//!
//! They measure nothing; what they do to those who behave is [`crate::hammer`]'s to tell.

use std::sync::Arc;
use std::time::Duration;

use charge::Secret;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout_at};

use crate::Fault;
use crate::client::Caller;
use crate::frames::masked;
use crate::line::{Account, Proof};
use crate::phase::all;

/// Frames of one burst of a flood: more than the door takes at once.
const FLOOD: usize = 400;
/// Frames of nonsense on one connection.
const NONSENSE: usize = 20;
/// Whoever is refused is back after this: a thousand in a loop, and not one loop of one machine.
const PAUSE: Duration = Duration::from_millis(200);

/// How often each kind of peer tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Speaks no TLS.
    pub junk: u64,
    /// Connects and says nothing.
    pub silent: u64,
    /// A station's name with another password.
    pub password: u64,
    /// A name that nobody enrolled.
    pub unknown: u64,
    /// A station of ours that sends frames that are no OCPP.
    pub nonsense: u64,
    /// A station of ours that calls without waiting for answers.
    pub flood: u64,
}

#[derive(Clone, Copy)]
enum Manner {
    Junk,
    Silent,
    Password,
    Unknown,
    Nonsense,
    Flood,
}

const MANNERS: [Manner; 6] =
    [Manner::Junk, Manner::Silent, Manner::Password, Manner::Unknown, Manner::Nonsense, Manner::Flood];

/// Lets so many peers of all manners hammer for so long.
pub(crate) async fn hammer(
    caller: &Arc<Caller>,
    accounts: &Arc<[Account]>,
    first: usize,
    peers: usize,
    time: Duration,
) -> Result<Attempts, Fault> {
    let end = Instant::now() + time;
    let tasks = (0..peers).map(|number| {
        let (caller, accounts) = (Arc::clone(caller), Arc::clone(accounts));
        let manner = MANNERS[number % MANNERS.len()];
        tokio::spawn(async move {
            let account = accounts.get(first + number).ok_or(Fault::Plan("more bad peers than accounts"))?;
            let mut attempts = 0;
            while Instant::now() < end {
                attempts += 1;
                let attempt = attempt(&caller, manner, account, first + number);
                match manner {
                    // until the door has had enough of it
                    Manner::Silent | Manner::Flood => drop(timeout_at(end, attempt).await),
                    // whatever became of it, and whoever hung up
                    Manner::Junk | Manner::Password | Manner::Unknown | Manner::Nonsense => drop(attempt.await),
                }
                let _over = timeout_at(end, sleep(PAUSE)).await;
            }
            Ok((manner, attempts))
        })
    });
    let mut total = Attempts::default();
    for (manner, attempts) in all(tasks.collect()).await? {
        *match manner {
            Manner::Junk => &mut total.junk,
            Manner::Silent => &mut total.silent,
            Manner::Password => &mut total.password,
            Manner::Unknown => &mut total.unknown,
            Manner::Nonsense => &mut total.nonsense,
            Manner::Flood => &mut total.flood,
        } += attempts;
    }
    Ok(total)
}

async fn attempt(caller: &Caller, manner: Manner, account: &Account, number: usize) -> Result<(), Fault> {
    match manner {
        Manner::Junk | Manner::Silent => {
            let mut tcp = caller.dial(number).await?;
            if matches!(manner, Manner::Junk) {
                let junk = tcp.write_all(b"GET /ocpp/BENCH-0 HTTP/1.1\r\nHost: x\r\n\r\n").await;
                junk.map_err(|why| Fault::Connection("written", why))?;
            }
            let mut unread = [0; 256];
            while tcp.read(&mut unread).await.is_ok_and(|read| read > 0) {}
            Ok(())
        }
        Manner::Password => {
            let proof = Proof::Password(Secret::new("not-the-password".to_owned()));
            caller.call(&Account { id: account.id.clone(), proof }, number).await.map(drop)
        }
        Manner::Unknown => {
            let id = format!("NOBODY-{number}");
            caller.call(&Account { id, proof: account.proof.clone() }, number).await.map(drop)
        }
        Manner::Nonsense => {
            let mut line = caller.call(account, number).await?;
            for _ in 0..NONSENSE {
                line.shout(&masked(r#"[2,"x",{"no":"OCPP"}"#)).await?;
            }
            Ok(())
        }
        Manner::Flood => {
            let mut line = caller.call(account, number).await?;
            let frames = masked(r#"[2,"flood","Heartbeat",{}]"#).repeat(FLOOD);
            loop {
                line.shout(&frames).await?;
            }
        }
    }
}
