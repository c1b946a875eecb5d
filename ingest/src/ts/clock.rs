//! One timeline from times of 33 bits (ISO/IEC 13818-1 §2.4.3.7), which wrap every 26.5 hours.

/// Values of a time.
const TURN: i64 = 1 << 33;
/// A track that goes back by more than that has jumped, in ticks of 90 kHz: half a second.
const BACK: i64 = 45_000;
/// A track that goes ahead by more than that has jumped: two seconds.
const AHEAD: i64 = 180_000;
/// How far apart tracks of one program may be, in ticks: ten seconds.
const TOGETHER: i64 = 900_000;

/// What the tracks of a program have in common.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shared {
    /// The newest time of any track.
    latest: Option<i64>,
    /// Where a track jumped to last.
    jump: Option<i64>,
}

/// The clock of one track. Each one wraps by itself: sound and pictures do so at different places of the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    last: Option<i64>,
}

/// A time that does not wrap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unwrapped {
    pub(super) time: i64,
    /// It does not go on where the track was.
    pub(super) jumped: bool,
}

impl Clock {
    /// The next decode time of a track.
    pub(super) fn unwrap(&mut self, shared: &mut Shared, time: i64) -> Unwrapped {
        let unwrapped = match self.last {
            Some(last) => self.following(last, shared, time),
            None => Unwrapped { time: shared.near(time), jumped: false },
        };
        self.last = Some(unwrapped.time);
        shared.latest = Some(unwrapped.time);
        unwrapped
    }

    /// A jump goes where another track went before, if that is near: which way round 33 bits is then the same for all.
    fn following(&self, last: i64, shared: &mut Shared, time: i64) -> Unwrapped {
        let next = near(last, time);
        if (-BACK..=AHEAD).contains(&(next - last)) {
            return Unwrapped { time: next, jumped: false };
        }
        let with_others = shared.jump.map(|jump| (jump, near(jump, time)));
        let with_others = with_others.filter(|(jump, there)| (there - jump).abs() <= TOGETHER);
        let time = with_others.map_or(next, |(_, there)| there);
        shared.jump = Some(time);
        Unwrapped { time, jumped: true }
    }
}

impl Shared {
    /// A time that belongs to no track's sequence.
    pub(super) fn near(&self, time: i64) -> i64 {
        self.latest.map_or(time, |latest| near(latest, time))
    }

    /// The newest time of any track.
    pub(super) fn latest(&self) -> Option<i64> {
        self.latest
    }
}

/// The value of `time` that is nearest to `to`.
pub(super) fn near(to: i64, time: i64) -> i64 {
    let ahead = time.wrapping_sub(to).rem_euclid(TURN);
    to.saturating_add(if ahead >= TURN / 2 { ahead - TURN } else { ahead })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(clock: &mut Clock, shared: &mut Shared, times: &[i64]) -> Vec<i64> {
        times.iter().map(|&time| clock.unwrap(shared, time).time).collect()
    }

    #[test]
    fn tracks_wrap_each_at_its_own_place() {
        let (mut shared, mut video, mut audio) = Default::default();
        assert_eq!(
            times(&mut video, &mut shared, &[TURN - 6000, TURN - 3000, 0]),
            [TURN - 6000, TURN - 3000, TURN]
        );
        assert_eq!(times(&mut audio, &mut shared, &[TURN - 4000, TURN - 2000]), [TURN - 4000, TURN - 2000]);
        assert_eq!(times(&mut video, &mut shared, &[3000]), [TURN + 3000]);
        assert_eq!(times(&mut audio, &mut shared, &[0, 2000]), [TURN, TURN + 2000]);
    }

    #[test]
    fn each_turn_adds_up() {
        let (mut shared, mut clock) = <(Shared, Clock)>::default();
        for at in (0..200_000_000_000i64).step_by(90_000) {
            assert_eq!(clock.unwrap(&mut shared, at % TURN), Unwrapped { time: at, jumped: false });
        }
    }

    #[test]
    fn tracks_jump_together_also_by_half_a_turn() {
        for start in [0, 1000, TURN / 2 - 1, TURN / 2, TURN / 2 + 1, TURN - 1] {
            let (mut shared, mut video, mut audio): (_, Clock, Clock) = Default::default();
            video.unwrap(&mut shared, start);
            audio.unwrap(&mut shared, (start + 40_000) % TURN);
            // As far away as can be, from where one track is or the other.
            let to = (start + TURN / 2 + 20_000) % TURN;
            let video = video.unwrap(&mut shared, to);
            let audio = audio.unwrap(&mut shared, (to + 10) % TURN);
            assert!(video.jumped && audio.jumped);
            assert_eq!(audio.time - video.time, 10, "from {start}");
        }
    }

    #[test]
    fn a_late_picture_is_no_jump() {
        let (mut shared, mut clock) = <(Shared, Clock)>::default();
        clock.unwrap(&mut shared, 100_000);
        assert_eq!(clock.unwrap(&mut shared, 97_000), Unwrapped { time: 97_000, jumped: false });
        assert!(clock.unwrap(&mut shared, 0).jumped);
    }
}
