//! Whether a question asks for anything but a time.

/// Words that say nothing of what is looked for.
const EMPTY: &str = "a an and any anybody anyone anything are as at be been being but by came come could did do does doing done during
    each ever every everybody everyone everything few find for from gave get give go goes going gone got had happen happened
    happening happens has have having he her here hers him his how i in into is it its just know list log logged look me memories
    memory mention mentioned mentions mine my new news no not note noted notes of on or our ours over please recall record
    recorded records remember remembered remind said save saved saw say saying search see seen she should show so some somebody
    someone something store stored stuff summarise summarize summary take taken talk talked talking tell than that the their
    them then there these they thing things this those to told took up update updates us was we went were what whatever when
    where which who whom whose why will with would write written wrote you your d ll m re s t ve about all also again around
    can don entries entry event events exactly else did discuss discussed discussing";

/// Whether a word is left that memories can be searched for.
pub fn has_content(question: &str) -> bool {
    let is_empty = |word: &str| EMPTY.split_whitespace().any(|empty| empty.eq_ignore_ascii_case(word));
    // Emoji are content, punctuation is not.
    let separates = |c: char| {
        !c.is_alphanumeric() && (c.is_ascii() || c < '\u{2300}' || ('\u{2E00}'..'\u{3040}').contains(&c))
    };
    question.split(separates).any(|word| !word.is_empty() && !is_empty(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_looked_for_is_content() {
        for question in [
            "What happened ?",
            "What did we talk about ?",
            "Tell me everything …",
            "— “” ?",
            "What's new?",
            "",
        ] {
            assert!(!has_content(question), "{question}");
        }
        for question in ["What did Bob say?", "kayak", "🙂", "猫", "C++", "2024"] {
            assert!(has_content(question), "{question}");
        }
    }
}
