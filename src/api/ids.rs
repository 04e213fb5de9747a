//! Identities, each a type of its own so that no two can be mixed up. Parsed at the border, compared as written.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! identity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text as it was taken.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
}

identity!(
    /// A workspace's durable id at Agent Engine (a UUID as the API prints it).
    WorkspaceId
);
identity!(
    /// An organisation's id at Agent Engine (a UUID as the API prints it).
    OrganizationId
);
identity!(
    /// A region's id at Agent Engine (a UUID), used on creation only.
    RegionId
);
identity!(
    /// A workspace's name at Agent Engine: a mutable label, exactly as written.
    WorkspaceName
);
identity!(
    /// `metadata.uid` of a Kubernetes object.
    Uid
);
