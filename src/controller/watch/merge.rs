//! Merges the watches of several namespaces into one: when one namespace is listed again, the store must not lose the
//! objects of the others.

use std::collections::{BTreeMap, VecDeque};

use futures::stream::{self, BoxStream, StreamExt};
use kube::runtime::watcher::{self, Event};

/// The events of one kind.
pub(super) type Events<K> = BoxStream<'static, watcher::Result<Event<K>>>;

/// Applies `reduce` to each object.
pub(super) fn reduced<K, R>(event: Event<K>, reduce: fn(K) -> R) -> Event<R> {
    match event {
        Event::Apply(object) => Event::Apply(reduce(object)),
        Event::InitApply(object) => Event::InitApply(reduce(object)),
        Event::Delete(object) => Event::Delete(reduce(object)),
        Event::Init => Event::Init,
        Event::InitDone => Event::InitDone,
    }
}

/// Merges watches that each see a part. The first `Init…InitDone` comes when all parts were listed; a later list of one part
/// comes as the changes that it shows. A part whose list fails is waited for, unless `is_empty` knows that it holds no
/// object.
pub(super) fn merge<K>(
    parts: Vec<BoxStream<'static, watcher::Result<Event<K>>>>,
    name: fn(&K) -> String,
    is_empty: impl Fn(usize, &watcher::Error) -> bool + Send + 'static,
) -> BoxStream<'static, watcher::Result<Event<K>>>
where
    K: Clone + Send + 'static,
{
    let mut state = Merged {
        parts: parts.iter().map(|_| Part::default()).collect(),
        name,
        begun: false,
    };
    let tagged = parts
        .into_iter()
        .enumerate()
        .map(|(n, part)| part.map(move |event| (n, event)).boxed());
    stream::select_all(tagged)
        .flat_map(move |(n, event)| {
            stream::iter(match event {
                Ok(event) => state.step(n, event).into_iter().map(Ok).collect::<VecDeque<_>>(),
                Err(error) => {
                    let begun = if is_empty(n, &error) {
                        state.empty(n)
                    } else {
                        Vec::new()
                    };
                    let mut events: VecDeque<_> = begun.into_iter().map(Ok).collect();
                    events.push_front(Err(error));
                    events
                }
            })
        })
        .boxed()
}

struct Merged<K> {
    parts: Vec<Part<K>>,
    /// A name tells the objects of one part apart.
    name: fn(&K) -> String,
    begun: bool,
}

struct Part<K> {
    known: BTreeMap<String, K>,
    listing: Option<BTreeMap<String, K>>,
    listed: bool,
}

impl<K> Default for Part<K> {
    fn default() -> Self {
        Self {
            known: BTreeMap::new(),
            listing: None,
            listed: false,
        }
    }
}

impl<K: Clone> Merged<K> {
    fn step(&mut self, n: usize, event: Event<K>) -> Vec<Event<K>> {
        let part = &mut self.parts[n];
        match event {
            Event::Init => {
                part.listing = Some(BTreeMap::new());
                Vec::new()
            }
            Event::InitApply(object) => {
                part.listing
                    .get_or_insert_default()
                    .insert((self.name)(&object), object);
                Vec::new()
            }
            Event::InitDone => {
                let listing = part.listing.take().unwrap_or_default();
                let before = std::mem::replace(&mut part.known, listing);
                part.listed = true;
                if self.begun {
                    self.changes(n, before)
                } else {
                    self.begin()
                }
            }
            Event::Apply(object) => {
                part.known.insert((self.name)(&object), object.clone());
                if self.begun {
                    vec![Event::Apply(object)]
                } else {
                    Vec::new()
                }
            }
            Event::Delete(object) => {
                part.known.remove(&(self.name)(&object));
                if self.begun {
                    vec![Event::Delete(object)]
                } else {
                    Vec::new()
                }
            }
        }
    }

