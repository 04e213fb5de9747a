//! How long a scoped token lives. The answer does not say; the documents say twenty minutes, and a token that decodes
//! as a JWT may say less. No claim is ever required.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jiff::Timestamp;
use serde::Deserialize;

/// As documented for scoped tokens.
const DOCUMENTED: Duration = Duration::from_secs(1200);

const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    iat: Option<f64>,
}

/// The documented life, or less if the token says so: `exp - iat`, or `exp` less the server's time. May be zero.
pub(super) fn of(token: &str, server: Option<Timestamp>) -> Duration {
    let said = claims(token).and_then(|claims| {
        let from = claims
            .iat
            .or_else(|| server.map(|at| at.as_duration().as_secs_f64()))?;
        Some(claims.exp? - from)
    });
    match said {
        // A negative or absurd number of seconds: zero is what it means, and what the schedule is built to bound.
        Some(seconds) => Duration::try_from_secs_f64(seconds.max(0.0))
            .unwrap_or(DOCUMENTED)
            .min(DOCUMENTED),
        None => DOCUMENTED,
    }
}

fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE.decode(payload).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn jwt(claims: &str) -> String {
        format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_life_is_the_documented_one_or_shorter() {
        let server = Timestamp::from_second(1_000_000).ok();
        let cases = [
            ("opaque".to_owned(), 1200),
            ("a.b.c".to_owned(), 1200),
            (jwt("not json"), 1200),
            (jwt("{}"), 1200),
            (jwt(r#"{"iat":1000000}"#), 1200),
            (jwt(r#"{"exp":1000900,"iat":1000000}"#), 900),
            (jwt(r#"{"exp":1000900.5,"iat":1000000.5}"#), 900),
            (jwt(r#"{"exp":1000600}"#), 600),
            (jwt(r#"{"exp":9999999999,"iat":1000000}"#), 1200),
            (jwt(r#"{"exp":1e300,"iat":0}"#), 1200),
            (jwt(r#"{"exp":1000000,"iat":1000000}"#), 0),
            (jwt(r#"{"exp":5,"iat":1000000}"#), 0),
            (jwt(r#"{"exp":"soon","iat":1000000}"#), 1200),
        ];
        for (token, seconds) in cases {
            assert_eq!(of(&token, server), Duration::from_secs(seconds), "{token}");
        }
        assert_eq!(of(&jwt(r#"{"exp":1000600}"#), None), DOCUMENTED);
    }
}
