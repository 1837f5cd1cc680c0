//! Accounts of one party: people who sign in, their sessions, and API keys for programs.
//!
//! Passwords are kept as Argon2id, sessions and keys as digests: the database alone opens nothing. A login that does
//! not exist costs as much time as one that does. Nothing here has a default: who is not created cannot sign in.

mod memory;
pub(crate) mod throttle;

use std::sync::Arc;
use std::time::Duration;

use charge::{Clock, Dice, Secret, Timestamp};
use store::{Row, Store, StoreError, values};
use tokio::sync::{Semaphore, SemaphorePermit};
use trust::bearer::BearerDigest;
use trust::password::{self, PasswordFault, PasswordHash};

use crate::fault::Fault;
use crate::permission::{Permission, Role};
pub use memory::MIGRATIONS;
use memory::*;
use throttle::Throttle;

/// Signed out after so long without a request.
const IDLE_MAX: Duration = Duration::from_secs(12 * 3_600);
/// Signed out after so long in any case.
const LIFE_MAX: Duration = Duration::from_secs(7 * 86_400);
/// `last_seen` and `last_used` are written at most so often: a page makes many requests a minute.
const SEEN_EVERY: Duration = Duration::from_secs(60);
/// Argon2 takes 19 MiB and a core for a moment: more at once would starve everything else.
const PASSWORDS_AT_ONCE: usize = 2;
/// Longer names are mistakes or attacks.
const NAME_CHARACTERS_MAX: usize = 64;
/// Keys of one driver at a time: one for every device, and some.
const KEYS_OF_DRIVER_MAX: i64 = 20;
/// What a session cookie and a key begin with, so that a secret scanner knows them.
const SESSION_PREFIX: &str = "leys_";
const KEY_PREFIX: &str = "ley_";

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub name: String,
    pub shown: String,
    pub rights: Rights,
    /// The provider's id of the driver whose own things these are.
    pub driver: Option<String>,
    pass: Pass,
}

/// With what an actor came.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pass {
    /// A person, with a cookie.
    Session(Signed),
    /// A program.
    Key { id: i64, digest: BearerDigest },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signed {
    user: i64,
    digest: BearerDigest,
}

/// One person with all their logins, or one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    User(i64),
    Key(i64),
}

/// What an actor may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rights {
    Role(Role),
    Scopes(Vec<Permission>),
}

impl Actor {
    pub fn may(&self, permission: Permission) -> bool {
        match &self.rights {
            Rights::Role(role) => role.may(permission),
            Rights::Scopes(scopes) => permission == Permission::Self_ || scopes.contains(&permission),
        }
    }

    /// Signed in with a cookie: a write needs proof that a page of ours sent it.
    pub const fn by_cookie(&self) -> bool {
        matches!(self.pass, Pass::Session(_))
    }

    pub const fn who(&self) -> Who {
        match &self.pass {
            Pass::Session(signed) => Who::User(signed.user),
            Pass::Key { id, .. } => Who::Key(*id),
        }
    }

    fn signed(&self) -> Option<Signed> {
        match &self.pass {
            Pass::Session(signed) => Some(signed.clone()),
            Pass::Key { .. } => None,
        }
    }
}

/// A user to create.
pub struct NewUser<'a> {
    /// What the person types.
    pub name: &'a str,
    /// What the page shows.
    pub shown: &'a str,
    pub role: Role,
    pub driver: Option<&'a str>,
}

pub struct UserRow {
    pub id: i64,
    pub name: String,
    pub shown: String,
    pub role: String,
    pub created: Timestamp,
}

pub struct KeyRow {
    pub id: i64,
    pub name: String,
    pub scopes: Vec<String>,
    pub created: Timestamp,
    pub last_used: Option<Timestamp>,
}

/// The accounts of one party, in its own database.
#[derive(Clone)]
pub struct Accounts {
    store: Store,
    clock: Arc<dyn Clock>,
    dice: Arc<dyn Dice>,
    throttle: Arc<Throttle>,
    passwords: Arc<Semaphore>,
}

impl Accounts {
    /// Brings the tables up to date. Blocks for a moment: call it while starting.
    pub fn open(store: Store, clock: Arc<dyn Clock>, dice: Arc<dyn Dice>) -> Result<Self, StoreError> {
        store.migrate(MIGRATIONS)?;
        let passwords = Arc::new(Semaphore::new(PASSWORDS_AT_ONCE));
        Ok(Self { store, clock, dice, throttle: Arc::default(), passwords })
    }

