//! Judgements: what the facts of a view mean. Facts and enums, no step and no status. Each question is answered here once;
//! rules, status and wake-ups ask.
//!
//! - [`holding`]: which operator holds the object?
//! - [`organization`]: can Agent Engine be asked at all?
//! - [`names`]: granted, claimed, taken, adoptable?
//! - [`claims`]: what the object claims.
//! - [`attribution`]: whose is a workspace that bears the name of a creation in flight?
//! - [`sight`]: does the organization show its workspaces at all?
//! - [`identity`]: is the recorded workspace there, and is it confirmed?
//! - [`orphan`]: did an issue of ours make a workspace beside the recorded one?
//! - [`doubt`]: which writes may still take effect, and until when?
//! - [`drift`]: name and state beside what is declared.
//! - [`token_secret`]: which Secret the token goes to, and what is in it.
//! - [`decoration`]: its labels and annotations.
//! - [`token`]: is a token wanted, and what does it need next?
//! - [`token_life`]: how long does the token in use still live?
//! - [`waiting`]: does the stored status hold while the object waits?
//! - [`wish`]: is the workspace missing that another object's status names?
//! - [`deletion`]: what becomes of the workspace when its object goes.
//! - [`failure`]: what a failed call means, and which failure ends the reconcile.

pub mod attribution;
pub mod claims;
pub mod decoration;
pub mod deletion;
pub mod doubt;
pub mod drift;
pub mod failure;
pub mod holding;
pub mod identity;
pub mod names;
pub mod organization;
pub mod orphan;
pub mod sight;
pub mod token;
pub mod token_life;
pub mod token_secret;
pub mod waiting;
pub mod wish;
