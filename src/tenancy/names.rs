//! When two names count as one. How Agent Engine compares names is not documented, so names that differ only by
//! surrounding space, Unicode composition or case are never taken for two workspaces.

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization;

use crate::api::ids::WorkspaceName;

/// A name as it is compared, never as it is sent: trimmed, NFC, case-folded, NFC again.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd, Hash)]
pub struct CanonicalName(String);

impl CanonicalName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The form in which a name is compared.
pub fn canonical(name: &WorkspaceName) -> CanonicalName {
    CanonicalName(canonical_text(name.as_str()))
}

/// Whether this is every organisation's fallback workspace, however it is written.
pub fn is_default(name: &WorkspaceName) -> bool {
    canonical_text(name.as_str()) == "default"
}

/// Folding may take composed characters apart, so composition comes again after it.
pub(super) fn canonical_text(text: &str) -> String {
    let composed: String = text.trim().nfc().collect();
    UniCase::new(composed).to_folded_case().nfc().collect()
}
