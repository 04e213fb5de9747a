//! The kinds as users see them, and the plain words that every room shares. Depends on no other module.

pub mod any;
pub mod any_organization;
pub mod any_workspace;
pub mod conditions;
pub mod crds;
pub mod ids;
pub mod marks;
pub mod organization;
pub mod reason;
pub mod remote;
pub mod schema;
pub mod time;
pub mod unmanaged;
pub mod workspace;

pub use any_organization::AnyOrganization;
pub use any_workspace::AnyWorkspace;
pub use organization::Organization;
pub use unmanaged::Unmanaged;
pub use workspace::Workspace;
