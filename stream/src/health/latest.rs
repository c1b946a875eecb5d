//! The last few of something: a queue that forgets its oldest.

use std::collections::VecDeque;

/// At most `N` values, allocated once.
#[derive(Debug)]
pub(super) struct Latest<T, const N: usize>(VecDeque<T>);

impl<T: Copy, const N: usize> Latest<T, N> {
    /// Adds the newest; the oldest goes when there are `N`.
    pub(super) fn push(&mut self, value: T) {
        if self.0.len() == N {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// From the oldest to the newest.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator + '_ {
        self.0.iter().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<T> {
        self.0.get(at).copied()
    }

    pub(super) fn newest(&self) -> Option<T> {
        self.0.back().copied()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

impl<T, const N: usize> Default for Latest<T, N> {
    fn default() -> Self {
        Latest(VecDeque::with_capacity(N))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_nothing_grows() {
        let mut latest = Latest::<u32, 3>::default();
        let room = latest.0.capacity();
        (0..1000).for_each(|value| latest.push(value));
        assert_eq!(latest.iter().collect::<Vec<_>>(), [997, 998, 999]);
        assert_eq!(latest.0.capacity(), room);
    }
}
