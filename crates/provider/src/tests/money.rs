//! Flow 2: from the CDR to the invoice, and everything that must not be billed.

use charge::id::CdrId;

use super::*;
use crate::{DisputeState, Refusal, Settlement};

async fn gross(world: &World) -> Vec<i64> {
    let rows = world.provider.invoices(Some(world.driver.clone())).await.unwrap();
    rows.iter().map(|row| row.totals.gross.minor).collect()
}

#[tokio::test]
async fn an_honest_cdr_is_verified_priced_again_and_put_on_the_invoice() {
    let world = world().await;
    let token = one_time_token(&world.permitted().await);
    world.clock.advance(Duration::from_secs(1_800));
    world.session("S1", token.clone(), 5_000, SessionStatus::Active).await.unwrap();
    world.clock.advance(Duration::from_secs(1_800));
    world.session("S1", token.clone(), 10_000, SessionStatus::Completed).await.unwrap();
    let cdr = world.cdr("C1", "S1", token, 10_000);
    assert_eq!(world.post(&cdr).await, Ok(Answer::Kept(cdr.id.clone())));

    assert!(world.provider.disputes().await.unwrap().is_empty());
    let invoices = world.provider.invoices(Some(world.driver.clone())).await.unwrap();
    let row = &invoices[0];
    assert_eq!((row.month.as_str(), row.number.as_deref()), ("2026-11", None));
    let rate = &row.totals.per_rate[0];
    assert_eq!((rate.percent, rate.net.minor, rate.vat.minor, rate.gross.minor), (Decimal::from(19), 400, 76, 476));
    let invoice = world.provider.invoice(Some(world.driver.clone()), row.no).await.unwrap();
    assert_eq!(invoice.lines.len(), 1);
    let text = &invoice.lines[0].1.text;
    assert!(text.starts_with("2026-11-22") && !text.contains("Kai") && !text.contains("Hamburg"), "{text}");

    let no = invoice.lines[0].0;
    let detail = world.provider.session(Some(world.driver.clone()), no).await.unwrap();
    assert_eq!(detail.row.verdict.as_deref(), Some("valid with remarks"), "the key came with the file");
    assert_eq!(detail.evidence.unwrap().verdict, "valid with remarks");
    assert_eq!(detail.curve.iter().map(|point| point.power.watts()).collect::<Vec<_>>(), [10_000, 10_000]);
    assert_eq!(detail.lines.len(), 1);
    let file = world.provider.record_file(Some(world.driver.clone()), no).await.unwrap();
    let bundles = billing::record::file::read(file.as_bytes()).unwrap();
    assert_eq!(bundles[0].0[0].bytes, cdr.signed[0].record.bytes, "byte for byte");
}

#[tokio::test]
async fn a_key_from_the_operators_register_counts_more_than_one_in_the_file() {
    let world = world().await;
    let key = world.signer.public_key().spki_hex();
    world.provider.import_meter_key(party("DE-OPA"), EvseUid::new("E1").unwrap(), &key).await.unwrap();
    let cdr = world.cdr("C1", "S1", one_time_token(&world.permitted().await), 10_000);
    world.post(&cdr).await.unwrap();
    assert_eq!(world.provider.cdrs(0, 1).await.unwrap().rows[0].verdict, "valid");
    let other = signer().public_key().spki_hex();
    world.provider.import_meter_key(party("DE-OPA"), EvseUid::new("E1").unwrap(), &other).await.unwrap();
    let cdr = world.cdr("C2", "S2", one_time_token(&world.permitted().await), 10_000);
    world.post(&cdr).await.unwrap();
    let disputes = world.provider.disputes().await.unwrap();
    assert_eq!(disputes[0].differences[0].path, "/signed_data");
    assert_eq!(gross(&world).await, [476], "only the first is billed");
    let nonsense = world.provider.import_meter_key(party("DE-OPA"), EvseUid::new("E1").unwrap(), "nonsense").await;
    assert_eq!(nonsense, Err(Refusal::KeyUnreadable.into()));
}

#[tokio::test]
async fn a_wrong_total_is_a_dispute_with_its_path_and_not_billed_until_settled() {
    let world = world().await;
    let mut cdr = world.cdr("C1", "S1", one_time_token(&world.permitted().await), 10_000);
    cdr.total_cost.before_vat = "4.50".parse().unwrap();
    assert_eq!(world.post(&cdr).await, Ok(Answer::Kept(cdr.id.clone())), "kept, or it would be sent for ever");
    assert!(gross(&world).await.is_empty());
    let dispute = world.provider.disputes().await.unwrap().remove(0);
    let difference = dispute.differences.iter().find(|d| d.path == "/total_cost/excl_vat").unwrap();
    assert_eq!((difference.theirs.as_str(), difference.ours.as_str()), ("4.5", "4"));

    world.provider.settle_dispute(dispute.no, Settlement::Accept, "clerk").await.unwrap();
    assert_eq!(gross(&world).await, [536], "4.50 and 19 percent");
    let again = world.provider.settle_dispute(dispute.no, Settlement::AskCredit, "clerk").await;
    assert_eq!(again, Err(Refusal::DisputeSettled.into()));
    let settled = world.provider.disputes().await.unwrap().remove(0);
    assert_eq!((settled.state, settled.settled_by.as_deref()), (DisputeState::Accepted, Some("clerk")));
}

