//! The shared list: one paged list per organization and interval, whatever the number of objects. A workspace that differs
//! in it is only read by its id; if many are missing at once, none is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::ids::{OrganizationId, Uid, WorkspaceId, WorkspaceName};
use crate::domain::object::Deletion;
use crate::domain::remote::{ListedWorkspace, RemoteWorkspace, WorkspaceState};

/// Fewer missing workspaces than this are ordinary business.
const MANY_AT_LEAST: usize = 5;

/// One complete list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Snapshot {
    /// When its first page was requested: what it lacks was absent after that.
    begun_at: Option<Timestamp>,
    rows: BTreeMap<WorkspaceId, ListedWorkspace>,
    /// Names that several rows have.
    shared_names: BTreeSet<WorkspaceName>,
}

/// What a list says about one workspace.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Listed<'a> {
    pub begun_at: Timestamp,
    /// When the page was requested that had, or would have had, the row.
    pub requested_at: Timestamp,
    pub row: Option<&'a RemoteWorkspace>,
    /// Whether another row has exactly its name.
    pub name_is_shared: bool,
    /// How many rows the list has.
    pub length: usize,
}

/// What an object records of its workspace.
#[derive(Clone, Debug)]
pub struct Managed {
    pub uid: Uid,
    pub id: WorkspaceId,
    /// Where it is recorded.
    pub organization_id: Option<OrganizationId>,
    pub name: WorkspaceName,
    pub state: Option<WorkspaceState>,
    pub gone: KnownGone,
    /// Since when we know it ourselves: a list that was requested before does not count for it.
    pub known_at: Option<Timestamp>,
}

/// Whether the object already reports its workspace as gone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KnownGone {
    No,
    Yes,
    /// Its deletion was requested: that its workspace goes is no loss, whoever deleted it.
    Going,
}

impl KnownGone {
    /// Of an object whose loss is `confirmed` in its status.
    pub fn of(deletion: Deletion, confirmed: bool) -> Self {
        match (deletion, confirmed) {
            (Deletion::Requested, _) => Self::Going,
            (Deletion::NotRequested, true) => Self::Yes,
            (Deletion::NotRequested, false) => Self::No,
        }
    }
}

/// A list compared with the records.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Comparison {
    /// Objects whose workspace is to be read by its id.
    pub differing: BTreeSet<Uid>,
    /// How many recorded workspaces it lacks whose objects do not report them as gone yet.
    pub missing: usize,
    pub managed: usize,
    pub unmanaged: usize,
    /// How many rows the list has, whosever they are.
    pub listed: usize,
}

impl Comparison {
    /// Over a tenth, and at least five, missing at once is the organization's trouble first; so is any that is missing from a
    /// list without a row: each organization has a `default`, and one that hides its workspaces answers so.
    pub fn are_many_missing(&self) -> bool {
        let many = self.missing >= MANY_AT_LEAST && self.missing * 10 > self.managed;
        many || (self.missing > 0 && self.listed == 0)
    }
}

impl Snapshot {
    /// Of rows in the order in which they were read: pages that shift meanwhile show some twice, and the later sight
    /// counts.
    pub fn new(begun_at: Timestamp, read: Vec<ListedWorkspace>) -> Self {
        let mut rows = BTreeMap::new();
        for listed in read {
            if listed.workspace.tombstone {
                rows.remove(&listed.workspace.id);
            } else {
                rows.insert(listed.workspace.id.clone(), listed);
            }
        }
        let mut names = BTreeSet::new();
        let shared_names = rows
            .values()
            .map(|listed| &listed.workspace.name)
            .filter(|name| !names.insert(*name))
            .cloned()
            .collect();
        Self {
            begun_at: Some(begun_at),
            rows,
            shared_names,
        }
    }

    /// The organization that all rows name. Nothing if they differ or one names none.
    pub fn owner(&self) -> Option<&OrganizationId> {
        let mut ids = self
            .rows
            .values()
            .map(|row| row.workspace.organization_id.as_ref());
        let first = ids.next()??;
        ids.all(|id| id == Some(first)).then_some(first)
    }

