//! How many follow the events at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::TokenId;

/// Of one token.
pub(crate) const OF_ONE: usize = 8;
/// Of all tokens together.
pub(crate) const OF_ALL: usize = 1000;

/// Those who follow the events, by their tokens.
#[derive(Clone, Default, Debug)]
pub(crate) struct Subscribers(Arc<Mutex<HashMap<TokenId, usize>>>);

/// A place among them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    all: Subscribers,
    token: TokenId,
}

impl Subscribers {
    /// Takes a place; `None` where there is none left, for this token or at all.
    pub(crate) fn enter(&self, token: &TokenId) -> Option<Place> {
        let mut counts = self.counts();
        let all: usize = counts.values().sum();
        let own = counts.get(token).copied().unwrap_or_default();
        if all >= OF_ALL || own >= OF_ONE {
            return None;
        }
        counts.insert(token.clone(), own + 1);
        Some(Place { all: self.clone(), token: token.clone() })
    }

    // Plain numbers, whole at every step: a panic elsewhere cannot have broken them.
    fn counts(&self) -> MutexGuard<'_, HashMap<TokenId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.all.counts();
        match counts.get_mut(&self.token) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.remove(&self.token)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_so_many_places_and_gets_them_back() {
        let (all, token) = (Subscribers::default(), TokenId::parse("tok_00000000").expect("an id"));
        let mut places: Vec<_> = (0..OF_ONE).map(|_| all.enter(&token).expect("a place")).collect();
        assert!(all.enter(&token).is_none());
        let other = TokenId::parse("tok_00000001").expect("an id");
        assert!(all.enter(&other).is_some(), "others have their own");
        places.pop();
        assert!(all.enter(&token).is_some());
        places.clear();
        assert!(all.counts().is_empty(), "nothing is remembered of who is gone");
    }

    #[test]
    fn there_are_only_so_many_at_all() {
        let all = Subscribers::default();
        let token = |n: usize| TokenId::parse(&format!("tok_{n:08}")).expect("an id");
        let places: Vec<_> = (0..OF_ALL + 5).filter_map(|n| all.enter(&token(n))).collect();
        assert_eq!(places.len(), OF_ALL);
    }
}
