//! The flows of the tour, each told from the outside: what the station showed, what the API answers afterwards.

use std::collections::BTreeMap;
use std::time::Duration;

use billing::record::{self, KeySource, Verdict};
use charge::id::EvseNo;
use charge::token::TokenUid;
use charge::units::{Energy, Power};
use serde_json::Value;
use station::bay::Phase;
use station::car::{Car, CarPlan, Curve};
use station::station::BayView;

use super::super::crowd;
use super::super::street::{Place, Standing};
use super::{Findings, Network, PATIENCE, driver};
use crate::Failure;
use crate::api::Session;

/// How long a car of the tour takes current: enough for a few readings, and for a fast one some tenths of a kWh.
const CHARGES_FOR: Duration = Duration::from_secs(6);
/// Between two looks at the API.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Waits until the providers know the places with their prices and the hub knows the cards.
pub(super) async fn indexed(network: &Network) -> Result<(), Failure> {
    let everybody: usize = network.settled.drivers.values().map(Vec::len).sum();
    until("the hub's index to fill", async || {
        let seen = network.admins.hub.get("/overview").await.ok()?;
        (seen["tokens_indexed"].as_u64()? >= everybody as u64).then_some(())
    })
    .await
    .map_err(Failure::plain)?;
    for (slug, _) in &network.admins.providers {
        let (phone, _) = driver(network, slug, 0).await.map_err(Failure::plain)?;
        until("the places to reach the providers", async || {
            for standing in &network.street.stations {
                let path = format!("/driver/places/{}/{}", super::OPERATOR.0, standing.location);
                let place = phone.get(&path).await.ok()?;
                let priced =
                    place["evses"].as_array()?.iter().filter(|evse| !evse["tariff"]["stamp"].is_null()).count();
                (priced >= standing.bays.len()).then_some(())?;
            }
            Some(())
        })
        .await
        .map_err(Failure::plain)?;
    }
    Ok(())
}

/// Flow 1: a card at a station of OCPP 1.6. One provider hears of it.
pub(super) async fn tap(network: &Network, findings: &mut Findings) -> Result<(), String> {
    let (phone, card) = driver(network, "amsel", 1).await?;
    let other = sessions(&network.admins.providers[1].1).await?.len();
    let place = at(network, 0)?;
    let known = sessions(&phone).await?.len();
    plug(&place)?;
    tap_card(&place, &card)?;
    let number = wait_for(&place, "the session to begin", |bay| bay.transaction.is_some()).await?;
    findings.note(format!(
        "{} began transaction {}",
        place.standing.id,
        number.transaction.map_or_else(String::new, |t| t.0.into())
    ));
    let session = until("the session to reach the provider", async || {
        let all = sessions(&phone).await.ok()?;
        (all.len() > known).then(|| all[0].clone())
    })
    .await?;
    tokio::time::sleep(CHARGES_FOR / 2).await;
    // the driver holds the card to the reader once more
    tap_card(&place, &card)?;
    wait_for(&place, "the session to end", |bay| bay.transaction.is_none()).await?;
    leave(&place).await?;
    let detail = closed(&phone, id_of(&session)?).await?;
    findings.learned = learned(&detail);
    let heard = sessions(&network.admins.providers[1].1).await?.len();
    if heard != other {
        return Err("the other provider learned of a session that is not its own".to_owned());
    }
    findings.note("the other provider heard nothing");
    Ok(())
}

/// A token that nobody owns is refused without any provider hearing of it.
pub(super) async fn unknown_token(network: &Network, findings: &mut Findings) -> Result<(), String> {
    let before = asked(network).await?;
    let place = at(network, 1)?;
    plug(&place)?;
    tap_card(&place, "04DEADBEEF0042")?;
    let bay =
        wait_for(&place, "the card to be refused", |bay| bay.phase != Phase::Checking && bay.last_verdict.is_some())
            .await?;
    leave(&place).await?;
    if bay.transaction.is_some() {
        return Err("a card that nobody owns was let charge".to_owned());
    }
    findings.note(format!("the station showed: {:?}", bay.last_verdict));
    let after = asked(network).await?;
    if before != after {
        return Err(format!("a provider was asked about it: {before:?} then {after:?}"));
    }
    findings.note("no provider was asked");
    Ok(())
}

