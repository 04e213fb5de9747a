//! How far a list is followed. A service that has lost its way, or means ill, has always one page more.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::ids::WorkspaceId;

/// Two hundred thousand workspaces, twice what the operator is designed for. A longer list is broken.
const MOST_PAGES: usize = 2000;
/// The same in rows, for pages that have more of them than were asked for.
const MOST_ROWS: usize = 200_000;
/// The same in bytes: a page of 100 workspaces is about 40 KiB.
const MOST_BYTES: usize = MOST_PAGES * 40 * 1024;
/// Pages that shift while they are read repeat some rows; so many pages in a row that hold no other are a circle.
const MOST_REPEATED: usize = 3;
/// A service that filters after paging has empty pages; so many in a row are ten thousand workspaces without a hit.
const MOST_EMPTY: usize = 100;

/// What was read of a list so far.
#[derive(Debug, Default)]
pub(super) struct ListBounds {
    pages: usize,
    rows: usize,
    bytes: usize,
    /// Hashes of the ids.
    known: HashSet<u64>,
    /// Pages in a row that only repeated.
    repeated: usize,
    /// Pages in a row that were empty.
    empty: usize,
}

impl ListBounds {
    /// Takes a page into account.
    pub(super) fn read<'a>(&mut self, bytes: usize, ids: impl Iterator<Item = &'a WorkspaceId>) {
        let (rows_before, known_before) = (self.rows, self.known.len());
        for id in ids {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            self.known.insert(hasher.finish());
            self.rows += 1;
        }
        self.pages += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.rows == rows_before {
            self.empty += 1;
        } else if self.known.len() == known_before {
            (self.empty, self.repeated) = (0, self.repeated + 1);
        } else {
            (self.empty, self.repeated) = (0, 0);
        }
    }

    /// Whether another page is worth asking for, or what is wrong with the list.
    pub(super) fn may_go_on(&self) -> Result<(), String> {
        if self.pages >= MOST_PAGES {
            Err(format!("the list did not end after {MOST_PAGES} pages"))
        } else if self.rows >= MOST_ROWS {
            Err(format!("the list did not end after {MOST_ROWS} workspaces"))
        } else if self.bytes >= MOST_BYTES {
            Err(format!(
                "the list did not end after {} MiB",
                MOST_BYTES / 1024 / 1024
            ))
        } else if self.repeated >= MOST_REPEATED {
            Err(format!(
                "the list repeats itself: {MOST_REPEATED} pages in a row show nothing new"
            ))
        } else if self.empty >= MOST_EMPTY {
            Err(format!(
                "the list leads nowhere: {MOST_EMPTY} pages in a row are empty"
            ))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pages are read of a list whose n-th page has these ids and so many bytes.
    fn pages_read(bytes: usize, ids: impl Fn(usize) -> Vec<String>) -> usize {
        let mut bounds = ListBounds::default();
        (0..)
            .find(|nth| {
                let ids: Vec<_> = ids(*nth).into_iter().map(WorkspaceId::new).collect();
                bounds.read(bytes, ids.iter());
                bounds.may_go_on().is_err()
            })
            .unwrap()
            + 1
    }

    #[test]
    fn each_way_of_going_on_without_end_has_its_bound() {
        let one = |nth: usize| vec![nth.to_string()];
        assert_eq!(pages_read(1, one), 2000);
        assert_eq!(pages_read(1 << 20, one), 79);
        assert_eq!(
            pages_read(1, |nth| (0..1000).map(|row| format!("{nth}-{row}")).collect()),
            200
        );
        assert_eq!(pages_read(1, |_| one(0)), 4);
        assert_eq!(pages_read(1, |nth| one(nth % 3)), 6);
        assert_eq!(pages_read(1, |_| Vec::new()), 100);
        // News in between, however rare, let it go on.
        assert_eq!(pages_read(1, |nth| one(nth / 3)), 2000);
        assert_eq!(
            pages_read(1, |nth| if nth % 99 == 0 { one(nth) } else { Vec::new() }),
            2000
        );
    }
}
