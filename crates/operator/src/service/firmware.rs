//! Firmware: images, and campaigns that bring one to many stations in waves.
//!
//! A campaign is decided anew each round from its rows, so a restart resumes it. A station is told under one request
//! number, however often it has to be told. The maker's signature is passed on as it came.

use std::time::Duration;

use charge::id::StationId;
use charge::talk::line::upkeep::{FirmwareSignature, Retries, UpkeepOrder};
use charge::talk::line::{LineFault, StationAnswer, ToStation, Version};
use charge::{Secret, Timestamp};
use store::outbox::{self, Job};
use store::{StoreError, Tx};
use trust::bearer::BearerDigest;
use trust::hex;

use super::chore::CHORE;
use super::{Fault, House, Operator};
use crate::campaign::{self, Member, Pace, State, Step};
use crate::desk::{Campaign, CampaignMember, Firmware};
use crate::memory::{firmware, log, request, station};
use crate::order::{Outcome, StationOrder};
use crate::request::Kind;

/// An image that is wanted here.
#[derive(Clone, Debug)]
pub struct NewFirmware {
    pub vendor: String,
    pub model: Option<String>,
    pub version: String,
    /// Where it lies, if not with us. May hold a password.
    pub address: Option<Secret<String>>,
    /// Its maker's signature, for stations that check one.
    pub signature: Option<FirmwareSignature>,
}

/// A campaign that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCampaign {
    pub firmware: String,
    pub pace: Pace,
    pub stations: Chosen,
}

/// Which stations take part. Of the image's vendor, and of its model where it names one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// All that do not have the version yet.
    Behind,
    These(Vec<StationId>),
}

impl Operator {
    pub async fn firmware(&self) -> Result<Vec<Firmware>, Fault> {
        Ok(self.read("operator.firmware", |_, tx| firmware::all(tx)).await?)
    }

    /// Takes an image in. Its bytes come afterwards, where it is to lie with us.
    pub async fn add_firmware(&self, actor: &str, new: NewFirmware) -> Result<Firmware, Fault> {
        for (path, text) in [("/vendor", &new.vendor), ("/version", &new.version)] {
            if text.trim().is_empty() || text.chars().count() > TEXT_CHARACTERS_MAX {
                return Err(Fault::Invalid { path, why: "1 to 120 characters".to_owned() });
            }
        }
        if let Some(address) = &new.address
            && !["https://", "http://", "ftp://", "ftps://", "sftp://"].iter().any(|s| address.expose().starts_with(s))
        {
            return Err(Fault::Invalid { path: "/address", why: "is no address that stations know".to_owned() });
        }
        let actor = actor.to_owned();
        self.run("operator.firmware.add", move |house, tx| {
            let image = Firmware {
                id: house.dice.letters(ID_LEN),
                vendor: new.vendor.trim().to_owned(),
                model: new.model.filter(|model| !model.trim().is_empty()),
                version: new.version.trim().to_owned(),
                signed: new.signature.is_some(),
                elsewhere: new.address.is_some(),
                file: None,
                bytes: None,
                sha256: None,
                added: house.now(),
            };
            let sealed = new.address.map(|address| seal(house, &image.id, address.expose())).transpose()?;
            firmware::put(tx, &image, sealed, new.signature.as_ref())?;
            log::audit(tx, image.added, &actor, "add firmware", &image.version, "done")?;
            Ok(image)
        })
        .await
    }

    /// The image's bytes lie on the shelf. Once a campaign has begun with them they are not exchanged: what the first
    /// wave tried out is what the last one gets.
    pub async fn firmware_received(
        &self,
        actor: &str,
        id: &str,
        file: String,
        bytes: u64,
        sha256: [u8; 32],
    ) -> Result<Firmware, Fault> {
        let (actor, id) = (actor.to_owned(), id.to_owned());
        self.run("operator.firmware.shelved", move |house, tx| {
            if firmware::has_campaign(tx, &id)? {
                return Err(Fault::Conflict("a campaign has begun with this image: add another one".to_owned()));
            }
            let sha256 = hex::encode(&sha256);
            if !firmware::shelved(tx, &id, &file, bytes, &sha256)? {
                return Err(Fault::NotFound("firmware that lies here"));
            }
            log::audit(tx, house.now(), &actor, "store firmware file", &format!("{id} {sha256}"), "done")?;
            firmware::find(tx, &id)?.ok_or(Fault::NotFound("firmware"))
        })
        .await
    }

