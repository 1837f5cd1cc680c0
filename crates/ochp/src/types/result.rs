//! How a request fared: one list of codes for the clearing house, another for direct servers.

use crate::scalar::Text;

words! {
    /// OCHP, `ResultCodeType`.
    ResultCode in "resultCode" {
        Ok = "ok",
        /// Only a part of the data was taken.
        Partly = "partly",
        /// Wrong name or password.
        NotAuthorized = "not-authorized",
        /// An EVSE or contract is not the sender's.
        InvalidId = "invalid-id",
        /// A fault of the answering side.
        Server = "server",
        /// The data has technical errors.
        Format = "format",
        /// Nobody is connected for this, or nobody has data.
        Roaming = "roaming",
    }
}

record! {
    /// OCHP, `Result`.
    ResultInfo {
        code: one ResultCode = "resultCode",
        description: given Text<0, 1000> = "resultDescription",
    }
}

impl ResultInfo {
    /// What `why` says never repeats a value of the request.
    pub fn new(code: ResultCode, why: &str) -> Self {
        Self { code, description: Text::fitted(why).0 }
    }

    pub fn ok() -> Self {
        Self::new(ResultCode::Ok, "")
    }
}

words! {
    /// OCHPdirect, `DirectResultCodeType`.
    DirectCode in "resultCode" {
        Ok = "ok",
        /// Not all wishes could be met.
        Partly = "partly",
        /// The operator does not know this EVSE.
        NotFound = "not-found",
        /// This EVSE, or this wish, is not served over OCHPdirect.
        NotSupported = "not-supported",
        /// The session is not known, or over.
        InvalidId = "invalid-id",
        Server = "server",
    }
}

record! {
    /// OCHPdirect, `DirectResult`.
    DirectResult {
        code: one DirectCode = "resultCode",
        description: given Text<0, 1000> = "resultDescription",
    }
}

impl DirectResult {
    pub fn new(code: DirectCode, why: &str) -> Self {
        Self { code, description: Text::fitted(why).0 }
    }

    pub fn ok() -> Self {
        Self::new(DirectCode::Ok, "")
    }
}
