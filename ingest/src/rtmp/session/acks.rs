//! When to acknowledge (5.4.3, 5.4.4): encoders stop when nobody does.

/// The window until the peer names one, in bytes.
const INITIAL_WINDOW: u32 = 2_500_000;

/// Counts bytes towards the next acknowledgement.
pub(super) struct Acks {
    window: u32,
    received: u64,
    acknowledged: u64,
}

impl Default for Acks {
    fn default() -> Self {
        Acks { window: INITIAL_WINDOW, received: 0, acknowledged: 0 }
    }
}

impl Acks {
    /// The peer wants an acknowledgement every `window` bytes; zero means nothing.
    pub(super) fn set_window(&mut self, window: u32) {
        if window > 0 {
            self.window = window;
        }
    }

    /// Counts `bytes`, and gives the sequence number to acknowledge when a window is full: 32 bits, wrapping.
    pub(super) fn advance(&mut self, bytes: usize) -> Option<u32> {
        self.received += bytes as u64;
        let due = self.received - self.acknowledged >= u64::from(self.window);
        due.then(|| {
            self.acknowledged = self.received;
            self.received as u32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_acknowledgement_each_window() {
        let mut acks = Acks::default();
        acks.set_window(1000);
        assert_eq!((acks.advance(999), acks.advance(1), acks.advance(999)), (None, Some(1000), None));
        assert_eq!(acks.advance(5000), Some(6999));
        acks.set_window(0);
        assert_eq!(acks.advance(10), None);
    }

    #[test]
    fn the_sequence_number_wraps_at_4_gib() {
        let mut acks = Acks { window: 100, received: u64::from(u32::MAX) - 9, acknowledged: 0 };
        acks.acknowledged = acks.received;
        assert_eq!(acks.advance(100), Some(90));
        assert_eq!(acks.advance(100), Some(190));
    }
}
