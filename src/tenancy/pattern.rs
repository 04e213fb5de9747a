//! Patterns of workspace names: `*` is any run of characters, `{namespace}` the namespace's name, all else is literal.

use std::borrow::Cow;

use super::names::canonical_text;

const NAMESPACE: &str = "{namespace}";

/// A pattern with the namespace filled in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    exact: String,
    canonical: String,
    soundness: Soundness,
}

/// A name as it is written, and as it is compared.
pub(super) struct Candidate<'a> {
    exact: &'a str,
    canonical: Cow<'a, str>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(name: &'a str) -> Self {
        Self {
            exact: name,
            canonical: canonical_text(name),
        }
    }
}

/// Whether a pattern can tell namespaces apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Soundness {
    Sound,
    /// It would give one namespace the names of another: `{namespace}-*` gives `team` those of `team-a`.
    Ambiguous,
}

impl Pattern {
    pub(super) fn new(pattern: &str, namespace: &str) -> Self {
        // Most patterns have none.
        let (exact, soundness) = if pattern.contains('{') {
            (pattern.replace(NAMESPACE, namespace), soundness(pattern))
        } else {
            (pattern.to_owned(), Soundness::Sound)
        };
        Self {
            canonical: canonical_text(&exact).into_owned(),
            exact,
            soundness,
        }
    }

    /// A name is permitted if both the text as written and its canonical form match: Agent Engine may take two spellings
    /// for one name.
    pub(super) fn permits(&self, name: &Candidate<'_>) -> bool {
        self.soundness == Soundness::Sound
            && matches(&self.exact, name.exact)
            && matches(&self.canonical, &name.canonical)
    }

    /// A name is selected, and so may be forbidden, if either form matches: another spelling lifts no prohibition.
    pub(super) fn selects(&self, name: &Candidate<'_>) -> bool {
        matches(&self.exact, name.exact) || matches(&self.canonical, &name.canonical)
    }
}

/// Sound: one name belongs to one namespace. Each `{namespace}` ends the pattern or is followed by a character that no
/// namespace name contains; and no `*` stands before it, or none after it and such a character before it.
fn soundness(pattern: &str) -> Soundness {
    let parts: Vec<&str> = pattern.split(NAMESPACE).collect();
    let [before, .., after] = parts.as_slice() else {
        return Soundness::Sound;
    };
    let ends = |text: &str| text.chars().next().is_some_and(separates);
    let bounded = parts.iter().skip(1).enumerate().all(|(index, text)| {
        let last = index + 2 == parts.len();
        ends(text) || (last && text.is_empty())
    });
    let told_from_the_left = !before.contains('*');
    let told_from_the_right =
        parts.len() == 2 && !after.contains('*') && before.chars().next_back().is_some_and(separates);
    if bounded && (told_from_the_left || told_from_the_right) {
        Soundness::Sound
    } else {
        Soundness::Ambiguous
    }
}

/// Whether a character ends a namespace's name wherever it stands, in whichever case it is read.
fn separates(c: char) -> bool {
    let in_a_namespace = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '*';
    // Between two others, for blanks at an end do not count. What is not there in that form separates nothing.
    let between = format!("_{c}_");
    let read = canonical_text(&between);
    read != "__" && !read.chars().any(in_a_namespace)
}

