//! Identities, each a type of its own so that no two can be mixed up.
//!
//! A UUID is the same in either case, so it is kept in lower case wherever it was read: in an answer, a spec, a status, an
//! annotation, a Secret. Text that is no UUID stays as written, because its case may matter. Each is shared, not copied: views,
//! claims and lists hold the same ones.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident, $kept:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(from = "String", into = "String")]
        #[schemars(with = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The identity with this text.
            pub fn new(text: impl Into<String>) -> Self {
                Self($kept(text.into()).into())
            }

            /// The text as it is kept.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}

identity!(
    /// A workspace's durable id at Agent Engine (a UUID).
    WorkspaceId,
    in_one_case
);
identity!(
    /// An organization's id at Agent Engine (a UUID).
    OrganizationId,
    in_one_case
);
identity!(
    /// A region's id at Agent Engine (a UUID), used on creation only.
    RegionId,
    in_one_case
);
identity!(
    /// A workspace's name at Agent Engine: a mutable label, exactly as written.
    WorkspaceName,
    as_written
);
identity!(
    /// `metadata.uid` of a Kubernetes object.
    Uid,
    as_written
);
identity!(
    /// An operator: namespace and name of the Lease that its processes share, with a slash between them.
    OperatorId,
    as_written
);

impl OperatorId {
    /// The operator whose processes share this Lease.
    pub fn of(namespace: &str, lease: &str) -> Self {
        Self::new(format!("{namespace}/{lease}"))
    }

    /// Namespace and name of its Lease. None: the text can name none, as where a status was forged.
    pub fn lease(&self) -> Option<(&str, &str)> {
        let (namespace, name) = self.0.split_once('/')?;
        let is_name = |text: &str, longest: usize| {
            (1..=longest).contains(&text.len())
                && text.split('.').all(|label| {
                    let of_label =
                        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
                    !label.is_empty()
                        && label.bytes().all(of_label)
                        && !label.starts_with('-')
                        && !label.ends_with('-')
                })
        };
        (is_name(namespace, 63) && !namespace.contains('.') && is_name(name, 253))
            .then_some((namespace, name))
    }
}

impl WorkspaceName {
    /// Characters of a name that can be recorded: a status holds it, and messages quote it, escaped. One that can be declared
    /// has 256 at most.
    pub const LONGEST: usize = 1024;

    /// Whether this is the beginning of a longer name: equal to none that can be declared, and to be sent nowhere.
    pub fn is_cut(&self) -> bool {
        self.0.len() > Self::LONGEST && self.0.chars().nth(Self::LONGEST).is_some()
    }
}

fn as_written(text: String) -> String {
    text
}

/// A UUID in lower case; anything else as written.
fn in_one_case(text: String) -> String {
    if is_uuid(&text) {
        text.to_ascii_lowercase()
    } else {
        text
    }
}

/// Groups of 8, 4, 4, 4 and 12 hexadecimal digits, as the API prints them (RFC 9562 §4).
fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(|group| {
        let hexadecimal = group.bytes().all(|byte| byte.is_ascii_hexdigit());
        hexadecimal.then_some(group.len())
    });
    groups.eq([8, 4, 4, 4, 12].map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPPER: &str = "645A183F-B12B-4C6E-8AD3-99E165603450";
    const LOWER: &str = "645a183f-b12b-4c6e-8ad3-99e165603450";

    /// Promise: rule.other-organization
    #[test]
    fn a_uuid_in_other_case_is_the_same_id() {
        assert_eq!(WorkspaceId::new(UPPER), WorkspaceId::from(LOWER));
        assert_eq!(OrganizationId::new(UPPER), OrganizationId::from(LOWER));
        assert_eq!(RegionId::new(UPPER), RegionId::from(LOWER));
        let read: WorkspaceId = serde_json::from_str(&format!("{UPPER:?}")).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), format!("{LOWER:?}"));
    }

    #[test]
    fn a_name_longer_than_any_that_can_be_recorded_is_cut() {
        for (name, cut) in [
            ("n".repeat(1024), false),
            ("\u{e9}".repeat(1024), false),
            ("n".repeat(1025), true),
            ("\u{e9}".repeat(1025), true),
        ] {
            assert_eq!(WorkspaceName::from(name.clone()).is_cut(), cut, "{}", name.len());
        }
    }

    #[test]
    fn what_is_no_uuid_is_compared_as_written() {
        for text in ["Ws-1", "645A183F", &UPPER[1..], &UPPER.replace('F', "G"), ""] {
            assert_eq!(WorkspaceId::new(text).as_str(), text);
        }
        assert_ne!(WorkspaceName::from("Acme"), WorkspaceName::from("acme"));
        assert_eq!(Uid::from(UPPER).as_str(), UPPER);
    }
}
