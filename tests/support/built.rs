//! Where cargo put what it built, found from the running program, for tests and examples alike (cargo names the
//! binaries at compile time to tests alone).

use std::path::{Path, PathBuf};

/// The binary of that name, of the profile that the running program is of.
pub fn built(name: &str) -> PathBuf {
    let program = std::env::current_exe().expect("the running program's place");
    // `target/<profile>/deps/<test>` or `target/<profile>/examples/<example>`
    let profile = program
        .parent()
        .and_then(Path::parent)
        .expect("a profile's folder");
    profile.join(name)
}

/// The folder of all profiles.
pub fn target() -> PathBuf {
    built("..").canonicalize().expect("cargo's target folder")
}
