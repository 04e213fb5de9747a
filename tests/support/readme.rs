//! The commands of the README, as they stand there.

pub const README: &str = include_str!("../../README.md");

/// What stands between the fences after each of these marks.
pub fn blocks(mark: &str) -> Vec<String> {
    let blocks = README.split(mark).skip(1);
    let blocks: Vec<_> = blocks.map(up_to_fence).map(str::to_owned).collect();
    assert!(!blocks.is_empty(), "no block has this mark: {mark}");
    blocks
}

pub fn up_to_fence(text: &str) -> &str {
    text.split("```").next().expect("a fence")
}
