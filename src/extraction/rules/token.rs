//! Words, marks and e-mail addresses of a text, in one pass.

use std::borrow::Cow;

use super::address;
use super::normalize::fold;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `word`, `I`, `don't`, `We'll`: in lower case or a function word by its form.
    Lower,
    /// `Word`, `McDonald`, `Jean-Luc`, `GitHub`.
    Capital,
    /// `IBM`, `S.A.`, `Q3`.
    Upper,
    /// One capital letter that may abbreviate a name.
    Initial,
    /// `eBay`, `3M`.
    Mixed,
    Number,
    /// Scripts without case, identifiers, links.
    Other,
    Address,
    Mark,
}

/// What stands between a token and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gap {
    None,
    Space,
    Line,
    Paragraph,
}

#[derive(Debug)]
pub(super) struct Token<'t> {
    /// Without a possessive `'s`.
    pub text: &'t str,
    pub folded: Cow<'t, str>,
    pub start: usize,
    pub shape: Shape,
    pub possessive: bool,
    pub gap: Gap,
    /// Index of the sentence, filled by the sentence splitter.
    pub sentence: usize,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub fn is(&self, mark: char) -> bool {
        self.shape == Shape::Mark && self.text.starts_with(mark)
    }

    pub fn is_one_of(&self, marks: &[char]) -> bool {
        self.shape == Shape::Mark && self.text.starts_with(marks)
    }
}

/// The words of a phrase in their folded form.
pub(super) fn folded(tokens: &[Token<'_>]) -> String {
    tokens.iter().map(|t| &*t.folded).collect::<Vec<_>>().join(" ")
}

/// No name has a longer word; longer runs of letters are data.
const MAX_WORD: usize = 40;

pub(super) fn tokenize(text: &str) -> Vec<Token<'_>> {
    let mut lexer = Lexer { text, tokens: Vec::with_capacity(text.len() / 5), gap: Gap::Paragraph };
    let mut at = 0;
    for chunk in text.split_inclusive(char::is_whitespace) {
        let body = chunk.trim_end_matches(char::is_whitespace);
        lexer.chunk(at, at + body.len());
        at += chunk.len();
        lexer.space(&chunk[body.len()..]);
    }
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    gap: Gap,
}

impl<'t> Lexer<'t> {
    fn space(&mut self, space: &str) {
        self.gap = match (self.gap, space) {
            (gap, "") => gap,
            (Gap::Line | Gap::Paragraph, "\n") => Gap::Paragraph,
            (_, "\n") => Gap::Line,
            (Gap::None, _) => Gap::Space,
            (gap, _) => gap,
        };
    }

    fn chunk(&mut self, start: usize, end: usize) {
        let chunk = &self.text[start..end];
        if chunk.contains("://") || chunk.starts_with("www.") {
            let link = chunk.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '>', ']', '"', '\'']);
            self.push(start, start + link.len(), Shape::Other);
            return self.words(start + link.len(), end);
        }
        let mut from = start;
        for found in address::spans(chunk) {
            self.words(from, start + found.start);
            self.push(start + found.start, start + found.end, Shape::Address);
            from = start + found.end;
        }
        self.words(from, end);
    }

    fn words(&mut self, start: usize, end: usize) {
        let mut at = start;
        while let Some(c) = self.text[at..end].chars().next() {
            let next =
                if c.is_alphanumeric() { at + word_len(&self.text[at..end]) } else { at + c.len_utf8() };
            if c.is_alphanumeric() {
                self.word(at, next)
            } else {
                self.push(at, next, Shape::Mark)
            }
            at = next;
        }
    }

    fn word(&mut self, start: usize, end: usize) {
        let word = &self.text[start..end];
        let owner = ["'s", "’s", "'S", "’S"].iter().find_map(|s| word.strip_suffix(s));
        let bare = owner.unwrap_or(word);
        self.push(start, start + bare.len(), shape(bare));
        if let (Some(_), Some(token)) = (owner, self.tokens.last_mut()) {
            token.possessive = true;
        }
    }

    fn push(&mut self, start: usize, end: usize, shape: Shape) {
        if start == end {
            return;
        }
        let text = &self.text[start..end];
        let folded =
            if matches!(shape, Shape::Mark | Shape::Other) { Cow::Borrowed(text) } else { fold(text) };
        let gap = std::mem::replace(&mut self.gap, Gap::None);
        self.tokens.push(Token { text, folded, start, shape, possessive: false, gap, sentence: 0 });
    }
}

