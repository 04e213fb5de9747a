//! What the demo shows: a line for each step, and below it what was typed and what came of it.

use std::{
    future::Future,
    io::{IsTerminal, Write, stdout},
    panic::AssertUnwindSafe,
    time::Instant,
};

use futures::FutureExt;

use crate::kubectl::Shown;

pub struct Screen {
    began: Instant,
    steps: usize,
}

/// Why the demo ends before its end.
pub enum Failed {
    Step(String),
    Interrupted,
}

impl Screen {
    pub fn new() -> Self {
        // A step that panics is shown below, in its place.
        std::panic::set_hook(Box::new(|_| ()));
        Self {
            began: Instant::now(),
            steps: 0,
        }
    }

    /// Shows what `step` shows, or why it did not come true.
    pub async fn step(&mut self, title: &str, step: impl Future<Output = Vec<Shown>>) -> Result<(), Failed> {
        self.steps += 1;
        let number = self.steps;
        if stdout().is_terminal() {
            print!("… {number}. {title}");
            stdout().flush().ok();
        }
        let began = Instant::now();
        let outcome = AssertUnwindSafe(step).catch_unwind().await;
        if stdout().is_terminal() {
            print!("\r\x1b[K");
        }
        let seconds = began.elapsed().as_secs_f32();
        match outcome {
            Ok(all) => {
                println!("✓ {number}. {title} ({seconds:.1} s)");
                for shown in all {
                    println!("{}", indented(&shown));
                }
                println!();
                Ok(())
            }
            Err(panic) => {
                println!("✗ {number}. {title} ({seconds:.1} s)");
                let why = panic
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| panic.downcast_ref::<&str>().copied());
                Err(Failed::Step(why.unwrap_or("it cannot say why").to_owned()))
            }
        }
    }

    pub fn summary(&self) -> String {
        let seconds = self.began.elapsed().as_secs_f32();
        format!("All {} steps came true, in {seconds:.0} s.", self.steps)
    }
}

fn indented(shown: &Shown) -> String {
    let text = match shown {
        Shown::Typed { command, output } => format!("$ {command}\n{}", output.trim_end()),
        Shown::Note(note) => format!("# {note}"),
    };
    let lines: Vec<_> = text
        .trim_end()
        .lines()
        .map(|line| format!("     {line}"))
        .collect();
    lines.join("\n")
}
