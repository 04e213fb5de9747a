//! Whether the API server answers at all. Pure: when it was asked, and that it answered, go in.
//!
//! Behind a network that drops packets connections stay open, and neither an event nor an error comes for minutes.

use std::time::Duration;

use jiff::Timestamp;

use crate::domain::time::elapsed;

/// A question that has waited for so long is told of. Longer than an API server takes to start again.
const TOLD_AFTER: Duration = Duration::from_secs(20);

/// What is known of the API server's answers.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// When the first question was asked that has no answer since.
    unanswered: Option<Timestamp>,
}

impl Silence {
    pub(super) fn asked(&mut self, now: Timestamp) {
        // A clock that was set back lengthens no silence.
        let first = self.unanswered.filter(|at| *at <= now);
        self.unanswered = Some(first.unwrap_or(now));
    }

    /// Any answer counts, a refusal as well.
    pub(super) fn answered(&mut self) {
        self.unanswered = None;
    }

    /// For `/readyz` and the log. The same text while it lasts.
    pub(super) fn trouble(&self, now: Timestamp) -> Option<String> {
        let is_long = self.unanswered.is_some_and(|at| elapsed(at, now) >= TOLD_AFTER);
        is_long.then(|| {
            format!(
                "the Kubernetes API has not answered for {} s or longer: nothing new is seen, and nothing can be written. Check \
                 the API server, and the network between it and the operator",
                TOLD_AFTER.as_secs()
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    /// Promise: rule.silence-said: A Kubernetes API that answers nothing is named in the log and by `/readyz` within a minute
    #[test]
    fn a_question_without_an_answer_is_told_until_one_comes() {
        let mut silence = Silence::default();
        assert_eq!(silence.trouble(at(0)), None);
        for second in [0, 10, 19] {
            silence.asked(at(second));
            assert_eq!(silence.trouble(at(second)), None);
        }
        let said = silence.trouble(at(20)).unwrap();
        silence.asked(at(30));
        assert_eq!(silence.trouble(at(300)), Some(said), "in the same words");
        silence.answered();
        assert_eq!(silence.trouble(at(301)), None);
        silence.asked(at(302));
        assert_eq!(silence.trouble(at(303)), None);
    }

    #[test]
    fn a_clock_set_back_is_no_silence() {
        let mut silence = Silence::default();
        silence.asked(at(1000));
        silence.asked(at(0));
        assert_eq!(silence.trouble(at(19)), None);
        assert!(silence.trouble(at(20)).is_some());
    }
}
