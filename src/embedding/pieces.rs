//! A text that is longer than a model reads: cut where it may be cut, and one direction out of those of its pieces.

/// Where a text is cut rather than elsewhere, the best first.
const SEAMS: [&[&str]; 4] = [&["\n\n", "\r\n\r\n"], &["\n"], &[". ", "! ", "? ", "。"], &[" ", "\t"]];

/// Cuts a text into pieces of at most `longest` bytes, in the second half of each behind the end of a paragraph, a line, a
/// sentence or a word where there is one.
pub fn pieces(mut rest: &str, longest: usize) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let mut end = rest.len().min(longest.max(4));
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        if end < rest.len() {
            end = seam(&rest[..end]).unwrap_or(end);
        }
        let (piece, later) = rest.split_at(end);
        rest = later;
        (!piece.is_empty()).then_some(piece)
    })
}

fn seam(whole: &str) -> Option<usize> {
    SEAMS.iter().find_map(|kind| {
        let ends = kind.iter().filter_map(|seam| whole.rfind(seam).map(|place| place + seam.len()));
        ends.max().filter(|end| *end > whole.len() / 2)
    })
}

/// The direction of a text: the mean of its pieces' directions, each by its length. None where none has one.
#[expect(clippy::cast_precision_loss, reason = "a piece has fewer than 2^24 bytes")]
pub fn mean<'v>(pieces: impl IntoIterator<Item = (usize, &'v [f32])>) -> Option<Vec<f32>> {
    let mut sum: Vec<f32> = Vec::new();
    let mut first = None;
    for (bytes, vector) in pieces {
        sum.resize(vector.len(), 0.0);
        let length = norm(vector);
        // Relative to the first: the direction of a single piece must not depend on how long it is, not even in its last bit.
        let weight = bytes as f32 / *first.get_or_insert(bytes as f32);
        if length > f32::EPSILON {
            for (total, number) in sum.iter_mut().zip(vector) {
                *total += number / length * weight;
            }
        }
    }
    let length = norm(&sum);
    (length > f32::EPSILON).then(|| sum.into_iter().map(|number| number / length).collect())
}

fn norm(vector: &[f32]) -> f32 {
    vector.iter().map(|number| number * number).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 1536;

    #[test]
    fn pieces_lose_nothing_and_break_no_character() {
        for text in
            ["", "short", &"日本".repeat(2000), &"word ".repeat(2000), &"x".repeat(5000), &"🙂".repeat(9)]
        {
            for longest in [1, 7, LONGEST] {
                let cut: Vec<_> = pieces(text, longest).collect();
                assert_eq!(cut.concat(), text);
                assert!(cut.iter().all(|piece| piece.len() <= longest.max(4)));
            }
        }
    }

    #[test]
    fn the_best_seam_of_the_second_half_is_taken() {
        let text = "one two. three four\n\nfive six seven eight nine";
        assert_eq!(pieces(text, 30).next(), Some("one two. three four\n\n"));
        assert_eq!(pieces(text, 14).next(), Some("one two. "));
        assert_eq!(pieces(text, 6).next(), Some("one "));
    }

    #[test]
    fn long_pieces_count_more_and_the_mean_has_length_one() {
        let mean = mean([(3, [2.0, 0.0].as_slice()), (4, [0.0, 1.0].as_slice())]).expect("a direction");
        assert!((mean[0] - 0.6).abs() < 1e-6 && (mean[1] - 0.8).abs() < 1e-6, "{mean:?}");
        assert_eq!(super::mean([(1, [1.0].as_slice()), (1, [-1.0].as_slice())]), None);
        assert_eq!(super::mean([]), None);
    }
}
