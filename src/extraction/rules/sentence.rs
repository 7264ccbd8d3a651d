//! A text as tokens grouped into sentences.

use std::ops::Range;

use super::normalize::is_title;
use super::tables::is_stop_word;
use super::token::{Gap, Shape, Token, tokenize};

const MAX_CONTEXT: usize = 160;
/// A line this long that ends without a mark may have been wrapped.
const WRAPPED_LINE: usize = 50;

#[derive(Debug)]
pub(super) struct Sentence {
    pub tokens: Range<usize>,
    /// The first token that is not a mark.
    first_word: usize,
    /// All in capitals, or headed in Title Case: capitals say nothing there.
    pub style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Prose,
    TitleCase,
    AllCaps,
}

#[derive(Debug)]
pub(super) struct Doc<'t> {
    pub text: &'t str,
    pub tokens: Vec<Token<'t>>,
    pub sentences: Vec<Sentence>,
}

impl<'t> Doc<'t> {
    pub fn parse(text: &'t str) -> Self {
        let mut tokens = tokenize(text);
        let mut starts: Vec<usize> = Vec::new();
        let mut line_start = 0;
        for at in 0..tokens.len() {
            if at == 0 || breaks_before(&tokens, at, line_start) {
                starts.push(at);
            }
            if matches!(tokens[at].gap, Gap::Line | Gap::Paragraph) {
                line_start = tokens[at].start;
            }
            tokens[at].sentence = starts.len().saturating_sub(1);
        }
        let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
        let sentences = starts.iter().zip(ends).map(|(start, end)| sentence(&tokens, *start..end)).collect();
        Self { text, tokens, sentences }
    }

    pub fn style(&self, at: usize) -> Style {
        self.sentence(at).map_or(Style::Prose, |s| s.style)
    }

    pub fn starts_sentence(&self, at: usize) -> bool {
        self.sentence(at).is_some_and(|s| at <= s.first_word)
    }

    pub fn starts_line(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|t| matches!(t.gap, Gap::Line | Gap::Paragraph))
    }

    fn sentence(&self, at: usize) -> Option<&Sentence> {
        self.tokens.get(at).and_then(|t| self.sentences.get(t.sentence))
    }

    /// The token before or after `at` in its sentence.
    pub fn before(&self, at: usize) -> Option<&Token<'t>> {
        let token = self.tokens.get(at.checked_sub(1)?)?;
        (self.tokens.get(at).is_none_or(|t| t.sentence == token.sentence)).then_some(token)
    }

    pub fn after(&self, at: usize) -> Option<&Token<'t>> {
        let token = self.tokens.get(at + 1)?;
        (self.tokens.get(at)?.sentence == token.sentence).then_some(token)
    }

    /// Whether only white space stands between `at` and the token before it.
    pub fn follows_word(&self, at: usize) -> bool {
        let spaced = self.tokens.get(at).is_some_and(|t| matches!(t.gap, Gap::Space | Gap::Line));
        spaced && self.before(at).is_some_and(|t| t.shape != Shape::Mark && !t.possessive)
    }

    /// Whether the words right before `at` are those of the phrase.
    pub fn words_before(&self, at: usize, phrase: &str) -> bool {
        let mut words = phrase.rsplit(' ').zip((0..=at).rev());
        words.all(|(word, next)| self.follows_word(next) && self.tokens[next - 1].folded == word)
            && phrase.split(' ').count() <= at
    }

    /// The text of a token range, white space collapsed.
    pub fn value(&self, range: &Range<usize>) -> String {
        let raw =
            match (self.tokens.get(range.start), range.end.checked_sub(1).and_then(|e| self.tokens.get(e))) {
                (Some(first), Some(last)) => &self.text[first.start..last.end()],
                _ => "",
            };
        raw.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The sentence around a token, or as much of it as `MAX_CONTEXT` characters hold.
    pub fn context(&self, at: usize) -> String {
        let Some(sentence) = self.sentence(at) else { return String::new() };
        let (first, last) = (&self.tokens[sentence.tokens.start], &self.tokens[sentence.tokens.end - 1]);
        window(&self.text[first.start..last.end()], self.tokens[at].start - first.start)
    }
}

