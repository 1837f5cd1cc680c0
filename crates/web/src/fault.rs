//! What a person or a program hears when a request does not work out: a status, a code, plain words, a path.
//!
//! Never internals, never personal data, never what was sent. One total function maps faults to answers.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request was not done. Whose fault it is shows in the status: 4xx theirs, 5xx ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nobody is signed in, or the session has ended.
    NotSignedIn,
    /// Name or password is wrong; which of them, nobody learns.
    WrongLogin,
    /// Signed in, and not allowed to do this.
    NotPermitted,
    /// A write with a cookie but without the header or the origin that only our own pages send.
    ForeignPage,
    NotFound,
    /// The request contradicts what is there already.
    Conflict(String),
    /// A field is wrong: its JSON path and why.
    Malformed {
        path: String,
        why: String,
    },
    TooLarge {
        limit: usize,
    },
    /// Too many tries, or too many streams at once; come back after so many seconds.
    TooMany {
        retry_after_s: u32,
    },
    /// We cannot keep it now. Nothing was changed.
    CannotKeep,
    Internal,
}

impl Fault {
    pub fn malformed(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Malformed { path: path.into(), why: why.into() }
    }

    const fn told(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "not_signed_in"),
            Self::WrongLogin => (StatusCode::UNAUTHORIZED, "wrong_login"),
            Self::NotPermitted => (StatusCode::FORBIDDEN, "not_permitted"),
            Self::ForeignPage => (StatusCode::FORBIDDEN, "foreign_page"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            Self::Malformed { .. } => (StatusCode::BAD_REQUEST, "malformed"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
            Self::CannotKeep => (StatusCode::SERVICE_UNAVAILABLE, "cannot_keep"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }

    fn message(&self) -> String {
        match self {
            Self::NotSignedIn => "Please sign in.".to_owned(),
            Self::WrongLogin => "The name or the password is wrong.".to_owned(),
            Self::NotPermitted => "Your role does not allow this.".to_owned(),
            Self::ForeignPage => "This request did not come from a page of this server.".to_owned(),
            Self::NotFound => "There is nothing here, or it is not yours.".to_owned(),
            Self::Conflict(why) => why.clone(),
            Self::Malformed { why, .. } => why.clone(),
            Self::TooLarge { limit } => format!("The request is larger than {limit} bytes."),
            Self::TooMany { retry_after_s } => {
                format!("That is too much at once. Please wait {retry_after_s} seconds.")
            }
            Self::CannotKeep => "This cannot be stored right now. Nothing was changed; please try again.".to_owned(),
            Self::Internal => "Something went wrong on our side. Nothing was changed.".to_owned(),
        }
    }
}

impl From<store::StoreError> for Fault {
    fn from(error: store::StoreError) -> Self {
        tracing::error!(%error, "a transaction of the pages failed");
        match error {
            store::StoreError::Full | store::StoreError::Busy | store::StoreError::Overloaded { .. } => {
                Self::CannotKeep
            }
            _ => Self::Internal,
        }
    }
}

/// The form of every error answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorBody {
    pub error: ErrorDetail,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorDetail {
    pub code: &'static str,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (status, code) = self.told();
        let message = self.message();
        let retry = if let Self::TooMany { retry_after_s } = &self { Some(*retry_after_s) } else { None };
        let path = if let Self::Malformed { path, .. } = self { Some(path) } else { None };
        let mut answer = (status, Json(ErrorBody { error: ErrorDetail { code, message, path } })).into_response();
        if let Some(seconds) = retry {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}
