//! When two names count as one. The API does not document how it compares names, so names that differ only in surrounding
//! space, Unicode composition or case are never taken for two workspaces.

use std::borrow::Cow;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use crate::domain::ids::WorkspaceName;

/// A name as it is compared, never as it is sent: trimmed, NFC, case-folded, NFC again.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct CanonicalName(String);

/// The form in which a name is compared.
pub fn canonical(name: &WorkspaceName) -> CanonicalName {
    CanonicalName(canonical_text(name.as_str()).into_owned())
}

/// The name as an API keeps it that tidies what it is given: without blanks around it, composed.
pub fn tidied(name: &WorkspaceName) -> WorkspaceName {
    WorkspaceName::new(name.as_str().trim().nfc().collect::<String>())
}

/// Whether this is every organization's fallback workspace, however it is written.
pub fn is_default(name: &WorkspaceName) -> bool {
    canonical_text(name.as_str()) == "default"
}

/// Most names are ASCII, which has one form and simple cases.
pub(super) fn canonical_text(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if !text.is_ascii() {
        Cow::Owned(folded(text))
    } else if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Folding may take composed characters apart, so they are composed again after it.
fn folded(text: &str) -> String {
    let composed: String = text.nfc().collect();
    UniCase::new(composed).to_folded_case().nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(a: &str, b: &str) -> bool {
        canonical(&WorkspaceName::from(a)) == canonical(&WorkspaceName::from(b))
    }

    #[test]
    fn names_that_look_or_read_alike_count_as_one() {
        for (a, b) in [
            ("acme", "ACME"),
            ("acme", " acme\t"),
            ("acme", "acme\u{a0}"),
            ("Caf\u{e9}", "cafe\u{301}"),
            ("stra\u{df}e", "STRASSE"),
            ("\u{1e9e}", "ss"),
            ("\u{212a}elvin", "kelvin"),
            ("\u{3a3}\u{3b1}\u{3c2}", "\u{3c3}\u{391}\u{3a3}"),
            ("\u{1f0}", "J\u{30c}"),
            ("\u{1fb3}", "\u{391}\u{345}"),
        ] {
            assert!(same(a, b), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn names_that_differ_stay_apart() {
        for (a, b) in [
            ("acme", "acme-1"),
            ("a b", "ab"),
            ("cafe", "caf\u{e9}"),
            ("a_b", "a-b"),
        ] {
            assert!(!same(a, b), "{a:?} and {b:?}");
        }
    }

    #[test]
    fn default_is_default_however_it_is_written() {
        for text in ["default", "Default", " DEFAULT "] {
            assert!(is_default(&WorkspaceName::from(text)), "{text:?}");
        }
        assert!(!is_default(&WorkspaceName::from("default-1")));
    }

    #[test]
    fn every_single_character_has_a_settled_form() {
        // Beyond stand ideographs, which have neither case nor composition to speak of.
        for c in char::MIN..'\u{1ffff}' {
            let once = canonical_text(&c.to_string()).into_owned();
            assert_eq!(canonical_text(&once), once, "{c:?}");
        }
    }

    proptest! {
        #[test]
        fn ascii_is_folded_as_all_else(text in "[ -~]{0,30}") {
            prop_assert_eq!(canonical_text(&text), folded(text.trim()));
        }

        #[test]
        fn the_canonical_form_of_a_canonical_form_is_itself(
            text in prop_oneof![any::<String>(), "[ aAkK\u{df}\u{130}\u{1e9e}\u{301}\u{307}\u{345}\u{327}\u{1fb4}\u{3a3}\u{1f0}\u{ac00}\u{11a8}\u{1100}\u{1161}]{0,8}"]
        ) {
            let once = canonical_text(&text).into_owned();
            prop_assert_eq!(canonical_text(&once), once.as_str());
        }

        #[test]
        fn decomposed_shouted_and_indented_is_still_the_same_name(text in any::<String>()) {
            let other: String = format!(" {} ", text.nfd().collect::<String>());
            prop_assert!(same(&text, &other));
        }
    }
}
