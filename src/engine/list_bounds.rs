//! How far a list is followed, and in which steps. A service that has lost its way, or means ill, has always one page more.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::domain::ids::WorkspaceId;

/// Twice as many workspaces as the operator is designed for. A longer list is broken, whether it has so many, or was asked for so
/// many: a service that filters after paging has empty pages, up to all of them.
const MOST_ROWS: usize = 200_000;
/// The same in bytes: a page of 100 workspaces is about 40 KiB.
const MOST_BYTES: usize = MOST_ROWS / 100 * 40 * 1024;
/// Pages that shift while they are read repeat some rows; so many pages in a row that hold no other are a circle.
const MOST_REPEATED: usize = 3;

/// How many workspaces a page is asked for: as many as the API gives, and fewer where they do not fit into one answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PageLimit(u8);

impl Default for PageLimit {
    fn default() -> Self {
        Self(100)
    }
}

impl PageLimit {
    pub(super) fn get(self) -> usize {
        self.0.into()
    }

    /// Half as many. None if one alone does not fit.
    pub(super) fn halved(self) -> Option<Self> {
        (self.0 > 1).then_some(Self(self.0 / 2))
    }
}

/// What was read of a list so far.
#[derive(Debug, Default)]
pub(super) struct ListBounds {
    /// The limits of all pages.
    asked_for: usize,
    rows: usize,
    bytes: usize,
    /// Hashes of the ids.
    known: HashSet<u64>,
    /// Pages in a row that only repeated.
    repeated: usize,
}

impl ListBounds {
    /// Takes a page into account.
    pub(super) fn read<'a>(
        &mut self,
        limit: PageLimit,
        bytes: usize,
        ids: impl Iterator<Item = &'a WorkspaceId>,
    ) {
        let (rows_before, known_before) = (self.rows, self.known.len());
        for id in ids {
            let mut hasher = DefaultHasher::new();
            id.hash(&mut hasher);
            self.known.insert(hasher.finish());
            self.rows += 1;
        }
        self.asked_for += limit.get();
        self.bytes = self.bytes.saturating_add(bytes);
        if self.rows > rows_before {
            let is_new = self.known.len() > known_before;
            self.repeated = if is_new { 0 } else { self.repeated + 1 };
        }
    }

    /// Whether another page is worth asking for, or what is wrong with the list.
    pub(super) fn may_go_on(&self) -> Result<(), String> {
        if self.asked_for.max(self.rows) >= MOST_ROWS {
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
                bounds.read(PageLimit::default(), bytes, ids.iter());
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
        assert_eq!(pages_read(1, |_| Vec::new()), 2000);
        // News in between, however rare, let it go on.
        assert_eq!(pages_read(1, |nth| one(nth / 3)), 2000);
        assert_eq!(
            pages_read(1, |nth| if nth % 99 == 0 { one(nth) } else { Vec::new() }),
            2000
        );
    }

    /// A list of large workspaces is as long in workspaces, not in pages.
    #[test]
    fn small_pages_make_no_list_shorter() {
        let mut bounds = ListBounds::default();
        let small = PageLimit(12);
        for nth in 0..10_000 {
            bounds.read(small, 1, [WorkspaceId::new(nth.to_string())].iter());
        }
        assert_eq!(bounds.may_go_on(), Ok(()));
    }

    #[test]
    fn a_page_is_halved_down_to_one_workspace() {
        let limits = std::iter::successors(Some(PageLimit::default()), |limit| limit.halved());
        let limits: Vec<usize> = limits.map(PageLimit::get).collect();
        assert_eq!(limits, [100, 50, 25, 12, 6, 3, 1]);
    }
}
