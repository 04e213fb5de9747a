//! Tokens: shaped and signed like JWTs (HS256), so that a token holds all that is needed to check it. Only the emulator can sign and
//! check them.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::emulator::knobs::{Presence, TokenForm};

/// What a token stands for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Grant {
    Application {
        client_id: String,
        generation: u64,
        organizations: Vec<String>,
    },
    Scoped {
        organization_id: String,
        workspace_id: String,
        name_at_issue: String,
    },
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BadToken {
    Forged,
    Expired,
}

/// How tokens are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub form: TokenForm,
    pub exp: Presence,
}

#[derive(Deserialize, Serialize)]
struct Claims {
    iss: String,
    sub: String,
    typ: String,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    jti: String,
    #[serde(
        rename = "io.airbyte.auth.workspace_scope",
        skip_serializing_if = "Option::is_none"
    )]
    scope: Option<serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<String>,
    /// The emulator's own knowledge; the end of life stands here even when `exp` is left out.
    emulator: Own,
}

#[derive(Deserialize, Serialize)]
struct Own {
    grant: Grant,
    until: i64,
}

/// Makes and checks tokens. With a canary, each one carries the text as it is in its last part, base64 in the others.
#[derive(Clone)]
pub(super) struct TokenIssuer {
    key: hmac::Key,
    header: String,
    canary: Option<String>,
}

impl TokenIssuer {
    pub(super) fn new(secret: &[u8], canary: Option<String>) -> Self {
        let header = match &canary {
            Some(text) => json!({"alg": "HS256", "typ": "JWT", "kid": text}),
            None => json!({"alg": "HS256", "typ": "JWT"}),
        };
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
            header: encode(header.to_string()),
            canary,
        }
    }

    /// Issues a token for `seconds` from `now`. `jti` makes it differ from all others.
    pub(super) fn issue(
        &self,
        grant: Grant,
        now: Timestamp,
        seconds: i64,
        jti: String,
        style: Style,
    ) -> String {
        let until = now.as_second().saturating_add(seconds);
        let (sub, typ, scope) = match &grant {
            Grant::Application { client_id, .. } => (client_id.clone(), "application", None),
            Grant::Scoped { workspace_id, .. } => (
                workspace_id.clone(),
                "io.airbyte.auth.embedded_v1",
                Some(json!({"workspaceId": workspace_id})),
            ),
        };
        let claims = Claims {
            iss: "agent-engine-emulator".to_owned(),
            sub,
            typ: typ.to_owned(),
            iat: now.as_second(),
            exp: (style.exp == Presence::Present).then_some(until),
            jti,
            scope,
            canary: self.canary.clone(),
            emulator: Own { grant, until },
        };
        let payload = encode(json!(claims).to_string());
        let signed = format!("{}.{payload}", self.header);
        let signature = encode(hmac::sign(&self.key, signed.as_bytes()));
        let jwt = format!(
            "{signed}.{}{signature}",
            self.canary.as_deref().unwrap_or_default()
        );
        match style.form {
            TokenForm::Jwt => jwt,
            TokenForm::Opaque => format!(
                "aet_{}{}",
                self.canary.as_deref().unwrap_or_default(),
                encode(jwt)
            ),
        }
    }

    /// What a token stands for.
    pub(super) fn read(&self, token: &str, now: Timestamp) -> Result<Grant, BadToken> {
        let claims = self.claims(token).ok_or(BadToken::Forged)?;
        if now.as_second() < claims.emulator.until {
            Ok(claims.emulator.grant)
        } else {
            Err(BadToken::Expired)
        }
    }

    /// The workspace that a scoped token was issued for, whether the token has ended or not.
    pub(super) fn workspace(&self, token: &str) -> Option<String> {
        match self.claims(token)?.emulator.grant {
            Grant::Scoped { workspace_id, .. } => Some(workspace_id),
            Grant::Application { .. } => None,
        }
    }

    fn claims(&self, token: &str) -> Option<Claims> {
        let canary = self.canary.as_deref().unwrap_or_default();
        let jwt = match token.strip_prefix("aet_") {
            Some(opaque) => String::from_utf8(decode(opaque.strip_prefix(canary)?)?).ok()?,
            None => token.to_owned(),
        };
        let (signed, signature) = jwt.rsplit_once('.')?;
        let signature = decode(signature.strip_prefix(canary)?)?;
        hmac::verify(&self.key, signed.as_bytes(), &signature).ok()?;
        let (_, payload) = signed.split_once('.')?;
        serde_json::from_slice(&decode(payload)?).ok()
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::{BadToken, Grant, Style, TokenIssuer};
    use crate::emulator::knobs::{Presence, TokenForm};
    use jiff::Timestamp;

    const STYLES: [Style; 3] = [
        Style {
            form: TokenForm::Jwt,
            exp: Presence::Present,
        },
        Style {
            form: TokenForm::Jwt,
            exp: Presence::Absent,
        },
        Style {
            form: TokenForm::Opaque,
            exp: Presence::Present,
        },
    ];

    fn grant() -> Grant {
        Grant::Scoped {
            organization_id: "o".into(),
            workspace_id: "w".into(),
            name_at_issue: "n".into(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_lives_as_long_as_it_was_issued_for() {
        for style in STYLES {
            let issuer = TokenIssuer::new(b"key", Some("CANARY".to_owned()));
            let token = issuer.issue(grant(), at(1000), 60, "1".into(), style);
            assert_eq!(issuer.read(&token, at(1059)), Ok(grant()));
            assert_eq!(issuer.read(&token, at(1060)), Err(BadToken::Expired));
            assert!(token.contains("CANARY"));
        }
    }

    #[test]
    fn a_token_of_another_key_or_with_a_changed_letter_is_forged() {
        let token = TokenIssuer::new(b"key", None).issue(grant(), at(0), 60, "1".into(), STYLES[0]);
        assert_eq!(
            TokenIssuer::new(b"other", None).read(&token, at(1)),
            Err(BadToken::Forged)
        );
        let changed = token.replacen("eyJ", "eyK", 2);
        assert_eq!(
            TokenIssuer::new(b"key", None).read(&changed, at(1)),
            Err(BadToken::Forged)
        );
        assert_eq!(
            TokenIssuer::new(b"key", None).read("nonsense", at(1)),
            Err(BadToken::Forged)
        );
    }
}