/// Flow 2: start and stop from the driver's page, at a station of OCPP 2.0.1.
pub(super) async fn remote_start(network: &Network, findings: &mut Findings) -> Result<(), String> {
    let (phone, _) = driver(network, "birke", 1).await?;
    let place = at(network, 3)?;
    plug(&place)?;
    let order = crowd::start(&phone, place.standing.location.as_str(), place.bay.uid.as_str()).await?;
    let started = until("the order to come true", async || {
        let order = phone.get(&format!("/driver/orders/{order}")).await.ok()?;
        match order["state"].as_str()? {
            "started" => Some(Ok(order)),
            "refused" | "timed_out" => Some(Err(format!("the start was answered: {}", order["message"]))),
            _ => None,
        }
    })
    .await??;
    wait_for(&place, "the transaction to begin", |bay| bay.transaction.is_some()).await?;
    findings.note("the page said «started» after the station had begun");
    tokio::time::sleep(CHARGES_FOR / 2).await;
    let session = until("the session to show on the phone", async || {
        let order = phone.get(&format!("/driver/orders/{}", started["id"].as_str()?)).await.ok()?;
        order["session"].as_str().map(str::to_owned).or_else(|| order["session"].as_i64().map(|n| n.to_string()))
    })
    .await?;
    phone.post(&format!("/driver/sessions/{session}/stop"), &Value::Null).await.map_err(|fault| fault.to_string())?;
    wait_for(&place, "the station to stop", |bay| bay.transaction.is_none()).await?;
    leave(&place).await?;
    let detail = closed(&phone, session).await?;
    findings.learned = learned(&detail);
    Ok(())
}

/// Flow 3: from the virtual meter's signature to a line on an invoice; the record is verified once more, here.
pub(super) async fn meter_to_invoice(network: &Network, findings: &mut Findings) -> Result<(), String> {
    let (phone, card) = driver(network, "amsel", 2).await?;
    let place = at(network, 4)?;
    let known = sessions(&phone).await?.len();
    plug(&place)?;
    let before = view(&place)?.register;
    tap_card(&place, &card)?;
    wait_for(&place, "the session to begin", |bay| bay.transaction.is_some()).await?;
    tokio::time::sleep(CHARGES_FOR).await;
    // the line breaks; what happens meanwhile must not be lost
    place.standing.cut();
    tokio::time::sleep(CHARGES_FOR / 2).await;
    tap_card(&place, &card)?;
    wait_for(&place, "the session to end", |bay| bay.transaction.is_none()).await?;
    let metered = view(&place)?.register.checked_sub(before).ok_or("the meter fell")?;
    leave(&place).await?;
    place.standing.restore();
    let session = until("the session to reach the provider", async || {
        let all = sessions(&phone).await.ok()?;
        (all.len() > known).then(|| all[0].clone())
    })
    .await?;
    let id = id_of(&session)?;
    let detail = closed(&phone, id.clone()).await?;
    findings.note(format!("the meter counted {metered}, the last of it while the line was down"));
    let billed = detail["energy_wh"].as_i64().ok_or("the session has no energy")?;
    if (billed - metered.wh()).abs() > 1 {
        return Err(format!("the session says {billed} Wh and the meter {metered}"));
    }
    let verdict = detail["evidence"]["verdict"].as_str().unwrap_or_default();
    if !verdict.starts_with("valid") {
        return Err(format!(
            "the provider's verdict on the signed record: {verdict} {}",
            detail["evidence"]["remarks"]
        ));
    }
    let file = phone.download(&format!("/driver/sessions/{id}/record")).await.map_err(|fault| fault.to_string())?;
    let own = verify(&file, place.standing, place.bay.no)?;
    findings.note(format!("the driver's file is {own}; the provider says {verdict}"));
    let line = until("the session to reach the invoice", async || invoice_lines(&phone, &id).await.ok()?.pop()).await?;
    findings.note(format!("invoiced: {} {} for {} EUR before VAT", line["quantity"], line["unit"], line["net"]));
    findings.learned = learned(&detail);
    no_dispute(network, 0).await
}

