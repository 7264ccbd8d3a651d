//! Names as callers write them: which entity is meant, and which names a text may be looking for.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::extraction::{folded_name, normalize, plain_name};
use crate::model::EntityType;
use crate::service::request::EntityRef;
use crate::store::graph_queries::NameSearch;

/// The names that a reference may mean, likeliest first: what it normalises to, as entities of its type are known, and
/// exactly this one. The latter may be of another type with the same label (a tool "Project X"), or of a graph from before.
pub(super) fn names_of(entity: &EntityRef) -> Vec<String> {
    let mut names = vec![normalize(entity.kind, &entity.value), plain_name(&entity.value)];
    names.dedup();
    names
}

/// What may stand before a word inside of a name.
const BEFORE_WORDS: [char; 9] = [' ', '-', '.', '@', '_', '/', '(', '&', '\''];

/// Scripts whose letters are as they are when they are folded: ASCII without capitals, Greek, Cyrillic, Hebrew, Arabic,
/// kana, Han, Hangul. Combining marks belong to none of them.
const FOLDED: [(char, char); 14] = [
    ('\u{1}', '\u{40}'),
    ('\u{5b}', '\u{7f}'),
    ('\u{3b1}', '\u{3c1}'),
    ('\u{3c3}', '\u{3c9}'),
    ('\u{430}', '\u{44f}'),
    ('\u{452}', '\u{45c}'),
    ('\u{45e}', '\u{45f}'),
    ('\u{5d0}', '\u{5ea}'),
    ('\u{620}', '\u{63a}'),
    ('\u{641}', '\u{64a}'),
    ('\u{3041}', '\u{3096}'),
    ('\u{30a1}', '\u{30fa}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{ac00}', '\u{d7a3}'),
];

/// A bracket expression, for regular expressions of Java and Postgres alike, that finds the names which folding may
/// change: names in other scripts, and those that a graph has from before names were folded. Neither store can fold.
pub(super) static UNFOLDED: LazyLock<String> = LazyLock::new(|| {
    let ranges: String =
        FOLDED.iter().map(|(first, last)| format!("{}-{}", literal(*first), literal(*last))).collect();
    format!("[^{ranges}]")
});

/// A character in a bracket expression.
fn literal(c: char) -> String {
    if matches!(c, '[' | ']' | '\\' | '^' | '-' | '&') { format!("\\{c}") } else { c.to_string() }
}

/// How well a name fits what was looked for; the best comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Equal,
    Prefix,
    WordPrefix,
    Contains,
}

/// What to look for among the names of each type: the text as it is read, and as a name of that type is kept.
pub(super) fn searches(text: &str, types: &[EntityType]) -> Vec<NameSearch> {
    let search = |&kind: &EntityType| {
        let texts: BTreeSet<String> = [folded_name(text), normalize(kind, text)].into();
        let words =
            texts.iter().flat_map(|text| BEFORE_WORDS.map(|before| format!("{before}{text}"))).collect();
        NameSearch { kind, texts: texts.into_iter().filter(|text| !text.is_empty()).collect(), words }
    };
    types.iter().map(search).collect()
}

/// The rank of a name as the stores give it, but of the folded name.
pub(super) fn rank(search: &NameSearch, normalized: &str) -> Option<Rank> {
    let name = folded_name(normalized);
    let any = |texts: &[String], fits: fn(&str, &str) -> bool| texts.iter().any(|text| fits(&name, text));
    if any(&search.texts, |name, text| name == text) {
        Some(Rank::Equal)
    } else if any(&search.texts, |name, text| name.starts_with(text)) {
        Some(Rank::Prefix)
    } else if any(&search.words, |name, word| name.contains(word)) {
        Some(Rank::WordPrefix)
    } else {
        any(&search.texts, |name, text| name.contains(text)).then_some(Rank::Contains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_leaves_the_folded_scripts_alone() {
        for (first, last) in FOLDED {
            for c in first..=last {
                let name = format!("a{c}a");
                assert!(c.is_whitespace() || c.is_control() || folded_name(&name) == name, "{c:?}");
            }
        }
    }

    #[test]
    fn a_text_is_looked_for_as_it_is_and_as_names_of_a_type_are_kept() {
        let texts = |kind, text| searches(text, &[kind]).remove(0).texts;
        assert_eq!(texts(EntityType::Person, "Dr. José  GARCÍA"), ["dr. jose garcia", "jose garcia"]);
        assert_eq!(texts(EntityType::Company, "Acme, Inc."), ["acme", "acme, inc."]);
        assert_eq!(texts(EntityType::Topic, "rust"), ["rust"]);
    }

    #[test]
    fn equal_before_prefix_before_word_before_part() {
        let search = searches("ann", &[EntityType::Person]).remove(0);
        let ranks =
            ["ann", "anna", "mary-ann", "o'ann", "joanna", "Ánn", "bob"].map(|name| rank(&search, name));
        use Rank::{Contains, Equal, Prefix, WordPrefix};
        assert_eq!(
            ranks,
            [
                Some(Equal),
                Some(Prefix),
                Some(WordPrefix),
                Some(WordPrefix),
                Some(Contains),
                Some(Equal),
                None
            ]
        );
    }

    #[test]
    fn a_reference_means_its_normal_form_before_its_exact_name() {
        let of = |value: &str| EntityRef { kind: EntityType::Company, value: value.into() };
        assert_eq!(names_of(&of(" Acme,  Inc.")), ["acme", "acme, inc."]);
        assert_eq!(names_of(&of("acme")), ["acme"]);
    }
}
