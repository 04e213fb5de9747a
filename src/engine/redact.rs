//! Makes text from outside fit to be shown: bounded, on one line, and without secrets.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

/// Characters of a detail. Enough for a sentence; conditions and events carry several of these.
const DETAIL_LIMIT: usize = 300;
const REDACTED: &str = "[redacted]";

/// The secrets that were sent with a request, and so could be echoed.
#[derive(Clone, Default)]
pub struct Redactor(Vec<SecretString>);

impl Redactor {
    pub(super) fn new(secret: SecretString) -> Self {
        Self(vec![secret])
    }

    /// Adds a secret, also in base64, as a Secret holds it: a server that refuses to store it may quote it.
    pub fn with_stored(self, secret: &SecretString) -> Self {
        let stored = STANDARD.encode(secret.expose_secret());
        self.with(Some(secret.clone())).with(Some(stored.into()))
    }

    pub(super) fn with(mut self, secret: Option<SecretString>) -> Self {
        self.0.extend(secret);
        self
    }

    /// Removes known secrets and whatever looks like a token, then control characters, then what is too long.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            let secret = secret.expose_secret();
            if !secret.is_empty() {
                text = text.replace(secret, REDACTED);
            }
        }
        let visible: String = text.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect();
        let mut line = String::new();
        for word in visible.split(' ').filter(|word| !word.is_empty()) {
            if !line.is_empty() {
                line.push(' ');
            }
            push_word(&mut line, word);
        }
        match line.char_indices().nth(DETAIL_LIMIT - 1) {
            Some((cut, last)) if cut + last.len_utf8() < line.len() => {
                line.truncate(cut);
                line.push('…');
                line
            }
            _ => line,
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(..)")
    }
}

/// Control characters, line separators and those that turn the direction of text around.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Takes tokens out of a word and keeps the punctuation around them.
fn push_word(line: &mut String, word: &str) {
    let mut rest = word;
    while let Some(start) = rest.find(is_token_char) {
        let end = rest[start..]
            .find(|c| !is_token_char(c))
            .map_or(rest.len(), |n| start + n);
        line.push_str(&rest[..start]);
        line.push_str(if looks_like_jwt(&rest[start..end]) {
            REDACTED
        } else {
            &rest[start..end]
        });
        rest = &rest[end..];
    }
    line.push_str(rest);
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')
}

/// A JWT's first part is base64url of `{"`, so it always begins with `eyJ`, and with `ZXlK` where a Secret holds it. One
/// cut off is still half a secret. Not so in the middle of a word (`moneyJar`).
fn looks_like_jwt(word: &str) -> bool {
    let begins = |(at, _): (usize, &str)| !word[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
    let has = |beginning| word.match_indices(beginning).any(begins);
    word.len() >= 16 && (has("eyJ") || has("ZXlK"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";

    #[test]
    fn text_is_made_fit_to_be_shown() {
        let redactor = Redactor::new(SecretString::from("hunter2 x"));
        let long = "a".repeat(400);
        let cases = [
            ("Workspace not found".to_owned(), "Workspace not found".to_owned()),
            (
                "secret 'hunter2 x' is wrong".to_owned(),
                "secret '[redacted]' is wrong".to_owned(),
            ),
            (
                format!("bad token \"{JWT}\", go"),
                "bad token \"[redacted]\", go".to_owned(),
            ),
            (format!("Bearer={JWT}"), "Bearer=[redacted]".to_owned()),
            (
                format!("denied: token:\"{}\" is no good", &STANDARD.encode(JWT)[..30]),
                "denied: token:\"[redacted]\" is no good".to_owned(),
            ),
            (
                "no workspace moneyJar-production".to_owned(),
                "no workspace moneyJar-production".to_owned(),
            ),
            ("a\r\n\tb\u{0}c\u{202E}d".to_owned(), "a b c d".to_owned()),
            (long, format!("{}…", "a".repeat(299))),
        ];
        for (text, expected) in cases {
            assert_eq!(redactor.redact(&text), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_long_hidden_or_secret_ever_gets_through(before in ".{0,200}", after in ".{0,400}") {
            let redactor = Redactor::new(SecretString::from("S3CRET-canary"));
            let shown = redactor.redact(&format!("{before}S3CRET-canary{after} {JWT}"));
            prop_assert!(shown.chars().count() <= DETAIL_LIMIT);
            prop_assert!(!shown.contains("S3CRET-canary"));
            prop_assert!(!shown.contains("eyJhbGciOiJIUzI1NiJ9"));
            prop_assert!(!shown.chars().any(is_unseen));
        }
    }
}
