//! How many streams of an account are on at once.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::{AccountId, EntryId};

/// The places that publishers hold.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<AccountId, HashMap<EntryId, u32>>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    account: AccountId,
    entry: EntryId,
}

impl Places {
    /// Takes a place for a publisher of `entry`. Entries in `waiting` hold theirs while their publishers are away; a
    /// second publisher of an entry needs none of its own. Says how many there are where that is the limit.
    pub(super) fn take(
        self: &Arc<Places>,
        account: &AccountId,
        entry: &EntryId,
        limit: Option<u32>,
        waiting: BTreeSet<EntryId>,
    ) -> Result<Place, u32> {
        let mut all = self.held();
        let own = all.entry(account.clone()).or_default();
        let mut others: BTreeSet<&EntryId> = waiting.iter().chain(own.keys()).collect();
        others.remove(entry);
        if let Some(limit) = limit.filter(|limit| others.len() >= *limit as usize) {
            return Err(limit);
        }
        *own.entry(entry.clone()).or_default() += 1;
        Ok(Place { places: self.clone(), account: account.clone(), entry: entry.clone() })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<AccountId, HashMap<EntryId, u32>>> {
        // Each step leaves whole numbers behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.places.held();
        let Some(own) = all.get_mut(&self.account) else { return };
        if let Some(count) = own.get_mut(&self.entry) {
            *count -= 1;
            if *count == 0 {
                own.remove(&self.entry);
            }
        }
        if own.is_empty() {
            all.remove(&self.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(last: u8) -> EntryId {
        EntryId::parse(&format!("0_0000000{last}")).expect("an id")
    }

    #[test]
    fn places_are_counted_by_entry_and_given_back() {
        let places = Arc::new(Places::default());
        let take = |last, waiting: &[u8]| {
            let waiting = waiting.iter().map(|last| entry(*last)).collect();
            places.take(&AccountId::main(), &entry(last), Some(2), waiting)
        };
        let one = take(1, &[]).expect("the first");
        let again = take(1, &[]).expect("the same entry: its next publisher");
        assert_eq!(take(2, &[3]).err(), Some(2), "one on, one waiting");
        let other = take(2, &[1]).expect("who is on does not wait too");
        assert_eq!(take(3, &[]).err(), Some(2));
        drop(one);
        assert_eq!(take(3, &[]).err(), Some(2), "its other publisher is still on");
        drop(again);
        take(3, &[]).expect("free");
        drop(other);
        assert!(places.held().is_empty());
    }
}
