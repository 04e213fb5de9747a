//! What comes of each effect in a world.

use crate::domain::object::Finalizer;
use crate::domain::remote::{Answer, Failure, FailureClass, ListedWorkspace, Page, Rest};
use crate::domain::time::shifted;
use crate::limits::Pressure;
use crate::organization::effect::{
    ClusterEffect, ClusterOutcome, Connected, Effect, EngineAnswer, EngineCall, Outcome, Part, Records,
};
use crate::organization::tests::harness::world::World;
use crate::organization::{KeysDigest, NoClient};

impl World {
    /// Performs an effect as the world is now.
    pub(super) fn perform(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::Cluster(effect) => Outcome::Cluster(self.in_cluster(effect)),
            Effect::Engine(call) => Outcome::Engine(self.call(call)),
        }
    }

    fn in_cluster(&mut self, effect: ClusterEffect) -> ClusterOutcome {
        match effect {
            ClusterEffect::AddFinalizer | ClusterEffect::RemoveFinalizer | ClusterEffect::WriteStatus(_)
                if self.writes_fail =>
            {
                return ClusterOutcome::NotDone;
            }
            ClusterEffect::AddFinalizer => self.object.finalizer = Finalizer::Present,
            ClusterEffect::RemoveFinalizer => self.object.finalizer = Finalizer::Absent,
            ClusterEffect::WriteStatus(status) => self.status = *status,
            ClusterEffect::NameOrganization(_) => {}
            ClusterEffect::Publish(publication) => {
                self.published = publication.published;
                self.snapshot = publication.snapshot.or(self.snapshot.take());
                self.wakes.push(publication.wake);
            }
            ClusterEffect::Connect { keys, .. } => return ClusterOutcome::Client(self.connect(keys)),
            ClusterEffect::ReadRecords => return ClusterOutcome::Records(self.records()),
        }
        ClusterOutcome::Done
    }

    fn call(&mut self, call: EngineCall) -> EngineAnswer {
        match call {
            EngineCall::Exchange => EngineAnswer::Exchanged(self.answer(1, self.exchange.clone())),
            EngineCall::ExchangeUnnamed => EngineAnswer::ExchangedUnnamed {
                keys: Some(KeysDigest::of("client", &self.keys.to_string())),
                answer: self.answer(1, self.exchange_unnamed.clone()),
            },
            EngineCall::List(part) => EngineAnswer::Listed(self.page(part)),
        }
    }

    fn records(&self) -> Records {
        let behind = match self.behind {
            (behind, Some(until)) if self.now < until => behind,
            _ => 0,
        };
        Records {
            managed: self.records[behind..].to_vec(),
            behind,
        }
    }

    fn connect(&self, kept: Option<KeysDigest>) -> Result<Connected, NoClient> {
        let keys = KeysDigest::of("client", &self.keys.to_string());
        match self.secret {
            None => Err(NoClient::Missing {
                what: "there is no Secret".to_owned(),
            }),
            Some(_) => self.readable.clone().map(|()| {
                if kept.as_ref() == Some(&keys) {
                    Connected::Same
                } else {
                    Connected::New(keys)
                }
            }),
        }
    }

    fn page(&mut self, part: Part) -> Answer<Page> {
        if part == Part::First {
            self.cursor = 0;
        }
        let requested_at = self.now;
        let page = self.rows.clone().map(|rows| {
            let end = (self.cursor + self.page_size).min(rows.len());
            let of_page = rows[self.cursor.min(end)..end].iter().cloned();
            Page {
                rows: of_page
                    .map(|workspace| ListedWorkspace {
                        requested_at,
                        workspace,
                    })
                    .collect(),
                rest: if end < rows.len() {
                    Rest::More
                } else {
                    Rest::Nothing
                },
            }
        });
        let nth = self.cursor / self.page_size;
        self.cursor += self.page_size;
        let page = match self.fails_after {
            Some(pages) if nth >= pages => Err(FailureClass::Transient),
            Some(_) | None => page,
        };
        let answer = self.answer(self.requests, page);
        if let Some((pages, pause)) = self.others_throttled
            && nth + 1 == pages
        {
            self.others_throttled = None;
            self.limiter.observe(self.uptime(), Pressure::Throttled(pause));
        }
        answer
    }

    fn answer<T>(&mut self, requests: u32, result: Result<T, FailureClass>) -> Answer<T> {
        self.advance(self.latency);
        Answer {
            finished: self.now,
            took: self.latency,
            date: Some(shifted(self.now, self.server_ahead)),
            requests,
            result: result.map_err(failure),
        }
    }
}

fn failure(class: FailureClass) -> Failure {
    Failure {
        class,
        status: None,
        detail: format!("{class:?}, as told"),
    }
}