    /// Creates a user with a random password, which is shown once and never again.
    pub async fn create(&self, user: NewUser<'_>) -> Result<Secret<String>, Fault> {
        let name = tidy(user.name)?;
        let password = password::generate(&*self.dice);
        let turn = self.turn().await?;
        let hash = self.hash(password.clone()).await?;
        drop(turn);
        let (shown, role) = (user.shown.to_owned(), user.role.as_str());
        let (driver, now) = (user.driver.map(str::to_owned), self.clock.now());
        let put = self.store.run("web.user.put", move |tx| {
            tx.one(USER_PUT, &values![name, shown, role, driver, hash, now], |row| row.int(0))
        });
        match put.await {
            Ok(_) => Ok(password),
            Err(error) if error.is_duplicate() => Err(Fault::Conflict("This name is taken.".to_owned())),
            Err(error) => Err(error.into()),
        }
    }

    /// Whether somebody could get this name: it is well formed, and nobody has it.
    pub async fn check_free(&self, name: &str) -> Result<(), Fault> {
        let name = tidy(name)?;
        let found = self.store.read("web.user", move |tx| tx.one(USER_BY_NAME, &values![name], |row| row.int(0)));
        match found.await.map_err(|e: StoreError| e)? {
            Some(_) => Err(Fault::Conflict("This name is taken.".to_owned())),
            None => Ok(()),
        }
    }

