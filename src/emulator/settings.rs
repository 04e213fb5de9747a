//! What an emulator starts with.

use std::path::PathBuf;

use uuid::Uuid;

use super::knobs::Knobs;
use crate::clock::Clock;

/// The organization of an emulator without other settings.
pub const DEFAULT_ORGANIZATION: &str = "11111111-1111-4111-8111-111111111111";

/// What to start with; [`Settings::default`] is what the binary has without flags.
#[derive(Clone)]
pub struct Settings {
    pub organization_id: String,
    pub client_id: String,
    pub client_secret: String,
    /// Names of workspaces beside `default`.
    pub workspaces: Vec<String>,
    pub knobs: Knobs,
    /// Letters, digits, `-` and `_`, put into every token so that a leak can be searched for.
    pub canary: Option<String>,
    /// Ids and tokens follow from it; random when absent.
    pub seed: Option<Uuid>,
    /// Every finished request is appended here as a line of JSON.
    pub journal_file: Option<PathBuf>,
    /// Where the emulator's clock starts from: the system's, or a virtual one.
    pub time: Clock,
}

/// Why an emulator cannot start like this.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("organization id `{0}` is not a UUID")]
    BadOrganizationId(String),
    #[error("the {0} must not be empty: clients cut blanks off, and send none that is empty")]
    EmptyCredential(&'static str),
    #[error("canary `{0}` must be 1 to 64 of letters, digits, `-` and `_`, to fit into a token unchanged")]
    BadCanary(String),
    #[error("journal file `{path}` cannot be opened: {source}")]
    JournalFile { path: PathBuf, source: std::io::Error },
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            organization_id: DEFAULT_ORGANIZATION.to_owned(),
            client_id: "emulated-client".to_owned(),
            client_secret: "emulated-secret".to_owned(),
            workspaces: Vec::new(),
            knobs: Knobs::default(),
            canary: None,
            seed: None,
            journal_file: None,
            time: Clock::system(),
        }
    }
}

impl Settings {
    pub(super) fn check(mut self) -> Result<Self, SettingsError> {
        match self.organization_id.parse::<Uuid>() {
            Ok(id) => self.organization_id = id.to_string(),
            Err(_) => return Err(SettingsError::BadOrganizationId(self.organization_id)),
        }
        for (what, text) in [
            ("client id", &self.client_id),
            ("client secret", &self.client_secret),
        ] {
            if text.trim().is_empty() {
                return Err(SettingsError::EmptyCredential(what));
            }
        }
        if let Some(canary) = &self.canary {
            let fine = canary
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
            if !fine || canary.is_empty() || canary.len() > 64 {
                return Err(SettingsError::BadCanary(canary.clone()));
            }
        }
        Ok(self)
    }
}
