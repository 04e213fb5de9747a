//! Search terms that find a workspace's name, and every name that reads as the same.
//! Comparing the hits is the caller's.
//!
//! The server matches substrings without regard to ASCII case. Whether it normalizes Unicode or folds other letters is
//! not documented, so the search avoids the question where it can: by a stretch of plain ASCII from the name.

use unicode_normalization::UnicodeNormalization;

use crate::domain::ids::WorkspaceName;

/// Shorter stretches would match half the organization.
const SHORTEST_STRETCH: usize = 3;

/// Characters of a name that are searched for. No name that can be declared has more; a part of a longer one finds it as well.
const LONGEST_TERM: usize = 256;

/// One search nearly always; up to five for a name without three plain characters in a row: as written, and in each form in
/// which the API may keep it.
pub(super) fn search_terms(name: &WorkspaceName) -> Vec<String> {
    let name = name.as_str();
    let end = name
        .char_indices()
        .nth(LONGEST_TERM)
        .map_or(name.len(), |(end, _)| end);
    let written = name[..end].trim();
    let composed: String = written.nfc().collect();
    let decomposed: String = written.nfd().collect();
    let compatible: String = written.nfkc().collect();
    let stretch = composed
        .split(|c| !is_plain(c))
        .map(str::trim)
        .max_by_key(|stretch| stretch.len());
    if let Some(stretch) = stretch
        && (stretch.len() >= SHORTEST_STRETCH || stretch == written)
        // Some characters compose to a plain one: the Kelvin sign to K.
        && written.contains(stretch)
        && decomposed.contains(stretch)
        && compatible.contains(stretch)
    {
        return vec![stretch.to_owned()];
    }
    let folded = compatible.to_lowercase();
    let mut spellings = vec![written.to_owned(), composed, decomposed, compatible, folded];
    spellings.sort();
    spellings.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    spellings
}

/// Composition touches no such character, and no pattern language gives it a meaning that would lose a hit (a backslash
/// could). In composed form, what composes has composed, so a stretch survives in any equivalent spelling.
fn is_plain(c: char) -> bool {
    matches!(c, ' '..='~') && c != '\\'
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_searched_by_what_every_spelling_of_it_contains() {
        let cases: [(&str, &[&str]); 10] = [
            ("tenant-1", &["tenant-1"]),
            ("  tenant 1\t", &["tenant 1"]),
            ("a", &["a"]),
            ("100%_sure", &["100%_sure"]),
            ("back\\slashed", &["slashed"]),
            ("Caf\u{e9} Nord", &["Nord"]),
            ("Cafe\u{301} Nord", &["Nord"]),
            ("100 \u{212a}", &["100 K", "100 \u{212a}"]),
            ("\u{304c}", &["\u{304b}\u{3099}", "\u{304c}"]),
            ("\u{e9}t\u{e9}", &["e\u{301}te\u{301}", "\u{e9}t\u{e9}"]),
        ];
        for (name, expected) in cases {
            assert_eq!(search_terms(&name.into()), expected, "{name:?}");
        }
    }

    proptest! {
        #[test]
        fn a_name_is_found_by_its_own_search_in_both_normal_forms(name in "\\PC{0,40}") {
            let search_terms = search_terms(&name.as_str().into());
            let composed: String = name.nfc().collect();
            let decomposed: String = name.nfd().collect();
            for spelling in [name, composed, decomposed] {
                prop_assert!(search_terms.iter().any(|needle| spelling.contains(needle)), "{spelling:?} by {search_terms:?}");
            }
        }
    }
}
