//! What a namespace may use of an organization. Nothing listed: nothing granted.

use std::collections::BTreeMap;

use super::pattern::{Candidate, Pattern};
use super::selector;
use crate::crd::organization::{AccessEntry, Permission};
use crate::domain::ids::WorkspaceName;

/// What one namespace may use of one organization.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Access {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    names: Vec<Pattern>,
    adoption: Option<Permission>,
    deletion: Option<Permission>,
}

/// What a granted name comes with, defaults filled in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Grant {
    pub adoption: Permission,
    pub deletion: Permission,
}

impl Access {
    /// Grants nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// The entries that select this namespace, by its name or its labels.
    pub fn resolve(entries: &[AccessEntry], namespace: &str, labels: &BTreeMap<String, String>) -> Self {
        let of_namespace = |entry: &&AccessEntry| selector::selects(&entry.namespaces, namespace, labels);
        let resolved = |entry: &AccessEntry| Entry {
            names: entry
                .workspace_names
                .iter()
                .map(|pattern| Pattern::new(pattern, namespace))
                .collect(),
            adoption: entry.adoption,
            deletion: entry.deletion,
        };
        Self {
            entries: entries.iter().filter(of_namespace).map(resolved).collect(),
        }
    }

    /// None: not granted. Of several entries for one name, one that forbids beats one that allows beats one that leaves it
    /// unset.
    pub fn grant(&self, name: &WorkspaceName) -> Option<Grant> {
        let name = &Candidate::new(name.as_str());
        let granting = || self.entries.iter().filter(|entry| entry.permits(name));
        granting().next()?;
        let permission = |of: fn(&Entry) -> Option<Permission>, unset| {
            let forbidden = |entry: &Entry| of(entry) == Some(Permission::Forbidden) && entry.selects(name);
            if self.entries.iter().any(forbidden) {
                Permission::Forbidden
            } else {
                granting().find_map(of).unwrap_or(unset)
            }
        };
        Some(Grant {
            adoption: permission(|entry| entry.adoption, Permission::Forbidden),
            deletion: permission(|entry| entry.deletion, Permission::Allowed),
        })
    }
}

impl Entry {
    fn permits(&self, name: &Candidate<'_>) -> bool {
        self.names.iter().any(|pattern| pattern.permits(name))
    }

    fn selects(&self, name: &Candidate<'_>) -> bool {
        self.names.iter().any(|pattern| pattern.selects(name))
    }
}

/// The entry to ask an administrator for: YAML of one item of `spec.access[]`, on one line. It grants this name and no
/// other. Where no pattern can do that, a sentence takes its place, so that it never suggests to grant more.
pub fn entry_to_ask_for(namespace: &str, name: &WorkspaceName) -> String {
    if name.as_str().contains('*') || name.as_str().contains("{namespace}") {
        return "none can grant this name alone, as `*` and `{namespace}` have a meaning of their own in patterns: choose \
                a name without them"
            .to_owned();
    }
    let (namespace, name) = (quoted(namespace), quoted(name.as_str()));
    format!("{{namespaces: {{names: [{namespace}]}}, workspaceNames: [{name}]}}")
}

