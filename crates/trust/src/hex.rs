//! Bytes as hex digits and back, for fingerprints, serial numbers and keys.
//!
//! Writes lower case, reads both cases, and refuses everything else. It does not hide timing: compare secrets as
//! bytes, after decoding.

/// Two lower-case digits a byte.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 0x0f)]));
    }
    out
}

/// `None` for an odd number of digits or anything that is no digit.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Exactly `N` bytes.
pub fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode(text.as_bytes())?.try_into().ok()
}

fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes_and_refuses_the_rest() {
        assert_eq!(encode(&[0x00, 0xaf, 0x10]), "00af10");
        assert_eq!(decode(b"00AF10"), Some(vec![0x00, 0xaf, 0x10]));
        assert_eq!(decode(b"0"), None);
        assert_eq!(decode(b"0g"), None);
        assert_eq!(decode("ä".as_bytes()), None);
        assert_eq!(decode_array::<2>("00af10"), None);
    }
}
