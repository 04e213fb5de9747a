//! Knobs of what the service does to names.

use super::code;
use crate::rig::Rig;

/// Looks at a knob of this chapter; false for any other.
pub async fn observe(knob: &str, value: &str, rig: &Rig) -> bool {
    match knob {
        "name_trim" => {
            rig.mint("  acme ").await;
            let expected = if value == "on" { "acme" } else { "  acme " };
            assert_eq!(rig.list("").await.names()[1], expected);
        }
        "name_normalization" => {
            rig.mint("e\u{301}").await;
            let expected = if value == "nfc" { "\u{e9}" } else { "e\u{301}" };
            assert_eq!(rig.list("").await.names()[1], expected);
        }
        "name_case" => {
            let same = rig.opened("Acme").await.1 == rig.opened("aCME").await.1;
            assert_eq!(same, value == "folded");
        }
        "name_empty" => {
            let expected = if value == "accepted" { 200 } else { code(value) };
            assert_eq!(rig.mint("").await.status, expected);
        }
        "name_max" => {
            let most = value.parse().unwrap_or(usize::MAX);
            for name in ["a", "abc", "äöüß"] {
                let expected = if name.chars().count() <= most { 200 } else { 422 };
                assert_eq!(rig.mint(name).await.status, expected, "{name}");
            }
        }
        "name_charset" => {
            let expected = if value == "any" { 200 } else { 422 };
            assert_eq!(rig.mint("a\tb").await.status, expected);
            assert_eq!(rig.mint("a b").await.status, 200);
        }
        _ => return false,
    }
    true
}
