//! One timeline from the 32-bit millisecond timestamps of a session.

/// Unwraps the timestamps of all tracks of one session; audio and video share it, so that they stay together.
///
/// Timestamps are serial numbers of 32 bits (5.3.1), but FFmpeg and librtmp wrap theirs at 31 bits, after 24.86
/// days. A jump of more than 2^30 ms between two values that both fit in 31 bits is taken for such a wrap.
#[derive(Default, Debug)]
pub struct Clock {
    last: Option<(u32, i64)>,
}

impl Clock {
    /// `timestamp` in milliseconds that never wrap. The first one stands for itself; any later one may go back.
    pub fn unwrap(&mut self, timestamp: u32) -> i64 {
        let time = match self.last {
            None => i64::from(timestamp),
            Some((last, time)) => time + i64::from(distance(last, timestamp)),
        };
        self.last = Some((timestamp, time));
        time
    }
}

fn distance(from: u32, to: u32) -> i32 {
    let d = to.wrapping_sub(from) as i32;
    let both_in_31_bits = (from | to) >> 31 == 0;
    if both_in_31_bits && d.unsigned_abs() > 1 << 30 { d << 1 >> 1 } else { d }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwrapped(timestamps: &[u32]) -> Vec<i64> {
        let mut clock = Clock::default();
        timestamps.iter().map(|&t| clock.unwrap(t)).collect()
    }

    #[test]
    fn past_24_bits_nothing_happens() {
        assert_eq!(unwrapped(&[0xff_fffe, 0xff_ffff, 0x100_0000]), [0xff_fffe, 0xff_ffff, 0x100_0000]);
    }

    #[test]
    fn ffmpeg_wraps_at_31_bits() {
        let top = 0x7fff_ffff;
        assert_eq!(
            unwrapped(&[0x7fff_fff0, top, 9, 0x7fff_fff8, 33]),
            [0x7fff_fff0, 0x7fff_ffff, 0x8000_0009, 0x7fff_fff8, 0x8000_0021]
        );
    }

    #[test]
    fn others_go_on_to_32_bits_and_wrap_there() {
        assert_eq!(unwrapped(&[0x7fff_ffff, 0x8000_0010]), [0x7fff_ffff, 0x8000_0010]);
        assert_eq!(unwrapped(&[0xffff_fff0, 0x10]), [0xffff_fff0, 0x1_0000_0010]);
    }

    #[test]
    fn each_turn_adds_up() {
        let mut clock = Clock::default();
        let step = 1u32 << 29;
        let times: Vec<i64> = (0..20u32).map(|i| clock.unwrap(i.wrapping_mul(step))).collect();
        assert!(times.windows(2).all(|w| w[1] - w[0] == i64::from(step)));
        let mut clock = Clock::default();
        let times: Vec<i64> = (0..20u32).map(|i| clock.unwrap(i.wrapping_mul(step) & 0x7fff_ffff)).collect();
        assert!(times.windows(2).all(|w| w[1] - w[0] == i64::from(step)));
    }

    #[test]
    fn jumps_back_stay_jumps() {
        assert_eq!(unwrapped(&[20_000, 10_000, 3_610_000, 0]), [20_000, 10_000, 3_610_000, 0]);
        assert_eq!(unwrapped(&[0, 0xffff_ffff]), [0, -1]);
    }
}
