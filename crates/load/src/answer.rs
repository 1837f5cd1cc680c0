//! What a server answers over HTTP, as far as the bench meets it: an upgrade, a refusal, one body of known length.
//!
//! Pure; RFC 9112 without chunks, which our servers do not send for a message.

use std::ops::Range;

use crate::Fault;

const HEAD_END: &[u8] = b"\r\n\r\n";

/// Where the head ends, if all of it is there.
pub(crate) fn head_ends(bytes: &[u8]) -> Option<usize> {
    bytes.windows(HEAD_END.len()).position(|window| window == HEAD_END).map(|at| at + HEAD_END.len())
}

/// Is this the head of a completed upgrade?
pub(crate) fn upgraded(head: &str) -> Result<(), Fault> {
    let status = head.lines().next().unwrap_or_default();
    if status.starts_with("HTTP/1.1 101") {
        return Ok(());
    }
    match header(head, "retry-after").and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => Err(Fault::Busy(seconds)),
        None => Err(Fault::NotUpgraded(status.to_owned())),
    }
}

/// The body of a good response, if all of it is there.
pub(crate) fn body_in(bytes: &[u8]) -> Result<Option<Range<usize>>, Fault> {
    let Some(starts) = head_ends(bytes) else { return Ok(None) };
    let head = String::from_utf8_lossy(&bytes[..starts]);
    let length = header(&head, "content-length").and_then(|length| length.parse::<usize>().ok());
    let ends = starts + length.ok_or(Fault::Frame("a response without its length"))?;
    if bytes.len() < ends {
        return Ok(None);
    }
    let status = head.lines().next().unwrap_or_default();
    if status.starts_with("HTTP/1.1 200") { Ok(Some(starts..ends)) } else { Err(Fault::Answer(status.to_owned())) }
}

fn header<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.find_map(|(field, value)| field.eq_ignore_ascii_case(name).then_some(value.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn an_upgrade_is_told_from_refusals() {
        assert!(upgraded("HTTP/1.1 101 Switching Protocols\r\n\r\n").is_ok());
        let busy = upgraded("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 17\r\n\r\n");
        assert!(matches!(busy, Err(Fault::Busy(17))));
        let refused = upgraded("HTTP/1.1 401 Unauthorized\r\n\r\n").unwrap_err();
        assert!(matches!(refused, Fault::NotUpgraded(status) if status.contains("401")));
    }

    #[test]
    fn a_body_is_found_once_it_is_complete() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcd";
        for part in 0..whole.len() - 1 {
            assert_eq!(body_in(&whole[..part]).unwrap(), None);
        }
        assert_eq!(&whole[body_in(whole).unwrap().unwrap()], b"abc");
        assert!(body_in(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").is_err());
        assert!(body_in(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