/// The house is killed in the middle of a transaction. Nothing acknowledged is lost, nothing is billed twice.
pub(super) async fn crash_restart(network: &mut Network, findings: &mut Findings) -> Result<(), String> {
    let (phone, card) = driver(network, "birke", 2).await?;
    let known = sessions(&phone).await?.len();
    let metered = {
        let place = at(network, 4)?;
        plug(&place)?;
        let before = view(&place)?.register;
        tap_card(&place, &card)?;
        wait_for(&place, "the session to begin", |bay| bay.transaction.is_some()).await?;
        tokio::time::sleep(CHARGES_FOR / 2).await;
        (place.standing.id.clone(), before)
    };
    network.house.kill().await.map_err(|fault| fault.to_string())?;
    findings.note("the house was killed in the middle of a transaction");
    let metered = {
        let place = network.standing(&metered.0, metered.1)?;
        tokio::time::sleep(CHARGES_FOR / 2).await;
        tap_card(&place.0, &card)?;
        wait_for(&place.0, "the session to end", |bay| bay.transaction.is_none()).await?;
        let metered = view(&place.0)?.register.checked_sub(place.1).ok_or("the meter fell")?;
        leave(&place.0).await?;
        metered
    };
    network.house.start_again().await.map_err(|fault| fault.to_string())?;
    let session = until("the session to reach the provider", async || {
        let all = sessions(&phone).await.ok()?;
        (all.len() > known).then(|| all[0].clone())
    })
    .await?;
    let id = id_of(&session)?;
    let detail = closed(&phone, id.clone()).await?;
    let billed = detail["energy_wh"].as_i64().ok_or("the session has no energy")?;
    if (billed - metered.wh()).abs() > 1 {
        return Err(format!("the session says {billed} Wh and the meter {metered}"));
    }
    let lines = until("the session to reach the invoice", async || {
        let lines = invoice_lines(&phone, &id).await.ok()?;
        (!lines.is_empty()).then_some(lines)
    })
    .await?;
    findings.note(format!("one session of {metered}, {} line(s) on the invoice", lines.len()));
    if sessions(&phone).await?.len() != known + 1 {
        return Err("one transaction became several sessions".to_owned());
    }
    findings.learned = learned(&detail);
    no_dispute(network, 1).await
}

impl Network {
    /// The bay of a station again, after the network was changed in between.
    fn standing(&self, id: &str, register: Energy) -> Result<(Place<'_>, Energy), String> {
        let standing = self.street.stations.iter().find(|standing| standing.id == id).ok_or("no such station")?;
        let bay = standing.bays.first().ok_or("a station without EVSE")?;
        Ok((Place { standing, bay }, register))
    }
}

/// The first EVSE of a station by its number in the street.
fn at(network: &Network, number: usize) -> Result<Place<'_>, String> {
    let standing: &Standing = network.street.stations.get(number).ok_or("no such station")?;
    let bay = standing.bays.first().ok_or("a station without EVSE")?;
    Ok(Place { standing, bay })
}

fn plug(place: &Place<'_>) -> Result<(), String> {
    let plan = CarPlan {
        capacity: Energy::from_wh(60_000),
        charged_percent: 20,
        max_power: Power::from_watts(if place.bay.fast { 140_000 } else { 22_000 }),
        inlet: place.bay.inlet(),
        curve: Curve::Taper,
        wants: None,
    };
    let car = Car::new(plan).map_err(|fault| fault.to_string())?;
    place.standing.station.plug(place.bay.no, car).map_err(|fault| format!("plugging in: {fault:?}"))
}

fn tap_card(place: &Place<'_>, card: &str) -> Result<(), String> {
    let uid = TokenUid::new(card).map_err(|fault| fault.to_string())?;
    place.standing.station.tap(place.bay.no, uid).map_err(|fault| format!("tapping: {fault:?}"))
}

async fn leave(place: &Place<'_>) -> Result<(), String> {
    place.standing.station.unplug(place.bay.no).map_err(|fault| format!("unplugging: {fault:?}"))?;
    wait_for(place, "the EVSE to be free", |bay| bay.phase == Phase::Idle).await.map(drop)
}

fn view(place: &Place<'_>) -> Result<BayView, String> {
    let view = place.standing.station.watch().borrow().clone();
    let bay = view.bays.into_iter().find(|bay| bay.evse == place.bay.no);
    bay.ok_or_else(|| format!("the station does not show its EVSE {}", place.bay.no))
}

async fn wait_for(place: &Place<'_>, what: &str, is: impl Fn(&BayView) -> bool) -> Result<BayView, String> {
    let no = place.bay.no;
    let mut watched = place.standing.station.watch();
    let seen = watched.wait_for(|view| view.bays.iter().any(|bay| bay.evse == no && is(bay)));
    match tokio::time::timeout(PATIENCE, seen).await {
        Ok(Ok(_)) => view(place),
        Ok(Err(_)) => Err(format!("waited for {what}: the station is gone")),
        Err(_) => Err(format!("waited {} s for {what}; the EVSE shows {:?}", PATIENCE.as_secs(), view(place)?.phase)),
    }
}