    /// What the list says about one workspace. Nothing before the first list.
    pub fn on(&self, id: &WorkspaceId) -> Option<Listed<'_>> {
        let begun_at = self.begun_at?;
        let listed = self.rows.get(id);
        let row = listed.map(|listed| &listed.workspace);
        Some(Listed {
            begun_at,
            requested_at: listed.map_or(begun_at, |listed| listed.requested_at),
            row,
            name_is_shared: row.is_some_and(|row| self.shared_names.contains(&row.name)),
            length: self.rows.len(),
        })
    }

    /// Compares the list with what objects record.
    pub fn compare<'a>(&self, managed: impl IntoIterator<Item = &'a Managed>) -> Comparison {
        let mut comparison = Comparison {
            listed: self.rows.len(),
            ..Comparison::default()
        };
        let mut known = BTreeSet::new();
        for one in managed {
            comparison.managed += 1;
            known.insert(&one.id);
            if one.known_at >= self.on(&one.id).map(|listed| listed.requested_at) {
                continue;
            }
            let row = self.rows.get(&one.id).map(|listed| &listed.workspace);
            let differs = match (row, one.gone) {
                (None, KnownGone::Yes) | (_, KnownGone::Going) => false,
                (None, KnownGone::No) => {
                    comparison.missing += 1;
                    true
                }
                (Some(_), KnownGone::Yes) => true,
                (Some(row), KnownGone::No) => row.name != one.name || row.known_state() != one.state,
            };
            if differs {
                comparison.differing.insert(one.uid.clone());
            }
        }
        comparison.unmanaged = self.rows.keys().filter(|id| !known.contains(id)).count();
        comparison
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::remote::RemoteState;

    fn row(id: &str, name: &str) -> ListedWorkspace {
        ListedWorkspace {
            requested_at: Timestamp::UNIX_EPOCH,
            workspace: RemoteWorkspace {
                id: id.into(),
                name: name.into(),
                organization_id: None,
                state: RemoteState::Known(WorkspaceState::Active),
                tombstone: false,
                created_at: None,
            },
        }
    }

    fn managed(id: &str, name: &str, gone: KnownGone) -> Managed {
        Managed {
            uid: Uid::new(format!("uid-{id}")),
            id: id.into(),
            organization_id: None,
            name: name.into(),
            state: Some(WorkspaceState::Active),
            gone,
            known_at: None,
        }
    }

    #[test]
    fn only_what_differs_is_read_closer() {
        let snapshot = Snapshot::new(
            Timestamp::UNIX_EPOCH,
            vec![
                row("a", "a"),
                row("b", "changed"),
                row("e", "e"),
                row("x", "foreign"),
            ],
        );
        let comparison = snapshot.compare(&[
            managed("a", "a", KnownGone::No),
            managed("b", "b", KnownGone::No),
            managed("c", "c", KnownGone::No),
            managed("d", "d", KnownGone::Yes),
            managed("e", "e", KnownGone::Yes),
        ]);
        let differing: Vec<&str> = comparison.differing.iter().map(Uid::as_str).collect();
        assert_eq!(
            differing,
            ["uid-b", "uid-c", "uid-e"],
            "what was gone and is back, too"
        );
        assert_eq!(
            (comparison.managed, comparison.unmanaged, comparison.missing),
            (5, 1, 1)
        );
        assert!(!comparison.are_many_missing());
    }

    /// Nor does it differ.
    #[test]
    fn one_made_while_the_list_was_taken_is_not_missing() {
        let began = Timestamp::from_second(100).unwrap();
        let all: Vec<Managed> = (0..20)
            .map(|n| Managed {
                known_at: Timestamp::from_second(101).ok(),
                ..managed(&n.to_string(), "n", KnownGone::No)
            })
            .collect();
        let comparison = Snapshot::new(began, vec![row("foreign", "f")]).compare(&all);
        assert!(!comparison.are_many_missing(), "{comparison:?}");
        assert_eq!(
            comparison,
            Comparison {
                managed: 20,
                unmanaged: 1,
                listed: 1,
                ..Comparison::default()
            }
        );
    }

    /// Five of 49 are being deleted, by us or by whoever holds them.
    #[test]
    fn what_is_being_deleted_is_no_loss() {
        let rows = (5..49).map(|n| row(&n.to_string(), "n")).collect();
        let known = |n| if n < 5 { KnownGone::Going } else { KnownGone::No };
        let all: Vec<Managed> = (0..49).map(|n| managed(&n.to_string(), "n", known(n))).collect();
        let comparison = Snapshot::new(Timestamp::UNIX_EPOCH, rows).compare(&all);
        assert!(!comparison.are_many_missing());
        assert_eq!(
            (comparison.missing, comparison.managed, comparison.unmanaged),
            (0, 49, 0)
        );
        assert!(comparison.differing.is_empty());
    }

    /// Promise: rule.many-missing
    #[test]
    fn a_tenth_and_five_at_once_is_the_organizations_trouble() {
        for (total, missing, mass) in [
            (5, 5, true),
            (4, 4, false),
            (49, 5, true),
            (50, 5, false),
            (51, 6, true),
            (60, 6, false),
        ] {
            let rows = (missing..total).map(|n| row(&n.to_string(), "n"));
            let rows = rows.chain([row("fallback", "default")]).collect();
            let all: Vec<Managed> = (0..total)
                .map(|n| managed(&n.to_string(), "n", KnownGone::No))
                .collect();
            assert_eq!(
                Snapshot::new(Timestamp::UNIX_EPOCH, rows)
                    .compare(&all)
                    .are_many_missing(),
                mass,
                "{missing} of {total}"
            );
        }
    }

    /// Each organization has a `default`: one that lists nothing hides it, and may hide the rest.
    ///
    /// Promise: rule.many-missing
    #[test]
    fn what_is_missing_from_a_list_without_a_row_is_doubted() {
        let missing = |rows: Vec<ListedWorkspace>, gone| {
            let comparison = Snapshot::new(Timestamp::UNIX_EPOCH, rows).compare(&[managed("a", "a", gone)]);
            comparison.are_many_missing()
        };
        assert!(missing(Vec::new(), KnownGone::No));
        assert!(!missing(vec![row("fallback", "default")], KnownGone::No));
        assert!(!missing(Vec::new(), KnownGone::Yes), "it was confirmed before");
        assert!(!missing(Vec::new(), KnownGone::Going));
    }
}