#[tokio::test]
async fn a_tampered_record_is_a_dispute() {
    let world = world().await;
    let mut cdr = world.cdr("C1", "S1", one_time_token(&world.permitted().await), 10_000);
    let text = String::from_utf8(cdr.signed[0].record.bytes.to_vec()).unwrap();
    cdr.signed[0].record.bytes = text.replace("110.000", "109.000").into_bytes().into();
    assert_ne!(cdr.signed[0].record.bytes, text.into_bytes().into());
    world.post(&cdr).await.unwrap();
    let disputes = world.provider.disputes().await.unwrap();
    assert!(disputes[0].differences.iter().any(|difference| difference.path == "/signed_data"));
    assert_eq!(world.provider.cdrs(0, 1).await.unwrap().rows[0].verdict, "not valid");
    assert!(gross(&world).await.is_empty());
}

#[tokio::test]
async fn the_same_cdr_twice_is_kept_and_billed_once() {
    let world = world().await;
    let cdr = world.cdr("C1", "S1", one_time_token(&world.permitted().await), 10_000);
    for _ in 0..3 {
        assert_eq!(world.post(&cdr).await, Ok(Answer::Kept(cdr.id.clone())));
    }
    assert_eq!(gross(&world).await, [476]);
    assert_eq!(world.provider.cdrs(0, 9).await.unwrap().total, 1);
    let other = Cdr { energy: Energy::from_wh(20_000), ..cdr };
    assert!(matches!(world.post(&other).await, Err(Denial::Malformed { .. })), "another content under a kept id");
    assert_eq!(world.alarms().await.len(), 1);
}

#[tokio::test]
async fn a_second_cdr_of_a_session_is_a_dispute() {
    let world = world().await;
    let token = one_time_token(&world.permitted().await);
    world.post(&world.cdr("C1", "S1", token.clone(), 10_000)).await.unwrap();
    world.post(&world.cdr("C2", "S1", token.clone(), 10_000)).await.unwrap();
    world.post(&world.cdr("C3", "S2", token, 10_000)).await.unwrap();
    assert_eq!(gross(&world).await, [476]);
    let disputes = world.provider.disputes().await.unwrap();
    let paths: Vec<_> = disputes.iter().map(|dispute| dispute.differences[0].path.as_str()).collect();
    assert_eq!(paths, ["/cdr_token/contract_id", "/session_id"]);
    assert_eq!(disputes[1].differences[0].ours, "already billed by C1");
}

#[tokio::test]
async fn a_credit_takes_exactly_its_cdr_back_and_only_once() {
    let world = world().await;
    let cdr = world.cdr("C1", "S1", one_time_token(&world.permitted().await), 10_000);
    world.post(&cdr).await.unwrap();
    let credit = |id| billing::cdr::credit(&cdr, CdrId::new(id).unwrap(), cdr.end);
    world.post(&credit("C1-K")).await.unwrap();
    assert_eq!(gross(&world).await, [0]);
    world.post(&credit("C1-K2")).await.unwrap();
    assert_eq!(gross(&world).await, [0], "the second credit is a dispute");
    let mut wrong = billing::cdr::credit(&cdr, CdrId::new("C1-K3").unwrap(), cdr.end);
    wrong.credit_reference = Some(CdrId::new("unknown").unwrap());
    world.post(&wrong).await.unwrap();
    let disputes = world.provider.disputes().await.unwrap();
    assert!(disputes.iter().all(|dispute| dispute.differences[0].path == "/credit_reference_id"));
    assert_eq!(disputes.len(), 2);
}

#[tokio::test]
async fn a_credit_for_a_disputed_cdr_ends_the_dispute_and_bills_nothing() {
    let world = world().await;
    let mut cdr = world.cdr("C1", "S1", one_time_token(&world.permitted().await), 10_000);
    cdr.total_cost.before_vat = Decimal::from(40);
    world.post(&cdr).await.unwrap();
    world.post(&billing::cdr::credit(&cdr, CdrId::new("C1-K").unwrap(), cdr.end)).await.unwrap();
    assert!(gross(&world).await.is_empty());
    let dispute = world.provider.disputes().await.unwrap().remove(0);
    assert_eq!(dispute.state, DisputeState::CreditAsked);
    assert_eq!(world.provider.overview().await.unwrap().disputes_open, 0);
}

#[tokio::test]
async fn a_cdr_over_the_cap_or_without_permission_is_not_billed() {
    let world = world_with_credit(Some(300)).await;
    let verdict = world.permitted().await;
    world.post(&world.cdr("C1", "S1", one_time_token(&verdict), 10_000)).await.unwrap();
    let disputes = world.provider.disputes().await.unwrap();
    assert_eq!(disputes[0].differences[0].path, "/total_cost/incl_vat");
    let phantom = world.cdr("C2", "S2", card_token("04000000000080"), 10_000);
    assert_eq!(world.post(&phantom).await, Err(Denial::UnknownToken));
    assert!(gross(&world).await.is_empty());
}