/// At most `MAX_CONTEXT` characters of `sentence`, around the byte offset `focus`.
fn window(sentence: &str, focus: usize) -> String {
    let lead =
        sentence[..focus].char_indices().rev().take(MAX_CONTEXT / 2).last().map_or(focus, |(at, _)| at);
    let rest: usize = sentence[lead..].chars().take(MAX_CONTEXT + 1).count();
    let start = if rest > MAX_CONTEXT {
        lead
    } else {
        let tail_chars = sentence[focus..].chars().take(MAX_CONTEXT).count();
        let before = MAX_CONTEXT.saturating_sub(tail_chars);
        sentence[..focus].char_indices().rev().take(before).last().map_or(focus, |(at, _)| at)
    };
    let cut: String = sentence[start..].chars().take(MAX_CONTEXT).collect();
    cut.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn breaks_before(tokens: &[Token<'_>], at: usize, line_start: usize) -> bool {
    let (token, last) = (&tokens[at], &tokens[at - 1]);
    match token.gap {
        Gap::Paragraph => true,
        Gap::Line => !(is_wrapped(last, line_start) && goes_on(tokens, at)),
        Gap::Space => token.shape != Shape::Lower && ends_sentence(tokens, at) || is_end_of_cjk(last),
        Gap::None => is_end_of_cjk(last),
    }
}

fn is_wrapped(last: &Token<'_>, line_start: usize) -> bool {
    let open = !last.is_one_of(&['.', '!', '?', ':', ';', '…']);
    open && last.end().saturating_sub(line_start) >= WRAPPED_LINE
}

/// Whether the line that begins at `at` can go on with the sentence before it: in lower case, or between the
/// words of a name ("Sarah⏎Chen").
fn goes_on(tokens: &[Token<'_>], at: usize) -> bool {
    let (last, next) = (&tokens[at - 1], &tokens[at]);
    let raised = |t: &Token<'_>| matches!(t.shape, Shape::Capital | Shape::Upper) && !is_stop_word(&t.folded);
    let labels = tokens.get(at + 1).is_some_and(|t| t.is(':'));
    next.shape == Shape::Lower || raised(last) && raised(next) && !labels
}

fn is_end_of_cjk(token: &Token<'_>) -> bool {
    token.is_one_of(&['。', '！', '？'])
}

/// Whether the tokens before `at` close a sentence: a final mark, perhaps with quotes, brackets or emoji behind it.
fn ends_sentence(tokens: &[Token<'_>], at: usize) -> bool {
    let tail = tokens[..at].iter().enumerate().rev().take(8).take_while(|(_, t)| t.shape == Shape::Mark);
    for (mark_at, mark) in tail {
        if mark.is_one_of(&['!', '?', '…']) {
            return true;
        }
        if mark.is('.') {
            return mark_at == 0 || !is_abbreviation(&tokens[mark_at - 1], &tokens[at]);
        }
        if mark.is_one_of(&[',', ';', ':', '-', '(']) {
            return false;
        }
    }
    false
}

/// Whether the full stop between the two belongs to the first.
fn is_abbreviation(word: &Token<'_>, next: &Token<'_>) -> bool {
    match &*word.folded {
        title if is_title(title) => true,
        "st" | "jr" | "sr" | "vs" | "no" | "approx" | "fig" | "gen" | "sen" | "gov" => true,
        "inc" | "ltd" | "co" | "corp" | "bros" | "etc" => !is_stop_word(&next.folded),
        _ => word.shape == Shape::Initial,
    }
}

fn sentence(all: &[Token<'_>], tokens: Range<usize>) -> Sentence {
    let marks = all[tokens.clone()].iter().take_while(|t| t.shape == Shape::Mark).count();
    Sentence { first_word: tokens.start + marks, style: style(&all[tokens.clone()]), tokens }
}

fn style(tokens: &[Token<'_>]) -> Style {
    let words = || {
        tokens
            .iter()
            .filter(|t| !matches!(t.shape, Shape::Mark | Shape::Number | Shape::Other | Shape::Address))
    };
    let content = || words().filter(|t| t.text.len() >= 4 || t.shape != Shape::Lower);
    let (all, content_count) = (words().count(), content().count());
    let upper = words().filter(|t| t.shape == Shape::Upper || t.text.len() == 1).count();
    let raised = content().filter(|t| t.shape != Shape::Lower).count();
    match () {
        () if all >= 2 && upper * 10 >= all * 7 => Style::AllCaps,
        () if content_count >= 4 && raised == content_count => Style::TitleCase,
        () => Style::Prose,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        let doc = Doc::parse(text);
        doc.sentences.iter().map(|s| doc.value(&s.tokens)).collect()
    }

    #[test]
    fn abbreviations_do_not_end_a_sentence() {
        assert_eq!(
            split("I met Dr. Rossi. She left. J. Smith of Acme Inc. Berlin called."),
            ["I met Dr. Rossi.", "She left.", "J. Smith of Acme Inc. Berlin called.",]
        );
        assert_eq!(
            split("He works for Acme Inc. The office is big."),
            ["He works for Acme Inc.", "The office is big."]
        );
        assert_eq!(split("Great!🌟 Thanks (really.) Bye"), ["Great!🌟", "Thanks (really.)", "Bye"]);
    }

    #[test]
    fn a_wrapped_line_goes_on_and_a_short_one_ends() {
        let wrapped = "We should look at the numbers of the last quarter before we\ndecide anything.\nBob";
        assert_eq!(split(wrapped).len(), 2);
        assert_eq!(split("Best regards,\nbob"), ["Best regards,", "bob"]);
    }

    #[test]
    fn styles() {
        for (text, expected) in [
            ("Sarah met Tom in Berlin.", Style::Prose),
            ("Quarterly Budget Review With Sarah Chen", Style::TitleCase),
            ("PLEASE READ THIS NOW", Style::AllCaps),
            ("SAP SE opened an office.", Style::Prose),
        ] {
            assert_eq!(Doc::parse(text).style(0), expected, "{text}");
        }
    }

    #[test]
    fn context_is_cut_at_characters_around_the_finding() {
        let text = format!("{} Sarah {}", "é".repeat(500), "ü ".repeat(500));
        let doc = Doc::parse(&text);
        let at = doc.tokens.iter().position(|t| t.text == "Sarah").unwrap_or_default();
        let context = doc.context(at);
        assert!(context.contains("Sarah") && context.chars().count() <= MAX_CONTEXT);
        assert_eq!(Doc::parse("One. Met Bob here. Two.").context(3), "Met Bob here.");
    }
}
