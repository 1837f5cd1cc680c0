//! The routes of the daily work, and their description. Who may do what stands here and nowhere else.

use axum::routing::MethodFilter;
use utoipa::OpenApi;

use super::{Desk, lists, quirks, seconds, templates, told, upkeep, words};
use crate::permission::Permission::{Expert, StationsCommand, StationsRead, StationsWrite};
use crate::stage::{Access, Doorway};

pub(super) fn routes(door: Doorway, desk: &Desk) -> Doorway {
    // a station has no login; the secret in the path was made for it and for one file
    let open = Access::Secret("a station shows the secret it was given");
    let desk = || desk.clone();
    door.post("/stations/{id}/words", StationsCommand, desk(), words::say)
        .post("/stations/{id}/expert", Expert, desk(), told::expert)
        .get("/stations/{id}/model", StationsRead, desk(), told::model)
        .get("/requests", StationsRead, desk(), told::requests)
        .get("/requests/{number}", StationsRead, desk(), told::request)
        .post("/requests/{number}/customer", StationsCommand, desk(), told::customer)
        .get("/news", StationsRead, desk(), told::news)
        .get("/denials", StationsRead, desk(), told::denials)
        .get("/templates", StationsRead, desk(), templates::list)
        .put("/templates/{name}", StationsWrite, desk(), templates::put)
        .delete("/templates/{name}", StationsWrite, desk(), templates::retire)
        .get("/offline-rules", StationsRead, desk(), templates::offline)
        .get("/drift", StationsRead, desk(), templates::drifting)
        .get("/stations/{id}/drift", StationsRead, desk(), templates::drift)
        .post("/stations/{id}/drift/{template}/apply", StationsCommand, desk(), templates::apply)
        .post("/stations/{id}/drift/{template}/accept", StationsWrite, desk(), templates::accept)
        .get("/stations/{id}/quirks", StationsRead, desk(), quirks::standing)
        .put("/stations/{id}/quirks/{quirk}", StationsWrite, desk(), quirks::switch)
        .post("/stations/{id}/quirks/{quirk}/apply", StationsWrite, desk(), quirks::apply)
        .post("/stations/{id}/quirks/{quirk}/dismiss", StationsWrite, desk(), quirks::dismiss)
        .put("/stations/{id}/strict", StationsWrite, desk(), quirks::strict)
        .post("/stations/{id}/reconnect", StationsCommand, desk(), quirks::reconnect)
        .get("/quirks", StationsRead, desk(), quirks::words)
        .get("/quirk-suggestions", StationsRead, desk(), quirks::suggestions)
        .get("/quirk-profiles", StationsRead, desk(), quirks::profiles)
        .put("/quirk-profiles/{name}", StationsWrite, desk(), quirks::put_profile)
        .delete("/quirk-profiles/{name}", StationsWrite, desk(), quirks::remove_profile)
        .get("/stations/{id}/tokens", StationsRead, desk(), lists::tokens)
        .post("/stations/{id}/tokens", StationsWrite, desk(), lists::put_token)
        .delete("/stations/{id}/tokens/{entry}", StationsWrite, desk(), lists::drop_token)
        .post("/stations/{id}/tokens/update", StationsCommand, desk(), lists::update)
        .get("/reservations", StationsRead, desk(), lists::reservations)
        .post("/reservations", StationsCommand, desk(), lists::reserve)
        .delete("/reservations/{id}", StationsCommand, desk(), lists::cancel)
        .post("/stations/{id}/uploads", StationsCommand, desk(), upkeep::fetch_log)
        .get("/uploads", StationsRead, desk(), upkeep::uploads)
        .get("/upload-files/{number}", StationsCommand, desk(), upkeep::download)
        .route(MethodFilter::PUT, "/uploads/{secret}", open, desk(), upkeep::upload)
        .route(MethodFilter::PUT, "/uploads/{secret}/{name}", open, desk(), upkeep::upload_named)
        .get("/firmware", StationsRead, desk(), upkeep::images)
        .post("/firmware", StationsWrite, desk(), upkeep::add_image)
        .put("/firmware/{id}/file", StationsWrite, desk(), upkeep::put_image)
        .route(MethodFilter::GET, "/firmware-files/{secret}", open, desk(), upkeep::image)
        .get("/campaigns", StationsRead, desk(), upkeep::campaigns)
        .get("/campaigns/{id}", StationsRead, desk(), upkeep::campaign)
        .post("/campaigns", StationsWrite, desk(), upkeep::begin)
        .put("/campaigns/{id}/state", StationsWrite, desk(), upkeep::steer)
        .get("/certificates", StationsRead, desk(), upkeep::certificates)
        .get("/stations/{id}/certificates", StationsRead, desk(), upkeep::held)
        .post("/stations/{id}/certificates", StationsWrite, desk(), upkeep::act)
        .get("/seconds", StationsRead, desk(), seconds::list)
        .get("/second-words", StationsRead, desk(), seconds::words)
        .put("/seconds/{name}", StationsWrite, desk(), seconds::put)
        .delete("/seconds/{name}", StationsWrite, desk(), seconds::retire)
}

/// The description of these routes.
#[derive(OpenApi)]
#[openapi(paths(
    words::say,
    told::expert,
    told::model,
    told::requests,
    told::request,
    told::customer,
    told::news,
    told::denials,
    templates::list,
    templates::put,
    templates::retire,
    templates::offline,
    templates::drifting,
    templates::drift,
    templates::apply,
    templates::accept,
    quirks::standing,
    quirks::switch,
    quirks::apply,
    quirks::dismiss,
    quirks::strict,
    quirks::reconnect,
    quirks::words,
    quirks::suggestions,
    quirks::profiles,
    quirks::put_profile,
    quirks::remove_profile,
    lists::tokens,
    lists::put_token,
    lists::drop_token,
    lists::update,
    lists::reservations,
    lists::reserve,
    lists::cancel,
    upkeep::fetch_log,
    upkeep::uploads,
    upkeep::download,
    upkeep::upload,
    upkeep::upload_named,
    upkeep::images,
    upkeep::add_image,
    upkeep::put_image,
    upkeep::image,
    upkeep::campaigns,
    upkeep::campaign,
    upkeep::begin,
    upkeep::steer,
    upkeep::certificates,
    upkeep::held,
    upkeep::act,
    seconds::list,
    seconds::words,
    seconds::put,
    seconds::retire
))]
pub(crate) struct Description;
