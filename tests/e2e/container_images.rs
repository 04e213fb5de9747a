//! The images: of the operator as the Dockerfile's last stage says, of the emulator and the workload in the same form.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::image::Image;
use crate::support::{built, target};

pub const REGISTRY: &str = "localhost";
pub const REPOSITORY: &str = "agent-engine-operator";
/// Two tags of one image: an upgrade changes the tag.
pub const TAGS: [&str; 2] = ["first", "second"];
/// Of the image of another checkout.
pub const FORMER_TAG: &str = "former";
pub const EMULATOR: &str = "localhost/agent-engine-emulator:e2e";
pub const WORKLOAD: &str = "localhost/workload:e2e";

const DOCKERFILE: &str = include_str!("../../Dockerfile");

/// Writes all images of this checkout, and says where.
pub fn write() -> Vec<PathBuf> {
    let user = instruction(DOCKERFILE, "USER");
    let others = [
        ("emulator.tar", "agent-engine-emulator", EMULATOR, "/emulator"),
        ("workload.tar", "examples/workload", WORKLOAD, "/workload"),
    ];
    let others = others.map(|(file, program, name, place)| {
        let image = Image {
            names: &[name],
            program: &built(program),
            place,
            user,
            entrypoint: &[place],
            command: &[],
        };
        written(file, &image)
    });
    let operator = operator("operator.tar", &built("agent-engine-operator"), &TAGS);
    others.into_iter().chain([operator]).collect()
}

/// Writes the image of an operator that another checkout has built.
pub fn write_former(program: &Path) -> PathBuf {
    operator("former.tar", program, &[FORMER_TAG])
}

/// As the last stage of the Dockerfile says.
fn operator(file: &str, program: &Path, tags: &[&str]) -> PathBuf {
    let names: Vec<String> = tags
        .iter()
        .map(|tag| format!("{REGISTRY}/{REPOSITORY}:{tag}"))
        .collect();
    let (entrypoint, command) = (words(DOCKERFILE, "ENTRYPOINT"), words(DOCKERFILE, "CMD"));
    let image = Image {
        names: &texts(&names),
        program,
        place: &entrypoint[0],
        user: instruction(DOCKERFILE, "USER"),
        entrypoint: &texts(&entrypoint),
        command: &texts(&command),
    };
    written(file, &image)
}

fn written(file: &str, image: &Image<'_>) -> PathBuf {
    let program = image.program.display();
    assert!(
        image.program.is_file(),
        "{program} is missing; `make e2e` and `make upgrade` build it"
    );
    let folder = target().join("e2e");
    fs::create_dir_all(&folder).expect("a folder for images");
    let file = folder.join(file);
    image.write(&file).expect("an image");
    file
}

fn texts(words: &[String]) -> Vec<&str> {
    words.iter().map(String::as_str).collect()
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
    assert_eq!(instruction(DOCKERFILE, "USER"), "65532:65532");
    assert_eq!(
        words(DOCKERFILE, "ENTRYPOINT"),
        ["/usr/local/bin/agent-engine-operator"]
    );
    assert_eq!(words(DOCKERFILE, "CMD"), ["run"]);
}
