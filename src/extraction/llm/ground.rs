//! What a memory supports: a name counts only if the memory contains it.
//!
//! Both sides are folded first (case, diacritics, white space). A name is contained if it stands there between word
//! boundaries, or if its words stand there one after the other whatever is between them ("bob.smith@acme.com" has Bob
//! Smith). A person's words may be turned around ("Smith, Bob"). Of an action item every longer word must occur, in any
//! order: tasks are put into the imperative. Scripts without spaces have no word boundaries.

use super::memory_text::Piece;
use crate::extraction::rules::fold;
use crate::model::{EntitySource, EntityType};

/// Words of an action item that count; shorter ones are of the sentence, not of the task.
const LONG_WORD: usize = 4;

/// The parts of a piece, ready to be searched.
pub(super) struct Ground {
    parts: Vec<Part>,
}

struct Part {
    source: EntitySource,
    /// Folded, single spaces.
    text: String,
    /// Its words, each with a space on both sides.
    words: String,
}

impl Ground {
    pub fn of(piece: &Piece) -> Self {
        let part = |(source, text): (EntitySource, &str)| {
            let text = single_spaced(&fold(text));
            Part { source, words: spaced_words(&text), text }
        };
        Self { parts: piece.parts().map(part).collect() }
    }

    /// The part that contains the name, `claimed` if it does; none if it was made up.
    pub fn source_of(&self, kind: EntityType, value: &str, claimed: &EntitySource) -> Option<EntitySource> {
        let supports = |part: &&Part| match kind {
            EntityType::ActionItem => part.has_long_words(value),
            EntityType::Person => turned(value).iter().any(|name| part.has_name(name)),
            _ => part.has_name(value),
        };
        let found: Vec<_> = self.parts.iter().filter(supports).map(|part| &part.source).collect();
        found.iter().find(|source| **source == claimed).or(found.first()).map(|source| (*source).clone())
    }

    /// Whether these very words stand there.
    pub fn quotes(&self, words: &str) -> bool {
        let words = single_spaced(&fold(words));
        !words.is_empty() && self.parts.iter().any(|part| part.text.contains(&words))
    }
}

impl Part {
    fn has_name(&self, name: &str) -> bool {
        let name = single_spaced(&fold(name));
        if !name.contains(char::is_alphanumeric) {
            return false;
        }
        let words = spaced_words(&name);
        // The words of "C++" are those of "C".
        let telling = words.trim().chars().count() > 1;
        self.stands_alone(&name) || telling && self.words.contains(&words)
    }

    fn stands_alone(&self, name: &str) -> bool {
        let joins = |neighbour: Option<char>, own: Option<char>| {
            let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !is_unspaced(c));
            is_letter(neighbour) && is_letter(own)
        };
        self.text.match_indices(name).any(|(at, found)| {
            let before = self.text[..at].chars().next_back();
            let after = self.text[at + found.len()..].chars().next();
            !joins(before, name.chars().next()) && !joins(after, name.chars().next_back())
        })
    }

    fn has_long_words(&self, task: &str) -> bool {
        let words = spaced_words(&fold(task));
        let mut long = words.split(' ').filter(|word| word.chars().count() >= LONG_WORD).peekable();
        match long.peek() {
            Some(_) => long.all(|word| self.words.contains(&format!(" {word} ")) || self.unspaced(word)),
            None => self.has_name(task),
        }
    }

    fn unspaced(&self, word: &str) -> bool {
        word.chars().any(is_unspaced) && self.text.contains(word)
    }
}

/// "Bob Smith", "Smith Bob": a name with its words turned around one by one.
fn turned(name: &str) -> Vec<String> {
    let mut words: Vec<&str> = name.split_whitespace().collect();
    let turns = words.len().clamp(1, 4);
    (0..turns)
        .map(|_| {
            let name = words.join(" ");
            if !words.is_empty() {
                words.rotate_left(1);
            }
            name
        })
        .collect()
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn spaced_words(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(String::from(" "), |all, word| all + word + " ")
}

/// Thai, Lao, Burmese, Khmer, Chinese, Japanese, and Korean, whose particles stick to their nouns.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Smith, Bob <bob.smith@acme.com> met José García of Acme Labs in 東京で. \
                        Bob will send the slides to Anna. They like C and C++.";

    fn ground() -> Ground {
        Ground::of(&Piece { body: TEXT.to_owned(), ..Piece::default() })
    }

    fn supported(kind: EntityType, value: &str) -> bool {
        ground().source_of(kind, value, &EntitySource::Body).is_some()
    }

    #[test]
    fn what_stands_there_is_supported() {
        use EntityType::{ActionItem, Company, Location, Person, Tool};
        for (kind, value) in [
            (Person, "Bob Smith"),
            (Person, "jose  garcia"),
            (Person, "bob.smith@acme.com"),
            (Company, "Acme Labs"),
            (Company, "Acme"),
            (Location, "東京"),
            (Tool, "C++"),
            (Tool, "C"),
            (ActionItem, "Send the slides to Anna"),
            (ActionItem, "send slides"),
        ] {
            assert!(supported(kind, value), "{value}");
        }
    }

    #[test]
    fn what_does_not_is_made_up() {
        use EntityType::{ActionItem, Company, Person, Tool, Topic};
        for (kind, value) in [
            (Person, "Robert Smith"),
            (Person, "Bob Garcia"),
            (Person, "An"),
            (Company, "Labs Acme"),
            (Company, "Acme Laboratories"),
            (Company, "cme"),
            (Tool, "C#"),
            (Tool, "D++"),
            (Topic, "..."),
            (Topic, ""),
            (ActionItem, "Send the invoice to Anna"),
        ] {
            assert!(!supported(kind, value), "{value}");
        }
    }

    #[test]
    fn the_part_is_the_one_that_has_it() {
        let piece = Piece { subject: "Acme".to_owned(), body: "Acme and Bob".to_owned(), ..Piece::default() };
        let source = |value, claimed| Ground::of(&piece).source_of(EntityType::Company, value, &claimed);
        assert_eq!(source("Acme", EntitySource::Body), Some(EntitySource::Body));
        assert_eq!(source("Acme", EntitySource::Metadata), Some(EntitySource::Subject));
        assert_eq!(source("Bob", EntitySource::Subject), Some(EntitySource::Body));
    }

    #[test]
    fn a_quotation_is_exact_but_for_case_and_spaces() {
        assert!(ground().quotes("met  jose garcia OF acme"));
        assert!(!ground().quotes("met García"));
        assert!(!ground().quotes(" "));
    }
}
