//! Files: where stations put their logs and fetch their firmware, and who may.
//!
//! An address holds a secret of 32 random bytes and is good for one file, for one station, for a day. The room keeps
//! rows and decides; the door for people carries the bytes and keeps the files in the shelf's directory.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::ToStation;
use charge::talk::line::upkeep::{LogKind, Retries, UpkeepOrder};
use charge::{Secret, Timestamp};
use store::{StoreError, Tx};
use trust::bearer::{self, BearerDigest};

use super::firmware::ADDRESS_HOLDS;
use super::{Event, Fault, House, Operator};
use crate::desk::{Firmware, Upload};
use crate::memory::{firmware, request, upload};
use crate::order::{OrderOutcome, StationOrder};
use crate::request::{Kind, Phase};

/// Where files lie, and under which address stations reach this operator's door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    pub directory: PathBuf,
    /// `https://host:port/api/p/<slug>`, without a slash at the end.
    pub address: String,
}

/// A log that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogWish {
    pub kind: LogKind,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

impl Operator {
    /// Hangs the shelf in its frame. The first one stays.
    pub fn attach_shelf(&self, shelf: Shelf) {
        let attached = self.0.shelf.set(shelf);
        debug_assert!(attached.is_ok(), "a second shelf was attached");
    }

    /// Where files lie; nothing where no shelf is attached.
    pub fn shelf(&self) -> Option<&Shelf> {
        self.0.shelf.get()
    }

    /// Asks a station for a log. It comes to an address of ours that is made for it.
    pub async fn fetch_log(&self, actor: &str, of: &StationId, wish: LogWish) -> Result<OrderOutcome, Fault> {
        let shelf = self.shelf().ok_or_else(|| Fault::Conflict("no shelf for files is set up".to_owned()))?;
        let secret = bearer::generate("", &*self.0.dice);
        let to = Secret::new(format!("{}/uploads/{}", shelf.address, secret.expose()).into_boxed_str());
        // every 1.6 station knows GetDiagnostics; GetLog came with the security extension
        let old = self.0.version_of(of).is_none_or(|version| !version.is_2());
        let legacy = old && wish.kind == LogKind::Diagnostics;
        let kind = if legacy { Kind::Diagnostics } else { Kind::Log };
        let (name, by, digest) = (of.clone(), actor.to_owned(), BearerDigest::of(secret.expose()));
        let number = self
            .run("operator.log.ask", move |house, tx| {
                let now = house.now();
                let number = request::open(tx, &name, kind, &by, now)?;
                upload::open(tx, number, digest, now.plus(OPEN_FOR))?;
                Ok::<_, StoreError>(number)
            })
            .await?;
        let order = UpkeepOrder::FetchLog {
            request: number,
            kind: wish.kind,
            to,
            from: wish.from,
            until: wish.until,
            retries: Retries::default(),
            legacy,
        };
        let word = StationOrder::Word(Box::new(ToStation::Upkeep(order)));
        self.order_as(actor, of, word, Some(number)).await
    }

    pub async fn uploads(&self, of: Option<StationId>, limit: u32) -> Result<Vec<Upload>, Fault> {
        let limit = limit.clamp(1, LISTED_MAX);
        Ok(self.read("operator.uploads", move |_, tx| upload::list(tx, of.as_ref(), limit)).await?)
    }

    pub async fn upload(&self, number: i32) -> Result<Upload, Fault> {
        let found = self.read("operator.upload", move |_, tx| upload::find(tx, number)).await?;
        found.ok_or(Fault::NotFound("upload"))
    }

    /// Which upload an address is for, while it takes a file. Whoever knows the secret is the station.
    pub async fn upload_expected(&self, secret: &str) -> Result<i32, Fault> {
        let digest = BearerDigest::of(secret);
        let found =
            self.read("operator.upload.open", move |house, tx| upload::expected(tx, digest, house.now())).await?;
        found.ok_or(Fault::NotFound("upload"))
    }

    /// The file lies on the shelf. Stations that tell no progress are done with it.
    pub async fn upload_received(
        &self,
        number: i32,
        name: Option<String>,
        file: String,
        bytes: u64,
    ) -> Result<(), Fault> {
        let name = name.map(|name| shown_name(&name));
        let station = self
            .run("operator.upload.received", move |house, tx| {
                received(house, tx, number, name.as_deref(), &file, bytes)
            })
            .await?;
        self.0.tell_of(Event::Station(station));
        Ok(())
    }

    /// The image behind the address that a campaign gave to stations: good while one runs with it, and a while longer
    /// for those that were told last.
    pub async fn firmware_expected(&self, secret: &str) -> Result<Firmware, Fault> {
        let (digest, told_since) = (BearerDigest::of(secret), self.0.now().minus(ADDRESS_HOLDS));
        let found =
            self.read("operator.firmware.open", move |_, tx| firmware::by_secret(tx, digest, told_since)).await?;
        found.filter(|image| image.file.is_some()).ok_or(Fault::NotFound("firmware"))
    }

    /// Forgets the files that have lain long enough, and deletes whatever lies there that no row names: those, images
    /// that were replaced, what broke off.
    pub(super) async fn tidy_shelf(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(shelf) = self.shelf() else { return Ok(()) };
        let before = now.minus(FILES_KEPT);
        let named: HashSet<String> = self
            .run("operator.shelf.tidy", move |_, tx| {
                upload::forget(tx, before)?;
                Ok::<_, StoreError>(upload::files(tx)?.into_iter().chain(firmware::files(tx)?).collect())
            })
            .await?;
        let directory = shelf.directory.clone();
        let tidied = tokio::task::spawn_blocking(move || delete_unnamed(&directory, &named)).await;
        match tidied.map_err(std::io::Error::other).flatten() {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::error!(%error, "the shelf could not be tidied; it is tried again in an hour"),
        }
        Ok(())
    }
}

/// What is younger than [`UNNAMED_KEPT`] may be on its way to its row.
fn delete_unnamed(directory: &Path, named: &HashSet<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        // names of ours are letters and digits; what is none was put there by somebody else
        let ours = name
            .to_str()
            .is_some_and(|name| !named.contains(name) && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let facts = entry.metadata()?;
        let old = facts.modified()?.elapsed().is_ok_and(|age| age >= UNNAMED_KEPT);
        if ours && old && facts.is_file() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn received(
    house: &House,
    tx: &mut Tx<'_>,
    number: i32,
    name: Option<&str>,
    file: &str,
    bytes: u64,
) -> Result<StationId, Fault> {
    let now = house.now();
    if !upload::received(tx, number, name, file, bytes, now)? {
        return Err(Fault::Conflict("the file has arrived already".to_owned()));
    }
    let asked = request::find(tx, number)?.ok_or(Fault::NotFound("upload"))?;
    request::moved(tx, &asked, Phase::Done, Some("Uploaded"), now)?;
    Ok(asked.station)
}

/// A name for people; no path, no control characters.
pub(super) fn shown_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !c.is_control()).take(NAME_CHARACTERS_MAX).collect()
}

/// A station that is busy or far away tries for hours.
const OPEN_FOR: Duration = Duration::from_secs(24 * 3_600);
/// A fault is dealt with in weeks; logs hold more than is needed.
const FILES_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// No upload takes longer.
const UNNAMED_KEPT: Duration = Duration::from_secs(24 * 3_600);
const NAME_CHARACTERS_MAX: usize = 120;
const LISTED_MAX: u32 = 500;
