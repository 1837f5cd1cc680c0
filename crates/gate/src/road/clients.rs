//! Who is there: tells parties of each other's comings and goings, and asks the quiet for a sign of life (OCPI 2.2.1, 14).
//!
//! Both beside the letters, each in a task of its own, so that one who is slow to answer holds nobody up. What is to be
//! told and to whom is the exchange's; whom the door cannot tell (another protocol, OCPI 2.1.1, no such endpoint) has
//! nothing to hear.

use std::sync::Arc;

use charge::id::PartyId;
use charge::talk::road::{ClientInfo, ClientNews, Denial};
use ocpi::client;
use ocpi::status::code_of;
use ocpi::wire::{Module, Side};

use super::relay::WayOut;

impl WayOut {
    /// One round; what it begins ends by itself.
    pub(crate) async fn look_around(self: &Arc<Self>) -> Result<(), Denial> {
        for news in self.exchange.client_news().await? {
            tokio::spawn(Arc::clone(self).pass_news(news));
        }
        for party in self.exchange.quiet().await? {
            tokio::spawn(Arc::clone(self).ask_for_a_sign(party));
        }
        Ok(())
    }

    async fn pass_news(self: Arc<Self>, news: ClientNews) {
        let heard = self.heard(news.to, &news.client).await;
        if let Err(denial) = self.exchange.client_told(news.number, news.tries, heard).await {
            tracing::error!(?denial, "that a party was told of another could not be kept; it is told again");
        }
    }

    /// Any answer is one: what a receiver refuses it does not want to hear.
    async fn heard(&self, to: PartyId, about: &ClientInfo) -> bool {
        let Some(way) = self.peers.peer(to).await else { return true };
        let Ok(endpoints) = way.endpoints().await else { return false };
        if endpoints.of(Module::HubClientInfo, Side::Receiver).is_none() || !endpoints.version.has_routing() {
            return true;
        }
        match way.tell(client::push(about)).await {
            Ok(reply) => code_of(reply.body.as_bytes()).is_some(),
            Err(fault) => {
                tracing::debug!(peer = %to, ?fault, "the receiver was not told who is there");
                false
            }
        }
    }

    /// OCPI 2.2.1, 14.2.1: the list of versions is what may be asked at any time.
    async fn ask_for_a_sign(self: Arc<Self>, party: PartyId) {
        let Some(way) = self.peers.peer(party).await else { return };
        let said = way.look(way.versions_url()).await;
        let code = said.ok().and_then(|reply| code_of(reply.body.as_bytes()));
        self.exchange.alive(party, code.is_some_and(|code| (1000..2000).contains(&code)));
    }
}
