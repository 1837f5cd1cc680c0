//! Documents of the modules of 2.3.0 that no room works with: kept for their owner, given back to their owner.
//!
//! Invariant: nobody reads, changes or takes away what another party left here.

use bytes::Bytes;
use charge::id::PartyId;
use charge::talk::road::Denial;
use ocpi::wire::{Incoming, Kind, Method, Reply};
use ocpi::{answer, document, hear, status};

use super::crossing::PartLocks;
use super::entrance::{Threshold, bounded_whole, page_limit};
use super::peers::DocumentSpot;

pub(crate) async fn answer(
    threshold: &Threshold,
    parts: &PartLocks,
    incoming: &Incoming,
    from: PartyId,
    body: &Bytes,
) -> Result<Reply, Denial> {
    let spot = document::spot(incoming)?;
    if spot.owner.is_some_and(|owner| owner != from) {
        return Err(Denial::UnknownObject);
    }
    let (books, now) = (&threshold.peers, threshold.now());
    let at = |id: String| DocumentSpot { owner: from, shelf: spot.shelf.clone(), id };
    match (incoming.kind, &spot.id) {
        (Kind::PutDocument, id) => {
            // each change reads what the one before it wrote
            let _turn = parts.turn(from, id.as_deref().unwrap_or_default()).await;
            let kept = match (incoming.method, id) {
                (Method::Patch, Some(id)) => books.read_document(at(id.clone())).await?,
                (_, _) => None,
            };
            let (id, text) = document::put(incoming, &spot, body, kept.as_deref())?;
            books.put_document(at(id), bounded_whole(text)?, now).await?;
            Ok(status::done(now))
        }
        (Kind::OneDocument, Some(id)) => {
            let text = books.read_document(at(id.clone())).await?.ok_or(Denial::UnknownObject)?;
            Ok(document::reply(&text, now))
        }
        (Kind::DropDocument, Some(id)) => match books.drop_document(at(id.clone())).await? {
            true => Ok(status::done(now)),
            false => Err(Denial::UnknownObject),
        },
        (Kind::Documents, None) => {
            let mut wish = hear::wish(incoming)?;
            wish.limit = page_limit(wish.limit);
            let page = books.documents(from, spot.shelf.clone(), wish).await?;
            let reply = status::success_of_texts(&page.items, now);
            let base = (threshold.own.base.as_str(), incoming.version);
            Ok(answer::paged(reply, incoming.module, wish, page.total, page.next, base))
        }
        (_, _) => Err(Denial::NotSupported),
    }
}
