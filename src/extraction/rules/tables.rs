//! The word lists that ship with the rules, read once.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// How much a word of a table says on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certainty {
    /// Hardly ever anything else.
    Plain,
    /// Also an everyday word, a place, a product: `Will`, `Charlotte`, `Reading`.
    Ambiguous,
}

type Table = LazyLock<HashMap<&'static str, Certainty>>;
type Words = LazyLock<HashSet<&'static str>>;

static FIRST_NAMES: Table = LazyLock::new(|| entries(include_str!("data/first_names.txt")).collect());
static COUNTRIES: Table = LazyLock::new(|| entries(include_str!("data/countries.txt")).collect());
static CITIES: Table = LazyLock::new(|| entries(include_str!("data/cities.txt")).collect());
static COMPANIES: Table = LazyLock::new(|| entries(include_str!("data/companies.txt")).collect());
static TOOLS: Table = LazyLock::new(|| entries(include_str!("data/tools.txt")).collect());
static STOP_WORDS: Words = LazyLock::new(|| lines(include_str!("data/stop_words.txt")).collect());
static NOT_NAMES: Words = LazyLock::new(|| lines(include_str!("data/not_names.txt")).collect());
static NOT_PROJECTS: Words = LazyLock::new(|| lines(include_str!("data/not_projects.txt")).collect());

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn entries(table: &'static str) -> impl Iterator<Item = (&'static str, Certainty)> {
    lines(table).map(|line| match line.strip_suffix('?') {
        Some(word) => (word, Certainty::Ambiguous),
        None => (line, Certainty::Plain),
    })
}

/// All lookups take folded words (see [`super::normalize::fold`]). "Jean-Luc" is made of two.
pub(super) fn first_name(word: &str) -> Option<Certainty> {
    let given = |name: &str| FIRST_NAMES.get(name).copied();
    given(word).or_else(|| {
        let (first, second) = word.split_once('-')?;
        given(second).and(given(first))
    })
}

pub(super) fn country(name: &str) -> Option<Certainty> {
    COUNTRIES.get(name).copied()
}

pub(super) fn place(name: &str) -> Option<Certainty> {
    country(name).or_else(|| CITIES.get(name).copied())
}

pub(super) fn company(name: &str) -> Option<Certainty> {
    COMPANIES.get(name).copied()
}

pub(super) fn tool(name: &str) -> Option<Certainty> {
    TOOLS.get(name).copied()
}

pub(super) fn is_stop_word(word: &str) -> bool {
    STOP_WORDS.contains(word)
}

/// A word that shows that a capitalised phrase is not the name of a person.
pub(super) fn is_not_name(word: &str) -> bool {
    NOT_NAMES.contains(word)
}

pub(super) fn is_not_project(word: &str) -> bool {
    NOT_PROJECTS.contains(word)
}

#[cfg(test)]
mod tests {
    use super::super::normalize::fold;
    use super::*;

    #[test]
    fn tables_hold_folded_words_in_order_once() {
        for table in [
            include_str!("data/first_names.txt"),
            include_str!("data/countries.txt"),
            include_str!("data/cities.txt"),
            include_str!("data/companies.txt"),
            include_str!("data/tools.txt"),
            include_str!("data/stop_words.txt"),
            include_str!("data/not_names.txt"),
            include_str!("data/not_projects.txt"),
        ] {
            let words: Vec<&str> = entries(table).map(|(word, _)| word).collect();
            assert!(words.is_sorted_by(|a, b| a < b));
            assert!(words.iter().all(|word| fold(word) == *word && word.trim() == *word));
        }
    }

    #[test]
    fn a_plain_first_name_is_no_everyday_word() {
        for (name, certainty) in FIRST_NAMES.iter().filter(|(_, c)| **c == Certainty::Plain) {
            let other = is_stop_word(name) || is_not_name(name) || place(name) == Some(Certainty::Plain);
            assert!(!other, "{name} is {certainty:?} and something else too");
        }
    }
}