    pub async fn campaigns(&self) -> Result<Vec<Campaign>, Fault> {
        Ok(self.read("operator.campaigns", |_, tx| firmware::campaigns(tx)).await?)
    }

    pub async fn campaign(&self, id: &str) -> Result<Campaign, Fault> {
        let id = id.to_owned();
        let found = self.read("operator.campaign", move |_, tx| firmware::campaign(tx, &id)).await?;
        found.ok_or(Fault::NotFound("campaign"))
    }

    /// Begins a campaign; the first wave goes out with the next round.
    pub async fn begin_campaign(&self, actor: &str, new: NewCampaign) -> Result<Campaign, Fault> {
        if !(1..=100).contains(&new.pace.wave_percent) {
            return Err(Fault::Invalid { path: "/wave_percent", why: "1 to 100".to_owned() });
        }
        let actor = actor.to_owned();
        let begun = self.run("operator.campaign.begin", move |house, tx| begin(house, tx, &actor, &new)).await?;
        self.run_campaigns().await?;
        self.0.wake();
        self.campaign(&begun).await
    }

    /// Pauses, goes on, or stops for good. Stations that were told are not called back.
    pub async fn steer_campaign(&self, actor: &str, id: &str, state: State) -> Result<Campaign, Fault> {
        let (by, key) = (actor.to_owned(), id.to_owned());
        self.run("operator.campaign.steer", move |house, tx| {
            let found = firmware::campaign(tx, &key)?.ok_or(Fault::NotFound("campaign"))?;
            let act = match (found.state, state) {
                (State::Running, State::Paused) => "pause campaign",
                (State::Running | State::Paused, State::Stopped) => "stop campaign",
                (State::Paused | State::Stopped, State::Running) => "resume campaign",
                (State::Running, State::Running | State::Done)
                | (State::Paused, State::Paused | State::Done)
                | (State::Stopped, State::Paused | State::Stopped | State::Done)
                | (State::Done, State::Running | State::Paused | State::Stopped | State::Done) => {
                    return Err(Fault::Conflict(format!("the campaign is {}", found.state.as_str())));
                }
            };
            firmware::set_state(tx, &key, state, Some(&format!("{act} by {by}")))?;
            log::audit(tx, house.now(), &by, act, &key, "done").map_err(Fault::from)
        })
        .await?;
        self.run_campaigns().await?;
        self.0.wake();
        self.campaign(id).await
    }

    /// One step of every campaign that runs.
    pub(super) async fn run_campaigns(&self) -> Result<(), StoreError> {
        let told = self.run("operator.campaigns.step", step_all).await?;
        if told > 0 {
            self.0.wake();
        }
        Ok(())
    }

    /// Orders the image of a campaign from one station.
    pub(super) async fn order_firmware(&self, id: &str, of: &StationId, job: &Job) -> Result<(), StoreError> {
        self.0.presences().campaign_news = true;
        let (key, name, done) = (id.to_owned(), of.clone(), job.id);
        if self.0.version_of(of).is_none() {
            return self.again(id, of, job, "the station is not connected").await;
        }
        let parcel = self.run("operator.campaign.parcel", move |house, tx| pack(house, tx, &key, &name)).await?;
        let (number, order) = match parcel {
            Ok(parcel) => parcel,
            Err(why) => return self.again(id, of, job, why).await,
        };
        let word = StationOrder::Word(Box::new(ToStation::Upkeep(order)));
        let came = match self.order_as("campaign", of, word, Some(number)).await {
            Ok(came) => came,
            Err(Fault::Store(error)) => return Err(error),
            Err(fault) => return self.again(id, of, job, &fault.to_string()).await,
        };
        match came.outcome {
            Outcome::NotConnected | Outcome::TimedOut => self.again(id, of, job, &came.message).await,
            Outcome::Accepted | Outcome::Scheduled | Outcome::Refused | Outcome::Error => {
                self.run("operator.campaign.told", move |_, tx| outbox::done(tx, done).map(drop)).await
            }
        }
    }

    /// Tells an order, and a signed image without its signature to a station of 1.6 that does not know of signatures:
    /// it could not have judged one.
    pub(super) async fn tell_plain_after(
        &self,
        of: &StationId,
        mut told: ToStation,
    ) -> Result<StationAnswer, LineFault> {
        let answer = self.tell(of, told.clone()).await;
        let unknown = match &answer {
            Err(LineFault::Error { code, .. }) => matches!(&**code, "NotImplemented" | "NotSupported"),
            Err(LineFault::NotInVersion) => true,
            _ => false,
        };
        if let ToStation::Upkeep(UpkeepOrder::Firmware { signed, .. }) = &mut told
            && unknown
            && signed.take().is_some()
            && self.0.version_of(of) == Some(Version::V16)
        {
            return self.tell(of, told).await;
        }
        answer
    }

