//! How much of what a domain shows is kept: together never more than the file of a snapshot may have, so that whatever is
//! collected can be read again. Shared out, so that no host or answer takes what belongs to the others. Used by `shares`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Octets of a file that are given out: to each holder some of its own, and the rest to whoever comes first.
#[derive(Debug)]
pub struct Budget {
    reserve: usize,
    holders: usize,
    left: Mutex<Left>,
}

#[derive(Debug)]
struct Left {
    common: usize,
    /// What each holder has left of its own.
    own: BTreeMap<String, usize>,
    /// Those that asked for more than there was.
    refused: BTreeSet<String>,
}

impl Budget {
    /// So many octets in all, `reserve` of them for each of the first `holders`.
    pub const fn of(octets: usize, reserve: usize, holders: usize) -> Self {
        let common = octets.saturating_sub(reserve.saturating_mul(holders));
        Budget { reserve, holders, left: Mutex::new(Left { common, own: BTreeMap::new(), refused: BTreeSet::new() }) }
    }

    /// Gives a holder so many octets: all of them, or none where there are fewer.
    pub fn take(&self, holder: &str, octets: usize) -> bool {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let Left { common, own, refused } = &mut *left;
        if !own.contains_key(holder) && own.len() < self.holders {
            own.insert(holder.to_owned(), self.reserve);
        }
        let own = own.get_mut(holder);
        let from_own = own.as_deref().map_or(0, |own| octets.min(*own));
        let Some(rest) = common.checked_sub(octets.saturating_sub(from_own)) else {
            if own.is_some() {
                refused.insert(holder.to_owned());
            }
            return false;
        };
        *common = rest;
        if let Some(own) = own {
            *own = own.saturating_sub(from_own);
        }
        true
    }

    /// Whether a holder ever asked for more than there was: what it has left is for saying so.
    pub fn has_refused(&self, holder: &str) -> bool {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).refused.contains(holder)
    }

    /// Whether a holder can still be given so many octets.
    pub fn has(&self, holder: &str, octets: usize) -> bool {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let new = if left.own.len() < self.holders { self.reserve } else { 0 };
        left.own.get(holder).copied().unwrap_or(new).saturating_add(left.common) >= octets
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_reserved_is_there_whatever_the_others_took() {
        let budget = Budget::of(1_000, 100, 3);
        assert!(budget.take("greedy", 800) && !budget.take("greedy", 1), "its own and all that is common");
        assert!(!budget.has("greedy", 1) && budget.has("modest", 100) && !budget.has("modest", 101));
        assert!(budget.take("modest", 60) && budget.take("modest", 40) && !budget.take("modest", 1));
        assert!(budget.take("third", 100) && !budget.take("fourth", 1));
        assert!(budget.has_refused("greedy") && !budget.has_refused("third"));
    }

    proptest! {
        #[test]
        fn no_more_is_given_than_there_is(
            octets in 0_usize..10_000,
            reserve in 0_usize..500,
            wishes in proptest::collection::vec(("[a-f]", 0_usize..3_000), 0..60),
        ) {
            let holders = octets.checked_div(reserve).unwrap_or(9).min(5);
            let budget = Budget::of(octets, reserve, holders);
            let mut given = 0;
            for (holder, wish) in wishes {
                let has = budget.has(&holder, wish);
                let taken = budget.take(&holder, wish);
                prop_assert_eq!(has, taken);
                given += if taken { wish } else { 0 };
            }
            prop_assert!(given <= octets);
        }
    }
}
