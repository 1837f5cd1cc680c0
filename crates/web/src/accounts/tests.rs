#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use charge::clock::{ManualClock, SeededDice};

struct Fixture {
    accounts: Accounts,
    clock: Arc<ManualClock>,
    password: Secret<String>,
}

async fn fixture() -> Fixture {
    let clock = Arc::new(ManualClock::at(Timestamp::from_secs(1_000_000)));
    let store = Store::in_memory(&[]).unwrap();
    let accounts = Accounts::open(store, Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(SeededDice::new(1))).unwrap();
    let user = NewUser { name: "Ada", shown: "Ada", role: Role::Admin, driver: None };
    let password = accounts.create(user).await.unwrap();
    Fixture { accounts, clock, password }
}

fn wrong() -> Secret<String> {
    Secret::new("not the password".to_owned())
}

#[tokio::test]
async fn a_login_opens_a_session_and_a_logout_ends_it() {
    let f = fixture().await;
    let cookie = f.accounts.sign_in("ada", f.password, "::1").await.unwrap();
    let actor = f.accounts.by_session(cookie.expose()).await.unwrap().unwrap();
    assert_eq!((actor.name.as_str(), actor.by_cookie()), ("ada", true));
    f.accounts.sign_out(&actor).await.unwrap();
    assert_eq!(f.accounts.by_session(cookie.expose()).await.unwrap(), None);
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let f = fixture().await;
    assert_eq!(f.accounts.sign_in("ada", wrong(), "::1").await.unwrap_err(), Fault::WrongLogin);
    assert_eq!(f.accounts.sign_in("eve", wrong(), "::1").await.unwrap_err(), Fault::WrongLogin);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_waiting_helps() {
    let f = fixture().await;
    for _ in 0..5 {
        assert_eq!(f.accounts.sign_in("ada", wrong(), "::1").await.unwrap_err(), Fault::WrongLogin);
    }
    let right = f.accounts.sign_in("ada", f.password.clone(), "::2").await.unwrap_err();
    assert!(matches!(right, Fault::TooMany { retry_after_s: 3 }), "{right:?}");
    f.clock.advance(Duration::from_secs(3));
    f.accounts.sign_in("ada", f.password, "::2").await.unwrap();
}

#[tokio::test]
async fn guesses_at_once_are_no_more_than_guesses_in_turn() {
    let f = fixture().await;
    let guesses = (0..40).map(|_| f.accounts.sign_in("ada", wrong(), "::1"));
    let answers = futures_util::future::join_all(guesses).await;
    let judged = answers.iter().filter(|answer| matches!(answer, Err(Fault::WrongLogin))).count();
    // the free ones, and those whose turn it was when the last free one failed
    assert!((5..5 + PASSWORDS_AT_ONCE).contains(&judged), "{judged}");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let f = fixture().await;
    let cookie = f.accounts.sign_in("ada", f.password, "::1").await.unwrap();
    f.clock.advance(IDLE_MAX + Duration::from_secs(1));
    assert_eq!(f.accounts.by_session(cookie.expose()).await.unwrap(), None);
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_must_be_good() {
    let f = fixture().await;
    let one = f.accounts.sign_in("ada", f.password.clone(), "::1").await.unwrap();
    let other = f.accounts.sign_in("ada", f.password.clone(), "::1").await.unwrap();
    let actor = f.accounts.by_session(one.expose()).await.unwrap().unwrap();
    let short = f.accounts.change_password(&actor, f.password.clone(), Secret::new("short".to_owned())).await;
    assert!(matches!(short.unwrap_err(), Fault::Malformed { .. }));
    let new = Secret::new("a quite long new one".to_owned());
    f.accounts.change_password(&actor, f.password, new.clone()).await.unwrap();
    assert!(f.accounts.by_session(one.expose()).await.unwrap().is_some());
    assert!(f.accounts.by_session(other.expose()).await.unwrap().is_none());
    f.accounts.sign_in("ada", new, "::1").await.unwrap();
}

#[tokio::test]
async fn a_key_can_do_what_its_scopes_say_and_no_more_than_its_maker() {
    let f = fixture().await;
    let cookie = f.accounts.sign_in("ada", f.password, "::1").await.unwrap();
    let ada = f.accounts.by_session(cookie.expose()).await.unwrap().unwrap();
    let (_, secret) = f.accounts.create_key(Some(&ada), "plant", &["stations:read".to_owned()], None).await.unwrap();
    let actor = f.accounts.by_key(secret.expose()).await.unwrap().unwrap();
    assert!(actor.may(Permission::StationsRead) && !actor.may(Permission::StationsCommand));
    let too_much = f.accounts.create_key(Some(&ada), "car", &["driver".to_owned()], None).await.unwrap_err();
    assert!(matches!(too_much, Fault::Malformed { path, .. } if path == "/scopes/0"));
}
