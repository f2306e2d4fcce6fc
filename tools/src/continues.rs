// SPDX-License-Identifier: GPL-2.0

//! The condition for joining pages to a run.

/// State of a page that can share a run with that of the page before.
pub trait Continues: Copy {
    /// Returns true if `self` belongs to the same run as `previous`, the state of the page before.
    fn continues(self, previous: Self) -> bool;
}
