//! An image made of a program that is built already, without a container engine: the program, the libraries that it is linked
//! with, and an unprivileged user. In the form that `docker load` and containerd read.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};
use serde_json::json;

pub struct Image<'a> {
    /// Each with registry and tag, such as `localhost/pause:1`.
    pub names: &'a [&'a str],
    pub program: &'a Path,
    /// Where the program is in the image.
    pub place: &'a str,
    /// By number, so that a kubelet can tell that it is not root.
    pub user: &'a str,
    /// What is run.
    pub entrypoint: &'a [&'a str],
    /// With which words, where a Pod says no others.
    pub command: &'a [&'a str],
}

impl Image<'_> {
    /// Writes the image to the file `out`.
    pub fn write(&self, out: &Path) -> anyhow::Result<()> {
        let scratch = tempfile::tempdir_in(out.parent().context("a folder for the image")?)?;
        let scratch = scratch.path();
        self.fill(&scratch.join("root"))?;
        tar(&scratch.join("root"), &scratch.join("layer.tar"), &["."])?;
        let digest = sha256(&scratch.join("layer.tar"))?;
        let config = json!({
            "architecture": architecture(),
            "os": "linux",
            "config": {
                "User": self.user, "Entrypoint": self.entrypoint, "Cmd": self.command, "WorkingDir": "/",
            },
            "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
        });
        let manifest = json!([{"Config": "config.json", "RepoTags": self.names, "Layers": ["layer.tar"]}]);
        fs::write(scratch.join("config.json"), config.to_string())?;
        fs::write(scratch.join("manifest.json"), manifest.to_string())?;
        tar(scratch, out, &["manifest.json", "config.json", "layer.tar"])
    }

    /// The image's files, as its Pods see them.
    fn fill(&self, root: &Path) -> anyhow::Result<()> {
        copy(self.program, &root.join(self.place.trim_start_matches('/')))?;
        for library in libraries(self.program)? {
            copy(Path::new(&library), &root.join(library.trim_start_matches('/')))?;
        }
        let (user, group) = self.user.split_once(':').unwrap_or((self.user, self.user));
        let etc = root.join("etc");
        fs::create_dir_all(etc.join("ssl/certs"))?;
        fs::write(
            etc.join("passwd"),
            format!("nonroot:x:{user}:{group}::/:/sbin/nologin\n"),
        )?;
        fs::write(etc.join("group"), format!("nonroot:x:{group}:\n"))?;
        fs::write(etc.join("nsswitch.conf"), "hosts: files dns\n")?;
        let authorities = Path::new("/etc/ssl/certs/ca-certificates.crt");
        if authorities.is_file() {
            copy(authorities, &etc.join("ssl/certs/ca-certificates.crt"))?;
        }
        Ok(())
    }
}

/// Those that the loader would take on this machine, and the loader.
fn libraries(program: &Path) -> anyhow::Result<Vec<String>> {
    let said = Command::new("ldd")
        .arg(program)
        .stdin(Stdio::null())
        .output()
        .context("ldd cannot be run")?;
    ensure!(said.status.success(), "ldd refuses {}", program.display());
    let said = String::from_utf8(said.stdout)?;
    let paths = said.split_whitespace().filter(|word| word.starts_with('/'));
    Ok(paths.map(str::to_owned).collect())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to.parent().context("a folder in the image")?)?;
    fs::copy(from, to).with_context(|| format!("cannot read {}", from.display()))?;
    fs::set_permissions(to, Permissions::from_mode(0o755))?;
    Ok(())
}

/// The same files give the same bytes.
fn tar(folder: &Path, out: &Path, names: &[&str]) -> anyhow::Result<()> {
    let made = Command::new("tar")
        .args(["--create", "--sort=name", "--mtime=@0", "--owner=0", "--group=0"])
        .arg("--numeric-owner")
        .arg("--directory")
        .arg(folder)
        .arg("--file")
        .arg(out)
        .args(names)
        .stdin(Stdio::null())
        .status()
        .context("tar cannot be run")?;
    ensure!(made.success(), "tar cannot make {}", out.display());
    Ok(())
}

/// In hexadecimal. By a program: our own code is not optimized where tests run.
fn sha256(file: &Path) -> anyhow::Result<String> {
    let said = Command::new("sha256sum")
        .arg(file)
        .stdin(Stdio::null())
        .output()
        .context("sha256sum cannot be run")?;
    ensure!(said.status.success(), "sha256sum refuses {}", file.display());
    let said = String::from_utf8(said.stdout)?;
    Ok(said.split_whitespace().next().context("a digest")?.to_owned())
}

/// As images name it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