/// A double-quoted YAML string in which invisible and look-alike characters are escaped.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        ' '..='~' => c.to_string(),
        c if c.is_alphanumeric() => c.to_string(),
        c => format!("\\U{:08x}", u32::from(c)),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::Permission::{Allowed, Forbidden};
    use super::*;
    use proptest::prelude::*;

    fn entries(yaml: &str) -> Vec<AccessEntry> {
        serde_saphyr::from_str(yaml).unwrap()
    }

    fn grant(yaml: &str, namespace: &str, name: &str) -> Option<Grant> {
        Access::resolve(&entries(yaml), namespace, &BTreeMap::new()).grant(&WorkspaceName::from(name))
    }

    fn permissions(yaml: &str, name: &str) -> Option<(Permission, Permission)> {
        grant(yaml, "team", name).map(|grant| (grant.adoption, grant.deletion))
    }

    #[test]
    fn nothing_listed_is_nothing_granted() {
        assert_eq!(Access::none().grant(&WorkspaceName::from("acme")), None);
        assert_eq!(grant("[]", "team", "acme"), None);
        assert_eq!(
            grant(
                "[{namespaces: {names: [other]}, workspaceNames: ['*']}]",
                "team",
                "acme"
            ),
            None
        );
        assert_eq!(
            grant(
                "[{namespaces: {names: [team]}, workspaceNames: []}]",
                "team",
                "acme"
            ),
            None
        );
    }

    #[test]
    fn unset_permissions_forbid_adoption_and_allow_deletion() {
        let silent = "[{namespaces: {names: [team]}, workspaceNames: [acme]}]";
        assert_eq!(permissions(silent, "acme"), Some((Forbidden, Allowed)));
    }

    #[test]
    fn forbidding_beats_allowing_beats_silence_in_any_order() {
        let silent = "{namespaces: {names: [team]}, workspaceNames: ['*']}";
        let allows =
            "{namespaces: {names: [team]}, workspaceNames: ['a*'], adoption: Allowed, deletion: Allowed}";
        let forbids = "{namespaces: {names: [team]}, workspaceNames: ['ab*'], adoption: Forbidden, deletion: Forbidden}";
        for order in [
            [silent, allows, forbids],
            [forbids, allows, silent],
            [allows, forbids, silent],
        ] {
            let yaml = format!("[{}]", order.join(", "));
            assert_eq!(permissions(&yaml, "x"), Some((Forbidden, Allowed)));
            assert_eq!(permissions(&yaml, "a"), Some((Allowed, Allowed)));
            assert_eq!(permissions(&yaml, "ab"), Some((Forbidden, Forbidden)));
        }
    }

    #[test]
    fn another_spelling_of_a_name_lifts_no_prohibition() {
        let yaml = "[{namespaces: {names: [team]}, workspaceNames: ['*'], adoption: Allowed},
                     {namespaces: {names: [team]}, workspaceNames: ['prod-*'], adoption: Forbidden, deletion: Forbidden}]";
        for name in ["prod-a", "Prod-a", " PROD-A "] {
            assert_eq!(permissions(yaml, name), Some((Forbidden, Forbidden)), "{name:?}");
        }
    }

    #[test]
    fn an_entry_for_another_namespace_forbids_nothing_here() {
        let yaml = "[{namespaces: {names: [team]}, workspaceNames: [acme], adoption: Allowed},
                     {namespaces: {names: [other]}, workspaceNames: ['*'], adoption: Forbidden, deletion: Forbidden}]";
        assert_eq!(permissions(yaml, "acme"), Some((Allowed, Allowed)));
    }

    #[test]
    fn a_stored_pattern_with_an_unbounded_namespace_grants_none() {
        let yaml = "[{namespaces: {selector: {}}, workspaceNames: ['{namespace}-*', '{namespace}']}]";
        assert_eq!(grant(yaml, "team", "team-a"), None);
        assert!(grant(yaml, "team", "team").is_some());
    }

    #[test]
    fn the_entry_to_ask_for_is_one_readable_line() {
        assert_eq!(
            entry_to_ask_for("team", &WorkspaceName::from("Acme \"Nord\" \u{e9}\u{200b}")),
            "{namespaces: {names: [\"team\"]}, workspaceNames: [\"Acme \\\"Nord\\\" \u{e9}\\U0000200b\"]}",
        );
        for name in ["*", "a*", "{namespace}"] {
            assert!(
                !entry_to_ask_for("team", &WorkspaceName::from(name)).contains("workspaceNames"),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn the_entry_to_ask_for_grants_that_name_and_no_other(
            name in any::<String>(), other in "[a-z]{1,3}",
        ) {
            prop_assume!(!name.contains('*') && !name.contains("{namespace}"));
            let line = entry_to_ask_for("team", &WorkspaceName::from(name.as_str()));
            prop_assert_eq!(line.lines().count(), 1);
            let yaml = format!("[{line}]");
            prop_assert!(grant(&yaml, "team", &name).is_some(), "{}", line);
            prop_assert_eq!(grant(&yaml, &other, &name), None);
            prop_assert_eq!(grant(&yaml, "team", &format!("{name}x")), None);
        }
    }
}
