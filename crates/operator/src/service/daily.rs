//! What pages look up for the daily work: requests, news, models, profiles, displays, denials; and the one who asked
//! for what a station knows of a customer.

use charge::id::{EvseNo, StationId, TariffId};
use charge::talk::line::charging::{ChargingOrder, Profile};
use charge::talk::line::{ToStation, Version};
use charge::tariff::Tariff;
use charge::{Personal, Timestamp};

use super::{Fault, Operator};
use crate::desk::{Denial, DenialFilter, KeptDisplay, KeptMonitor, KeptProfile, News, NewsFilter, Request, Variable};
use crate::limits;
use crate::memory::{denial, log, model, news, request, station, tariff};
use crate::order::{OrderOutcome, StationOrder};
use crate::request::Kind;

/// A stream that a station keeps sending, with its newest value.
pub type StreamLine = (i32, i32, Option<String>, Option<Timestamp>);

impl Operator {
    /// What was asked of a station, or of all, and where it stands.
    pub async fn requests(&self, of: Option<StationId>, limit: u32) -> Result<Vec<Request>, Fault> {
        let limit = limit.clamp(1, LISTED_MAX);
        Ok(self.read("operator.requests", move |_, tx| request::list(tx, of.as_ref(), limit)).await?)
    }

    pub async fn request(&self, number: i32) -> Result<Request, Fault> {
        let found = self.read("operator.request", move |_, tx| request::find(tx, number)).await?;
        found.ok_or(Fault::NotFound("request"))
    }

    /// What stations told, newest first.
    pub async fn news(&self, filter: NewsFilter) -> Result<Vec<News>, Fault> {
        Ok(self.read("operator.news.list", move |house, tx| news::list(tx, house.seal(), &filter)).await?)
    }

    /// The variables in whose names the words are found.
    pub async fn variables(&self, of: &StationId, query: &str) -> Result<Vec<Variable>, Fault> {
        let (of, query) = (of.clone(), query.to_owned());
        Ok(self.read("operator.variables", move |_, tx| model::variables(tx, &of, &query)).await?)
    }

    pub async fn monitors(&self, of: &StationId) -> Result<Vec<KeptMonitor>, Fault> {
        let of = of.clone();
        Ok(self.read("operator.monitors", move |_, tx| model::monitors(tx, &of)).await?)
    }

    pub async fn streams(&self, of: &StationId) -> Result<Vec<StreamLine>, Fault> {
        let of = of.clone();
        Ok(self.read("operator.streams", move |_, tx| model::streams(tx, &of)).await?)
    }

    /// The profiles that a station reported, as of its last report.
    pub async fn profiles(&self, of: &StationId) -> Result<Vec<KeptProfile>, Fault> {
        let of = of.clone();
        Ok(self.read("operator.profiles", move |_, tx| model::profiles(tx, &of)).await?)
    }

    pub async fn displays(&self, of: &StationId) -> Result<Vec<KeptDisplay>, Fault> {
        let of = of.clone();
        Ok(self.read("operator.displays", move |_, tx| model::displays(tx, &of)).await?)
    }

    /// Everything that was denied, each with why and what to do.
    pub async fn denials(&self, filter: DenialFilter) -> Result<Vec<Denial>, Fault> {
        self.flush_notes().await?;
        let limit = filter.limit.clamp(1, LISTED_MAX);
        Ok(self.read("operator.denials", move |_, tx| denial::list(tx, filter.station.as_deref(), limit)).await?)
    }

    /// The version a station speaks, or spoke last.
    pub async fn version(&self, of: &StationId) -> Result<Option<Version>, Fault> {
        if let Some(version) = self.0.version_of(of) {
            return Ok(Some(version));
        }
        let of = of.clone();
        let found = self.read("operator.version", move |_, tx| station::find(tx, &of)).await?;
        Ok(found.ok_or(Fault::NotFound("station"))?.version)
    }

    /// The current form of one of this operator's tariffs.
    pub async fn tariff(&self, id: &TariffId) -> Result<Tariff, Fault> {
        let id = id.clone();
        let found = self.read("operator.tariff", move |house, tx| match tariff::current_version(tx, &id)? {
            Some(version) => tariff::version(tx, house.setup.party, version),
            None => Ok(None),
        });
        found.await?.ok_or(Fault::NotFound("tariff"))
    }

    /// Gives a station a charging profile, once its form is right.
    pub async fn set_profile(
        &self,
        actor: &str,
        of: &StationId,
        evse: Option<EvseNo>,
        profile: Profile,
    ) -> Result<OrderOutcome, Fault> {
        let version = self.version(of).await?;
        let version = version.ok_or_else(|| Fault::Conflict("the station has never been connected".to_owned()))?;
        limits::check(version, evse, &profile).map_err(|(path, why)| Fault::Invalid { path, why })?;
        let order = ChargingOrder::Set { evse, profile: Box::new(profile) };
        self.order(actor, of, StationOrder::Word(Box::new(ToStation::Charging(order)))).await
    }

    /// What a station said of a customer: handed out once, to the one who asked, and then gone.
    pub async fn customer_answer(&self, actor: &str, number: i32) -> Result<Personal<String>, Fault> {
        let actor = actor.to_owned();
        self.run("operator.customer", move |house, tx| {
            let asked = request::find(tx, number)?.filter(|asked| asked.kind == Kind::Customer);
            let asked = asked.filter(|asked| asked.actor == actor).ok_or(Fault::NotFound("answer of yours"))?;
            let found = news::customer(tx, house.seal(), number)?.ok_or(Fault::NotFound("answer"))?;
            let (data, complete) = found;
            if !complete {
                return Err(Fault::Conflict("the answer is not complete yet".to_owned()));
            }
            news::drop_customer(tx, number)?;
            let subject = format!("{} request {number}", asked.station);
            log::audit(tx, house.now(), &actor, "read customer information", &subject, "done")?;
            Ok(Personal::new(data))
        })
        .await
    }
}

const LISTED_MAX: u32 = 500;
