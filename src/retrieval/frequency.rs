//! How often a word occurs in a full-text vector, out of Postgres' `ts_rank`.
//!
//! Postgres has no function for the number of positions of one lexeme; unfolding the whole vector costs ten times as
//! much as everything else of a search. `ts_rank` of a single lexeme with all weights at 1 is `sum(1/i², i = 1..n) /
//! (π²/6)` for `n` positions, at most 255 of them, which single precision tells apart.

const MOST_POSITIONS: u16 = 255;
const LIMIT: f64 = std::f64::consts::PI * std::f64::consts::PI / 6.0;

/// The number of positions that have this rank.
pub fn frequency_of_rank(rank: f32) -> f64 {
    let sum = f64::from(rank) * LIMIT;
    let mut so_far = 0.0;
    for n in 1..=MOST_POSITIONS {
        let step = 1.0 / f64::from(n).powi(2);
        so_far += step;
        // Half way to the next value.
        if sum < so_far + step / 2.0 - step / f64::from(n) / 2.0 {
            return f64::from(n);
        }
    }
    f64::from(MOST_POSITIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "Postgres gives single precision")]
    fn every_number_of_positions_comes_back() {
        let mut sum = 0.0;
        for n in 1..=MOST_POSITIONS {
            sum += 1.0 / f64::from(n).powi(2);
            assert_eq!(frequency_of_rank((sum / LIMIT) as f32), f64::from(n));
        }
    }
}