    /// Stops waiting for a part that was never listed.
    fn empty(&mut self, n: usize) -> Vec<Event<K>> {
        self.parts[n].listed = true;
        self.begin()
    }

    fn begin(&mut self) -> Vec<Event<K>> {
        if self.begun || !self.parts.iter().all(|part| part.listed) {
            return Vec::new();
        }
        self.begun = true;
        let all = self
            .parts
            .iter()
            .flat_map(|part| part.known.values().cloned().map(Event::InitApply));
        std::iter::once(Event::Init)
            .chain(all)
            .chain([Event::InitDone])
            .collect()
    }

    fn changes(&self, n: usize, before: BTreeMap<String, K>) -> Vec<Event<K>> {
        let now = &self.parts[n].known;
        let gone = before
            .into_iter()
            .filter(|(name, _)| !now.contains_key(name))
            .map(|(_, object)| Event::Delete(object));
        gone.chain(now.values().cloned().map(Event::Apply)).collect()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::ResourceExt;
    use kube::api::ObjectMeta;

    use super::*;

    fn object(name: &str) -> ConfigMap {
        ConfigMap {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            ..ConfigMap::default()
        }
    }

    fn told(events: Vec<Event<ConfigMap>>) -> Vec<String> {
        events
            .into_iter()
            .map(|event| match event {
                Event::Apply(o) => format!("+{}", o.name_any()),
                Event::Delete(o) => format!("-{}", o.name_any()),
                Event::Init => "init".to_owned(),
                Event::InitApply(o) => format!("init+{}", o.name_any()),
                Event::InitDone => "done".to_owned(),
            })
            .collect()
    }

    /// Later, a list of one part keeps the objects of the others.
    #[test]
    fn no_event_comes_before_every_part_was_listed() {
        let mut merged = Merged {
            parts: vec![Part::default(), Part::default()],
            name: ConfigMap::name_any,
            begun: false,
        };
        let mut step = |n, event| told(merged.step(n, event));
        assert!(step(0, Event::Init).is_empty());
        assert!(step(0, Event::InitApply(object("a"))).is_empty());
        assert!(step(0, Event::InitDone).is_empty());
        assert!(step(0, Event::Apply(object("b"))).is_empty());
        assert!(step(1, Event::Init).is_empty());
        assert!(step(1, Event::InitApply(object("x"))).is_empty());
        assert_eq!(
            step(1, Event::InitDone),
            ["init", "init+a", "init+b", "init+x", "done"]
        );
        assert_eq!(step(1, Event::Apply(object("y"))), ["+y"]);
        assert!(step(0, Event::Init).is_empty());
        assert!(step(0, Event::InitApply(object("b"))).is_empty());
        assert_eq!(step(0, Event::InitDone), ["-a", "+b"]);
    }

    /// Unless it is known to be empty.
    #[tokio::test]
    async fn a_part_that_cannot_be_listed_is_waited_for() {
        for (empty, told) in [(true, vec!["init", "init+a", "done"]), (false, vec![])] {
            let sound = [Event::Init, Event::InitApply(object("a")), Event::InitDone].map(Ok);
            let refused = [Err(watcher::Error::NoResourceVersion)];
            let parts = vec![stream::iter(sound).boxed(), stream::iter(refused).boxed()];
            let merged = merge(parts, ConfigMap::name_any, move |n, _| n == 1 && empty);
            let events: Vec<_> = merged.collect().await;
            assert_eq!(self::told(events.into_iter().flatten().collect()), told);
        }
    }

    #[test]
    fn every_object_is_handed_on_reduced() {
        let name = |object: ConfigMap| object.name_any();
        assert!(matches!(reduced(Event::Apply(object("a")), name), Event::Apply(left) if left == "a"));
        assert!(matches!(reduced(Event::Delete(object("a")), name), Event::Delete(left) if left == "a"));
        assert!(matches!(reduced(Event::Init, name), Event::Init));
    }
}
