//! The words of a question with what stands between them.

use std::ops::Range;

#[derive(Debug)]
struct Word {
    lower: String,
    range: Range<usize>,
}

#[derive(Debug)]
pub struct Words<'a> {
    text: &'a str,
    all: Vec<Word>,
}

impl<'a> Words<'a> {
    pub fn of(text: &'a str) -> Self {
        let mut all = Vec::new();
        let mut begin = None;
        for (place, c) in text.char_indices().chain([(text.len(), ' ')]) {
            match begin {
                None if c.is_alphanumeric() => begin = Some(place),
                Some(from) if !c.is_alphanumeric() => {
                    all.push(Word { lower: text[from..place].to_lowercase(), range: from..place });
                    begin = None;
                }
                _ => {}
            }
        }
        Self { text, all }
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn from(&self, place: usize) -> At<'_> {
        At { words: self, place }
    }

    /// The bytes of so many words from one on, with a genitive behind them.
    pub fn range(&self, place: usize, words: usize) -> Range<usize> {
        let end = self.from(place + words.max(1) - 1).genitive_end();
        self.all[place].range.start..end
    }
}

/// A place among the words.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    words: &'a Words<'a>,
    place: usize,
}

impl<'a> At<'a> {
    /// The word so many places on, in lower case; empty behind the last.
    pub fn word(self, offset: usize) -> &'a str {
        self.words.all.get(self.place + offset).map_or("", |word| &word.lower)
    }

    /// The same as it is written.
    pub fn written(self, offset: usize) -> &'a str {
        self.words.all.get(self.place + offset).map_or("", |word| &self.words.text[word.range.clone()])
    }

    pub fn skip(self, words: usize) -> Self {
        Self { place: self.place + words, ..self }
    }

    /// The word before, in lower case.
    pub fn before(self) -> &'a str {
        self.place.checked_sub(1).map_or("", |place| &self.words.all[place].lower)
    }

    /// What stands before the word so many places on.
    pub fn gap(self, offset: usize) -> &'a str {
        let place = self.place + offset;
        let from = match place.checked_sub(1) {
            None => 0,
            Some(last) => self.words.all.get(last).map_or(self.words.text.len(), |word| word.range.end),
        };
        let end = self.words.all.get(place).map_or(self.words.text.len(), |word| word.range.start);
        &self.words.text[from..end]
    }

    /// Whether the word so many places on is the first of what white space, a bracket or a quote begins.
    pub fn begins(self, offset: usize) -> bool {
        let gap = self.gap(offset);
        self.place + offset == 0 && gap.is_empty()
            || gap.ends_with(|c: char| c.is_whitespace() || "([{\"'“‘«:,;".contains(c))
    }

    /// Whether such a word would stand behind so many words: they are not the beginning of an identifier.
    pub fn ends(self, words: usize) -> bool {
        let gap = self.gap(words);
        let mut rest = gap.chars();
        match rest.next() {
            None => self.place + words >= self.words.all.len(),
            Some(c) if c.is_whitespace() => true,
            Some('\'' | '’') => true,
            // a sentence ends; a decimal or a file name goes on
            Some(c @ ('.' | '-' | '/' | '_' | '@' | '#' | '%')) => {
                c != '%' && (self.place + words >= self.words.all.len() || rest.next().is_some())
            }
            Some(_) => true,
        }
    }

    /// Whether so many words are all of a sentence part: punctuation or nothing follows, or a word that no name goes on with.
    pub fn closes(self, words: usize) -> bool {
        const GOES_ON: [&str; 38] = [
            "did", "do", "does", "was", "were", "is", "are", "have", "has", "had", "with", "and", "or",
            "but", "about", "in", "on", "at", "to", "for", "from", "by", "of", "i", "we", "you", "he", "she",
            "they", "it", "who", "what", "when", "where", "how", "that", "which", "as",
        ];
        let gap = self.gap(words).trim();
        self.word(words).is_empty()
            || gap.contains(|c: char| !c.is_whitespace() && !"'’-_\"".contains(c))
            || gap.is_empty() && GOES_ON.contains(&self.word(words))
    }

    /// Whether `'s` follows so many words.
    pub fn genitive(self, words: usize) -> bool {
        matches!(self.gap(words), "'" | "’") && self.word(words) == "s"
    }

    /// Whether so many words stand in quotes of their own.
    pub fn quoted(self, words: usize) -> bool {
        let quote = |c: char| "\"“”„«»‘".contains(c);
        self.gap(0).ends_with(quote) && self.gap(words).starts_with(|c: char| quote(c) || c == '’')
    }

    /// Whether the word so many places on begins with a capital.
    pub fn capital(self, offset: usize) -> bool {
        self.written(offset).starts_with(char::is_uppercase)
    }

    fn genitive_end(self) -> usize {
        let last = self.place + usize::from(self.genitive(1));
        self.words.all[last.min(self.words.all.len() - 1)].range.end
    }
}
