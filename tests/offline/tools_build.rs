//! `tools/build` finds and builds the programs of a cluster, here with a stand-in for Go.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A machine with an empty cache and a `go` that writes a line to `builds` and does what `script` says;
/// `$out` is where etcd should go.
struct Machine(TempDir);

impl Machine {
    fn with_go(script: &str) -> Self {
        let machine = Self::without_go();
        let go = machine.folder("bin").join("go");
        // A builder that was told nothing else finds the target behind `-o`.
        let text = format!(
            "#!/bin/sh\necho \"$@\" >> {}\nwhile [ \"$1\" != -o ]; do shift; done\nout=$2/server\n{script}\n",
            machine.builds().display()
        );
        fs::write(&go, text).unwrap();
        fs::set_permissions(&go, fs::Permissions::from_mode(0o755)).unwrap();
        machine
    }

    fn without_go() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.0.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn builds(&self) -> PathBuf {
        self.0.path().join("builds")
    }

    fn build_count(&self) -> usize {
        fs::read_to_string(self.builds())
            .unwrap_or_default()
            .lines()
            .count()
    }

    /// `tools/build etcd`, about to run on this machine.
    fn tools(&self) -> Command {
        self.building(&["etcd"])
    }

    fn building(&self, words: &[&str]) -> Command {
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/build"));
        command
            .args(words)
            .env("XDG_CACHE_HOME", self.folder("cache"))
            .env("PATH", format!("{}:/usr/bin:/bin", self.folder("bin").display()))
            .env_remove("KUBEBUILDER_ASSETS")
            .env_remove("GO");
        command
    }

    /// Programs and their leftovers in the cache.
    fn cached(&self) -> Vec<String> {
        let folder = self.folder("cache").join("agent-engine-operator/tools");
        let names = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| Path::new(name).extension().is_none_or(|end| end != "lock"))
            .collect()
    }
}

fn printed(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn refusal(output: &Output) -> String {
    assert!(
        !output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_program_is_built_once_and_found_ever_after() {
    let machine = Machine::with_go("echo program > $out");
    let first = printed(&machine.tools().output().unwrap());
    let second = printed(&machine.tools().output().unwrap());
    assert_eq!(first, second);
    let path = first.strip_prefix("etcd ").unwrap().trim();
    assert_eq!(fs::read_to_string(path).unwrap(), "program\n");
    assert_eq!(machine.build_count(), 1);
    assert_eq!(
        machine.cached(),
        [Path::new(path).file_name().unwrap().to_str().unwrap()]
    );
}

#[test]
fn two_who_want_the_same_program_at_once_build_it_once() {
    // The first build goes on until the second asker is seen to wait.
    let machine = Machine::with_go(
        "while [ -e $0 ] && [ ! -e ${0%/*}/go-on ]; do sleep 0.05; done; echo program > $out",
    );
    let first = machine
        .tools()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while machine.build_count() == 0 {
        std::thread::yield_now();
    }
    let mut second = machine
        .tools()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(second.stderr.take().unwrap())
        .read_line(&mut said)
        .unwrap();
    assert!(said.contains("waiting for etcd"), "{said}");
    fs::write(machine.folder("bin").join("go-on"), "").unwrap();

    printed(&first.wait_with_output().unwrap());
    assert!(second.wait().unwrap().success());
    assert_eq!(machine.build_count(), 1);
}

#[test]
fn a_failed_build_leaves_nothing_and_is_explained() {
    let machine = Machine::with_go("echo half > $out; echo 'no space left' >&2; exit 1");
    let said = refusal(&machine.tools().output().unwrap());
    assert!(said.contains("no space left"), "{said}");
    assert_eq!(machine.cached(), Vec::<String>::new());
}

#[test]
fn without_go_all_three_ways_are_named() {
    let machine = Machine::without_go();
    let nowhere = machine.folder("bin").join("go");
    let said = refusal(&machine.tools().env("GO", nowhere).output().unwrap());
    for way in [
        "install Go",
        "set KUBEBUILDER_ASSETS",
        "put it at",
        "agent-engine-operator/tools/etcd-v",
    ] {
        assert!(said.contains(way), "{way:?} is not in:\n{said}");
    }
}

#[test]
fn given_programs_come_first_and_what_they_lack_is_built() {
    let machine = Machine::with_go("echo program > $out");
    let assets = machine.folder("assets");
    let without = machine
        .tools()
        .env("KUBEBUILDER_ASSETS", &assets)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&without.stderr).contains("holds no etcd"));
    assert_eq!(machine.build_count(), 1);

    fs::write(assets.join("etcd"), "given").unwrap();
    let with = printed(
        &machine
            .tools()
            .env("KUBEBUILDER_ASSETS", &assets)
            .output()
            .unwrap(),
    );
    assert_eq!(with.trim(), format!("etcd {}", assets.join("etcd").display()));
    assert_eq!(machine.build_count(), 1);
}

/// What Go calls the programs that the demo needs, each made for `$out`.
const ALL_OF_THE_DEMO: &str = "for name in kube-apiserver kube-controller-manager kubectl server; do echo program > ${out%/*}/$name; done";

#[test]
fn programs_of_one_go_mod_are_built_at_once() {
    let machine = Machine::with_go(ALL_OF_THE_DEMO);
    let found = printed(&machine.building(&["etcd", "kubectl"]).output().unwrap());
    let names: Vec<_> = found.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, ["etcd", "kubectl"]);
    assert_eq!(machine.build_count(), 1);
    assert_eq!(machine.cached().len(), 2);
}

#[test]
fn the_demo_takes_an_installed_kubectl_if_its_version_fits() {
    let go_mod = include_str!("../../tools/kubernetes/go.mod");
    let (_, version) = go_mod.split_once("k8s.io/kubernetes v1.").unwrap();
    let minor: u32 = version.split('.').next().unwrap().parse().unwrap();
    for (installed, fits) in [
        (minor - 2, false),
        (minor - 1, true),
        (minor + 1, true),
        (minor + 2, false),
    ] {
        let machine = Machine::with_go(ALL_OF_THE_DEMO);
        let kubectl = machine.folder("bin").join("kubectl");
        fs::write(
            &kubectl,
            format!("#!/bin/sh\necho 'Client Version: v1.{installed}.0'\n"),
        )
        .unwrap();
        fs::set_permissions(&kubectl, fs::Permissions::from_mode(0o755)).unwrap();
        let found = printed(&machine.building(&["demo"]).output().unwrap());
        let taken = found.contains(&format!("kubectl {}\n", kubectl.display()));
        assert_eq!(taken, fits, "{installed}: {found}");
        assert_eq!(machine.cached().len(), if fits { 3 } else { 4 });
        assert!(!found.contains("helm"), "{found}");
    }
}

#[test]
fn a_plan_names_what_a_first_run_builds_and_builds_nothing() {
    let machine = Machine::with_go("exit 1");
    let mut plan = machine.building(&["plan", "all"]);
    plan.env("CARGO_TARGET_DIR", machine.folder("target"));
    let said = printed(&plan.output().unwrap());
    for part in [
        "on two cores",
        "with Rust",
        "with Go: kube-apiserver v1.",
        "helm v4.",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    let said = printed(&machine.building(&["plan", "node"]).output().unwrap());
    for part in [
        "kube-apiserver v1.",
        "kubelet v1.",
        "kube-scheduler v1.",
        "helm v4.",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert_eq!(machine.build_count(), 0);
    assert!(refusal(&machine.building(&["nonsense"]).output().unwrap()).contains("no program \"nonsense\""));
}