    /// Later again; a station that is away for days is not forgotten, and holds up its own wave only.
    async fn again(&self, id: &str, of: &StationId, job: &Job, why: &str) -> Result<(), StoreError> {
        let (key, name, now) = (id.to_owned(), of.clone(), self.0.now());
        let (done, attempts, why) = (job.id, job.attempts, why.to_owned());
        self.run("operator.campaign.again", move |_, tx| {
            firmware::told(tx, &key, &name, None, Some(&why), now)?;
            let state = firmware::campaign(tx, &key)?.map(|one| one.state);
            match state {
                // nobody is told while it is paused, so that was no try
                Some(State::Paused) => outbox::postpone(tx, done, now.plus(TELL_AGAIN)).map(drop),
                Some(State::Running) if attempts < TELLS_MAX => {
                    outbox::retry(tx, done, now.plus(TELL_AGAIN), &why).map(drop)
                }
                Some(State::Running | State::Stopped | State::Done) | None => {
                    fail(tx, &key, &name, &why, now)?;
                    outbox::done(tx, done).map(drop)
                }
            }
        })
        .await
    }
}

/// A station that could not be told in all that time has failed.
fn fail(tx: &mut Tx<'_>, id: &str, of: &StationId, why: &str, now: Timestamp) -> Result<(), StoreError> {
    if let Some(number) = firmware::request_of(tx, id, of)?
        && let Some(asked) = request::find(tx, number)?
    {
        request::moved(tx, &asked, crate::request::Phase::Failed, Some(why), now)?;
    }
    Ok(())
}

fn begin(house: &House, tx: &mut Tx<'_>, actor: &str, new: &NewCampaign) -> Result<String, Fault> {
    let now = house.now();
    let image = firmware::find(tx, &new.firmware)?.ok_or(Fault::NotFound("firmware"))?;
    if !image.elsewhere && image.file.is_none() {
        return Err(Fault::Conflict("the image's file has not arrived".to_owned()));
    }
    if !image.elsewhere && house.shelf.get().is_none() {
        return Err(Fault::Conflict("no shelf for files is set up".to_owned()));
    }
    let mut stations = Vec::new();
    for name in station::ids(tx)? {
        let Some(row) = station::find(tx, &name)? else { continue };
        let same = |wanted: &str, has: &str| wanted.eq_ignore_ascii_case(has.trim());
        let fits = same(&image.vendor, &row.boot.vendor)
            && image.model.as_ref().is_none_or(|model| same(model, &row.boot.model));
        let behind = row.boot.firmware.as_deref() != Some(image.version.as_str());
        let chosen = match &new.stations {
            Chosen::Behind => behind,
            Chosen::These(these) => these.contains(&name),
        };
        if fits && chosen {
            stations.push(name);
        }
    }
    if let Chosen::These(these) = &new.stations
        && let Some(other) = these.iter().find(|name| !stations.contains(name))
    {
        let why = format!("{other} is no station of {} {}", image.vendor, image.model.unwrap_or_default());
        return Err(Fault::Invalid { path: "/stations", why });
    }
    if stations.is_empty() {
        return Err(Fault::Conflict("no station needs this firmware".to_owned()));
    }
    let waves = campaign::waves(stations.len(), new.pace.wave_percent);
    let member = |(station, wave)| CampaignMember { station, wave, state: None, status: None, changed: now };
    let kept = Campaign {
        id: house.dice.letters(ID_LEN),
        firmware: image.id,
        pace: new.pace,
        state: State::Running,
        why: None,
        begun: now,
        members: stations.into_iter().zip(waves).map(member).collect(),
    };
    firmware::begin(tx, &kept, now)?;
    let subject = format!("{} for {} stations", image.version, kept.members.len());
    log::audit(tx, now, actor, "begin campaign", &subject, "done")?;
    Ok(kept.id)
}

