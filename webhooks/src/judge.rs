//! What follows a call: a pure function of what was due, what was answered, and the time.

use std::time::Duration;

use catalog::deliveries::{Attempt, Due, Then};
use media::{MediaTime, Timescale, WallTime};

use crate::call::{Answer, Failure};
use crate::settings::Settings;

/// What to note of a call, and what to do next. `luck` is anything from 0 to 255.
pub(crate) fn judge(
    due: &Due,
    outcome: Result<Answer, Failure>,
    settings: &Settings,
    now: WallTime,
    luck: u8,
) -> (Attempt, Then) {
    let (attempt, gone) = match outcome {
        Ok(Answer { status, excerpt }) if (200..300).contains(&status) => {
            return (Attempt { status: Some(status), error: None, excerpt: Some(excerpt) }, Then::Delivered);
        }
        Ok(Answer { status, excerpt }) => {
            let error = Some(problem(status));
            (Attempt { status: Some(status), error, excerpt: Some(excerpt) }, status == 410)
        }
        Err(failure) => (Attempt { status: None, error: Some(failure.to_string()), excerpt: None }, false),
    };
    let then =
        if gone { Then::Disable("it answered 410 Gone".to_owned()) } else { next(due, settings, now, luck) };
    (attempt, then)
}

fn next(due: &Due, settings: &Settings, now: WallTime, luck: u8) -> Then {
    if let Some(since) = due.failing_since.filter(|since| later(*since, settings.disable_after) <= now) {
        return Then::Disable(format!("nothing was delivered since {since}"));
    }
    let attempts = usize::try_from(due.delivery.attempts).unwrap_or(usize::MAX);
    let delay = settings.schedule.get(attempts).or(settings.schedule.last());
    let at = delay.map(|delay| later(now, delay.mul_f64(1.0 + f64::from(luck) / 255.0 / 5.0)));
    match at.filter(|at| *at <= later(due.queued, settings.give_up)) {
        Some(at) => Then::Retry(at),
        None => Then::Dead,
    }
}

fn problem(status: u16) -> String {
    match status {
        300..400 => {
            format!("it answered {status}; redirects are not followed: set the address that they lead to")
        }
        _ => format!("it answered {status}"),
    }
}

fn later(at: WallTime, span: Duration) -> WallTime {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    at.plus(MediaTime::new(micros, Timescale::MICROS))
}

#[cfg(test)]
mod tests {
    use super::*;

    use catalog::deliveries::{Delivery, State};
    use catalog::events::Kind;
    use catalog::{DeliveryId, WebhookId};

    fn at(seconds: i64) -> WallTime {
        WallTime::from_millis(seconds * 1000)
    }

    fn due(attempts: u32, failing_since: Option<i64>) -> Due {
        let delivery = Delivery {
            id: DeliveryId::parse("dlv_00000000").expect("an id"),
            webhook: WebhookId::parse("whk_00000000").expect("an id"),
            event: Some(1),
            kind: Kind::StreamLive,
            payload: String::new(),
            state: State::Queued,
            attempts,
            next_try: None,
            status: None,
            error: None,
            excerpt: None,
            created: at(0),
            finished: None,
        };
        let failing_since = failing_since.map(at);
        Due { delivery, url: String::new(), secrets: Vec::new(), queued: at(0), failing_since }
    }

    fn then(due: &Due, status: u16, now: i64, luck: u8) -> Then {
        let answer = Answer { status, excerpt: String::new() };
        judge(due, Ok(answer), &Settings::default(), at(now), luck).1
    }

    #[test]
    fn a_failure_is_tried_again_ever_later_until_three_days_are_over() {
        let mut now = 0;
        let mut delays = Vec::new();
        for attempts in 0.. {
            match then(&due(attempts, None), 500, now, 0) {
                Then::Retry(next) => {
                    delays.push(next.unix_seconds() - std::mem::replace(&mut now, next.unix_seconds()))
                }
                other => {
                    assert_eq!(other, Then::Dead);
                    break;
                }
            }
        }
        assert_eq!(
            delays,
            [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000],
            "up to two days and some hours"
        );
        assert_eq!(then(&due(1, None), 503, 0, 255), Then::Retry(at(360)), "a fifth later with bad luck");
    }

    #[test]
    fn success_is_2xx_and_410_is_the_end() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(then(&due(0, None), status, 0, 0), Then::Delivered, "{status}");
        }
        for status in [199, 301, 302, 307, 400, 401, 404, 429, 500, 503, 600] {
            assert_eq!(then(&due(0, None), status, 0, 0), Then::Retry(at(5)), "{status}");
        }
        assert!(matches!(then(&due(0, None), 410, 0, 0), Then::Disable(_)));
    }

    #[test]
    fn what_fails_for_days_is_disabled_and_what_has_just_begun_to_is_not() {
        let day = 86_400;
        assert!(matches!(then(&due(0, Some(-5 * day)), 500, 0, 0), Then::Disable(_)));
        assert_eq!(then(&due(0, Some(-4 * day)), 500, 0, 0), Then::Retry(at(5)));
        assert_eq!(then(&due(0, Some(-9 * day)), 200, 0, 0), Then::Delivered);
    }
}
