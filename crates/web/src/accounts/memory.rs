//! The tables of the pages' accounts: users, their sessions, API keys. One family, in each party's own database.

use store::Migration;

pub const MIGRATIONS: &[Migration] = &[Migration {
    family: "web",
    number: 1,
    name: "users, sessions, keys",
    sql: "CREATE TABLE web_user (
              id INTEGER PRIMARY KEY,
              name TEXT NOT NULL UNIQUE,
              shown TEXT NOT NULL,
              role TEXT NOT NULL,
              driver TEXT,
              password TEXT NOT NULL,
              created INTEGER NOT NULL
          ) STRICT;
          CREATE TABLE web_session (
              digest BLOB PRIMARY KEY,
              user_id INTEGER NOT NULL REFERENCES web_user (id) ON DELETE CASCADE,
              created INTEGER NOT NULL,
              last_seen INTEGER NOT NULL
          ) STRICT;
          CREATE INDEX web_session_user ON web_session (user_id);
          CREATE TABLE web_key (
              id INTEGER PRIMARY KEY,
              digest BLOB NOT NULL UNIQUE,
              name TEXT NOT NULL,
              scopes TEXT NOT NULL,
              driver TEXT,
              created INTEGER NOT NULL,
              last_used INTEGER
          ) STRICT;",
}];

pub(super) const USER_PUT: &str = "INSERT INTO web_user (name, shown, role, driver, password, created)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6) RETURNING id";
pub(super) const USER_BY_NAME: &str = "SELECT id, shown, role, driver, password FROM web_user WHERE name = ?1";
pub(super) const USERS: &str = "SELECT id, name, shown, role, created FROM web_user ORDER BY name";
pub(super) const USER_DROP: &str = "DELETE FROM web_user WHERE id = ?1";
pub(super) const USER_PASSWORD: &str = "UPDATE web_user SET password = ?2 WHERE id = ?1";
pub(super) const USER_PASSWORD_OF: &str = "SELECT password FROM web_user WHERE id = ?1";
pub(super) const USER_SESSIONS_DROP: &str = "DELETE FROM web_session WHERE user_id = ?1 AND digest <> ?2";
pub(super) const SESSION_PUT: &str = "INSERT INTO web_session (digest, user_id, created, last_seen)
    VALUES (?1, ?2, ?3, ?3)";
pub(super) const SESSION: &str = "SELECT u.id, u.name, u.shown, u.role, u.driver, s.created, s.last_seen
    FROM web_session s JOIN web_user u ON u.id = s.user_id WHERE s.digest = ?1";
pub(super) const SESSION_SEEN: &str = "UPDATE web_session SET last_seen = ?2 WHERE digest = ?1";
pub(super) const SESSION_DROP: &str = "DELETE FROM web_session WHERE digest = ?1";
pub(super) const SESSIONS_EXPIRE: &str = "DELETE FROM web_session WHERE last_seen < ?1 OR created < ?2";
pub(super) const KEY_PUT: &str = "INSERT INTO web_key (digest, name, scopes, driver, created)
    VALUES (?1, ?2, ?3, ?4, ?5) RETURNING id";
pub(super) const KEY: &str = "SELECT id, name, scopes, driver, last_used FROM web_key WHERE digest = ?1";
pub(super) const KEY_USED: &str = "UPDATE web_key SET last_used = ?2 WHERE id = ?1";
pub(super) const KEYS: &str = "SELECT id, name, scopes, created, last_used FROM web_key ORDER BY id";
pub(super) const KEYS_OF: &str = "SELECT id, name, scopes, created, last_used FROM web_key
    WHERE driver = ?1 ORDER BY id";
pub(super) const KEYS_COUNT: &str = "SELECT count(*) FROM web_key WHERE driver = ?1";
pub(super) const KEY_DROP_OF: &str = "DELETE FROM web_key WHERE id = ?1 AND driver = ?2";
pub(super) const USER_KEYS_DROP: &str = "DELETE FROM web_key
    WHERE driver = (SELECT driver FROM web_user WHERE id = ?1)";
pub(super) const KEY_DROP: &str = "DELETE FROM web_key WHERE id = ?1";