    pub async fn users(&self) -> Result<Vec<UserRow>, Fault> {
        let row = |row: &Row<'_>| {
            Ok(UserRow {
                id: row.int(0)?,
                name: row.text(1)?,
                shown: row.text(2)?,
                role: row.text(3)?,
                created: row.time(4)?,
            })
        };
        Ok(self.store.read("web.users", move |tx| tx.query(USERS, &[], row)).await.map_err(|e: StoreError| e)?)
    }

    /// Removes a user with all sessions, and a driver with their keys. Nobody removes themselves: the last admin would lock the door from inside.
    pub async fn drop_user(&self, actor: &Actor, id: i64) -> Result<(), Fault> {
        if actor.who() == Who::User(id) {
            return Err(Fault::Conflict("Nobody can remove their own account.".to_owned()));
        }
        let gone = self.store.run("web.user.drop", move |tx| {
            tx.execute(USER_KEYS_DROP, &values![id])?;
            tx.execute(USER_DROP, &values![id])
        });
        let gone = gone.await;
        if gone.map_err(|e: StoreError| e)? == 0 { Err(Fault::NotFound) } else { Ok(()) }
    }

    /// Signs in; gives the secret for the cookie. `address` is where the request came from, for the throttle alone.
    pub async fn sign_in(&self, name: &str, presented: Secret<String>, address: &str) -> Result<Secret<String>, Fault> {
        let name = name.trim().to_lowercase();
        self.throttle.admit(&name, address, self.clock.now())?;
        let wanted = name.clone();
        let found = self
            .store
            .read("web.user", move |tx| tx.one(USER_BY_NAME, &values![wanted], |row| Ok((row.int(0)?, row.text(4)?))));
        let found: Option<(i64, String)> = found.await.map_err(|e: StoreError| e)?;
        let (user, hash) = found.unzip();
        // judged again when it is their turn, which ends after the failure is noted: whoever sends a thousand guesses
        // at once has no more of them than whoever sends one after the other
        let _turn = self.turn().await?;
        self.throttle.admit(&name, address, self.clock.now())?;
        if !self.verify(hash, presented).await? {
            self.throttle.failed(&name, address, self.clock.now());
            return Err(Fault::WrongLogin);
        }
        self.throttle.succeeded(&name, address);
        let secret = trust::bearer::generate(SESSION_PREFIX, &*self.dice);
        let (digest, now) = (BearerDigest::of(secret.expose()), self.clock.now());
        let put = self.store.run("web.session.put", move |tx| {
            tx.execute(SESSIONS_EXPIRE, &values![now.minus(IDLE_MAX), now.minus(LIFE_MAX)])?;
            tx.execute(SESSION_PUT, &values![digest.as_bytes(), user, now])
        });
        put.await.map_err(|e: StoreError| e)?;
        Ok(secret)
    }

    /// Ends the actor's session.
    pub async fn sign_out(&self, actor: &Actor) -> Result<(), Fault> {
        if let Some(Signed { digest, .. }) = actor.signed() {
            let drop =
                self.store.run("web.session.drop", move |tx| tx.execute(SESSION_DROP, &values![digest.as_bytes()]));
            drop.await.map_err(|e: StoreError| e)?;
        }
        Ok(())
    }

    /// Changes the actor's own password and ends all their other sessions.
    pub async fn change_password(&self, actor: &Actor, old: Secret<String>, new: Secret<String>) -> Result<(), Fault> {
        let Some(Signed { user, digest }) = actor.signed() else { return Err(Fault::NotPermitted) };
        let _turn = self.turn().await?;
        self.throttle.admit(&actor.name, "", self.clock.now())?;
        let found =
            self.store.read("web.user.password", move |tx| tx.one(USER_PASSWORD_OF, &values![user], |row| row.text(0)));
        if !self.verify(found.await.map_err(|e: StoreError| e)?, old).await? {
            self.throttle.failed(&actor.name, "", self.clock.now());
            return Err(Fault::malformed("/old", "The old password is wrong."));
        }
        let hash = self.hash(new).await?;
        let put = self.store.run("web.user.password.put", move |tx| {
            tx.execute(USER_SESSIONS_DROP, &values![user, digest.as_bytes()])?;
            tx.execute(USER_PASSWORD, &values![user, hash])
        });
        put.await.map_err(|e: StoreError| e)?;
        Ok(())
    }

    /// Whose session is this? `None` where it is unknown or has ended.
    pub async fn by_session(&self, presented: &str) -> Result<Option<Actor>, Fault> {
        let (digest, now) = (BearerDigest::of(presented), self.clock.now());
        let found = self.store.read("web.session", move |tx| {
            tx.one(SESSION, &values![digest.as_bytes()], |row| {
                let role = Role::named(&row.text(3)?).ok_or_else(|| StoreError::Corrupt("web_user.role".to_owned()))?;
                let actor = Actor {
                    name: row.text(1)?,
                    shown: row.text(2)?,
                    rights: Rights::Role(role),
                    driver: row.text_opt(4)?,
                    pass: Pass::Session(Signed { user: row.int(0)?, digest }),
                };
                Ok((actor, row.time(5)?, row.time(6)?))
            })
        });
        let Some((actor, created, seen)) = found.await.map_err(|e: StoreError| e)? else { return Ok(None) };
        if !alive(created, seen, now) {
            return Ok(None);
        }
        if now.since(seen) > SEEN_EVERY {
            let put = self
                .store
                .run("web.session.seen", move |tx| tx.execute(SESSION_SEEN, &values![digest.as_bytes(), now]));
            put.await.map_err(|e: StoreError| e)?;
        }
        Ok(Some(actor))
    }

    /// Whether what the actor came with is still good. It is no sign of life: listening keeps nobody signed in.
    pub async fn holds(&self, actor: &Actor) -> Result<bool, Fault> {
        let now = self.clock.now();
        let found = match &actor.pass {
            Pass::Session(Signed { digest, .. }) => {
                let digest = *digest;
                let row = move |row: &Row<'_>| Ok(alive(row.time(5)?, row.time(6)?, now));
                self.store.read("web.session.holds", move |tx| tx.one(SESSION, &values![digest.as_bytes()], row)).await
            }
            Pass::Key { digest, .. } => {
                let digest = *digest;
                self.store.read("web.key.holds", move |tx| tx.one(KEY, &values![digest.as_bytes()], |_| Ok(true))).await
            }
        };
        Ok(found.map_err(|e: StoreError| e)?.unwrap_or(false))
    }

    /// Makes an API key; the secret is shown once. A key can do no more than whoever makes it.
    pub async fn create_key(
        &self,
        maker: Option<&Actor>,
        name: &str,
        scopes: &[String],
        driver: Option<&str>,
    ) -> Result<(i64, Secret<String>), Fault> {
        let mut wanted = Vec::new();
        for (number, scope) in scopes.iter().enumerate() {
            let path = format!("/scopes/{number}");
            let permission =
                Permission::of_scope(scope).ok_or_else(|| Fault::malformed(&path, "There is no such scope."))?;
            if maker.is_some_and(|maker| !maker.may(permission)) {
                return Err(Fault::malformed(&path, "You cannot give what you do not have."));
            }
            wanted.push(permission.scope());
        }
        let name = name.trim().to_owned();
        if name.is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
            return Err(Fault::malformed("/name", "A key needs a name of up to 64 characters."));
        }
        let secret = trust::bearer::generate(KEY_PREFIX, &*self.dice);
        let digest = BearerDigest::of(secret.expose());
        let (scopes, now) = (wanted.join(" "), self.clock.now());
        let driver = driver.map(str::to_owned);
        let put = self.store.run("web.key.put", move |tx| {
            if let Some(driver) = &driver
                && tx
                    .one(KEYS_COUNT, &values![driver], |row| row.int(0))?
                    .is_some_and(|count| count >= KEYS_OF_DRIVER_MAX)
            {
                return Ok(None);
            }
            tx.one(KEY_PUT, &values![digest.as_bytes(), name, scopes, driver, now], |row| row.int(0))
        });
        let id = put.await.map_err(|e: StoreError| e)?;
        let id = id.ok_or_else(|| Fault::Conflict("There are too many keys. Please end one first.".to_owned()))?;
        Ok((id, secret))
    }

    pub async fn keys(&self) -> Result<Vec<KeyRow>, Fault> {
        let found = self.store.read("web.keys", move |tx| tx.query(KEYS, &[], key_row));
        Ok(found.await.map_err(|e: StoreError| e)?)
    }

    /// The keys that this driver made.
    pub async fn keys_of(&self, driver: &str) -> Result<Vec<KeyRow>, Fault> {
        let driver = driver.to_owned();
        let found = self.store.read("web.keys.of", move |tx| tx.query(KEYS_OF, &values![driver], key_row));
        Ok(found.await.map_err(|e: StoreError| e)?)
    }

    /// Ends a key of this driver; one of somebody else is not there.
    pub async fn drop_key_of(&self, driver: &str, id: i64) -> Result<(), Fault> {
        let driver = driver.to_owned();
        let gone = self.store.run("web.key.drop.of", move |tx| tx.execute(KEY_DROP_OF, &values![id, driver])).await;
        if gone.map_err(|e: StoreError| e)? == 0 { Err(Fault::NotFound) } else { Ok(()) }
    }

    pub async fn drop_key(&self, id: i64) -> Result<(), Fault> {
        let gone = self.store.run("web.key.drop", move |tx| tx.execute(KEY_DROP, &values![id])).await;
        if gone.map_err(|e: StoreError| e)? == 0 { Err(Fault::NotFound) } else { Ok(()) }
    }

    /// Which program is this?
    pub async fn by_key(&self, presented: &str) -> Result<Option<Actor>, Fault> {
        let (digest, now) = (BearerDigest::of(presented), self.clock.now());
        let found = self.store.read("web.key", move |tx| {
            tx.one(KEY, &values![digest.as_bytes()], |row| {
                let scopes = row.text(2)?.split_whitespace().filter_map(Permission::of_scope).collect();
                let name = row.text(1)?;
                let (rights, id) = (Rights::Scopes(scopes), row.int(0)?);
                let pass = Pass::Key { id, digest };
                let actor = Actor { shown: name.clone(), name, rights, driver: row.text_opt(3)?, pass };
                Ok((id, actor, row.time_opt(4)?))
            })
        });
        let Some((id, actor, used)) = found.await.map_err(|e: StoreError| e)? else { return Ok(None) };
        if used.is_none_or(|used| now.since(used) > SEEN_EVERY) {
            let put = self.store.run("web.key.used", move |tx| tx.execute(KEY_USED, &values![id, now]));
            put.await.map_err(|e: StoreError| e)?;
        }
        Ok(Some(actor))
    }

    /// Argon2 runs in turn. Whoever hashes or verifies holds one.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, Fault> {
        self.passwords.acquire().await.map_err(|_| Fault::Internal)
    }

    async fn hash(&self, password: Secret<String>) -> Result<String, Fault> {
        let dice = Arc::clone(&self.dice);
        let hashed = tokio::task::spawn_blocking(move || password::hash(&password, &*dice)).await;
        match hashed.map_err(|_| Fault::Internal)? {
            Ok(hash) => Ok(hash.to_string()),
            Err(PasswordFault::NotHashed) => Err(Fault::Internal),
            Err(fault) => Err(Fault::malformed("/new", fault.to_string())),
        }
    }

    /// `None` for a user that does not exist: takes as long, and is false.
    async fn verify(&self, hash: Option<String>, presented: Secret<String>) -> Result<bool, Fault> {
        let judged = tokio::task::spawn_blocking(move || match hash.as_deref().and_then(PasswordHash::parse) {
            Some(hash) => hash.verify(presented.expose()),
            None => {
                password::check_nobody(presented.expose());
                false
            }
        });
        judged.await.map_err(|_| Fault::Internal)
    }
}

/// Whether a session that began and was seen then is still one.
fn alive(created: Timestamp, seen: Timestamp, now: Timestamp) -> bool {
    now.since(created) <= LIFE_MAX && now.since(seen) <= IDLE_MAX
}

fn key_row(row: &Row<'_>) -> Result<KeyRow, StoreError> {
    Ok(KeyRow {
        id: row.int(0)?,
        name: row.text(1)?,
        scopes: row.text(2)?.split_whitespace().map(str::to_owned).collect(),
        created: row.time(3)?,
        last_used: row.time_opt(4)?,
    })
}

fn tidy(name: &str) -> Result<String, Fault> {
    let name = name.trim().to_lowercase();
    let fits = !name.is_empty()
        && name.chars().count() <= NAME_CHARACTERS_MAX
        && name.chars().all(|c| c.is_alphanumeric() || "@.-_+".contains(c));
    if fits { Ok(name) } else { Err(Fault::malformed("/user", "Up to 64 letters, digits and @ . - _ +")) }
}

#[cfg(test)]
mod tests;