#[tokio::test]
async fn an_operator_that_uses_the_card_itself_is_billed_and_shown_as_such() {
    let world = world().await;
    world.permitted().await;
    world.post(&world.cdr("C1", "S1", card_token(UID), 10_000)).await.unwrap();
    assert_eq!(gross(&world).await, [476]);
    let row = world.provider.sessions(None, 0, 1).await.unwrap().rows.remove(0);
    let learned = world.provider.session(None, row.no).await.unwrap().learned;
    let hub = learned.iter().find(|row| row.role == crate::LearnedAs::Hub).unwrap();
    assert!(hub.fields.contains(&crate::Field::CardUid) && hub.fields.contains(&crate::Field::StaticId));
}

#[tokio::test]
async fn a_card_that_nobody_asked_about_bills_nothing_and_one_question_permits_one_cdr() {
    let world = world().await;
    let told = world.session("S1", card_token(UID), 10_000, SessionStatus::Active).await;
    assert_eq!(told, Err(Denial::UnknownToken), "nor does it show a session, or use up credit");
    world.post(&world.cdr("C1", "S1", card_token(UID), 10_000)).await.unwrap();
    let disputes = world.provider.disputes().await.unwrap();
    assert_eq!(disputes[0].differences[0].path, "/cdr_token/contract_id", "invented: there was no tap");
    assert!(gross(&world).await.is_empty());
    world.permitted().await;
    world.post(&world.cdr("C2", "S2", card_token(UID), 10_000)).await.unwrap();
    assert_eq!(gross(&world).await, [476]);
    world.post(&world.cdr("C3", "S3", card_token(UID), 10_000)).await.unwrap();
    assert_eq!(world.provider.disputes().await.unwrap().len(), 2, "the question is used up");
    assert_eq!(gross(&world).await, [476]);
}

#[tokio::test]
async fn numbers_are_gapless_and_an_issued_invoice_never_changes() {
    let world = world().await;
    for nth in 0..3 {
        let token = one_time_token(&world.permitted().await);
        world.post(&world.cdr(&format!("C{nth}"), &format!("S{nth}"), token, 1_000)).await.unwrap();
        let open = world.provider.invoices(None).await.unwrap().into_iter().find(|row| row.number.is_none()).unwrap();
        let number = world.provider.issue_invoice(open.no).await.unwrap();
        assert_eq!(number, format!("8AA-00000{}", nth + 1));
        assert_eq!(world.provider.issue_invoice(open.no).await, Err(Refusal::InvoiceIssued.into()));
    }
    assert_eq!(gross(&world).await, [48, 48, 48], "each on its own: what comes later leaves an issued one alone");
    let rows = world.provider.invoices(None).await.unwrap();
    let invoice = world.provider.invoice(None, rows[0].no).await.unwrap();
    assert_eq!(invoice.seller, "Erste Fahrt GmbH, DE, VAT id DE123456789");
    let stranger = DriverId::new("NOBODY").unwrap();
    assert_eq!(world.provider.invoice(Some(stranger), rows[0].no).await, Err(Refusal::NoSuchInvoice.into()));
    let missing = world.provider.issue_invoice(crate::InvoiceNo(99)).await;
    assert_eq!(missing, Err(Refusal::NoSuchInvoice.into()));
}

#[tokio::test]
async fn late_words_of_a_session_change_nothing() {
    let world = world().await;
    let token = one_time_token(&world.permitted().await);
    world.clock.advance(Duration::from_secs(60));
    world.session("S1", token.clone(), 500, SessionStatus::Completed).await.unwrap();
    assert_eq!(world.session("S1", token.clone(), 900, SessionStatus::Active).await, Ok(Answer::Noted));
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.session("S1", token, 900, SessionStatus::Active).await, Ok(Answer::Noted));
    let row = world.provider.sessions(None, 0, 1).await.unwrap().rows.remove(0);
    assert_eq!((row.energy, row.status), (Energy::from_wh(500), SessionStatus::Completed));
}

#[tokio::test]
async fn at_a_clearing_house_a_listed_card_is_a_permission_by_itself() {
    let world = world_at_a_clearing_house().await;
    let cdr = world.cdr("C1", "S1", card_token(UID), 10_000);
    assert_eq!(world.post(&cdr).await, Ok(Answer::Kept(cdr.id.clone())));
    assert!(world.provider.disputes().await.unwrap().is_empty(), "nobody asks where there is a list");
    assert_eq!(gross(&world).await, [476]);
    world.provider.block_card(None, world.card.clone(), true).await.unwrap();
    let cdr = world.cdr("C2", "S2", card_token(UID), 10_000);
    assert_eq!(world.post(&cdr).await, Ok(Answer::Kept(cdr.id.clone())));
    assert_eq!(world.provider.disputes().await.unwrap()[0].differences[0].path, "/cdr_token/contract_id");
    assert_eq!(gross(&world).await, [476], "whether it was blocked before is for a clerk to say");
}
