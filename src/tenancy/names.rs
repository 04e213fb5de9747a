//! When two names count as one. The API does not document how it compares names, so names that differ only in surrounding
//! space, Unicode form, case or invisible characters are never taken for two workspaces. Letters of different scripts that look
//! alike stay different: which fonts make them so is nobody's rule.

use std::borrow::Cow;
use std::sync::Arc;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use crate::domain::ids::WorkspaceName;

/// A name as it is compared, never as it is sent: trimmed, without invisible characters, each blank a plain one, NFKC and
/// case-folded, until nothing of these changes it.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct CanonicalName(Arc<str>);

/// The form in which a name is compared.
pub fn canonical(name: &WorkspaceName) -> CanonicalName {
    CanonicalName(canonical_text(name.as_str()).into())
}

/// The name as an API keeps it that tidies what it is given: without blanks around it, composed.
pub fn tidied(name: &WorkspaceName) -> WorkspaceName {
    WorkspaceName::new(name.as_str().trim().nfc().collect::<String>())
}

/// The name of every organization's fallback workspace.
const FALLBACK: &str = "default";

/// The name of every organization's fallback workspace, as the API writes it.
pub fn fallback_name() -> WorkspaceName {
    WorkspaceName::from(FALLBACK)
}

/// Whether this is every organization's fallback workspace, however it is written.
pub fn is_default(name: &WorkspaceName) -> bool {
    canonical_text(name.as_str()) == FALLBACK
}

/// Most names are ASCII, which has one form and simple cases.
pub(super) fn canonical_text(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let has = |other: fn(u8) -> bool| text.bytes().any(other);
    if !text.is_ascii() || has(|byte| byte != b' ' && char::from(byte).is_whitespace()) {
        Cow::Owned(folded(text))
    } else if has(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(text.to_ascii_lowercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Each of the steps may give the others something to do. No text is known that takes more than three rounds.
fn folded(text: &str) -> String {
    const ROUNDS: usize = 8;
    let mut form = text.to_owned();
    for _ in 0..ROUNDS {
        let seen = form.chars().filter(|c| !is_invisible(*c)).map(plain_blank);
        let seen: String = seen.nfkc().collect();
        let next: String = UniCase::new(seen).to_folded_case().nfkc().collect();
        let next = next.trim();
        if next == form {
            break;
        }
        form = next.to_owned();
    }
    form
}

fn plain_blank(c: char) -> char {
    if c.is_whitespace() { ' ' } else { c }
}

/// What Unicode lets a font leave out (`Default_Ignorable_Code_Point`): joiners, variation selectors, fillers, tags. Those that
/// no script needs are refused by the schema.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
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
            // Forms of compatibility: full width, ligatures, numbers in circles and above the line.
            ("\u{ff41}\u{ff23}me", "acme"),
            ("o\u{fb03}ce", "OFFICE"),
            ("acme \u{2460}", "acme 1"),
            ("acme\u{b2}", "acme2"),
            // Every blank is a plain one: a tab, a line break, the blank of Ogham, which has no form of compatibility.
            ("a\u{2003}b", "a b"),
            ("a\u{a0}b", "a b"),
            ("a\tB", "A b"),
            ("a\nb", "a b"),
            ("a\u{85}b", "a b"),
            ("a\u{1680}b", "a b"),
            ("a\u{2028}b", "a b"),
            // What cannot be seen.
            ("ac\u{200d}me", "acme"),
            ("ac\u{200c}me", "acme"),
            ("acme\u{fe0f}", "acme"),
            ("acme\u{e0041}", "acme"),
            ("acme \u{3164}", "acme"),
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
            // Cyrillic and Greek letters beside the Latin ones that they look like, in part and as a whole; and look-alikes of ASCII.
            ("\u{430}cme", "acme"),
            ("\u{430}\u{441}\u{435}", "ace"),
            ("\u{391}cme", "Acme"),
            ("acme-l", "acme-1"),
            ("rnax", "max"),
            // Two blanks, of whichever kinds, and one.
            ("a  b", "a b"),
            ("a\t\u{a0}b", "a b"),
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
        fn ascii_is_folded_as_all_else(text in "[ -~\\x00-\\x7f]{0,30}") {
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
