//! Cutting a list of texts into requests.

use std::iter;

/// OpenAI refuses a request of more than 300,000 tokens, and a token is rarely less than two bytes.
const MAX_BYTES: usize = 512 << 10;

/// Neighbouring texts, at most `max_texts` and [`MAX_BYTES`] at a time. A text over that limit goes alone.
pub(super) fn batches<'t>(texts: &'t [&'t str], max_texts: usize) -> impl Iterator<Item = &'t [&'t str]> {
    let mut rest = texts;
    iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut bytes = 0;
        let fits = rest.iter().take(max_texts).take_while(|text| {
            bytes += text.len();
            bytes <= MAX_BYTES
        });
        let (batch, later) = rest.split_at(fits.count().max(1));
        rest = later;
        Some(batch)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(lengths: &[usize], max_texts: usize) -> Vec<usize> {
        let texts: Vec<_> = lengths.iter().map(|length| "x".repeat(*length)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        batches(&texts, max_texts).map(<[&str]>::len).collect()
    }

    #[test]
    fn cut_by_count_and_by_bytes() {
        assert_eq!(sizes(&[1; 7], 3), [3, 3, 1]);
        assert_eq!(sizes(&[], 3), [0; 0]);
        assert_eq!(sizes(&[MAX_BYTES / 2; 5], 3), [2, 2, 1]);
        assert_eq!(sizes(&[1, MAX_BYTES + 1, 1], 3), [1, 1, 1]);
        assert_eq!(sizes(&[1, 1], 0), [1, 1], "a limit of 0 must not loop for ever");
    }
}
