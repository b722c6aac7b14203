//! The ids of results and the secrets that remove them: 128 random bits each.

use ring::rand::{SecureRandom, SystemRandom};

/// 32 hexadecimal digits that nobody can guess; `None` where the system has no randomness to give.
pub fn random() -> Option<String> {
    let mut octets = [0u8; 16];
    SystemRandom::new().fill(&mut octets).ok()?;
    Some(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}

/// Whether a text can be an id.
pub fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_long_and_differ() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert!(is_id(&one) && is_id(&other) && one != other);
        assert!(!is_id("../../../../etc/passwd") && !is_id(&one.to_uppercase().replace('0', "A")));
    }
}