/// Looks again and again until there is something to see.
async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> Result<T, String> {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.map_err(|_| format!("waited {} s for {what}", PATIENCE.as_secs()))
}

/// A driver's sessions, or with a clerk's session all of the provider's; the newest first.
async fn sessions(of: &Session) -> Result<Vec<Value>, String> {
    let own = of.get("/driver/sessions?limit=500").await;
    let list = match own {
        Ok(list) => list,
        Err(refused) if refused.status == 403 => {
            of.get("/sessions?limit=500").await.map_err(|fault| fault.to_string())?
        }
        Err(refused) => return Err(refused.to_string()),
    };
    Ok(list["items"].as_array().cloned().unwrap_or_default())
}

fn id_of(session: &Value) -> Result<String, String> {
    let id = session["id"].as_str().map(str::to_owned).or_else(|| session["id"].as_i64().map(|id| id.to_string()));
    id.ok_or_else(|| "a session without id".to_owned())
}

/// A session with its CDR checked.
async fn closed(phone: &Session, id: String) -> Result<Value, String> {
    until("the CDR to be checked", async || {
        let detail = phone.get(&format!("/driver/sessions/{id}")).await.ok()?;
        detail["evidence"]["verdict"].is_string().then_some(detail)
    })
    .await
}

fn learned(detail: &Value) -> BTreeMap<String, Vec<String>> {
    let rows = detail["learned"].as_array().into_iter().flatten();
    let words = |row: &Value| -> Vec<String> {
        row["fields"].as_array().into_iter().flatten().filter_map(|field| field.as_str().map(str::to_owned)).collect()
    };
    rows.filter_map(|row| Some((format!("{} {}", row["role"].as_str()?, row["party"].as_str()?), words(row)))).collect()
}

async fn invoice_lines(phone: &Session, session: &str) -> Result<Vec<Value>, String> {
    let invoices = phone.get("/driver/invoices").await.map_err(|fault| fault.to_string())?;
    let mut lines = Vec::new();
    for invoice in invoices["items"].as_array().into_iter().flatten() {
        let path = format!("/driver/invoices/{}", id_of(invoice)?);
        let detail = phone.get(&path).await.map_err(|fault| fault.to_string())?;
        let own = |line: &&Value| {
            line["session"].as_str() == Some(session)
                || line["session"].as_i64().map(|n| n.to_string()).as_deref() == Some(session)
        };
        lines.extend(detail["lines"].as_array().into_iter().flatten().filter(own).cloned());
    }
    Ok(lines)
}

async fn no_dispute(network: &Network, provider: usize) -> Result<(), String> {
    let disputes = network.admins.providers[provider].1.get("/disputes").await.map_err(|fault| fault.to_string())?;
    let count = disputes["items"].as_array().map_or(0, Vec::len);
    if count == 0 { Ok(()) } else { Err(format!("the provider disputes: {}", disputes["items"])) }
}

/// How often each provider was asked about a token.
async fn asked(network: &Network) -> Result<Vec<String>, String> {
    let mut counters = Vec::new();
    for (slug, session) in &network.admins.providers {
        let text = session.download("/metrics").await.map_err(|fault| fault.to_string())?;
        let text = String::from_utf8_lossy(&text).into_owned();
        let line = text.lines().find(|line| line.contains("authorize") && line.contains("direction=\"in\""));
        counters.push(format!("{slug}: {}", line.and_then(|line| line.rsplit(' ').next()).unwrap_or("0")));
    }
    Ok(counters)
}

/// Verifies the file that the driver downloaded with the key that the meter really has.
fn verify(file: &[u8], standing: &Standing, no: EvseNo) -> Result<&'static str, String> {
    let bundles = record::file::read(file).map_err(|fault| fault.to_string())?;
    let (records, _) = bundles.first().ok_or("the file is empty")?;
    let keys = standing.station.meter_keys();
    let key = keys.iter().find(|(evse, _)| *evse == no).map(|(_, key)| key).ok_or("the meter has no key")?;
    match record::verify(records, Some((key, KeySource::GivenByUser))) {
        verdict @ (Verdict::Valid(_) | Verdict::ValidWithRemarks(..)) => Ok(verdict.words()),
        verdict @ (Verdict::NotValid(_) | Verdict::CannotBeChecked(_)) => Err(format!("the driver's file: {verdict}")),
    }
}
