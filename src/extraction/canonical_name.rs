//! The one name of an entity.

use super::{folded_name, normalize};
use crate::model::EntityType;

/// Longest entity name, in characters.
pub(crate) const NAME_CHARS: usize = 500;

/// The name that an entity is known by: what its value normalises to, or the spelling that was given for it. A given
/// spelling that has the same letters as the value ("O'Brien", `o_brien`) says nothing new, and loses marks that tell
/// ("C++", `c`). The SQL function `izzie_memory.canonical_name` gives the same.
pub fn canonical_name(kind: EntityType, value: &str, given: Option<&str>) -> String {
    let spelling = given.filter(|given| {
        let given = letters(given);
        !given.is_empty() && given != letters(value)
    });
    let name = normalize(kind, spelling.unwrap_or(value));
    if name.chars().count() <= NAME_CHARS {
        return name;
    }
    // Folding can make more of a letter.
    normalize(kind, &name.chars().take(NAME_CHARS).collect::<String>())
}

/// A folded text without spaces and punctuation.
fn letters(text: &str) -> String {
    let says = |c: &char| !matches!(c, '\0'..='/' | ':'..='`' | '{'..='\u{bf}' | '\u{1680}' | '\u{2000}'..='\u{206f}');
    folded_name(text).chars().filter(says).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use EntityType::{Company, Person, Tool};

    #[test]
    fn a_given_name_is_a_spelling_and_the_value_speaks_where_it_has_the_same_letters() {
        for (kind, value, given, expected) in [
            (Person, "John Doe", "john_doe", "john doe"),
            (Person, "Bob", "robert_smith", "robert smith"),
            (Person, "O'Brien", "o_brien", "o'brien"),
            (Person, "bob.smith@acme.com", "bob_smith_acme_com", "bob.smith@acme.com"),
            (Company, "AT&T", "at_t", "at&t"),
            (Company, "Acme", "acme_corp", "acme"),
            (Tool, "C++", "c", "c++"),
            (Tool, "C#", "c_sharp", "c sharp"),
            (Person, "Bob", "_", "bob"),
            (Person, "???", "john_doe", "john doe"),
        ] {
            assert_eq!(canonical_name(kind, value, Some(given)), expected, "{value} {given}");
            assert_eq!(canonical_name(kind, value, Some(expected)), expected, "{value} again");
        }
    }

    #[test]
    fn a_name_stays_within_its_limit_and_stays_what_it_is() {
        let long = "ﷺ".repeat(NAME_CHARS);
        let name = canonical_name(Person, &long, None);
        assert!(name.chars().count() <= NAME_CHARS);
        assert_eq!(canonical_name(Person, &long, Some(&name)), name);
    }
}