/// Matches the whole text. Greedy from the left is enough, as only `*` varies.
fn matches(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    let Some((head, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(head) else {
        return false;
    };
    let (middle, tail) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in middle.split('*') {
        match text.split_once(piece) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(tail)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn permits(pattern: &str, namespace: &str, name: &str) -> bool {
        Pattern::new(pattern, namespace).permits(&Candidate::new(name))
    }

    #[test]
    fn a_star_is_any_run_and_all_else_is_itself() {
        for (pattern, name) in [
            ("acme", "acme"),
            ("*", ""),
            ("*", "anything at all"),
            ("acme-*", "acme-"),
            ("acme-*", "acme-prod"),
            ("*-prod", "acme-prod"),
            ("a*b*c", "abc"),
            ("a*b*c", "a-b-b-c-c"),
            ("**", "x"),
            ("a.c", "a.c"),
            ("[ab]?", "[ab]?"),
            ("Caf\u{e9}*", "Caf\u{e9} Nord"),
        ] {
            assert!(
                permits(pattern, "team", name),
                "{pattern:?} is to permit {name:?}"
            );
        }
        for (pattern, name) in [
            ("acme", "acme-prod"),
            ("acme", "ACME"),
            ("acme", "acme "),
            ("acme-*", "acme"),
            ("*-prod", "-prod-"),
            ("ab*ba", "aba"),
            ("a*b*c", "acb"),
            ("a.c", "abc"),
            ("[ab]?", "a1"),
            ("", "x"),
            ("Caf\u{e9}*", "Cafe\u{301} Nord"),
            ("cafe*", "cafe\u{301}"),
        ] {
            assert!(
                !permits(pattern, "team", name),
                "{pattern:?} is not to permit {name:?}"
            );
        }
    }

    #[test]
    fn the_namespace_stands_where_the_pattern_says() {
        for (pattern, name) in [
            ("{namespace}", "team"),
            ("{namespace}_*", "team_prod"),
            ("app-{namespace}", "app-team"),
            ("app-{namespace}/*", "app-team/x"),
            ("*_{namespace}", "prod_team"),
            ("{namespace}.{namespace}", "team.team"),
        ] {
            assert!(
                permits(pattern, "team", name),
                "{pattern:?} is to permit {name:?}"
            );
        }
        assert!(!permits("{namespace}_*", "team", "team-a_prod"));
        assert!(!permits("{Namespace}", "team", "team"));
    }

    #[test]
    fn a_pattern_that_could_mean_another_namespace_permits_nothing() {
        for (pattern, name) in [
            ("{namespace}-*", "team-a"),
            ("{namespace}*", "team-a"),
            ("{namespace}a", "teama"),
            ("{namespace}X", "teamX"),
            ("{namespace}\u{212a}", "team\u{212a}"),
            ("{namespace}\u{ff0d}*", "team\u{ff0d}a"),
            ("{namespace}\u{200d}*", "team\u{200d}a"),
            ("{namespace}\u{2122}*", "team\u{2122}a"),
            ("{namespace}{namespace}", "teamteam"),
            ("*{namespace}", "x-team"),
            ("*-{namespace}", "x-team"),
            ("*_{namespace}_*", "a_team_b"),
        ] {
            assert!(
                !permits(pattern, "team", name),
                "{pattern:?} is not to permit {name:?}"
            );
            assert!(
                Pattern::new(pattern, "team").selects(&Candidate::new(name)),
                "{pattern:?} still forbids {name:?}"
            );
        }
    }

    fn namespace() -> impl Strategy<Value = String> {
        "[ab]{1,2}(-[ab]{1,2})?"
    }

    proptest! {
        #[test]
        fn one_name_under_one_pattern_belongs_to_one_namespace(
            pieces in prop::collection::vec(prop_oneof![
                Just("{namespace}"), Just("*"), Just("a"), Just("B"), Just("-"), Just("_"), Just("/"), Just(" "), Just("\u{301}"), Just("\u{200d}"),
                Just("\u{ff0d}"), Just("\u{ff0a}"), Just("\u{2122}"),
            ], 1..6),
            one in namespace(),
            other in namespace(),
            fill in "[abAB_/-]{0,4}",
            other_fill in "[abAB_/-]{0,4}",
        ) {
            let pattern = pieces.concat();
            prop_assume!(pattern.contains(NAMESPACE) && one != other);
            let name = pattern.replace(NAMESPACE, &one).replace('*', &fill);
            let other_name = pattern.replace(NAMESPACE, &other).replace('*', &other_fill);
            prop_assert!(!(permits(&pattern, &one, &name) && permits(&pattern, &other, &name)));
            let twins = canonical_text(&name) == canonical_text(&other_name);
            prop_assert!(!(twins && permits(&pattern, &one, &name) && permits(&pattern, &other, &other_name)));
        }

        #[test]
        fn matching_agrees_with_trying_every_split(pattern in "[ab*]{0,6}", text in "[ab]{0,6}") {
            fn slowly(pattern: &[u8], text: &[u8]) -> bool {
                match pattern {
                    [] => text.is_empty(),
                    [b'*', rest @ ..] => (0..=text.len()).any(|n| slowly(rest, &text[n..])),
                    [c, rest @ ..] => text.first() == Some(c) && slowly(rest, &text[1..]),
                }
            }
            prop_assert_eq!(matches(&pattern, &text), slowly(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
