//! When to end: standard input closes, or a signal comes. Also reads the lines that come before.

use std::io::BufRead;

use anyhow::Context;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

/// What the caller said.
#[derive(Debug, PartialEq, Eq)]
pub enum Word {
    Line(String),
    End(End),
}

/// How the end came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    InputClosed,
    Signal,
}

pub struct Caller {
    lines: mpsc::UnboundedReceiver<String>,
    signals: [Signal; 3],
}

impl Caller {
    /// Starts to listen. Signals no longer end this process by themselves.
    pub fn listen() -> anyhow::Result<Self> {
        let (heard, lines) = mpsc::unbounded_channel();
        // A plain thread: the runtime would wait for a blocked read before it ends.
        std::thread::Builder::new()
            .name("standard-input".into())
            .spawn(move || {
                for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                    if heard.send(line).is_err() {
                        return;
                    }
                }
            })
            .context("cannot start a thread")?;
        let signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        Ok(Self { lines, signals })
    }

    /// The next line, or the end.
    pub async fn next(&mut self) -> Word {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            line = self.lines.recv() => line.map_or(Word::End(End::InputClosed), Word::Line),
            _ = interrupt.recv() => Word::End(End::Signal),
            _ = terminate.recv() => Word::End(End::Signal),
            _ = hangup.recv() => Word::End(End::Signal),
        }
    }

    /// Returns at the end; lines mean nothing.
    pub async fn end(&mut self) -> End {
        loop {
            if let Word::End(end) = self.next().await {
                return end;
            }
        }
    }
}
