//! What in a question may be the name of an entity.

use std::collections::BTreeSet;

use crate::extraction::normalize;
use crate::model::EntityType;

/// A name has at most this many words.
const LONGEST_NAME: usize = 4;
/// Kinds whose names are normalised in ways of their own; the others are as topics.
const KINDS: [EntityType; 3] = [EntityType::Person, EntityType::Company, EntityType::Topic];

/// The normal forms of all runs of words. Which of them are entities the user's memories know.
pub fn possible_names(question: &str) -> Vec<String> {
    let words: Vec<&str> = question.split_whitespace().map(bare).collect();
    let runs = (1..=LONGEST_NAME.min(words.len())).flat_map(|length| words.windows(length));
    let names: BTreeSet<String> = runs
        .map(|run| run.join(" "))
        .filter(|name| !name.trim().is_empty())
        .flat_map(|name| KINDS.map(|kind| normalize(kind, &name)))
        .collect();
    names.into_iter().collect()
}

/// A word without punctuation around it and without its genitive.
fn bare(word: &str) -> &str {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    word.strip_suffix("'s").or_else(|| word.strip_suffix("’s")).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_words_are_names() {
        let names = possible_names("What did Bob Smith's boss tell Acme?");
        for name in ["bob", "bob smith", "acme", "boss tell acme"] {
            assert!(names.iter().any(|found| found == name), "{name} in {names:?}");
        }
    }

    #[test]
    fn a_long_question_is_read_to_its_end() {
        let names = possible_names(&("word other ".repeat(5000) + "Bob Smith"));
        assert!(names.iter().any(|name| name == "bob smith"));
        // Each run once.
        assert!(names.len() < 20 * LONGEST_NAME * KINDS.len());
        assert_eq!(possible_names(" ?! "), Vec::<String>::new());
    }
}
