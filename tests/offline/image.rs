//! The image, as far as it can be judged without a container engine.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap_or_else(|why| panic!("{name}: {why}"))
}

/// What `.dockerignore` lets through: everything is left out but the lines that begin with `!`.
fn context() -> Vec<String> {
    let ignored = file(".dockerignore");
    let lines: Vec<_> = ignored
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert_eq!(lines.first(), Some(&"*"), "all is left out at first");
    lines[1..]
        .iter()
        .map(|line| {
            line.strip_prefix('!')
                .expect("only what is let through")
                .to_owned()
        })
        .collect()
}

#[test]
fn cargo_finds_all_that_it_needs_in_the_build_context() {
    let here = tempfile::tempdir().unwrap();
    for name in context() {
        let copied = Command::new("cp")
            .arg("-R")
            .arg(Path::new(ROOT).join(&name))
            .arg(here.path())
            .status();
        assert!(copied.unwrap().success(), "{name} is not there to be copied");
    }
    let read = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--offline",
            "--locked",
            "--no-deps",
            "--format-version",
            "1",
        ])
        .current_dir(here.path())
        .output()
        .unwrap();
    assert!(
        read.status.success(),
        "add to .dockerignore what is missing:\n{}",
        String::from_utf8_lossy(&read.stderr)
    );
}

#[test]
fn the_image_is_built_with_our_compiler_and_runs_as_nobody() {
    let dockerfile = file("Dockerfile");
    let toolchain = file("rust-toolchain.toml");
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = \"")?.strip_suffix('"'));
    assert!(
        dockerfile.contains(&format!("/rust:{}-", channel.unwrap())),
        "the Dockerfile builds with another Rust than rust-toolchain.toml"
    );
    let user = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("USER "))
        .next_back();
    let user = user.and_then(|user| user.split(':').next()?.parse::<u32>().ok());
    assert!(
        user.is_some_and(|id| id >= 1000),
        "a kubelet can only tell numbers from root"
    );
    assert!(
        dockerfile.contains(concat!("ARG VERSION=", env!("CARGO_PKG_VERSION"))),
        "the label says another version than Cargo.toml"
    );
}

/// The last stage has Debian's C library, its loader and libgcc; what else the binary asked for would be missing there.
#[test]
fn the_binary_asks_for_no_library_that_its_image_lacks() {
    let linked = Command::new("ldd")
        .arg(env!("CARGO_BIN_EXE_agent-engine-operator"))
        .output()
        .expect("ldd, which comes with the C library");
    let linked = String::from_utf8(linked.stdout).unwrap();
    let libraries: BTreeSet<_> = linked
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(|library| library.rsplit('/').next().unwrap_or(library))
        .map(|library| library.split(['.', '-']).next().unwrap_or(library))
        .collect();
    let there = ["linux", "libgcc_s", "libc", "libm", "ld"].into();
    assert!(libraries.contains("libc"), "{linked}");
    assert!(libraries.is_subset(&there), "{linked}");
}
