//! The images: of the operator as the Dockerfile's last stage says, of the emulator and the workload in the same form.

use std::{fs, path::PathBuf};

use crate::image::Image;
use crate::support::{built, target};

pub const REGISTRY: &str = "localhost";
pub const REPOSITORY: &str = "agent-engine-operator";
/// Two tags of one image: an upgrade changes the tag.
pub const TAGS: [&str; 2] = ["first", "second"];
pub const EMULATOR: &str = "localhost/agent-engine-emulator:e2e";
pub const WORKLOAD: &str = "localhost/workload:e2e";

/// Writes them, and says where.
pub fn write() -> Vec<PathBuf> {
    let folder = target().join("e2e");
    fs::create_dir_all(&folder).expect("a folder for images");
    let dockerfile = include_str!("../../Dockerfile");
    let (user, entrypoint) = (instruction(dockerfile, "USER"), words(dockerfile, "ENTRYPOINT"));
    let names = TAGS.map(|tag| format!("{REGISTRY}/{REPOSITORY}:{tag}"));
    let make = |file: &str, program: &str, names: &[&str], entrypoint: &[&str], command: &[&str]| {
        let (file, program) = (folder.join(file), built(program));
        assert!(
            program.is_file(),
            "{} is missing; `make e2e` builds it",
            program.display()
        );
        let image = Image {
            names,
            program: &program,
            place: entrypoint[0],
            user,
            entrypoint,
            command,
        };
        image.write(&file).expect("an image");
        file
    };
    let text: Vec<&str> = entrypoint.iter().map(String::as_str).collect();
    let command = words(dockerfile, "CMD");
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    vec![
        make(
            "operator.tar",
            "agent-engine-operator",
            &names.each_ref().map(String::as_str),
            &text,
            &command,
        ),
        make(
            "emulator.tar",
            "agent-engine-emulator",
            &[EMULATOR],
            &["/emulator"],
            &[],
        ),
        make(
            "workload.tar",
            "examples/workload",
            &[WORKLOAD],
            &["/workload"],
            &[],
        ),
    ]
}

/// What the last stage says by this word.
fn instruction<'a>(dockerfile: &'a str, word: &str) -> &'a str {
    let mut lines = dockerfile.lines().rev();
    lines
        .find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
        .unwrap_or_else(|| panic!("the Dockerfile has no {word}"))
}

fn words(dockerfile: &str, word: &str) -> Vec<String> {
    serde_json::from_str(instruction(dockerfile, word)).expect("a list of words")
}

#[test]
fn the_image_is_run_as_the_dockerfile_says() {
    let dockerfile = include_str!("../../Dockerfile");
    assert_eq!(instruction(dockerfile, "USER"), "65532:65532");
    assert_eq!(
        words(dockerfile, "ENTRYPOINT"),
        ["/usr/local/bin/agent-engine-operator"]
    );
    assert_eq!(words(dockerfile, "CMD"), ["run"]);
}
