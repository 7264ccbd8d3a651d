//! What of a memory is sent, and how a long one is cut.

use crate::extraction::ExtractionInput;
use crate::extraction::rules::is_mail_header;
use crate::model::EntitySource;

/// Some 6,000 tokens: with the answer well below what any current model takes.
const PIECE_BYTES: usize = 24_000;

/// What is asked about at once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Piece {
    /// Mail headers, one a line.
    pub metadata: String,
    pub subject: String,
    pub body: String,
}

impl Piece {
    /// The parts that hold something.
    pub fn parts(&self) -> impl Iterator<Item = (EntitySource, &str)> {
        let parts = [
            (EntitySource::Metadata, self.metadata.as_str()),
            (EntitySource::Subject, self.subject.as_str()),
            (EntitySource::Body, self.body.as_str()),
        ];
        parts.into_iter().filter(|(_, text)| !text.trim().is_empty())
    }
}

/// Headers and summary go with the beginning of the content.
pub(super) fn pieces(input: &ExtractionInput<'_>) -> Vec<Piece> {
    let mut bodies = cut(input.content, PIECE_BYTES).into_iter().map(str::to_owned);
    let first = Piece {
        metadata: headers(input),
        subject: input.summary.unwrap_or_default().to_owned(),
        body: bodies.next().unwrap_or_default(),
    };
    let later = bodies.map(|body| Piece { body, ..Piece::default() });
    std::iter::once(first).chain(later).collect()
}

fn headers(input: &ExtractionInput<'_>) -> String {
    let known = input.metadata.iter().filter(|(key, _)| is_mail_header(key));
    known.filter_map(|(key, value)| Some(format!("{key}: {}\n", value.as_str()?))).collect()
}

/// Pieces of at most `limit` bytes that end with a paragraph or sentence, where there is an end in their second half.
fn cut(text: &str, limit: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > limit {
        let (piece, later) = rest.split_at(end_of_piece(rest, limit));
        pieces.push(piece);
        rest = later;
    }
    pieces.push(rest);
    pieces
}

/// The beginning of a text, whole characters of at most `limit` bytes.
pub(super) fn head(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

fn end_of_piece(text: &str, limit: usize) -> usize {
    let window = head(text, limit);
    let after = |ends: &[&str]| ends.iter().filter_map(|end| Some(window.rfind(end)? + end.len())).max();
    [&["\n\n"][..], &[". ", "! ", "? ", "\n", "。"], &[" "]]
        .into_iter()
        .find_map(|ends| after(ends).filter(|end| *end > window.len() / 2))
        .unwrap_or(window.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pieces_end_with_a_sentence_and_lose_nothing() {
        let text = "One two three. Four five six! Seven eight";
        assert_eq!(cut(text, 20), ["One two three. ", "Four five six! ", "Seven eight"]);
        assert_eq!(cut("aaaa bbbb\n\ncccc. dd", 16), ["aaaa bbbb\n\n", "cccc. dd"]);
        assert_eq!(cut("ééééé", 4), ["éé", "éé", "é"]);
        assert_eq!(cut("", 4), [""]);
        let long = "word ".repeat(20_000);
        let pieces = cut(&long, PIECE_BYTES);
        assert_eq!(pieces.concat(), long);
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES && piece.ends_with(' ')));
    }

    #[test]
    fn only_mail_headers_of_the_metadata_are_sent() {
        let metadata =
            json!({ "From": "Bob <bob@acme.com>", "token": "secret", "to": ["x"], "subject": "Hi" });
        let input = ExtractionInput {
            content: "text",
            summary: Some("short"),
            metadata: metadata.as_object().expect("an object"),
        };
        let expected = Piece {
            metadata: "From: Bob <bob@acme.com>\nsubject: Hi\n".to_owned(),
            subject: "short".to_owned(),
            body: "text".to_owned(),
        };
        assert_eq!(pieces(&input), [expected]);
    }
}
