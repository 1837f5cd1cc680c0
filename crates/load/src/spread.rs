//! Numbers of several rounds as one: the median, with the lowest and the highest beside it.

use serde::{Deserialize, Serialize};

/// A figure over the rounds. The unit stands in the name of the field that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Spread {
    /// `None` where no round was measured. Rounded to a tenth: more digits would only look exact.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match (sorted.len() % 2, middle.checked_sub(1)) {
            (0, Some(below)) => f64::midpoint(sorted[below], sorted[middle]),
            _odd => sorted[middle],
        };
        Some(Self { median: tenths(median), min: tenths(min), max: tenths(max) })
    }
}

pub(crate) fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// The value that so many of a hundred do not exceed (nearest rank). `None` of nothing.
pub(crate) fn percentile(sorted: &[u64], of_hundred: usize) -> Option<u64> {
    let rank = (sorted.len() * of_hundred).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_median_is_in_the_middle_however_the_rounds_came() {
        let odd = Spread::of([9.0, 1.0, 5.04]).unwrap();
        assert_eq!(odd, Spread { median: 5.0, min: 1.0, max: 9.0 });
        let even = Spread::of([4.0, 1.0, 100.0, 2.0]).unwrap();
        assert_eq!(even, Spread { median: 3.0, min: 1.0, max: 100.0 });
        assert_eq!(Spread::of([7.25]).unwrap().median, 7.3);
        assert_eq!(Spread::of([]), None);
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&[3, 8], 99), Some(8));
        assert_eq!(percentile(&[3], 1), Some(3));
        assert_eq!(percentile(&[], 50), None);
    }
}
