//! Days from one to another, and how near a moment is to them.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

/// From the first day to the day behind the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    pub from: NaiveDate,
    pub until: NaiveDate,
}

/// A month or a day without a year means any of the last years.
const YEARS_BACK: i32 = 10;
/// What is said of a time is said then or soon after: so far from a period, in its own lengths but at least these days and
/// at most a year, a memory is half as close.
const LEAST_SLACK_DAYS: f64 = 3.0;
const MOST_SLACK_DAYS: f64 = 366.0;

impl Period {
    pub fn days(from: NaiveDate, days: u64) -> Option<Self> {
        Some(Self { from, until: from.checked_add_days(Days::new(days))? })
    }

    pub fn months(year: i32, month: u32, months: u32) -> Option<Self> {
        let from = NaiveDate::from_ymd_opt(year, month, 1)?;
        Some(Self { from, until: from.checked_add_months(Months::new(months))? })
    }

    pub fn year(year: i32) -> Option<Self> {
        Self::months(year, 1, 12)
    }

    /// The week, from Monday, that a day lies in.
    pub fn week(day: NaiveDate) -> Option<Self> {
        Self::days(day.week(Weekday::Mon).first_day(), 7)
    }

    /// From the one's begin to the other's end.
    pub fn through(self, last: Self) -> Option<Self> {
        (self.from < last.until).then_some(Self { from: self.from, until: last.until })
    }

    pub fn before(day: NaiveDate) -> Self {
        Self { from: NaiveDate::MIN, until: day }
    }

    pub fn since(day: NaiveDate) -> Self {
        Self { from: day, until: NaiveDate::MAX }
    }

    pub fn is_open(&self) -> bool {
        self.from == NaiveDate::MIN || self.until == NaiveDate::MAX
    }

    /// 1 within, and less the farther away. Seconds since 1970.
    fn closeness(&self, moment: f64) -> f64 {
        let (from, until) = (seconds(self.from), seconds(self.until));
        let slack = (until - from).clamp(LEAST_SLACK_DAYS * 86_400.0, MOST_SLACK_DAYS * 86_400.0);
        let away = (from - moment).max(moment - until).max(0.0);
        (-away / slack).exp2()
    }

    fn holds(&self, moment: f64) -> bool {
        seconds(self.from) <= moment && moment < seconds(self.until)
    }
}

/// What a period without a year may be: that of each of the last years that has begun, the newest last. Of a day that is
/// only to come this year, those of the years before.
pub fn of_any_year(today: NaiveDate, of: impl Fn(i32) -> Option<Period>) -> Vec<Period> {
    (today.year() - YEARS_BACK..=today.year()).filter_map(of).filter(|period| period.from <= today).collect()
}

/// How well a moment fits the nearest of the periods, 0 to 1.
pub fn closeness(periods: &[Period], moment: f64) -> f64 {
    periods.iter().map(|period| period.closeness(moment)).fold(0.0, f64::max)
}

/// Whether a moment lies in one of the periods.
pub fn within(periods: &[Period], moment: f64) -> bool {
    periods.iter().any(|period| period.holds(moment))
}

#[expect(clippy::cast_precision_loss, reason = "dates are far below 2^53 seconds")]
fn seconds(date: NaiveDate) -> f64 {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closeness_is_whole_within_and_fades_outside() {
        let day = Period::days(NaiveDate::from_ymd_opt(2023, 5, 8).expect("a day"), 1).expect("a period");
        let noon = seconds(day.from) + 43_200.0;
        assert!((closeness(&[day], noon) - 1.0).abs() < 1e-9);
        let half = closeness(&[day], seconds(day.until) + LEAST_SLACK_DAYS * 86_400.0);
        assert!((half - 0.5).abs() < 1e-9);
        assert!(closeness(&[day], noon + 365.0 * 86_400.0) < 1e-6);
        assert!(closeness(&[], noon).abs() < 1e-9);
        assert!(within(&[day], noon) && !within(&[day], seconds(day.until)));
    }

    #[test]
    fn what_is_open_to_one_side_fades_on_the_other() {
        let day = NaiveDate::from_ymd_opt(2023, 5, 8).expect("a day");
        for period in [Period::before(day), Period::since(day)] {
            let far = |years: f64| seconds(day) + years * 366.0 * 86_400.0;
            let sides = [closeness(&[period], far(-20.0)), closeness(&[period], far(20.0))];
            assert!((sides[0] - 1.0).abs() < 1e-9 || (sides[1] - 1.0).abs() < 1e-9, "{sides:?}");
            assert!(sides[0] < 1e-5 || sides[1] < 1e-5, "{sides:?}");
        }
    }
}
