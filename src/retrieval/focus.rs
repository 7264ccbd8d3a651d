//! What is asked in a long text: a pasted mail with a question before or behind it.

/// A shorter text is a question as a whole.
const LONG: usize = 40;
/// A question of more words is a part of the text like any other.
const LONGEST: usize = 60;
/// What a question begins with where its mark is missing.
const OPENINGS: [&str; 42] = [
    "who",
    "whom",
    "whose",
    "what",
    "what's",
    "when",
    "where",
    "why",
    "which",
    "how",
    "is",
    "are",
    "was",
    "were",
    "do",
    "does",
    "did",
    "has",
    "have",
    "had",
    "can",
    "could",
    "should",
    "would",
    "will",
    "tell",
    "show",
    "find",
    "list",
    "give",
    "search",
    "remind",
    "recall",
    "look",
    "summarize",
    "summarise",
    "explain",
    "who's",
    "when's",
    "where's",
    "name",
    "remember",
];

/// The questions at the beginning and at the end of a long text; none where there are none, and the text is read as a whole.
pub fn focus(text: &str) -> Option<String> {
    let words = text.split_whitespace().count();
    if words <= LONG {
        return None;
    }
    let sentences = sentences(text);
    let first = sentences.first().filter(|sentence| asks(sentence));
    let last: Vec<&&str> =
        sentences.iter().skip(1).rev().take_while(|sentence| asks(sentence)).take(3).collect();
    let found: Vec<&str> = first.into_iter().chain(last.into_iter().rev()).copied().collect();
    let length = found.iter().map(|sentence| sentence.split_whitespace().count()).sum::<usize>();
    (length > 0 && length <= LONGEST && 2 * length < words).then(|| found.join(" "))
}

/// Cut behind `.`, `!`, `?` and `:` that white space follows, and at the end of a line.
fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    let mut last = ' ';
    for (place, c) in text.char_indices() {
        if c == '\n'
            || c.is_whitespace() && matches!(last, '.' | '!' | '?' | ':')
            || matches!(last, '？' | '。' | '！')
        {
            sentences.push(text[begin..place].trim());
            begin = place;
        }
        last = c;
    }
    sentences.push(text[begin..].trim());
    sentences.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    sentences
}

fn asks(sentence: &str) -> bool {
    let sentence = sentence.trim_end_matches(['"', '”', ')', '»', ' ']);
    if sentence.ends_with(['?', '？', '؟']) {
        return true;
    }
    let first = sentence.split_whitespace().next().unwrap_or_default().to_lowercase().replace('’', "'");
    OPENINGS.contains(&first.trim_matches(|c: char| !c.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail() -> String {
        "Hi Ann,\n\nthe quarter went well. Could you send me the figures? We sold much in May, more in June.\n".repeat(10)
            + "Best regards\nBob"
    }

    #[test]
    fn the_question_before_or_behind_a_mail_is_found() {
        for question in
            ["When is the dentist?", "tell me about the dentist", "Who is Bob? When is the dentist?"]
        {
            assert_eq!(focus(&format!("{}\n\n{question}", mail())).as_deref(), Some(question));
            assert_eq!(
                focus(&format!("{} {question}", "word and sentence. ".repeat(50))).as_deref(),
                Some(question)
            );
        }
        assert_eq!(
            focus(&format!("When is the dentist?\n\n{}", mail())).as_deref(),
            Some("When is the dentist?")
        );
    }

    #[test]
    fn a_text_without_one_is_read_as_a_whole() {
        assert_eq!(focus(&mail()), None);
        assert_eq!(focus("Where is it? It was here. Did you see it?"), None);
        assert_eq!(focus(&"Is this one question without an end ".repeat(20)), None);
        assert_eq!(focus(""), None);
    }
}