/// Length of the word that `text` begins with: letters and digits, and the joiners inside it.
fn word_len(text: &str) -> usize {
    let mut chars = text.char_indices().peekable();
    let mut previous = ' ';
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        if !(is_word_char(c) || next.is_some_and(|n| joins(&text[..at], previous, c, n, &text[at..]))) {
            return if c == '.' && is_dotted(&text[..at]) { at + 1 } else { at };
        }
        previous = c;
    }
    text.len()
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Whether the mark `c` between `previous` and `next` belongs to the word.
fn joins(word: &str, previous: char, c: char, next: char, rest: &str) -> bool {
    let lone_next = || !rest.chars().nth(2).is_some_and(char::is_alphanumeric);
    match c {
        '\'' | '’' | '-' | '\u{2010}' | '\u{2011}' => previous.is_alphanumeric() && next.is_alphanumeric(),
        '&' => previous.is_uppercase() && next.is_uppercase(),
        '.' if next.is_lowercase() || next.is_ascii_digit() => previous.is_alphanumeric(),
        '.' => next.is_uppercase() && lone_next() && (word.chars().nth(1).is_none() || is_dotted(word)),
        '/' => next.is_uppercase() && lone_next() && word.len() == 1 && previous.is_uppercase(),
        _ => false,
    }
}

/// `S.A`, `e.g`: single letters with dots between them.
fn is_dotted(word: &str) -> bool {
    word.len() <= 16 && word.contains('.') && word.split('.').all(|part| part.chars().count() <= 1)
}

fn shape(word: &str) -> Shape {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let Some(first) = word.chars().next() else { return Shape::Other };
    if word.len() > MAX_WORD
        || word.contains('_')
        || letters.clone().any(|c| !c.is_uppercase() && !c.is_lowercase())
    {
        return Shape::Other;
    }
    if word == "I" || is_contraction(word) {
        return Shape::Lower;
    }
    let upper = letters.clone().filter(|c| c.is_uppercase()).count();
    let all = letters.by_ref().count();
    match () {
        () if all == 0 => Shape::Number,
        () if upper == 0 => Shape::Lower,
        () if !first.is_uppercase() => Shape::Mixed,
        () if word.chars().nth(1).is_none() => Shape::Initial,
        () if upper == all => Shape::Upper,
        () => Shape::Capital,
    }
}

/// `I'm`, `Don't`, `We'll`: never a name, though it may begin with a capital.
fn is_contraction(word: &str) -> bool {
    word.rsplit_once(['\'', '’'])
        .is_some_and(|(_, tail)| matches!(tail, "m" | "ll" | "ve" | "re" | "d" | "t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<(&str, Shape)> {
        tokenize(text).into_iter().map(|t| (t.text, t.shape)).collect()
    }

    #[test]
    fn words_keep_what_belongs_to_them() {
        use Shape::*;
        let text = "O'Brien's Jean-Luc eBay AT&T S.A. e.g. Node.js I'm A/S Q3 end.";
        let expected = [
            ("O'Brien", Capital),
            ("Jean-Luc", Capital),
            ("eBay", Mixed),
            ("AT&T", Upper),
            ("S.A.", Upper),
            ("e.g.", Lower),
            ("Node.js", Capital),
            ("I'm", Lower),
            ("A/S", Upper),
            ("Q3", Upper),
            ("end", Lower),
            (".", Mark),
        ];
        assert_eq!(shapes(text), expected);
    }

    #[test]
    fn sentences_that_touch_are_two_words() {
        assert_eq!(shapes("end.Next"), [("end", Shape::Lower), (".", Shape::Mark), ("Next", Shape::Capital)]);
    }

    #[test]
    fn addresses_and_links_are_single_tokens() {
        let found = shapes("<bob@acme.com>, see https://x.io/Sarah.");
        assert_eq!(found[1], ("bob@acme.com", Shape::Address));
        assert_eq!(found[5], ("https://x.io/Sarah", Shape::Other));
    }

    #[test]
    fn gaps_tell_lines_from_paragraphs() {
        let gaps: Vec<Gap> = tokenize("a b\nc\r\n\r\nd.").into_iter().map(|t| t.gap).collect();
        assert_eq!(gaps, [Gap::Paragraph, Gap::Space, Gap::Line, Gap::Paragraph, Gap::None]);
    }
}