/// How many stations are to be told.
fn step_all(house: &House, tx: &mut Tx<'_>) -> Result<usize, StoreError> {
    let (now, mut told) = (house.now(), 0);
    for one in firmware::running(tx)? {
        let member =
            |member: &CampaignMember| Member { wave: member.wave, work: member.state, changed: member.changed };
        let members: Vec<Member> = one.members.iter().map(member).collect();
        match campaign::next(one.pace, &members, now) {
            Step::Tell(due) => {
                for member in due.into_iter().filter_map(|at| one.members.get(at)) {
                    // the number is given here and once, so that the station's wave has begun
                    let number = request::open(tx, &member.station, Kind::Firmware, "campaign", now)?;
                    firmware::told(tx, &one.id, &member.station, Some(number), None, now)?;
                    outbox::put(tx, CHORE, &format!("firmware/{}/{}", one.id, member.station), now, &[])?;
                    told += 1;
                }
            }
            Step::Wait => {}
            Step::Stop(failures) => {
                let why = format!("{failures} stations failed");
                firmware::set_state(tx, &one.id, State::Stopped, Some(&why))?;
                log::audit(tx, now, "campaign", "stop campaign", &one.id, &why)?;
            }
            Step::Done => {
                firmware::set_state(tx, &one.id, State::Done, None)?;
            }
        }
    }
    Ok(told)
}

type Parcel = Result<(i32, UpkeepOrder), &'static str>;

/// The order for one station, with an address that is good for this image.
fn pack(house: &House, tx: &mut Tx<'_>, id: &str, of: &StationId) -> Result<Parcel, StoreError> {
    let Some(one) = firmware::campaign(tx, id)? else { return Ok(Err("the campaign is gone")) };
    if one.state != State::Running {
        return Ok(Err("the campaign was stopped"));
    }
    let Some(number) = firmware::request_of(tx, id, of)? else { return Ok(Err("the campaign never came to it")) };
    let Some((address, signed)) = firmware::parcel(tx, &one.firmware)? else { return Ok(Err("the image is gone")) };
    let from = match address {
        Some(sealed) => open(house, &one.firmware, &sealed)?,
        None => {
            let Some(shelf) = house.shelf.get() else { return Ok(Err("no shelf for files is set up")) };
            format!("{}/firmware-files/{}", shelf.address, secret_of(house, tx, &one.firmware)?)
        }
    };
    // only 2.x and the security extension of 1.6 carry a signature; `tell_plain_after` finds out who has the latter
    let signed = signed.filter(|_| house.version_of(of).is_some_and(|version| version >= Version::V16));
    let order = UpkeepOrder::Firmware {
        request: number,
        from: Secret::new(from.into_boxed_str()),
        retrieve_at: house.now(),
        install_at: None,
        signed,
        retries: Retries::default(),
    };
    Ok(Ok((number, order)))
}

/// The secret of an image's address. It follows from the operator's seal, so that stations told days apart share it
/// and the table holds its digest alone.
fn secret_of(house: &House, tx: &mut Tx<'_>, id: &str) -> Result<String, StoreError> {
    let tag = house.setup.keys.tags.tag(
        charge::token::TokenKind::Other,
        &charge::Personal::new(
            charge::token::TokenUid::new(format!("firmware {id}")).map_err(|_| StoreError::Misuse(id.to_owned()))?,
        ),
    );
    let secret = format!("{}{}", id, hex::encode(tag.as_bytes()));
    firmware::set_secret(tx, id, BearerDigest::of(&secret))?;
    Ok(secret)
}

fn place(id: &str) -> String {
    format!("operator_firmware.address/{id}")
}

fn seal(house: &House, id: &str, text: &str) -> Result<Vec<u8>, StoreError> {
    house.seal().seal(&place(id), text.as_bytes()).map_err(|fault| StoreError::Corrupt(fault.to_string()))
}

fn open(house: &House, id: &str, sealed: &[u8]) -> Result<String, StoreError> {
    let plain = house.seal().open(&place(id), sealed).map_err(|fault| StoreError::Corrupt(fault.to_string()))?;
    String::from_utf8(plain).map_err(|_| StoreError::Corrupt("a sealed address is no text".to_owned()))
}

/// Random, as in an address.
const ID_LEN: usize = 12;
const TEXT_CHARACTERS_MAX: usize = 120;
/// A station that was told to fetch an image does so within this time, or is told again.
pub(super) const ADDRESS_HOLDS: Duration = Duration::from_secs(48 * 3_600);
const TELL_AGAIN: Duration = Duration::from_secs(600);
/// Two days of tries: a station that is away for longer is a case of its own.
const TELLS_MAX: i64 = 288;
