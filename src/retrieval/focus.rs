//! What is asked in a long text: a pasted mail with a question before or behind it.

/// A shorter text is a question as a whole.
const LONG: usize = 40;
/// A question of more words is a part of the text like any other.
const LONGEST: usize = 60;
/// Most words that may lead over to the question at the end of the first paragraph.
const LEAD: usize = 30;
/// Most words of a line that closes a mail ("Best regards", a name, "Sent from my phone").
const CLOSING: usize = 5;
/// Most lines of a closing.
const CLOSINGS: usize = 6;
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
/// What leads over to a question may stand before it in the first paragraph, a closing and a name behind the last.
pub fn focus(text: &str) -> Option<String> {
    let words = text.split_whitespace().count();
    if words <= LONG {
        return None;
    }
    let sentences = sentences(text);
    let first = opening(&sentences);
    let (from, last) = ending(&sentences);
    let first = first.filter(|(place, _)| *place < from).map(|(_, question)| question);
    let found: Vec<&str> = first.into_iter().chain(last).collect();
    let length = found.iter().map(|sentence| sentence.split_whitespace().count()).sum::<usize>();
    (length > 0 && length <= LONGEST && 2 * length < words).then(|| found.join(" "))
}

/// A question that begins the text, or ends its first paragraph behind a few words.
fn opening<'a>(sentences: &[Sentence<'a>]) -> Option<(usize, &'a str)> {
    let begins = sentences.first().filter(|sentence| asks(sentence.text)).map(|sentence| (0, sentence.text));
    begins.or_else(|| {
        let end = sentences.iter().position(|sentence| sentence.ends_paragraph)?;
        let before = sentences[..end].iter().map(Sentence::words).sum::<usize>();
        (before <= LEAD && asks(sentences[end].text)).then(|| (end, sentences[end].text))
    })
}

/// The questions that end the text, but for a closing, and the place of the first of them.
fn ending<'a>(sentences: &[Sentence<'a>]) -> (usize, Vec<&'a str>) {
    let closes = |sentence: &&Sentence| sentence.words() <= CLOSING && !asks(sentence.text);
    let closing = sentences.iter().rev().take_while(closes).count();
    let end = sentences.len() - if closing <= CLOSINGS { closing } else { 0 };
    let count =
        sentences[..end].iter().skip(1).rev().take_while(|sentence| asks(sentence.text)).take(3).count();
    (end - count, sentences[end - count..end].iter().map(|sentence| sentence.text).collect())
}

struct Sentence<'a> {
    text: &'a str,
    ends_paragraph: bool,
}

impl Sentence<'_> {
    fn words(&self) -> usize {
        self.text.split_whitespace().count()
    }
}

/// Cut behind `.`, `!`, `?` and `:` that white space follows, and at the end of a line. A paragraph ends at an empty line.
fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut sentences: Vec<Sentence> = Vec::new();
    let mut begin = 0;
    let mut last = ' ';
    for (place, c) in text.char_indices() {
        if c == '\n'
            || c.is_whitespace() && matches!(last, '.' | '!' | '?' | ':')
            || matches!(last, '？' | '。' | '！')
        {
            push(&mut sentences, &text[begin..place]);
            begin = place;
        }
        last = c;
    }
    push(&mut sentences, &text[begin..]);
    sentences
}

/// `cut` begins with what stood between it and the one before.
fn push<'a>(sentences: &mut Vec<Sentence<'a>>, cut: &'a str) {
    let text = cut.trim();
    if text.is_empty()
        && cut.contains('\n')
        && let Some(last) = sentences.last_mut()
    {
        last.ends_paragraph = true;
    }
    if text.chars().any(char::is_alphanumeric) {
        sentences.push(Sentence { text, ends_paragraph: false });
    }
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
    fn a_closing_or_a_lead_does_not_hide_the_question() {
        let question = "When is the dentist?";
        for closing in [
            "Thanks!",
            "Best regards\nBob",
            "-- \nBob Smith\nAcme, Inc.\n+1 555 0100",
            "Thank you in advance.\n\nBob\n\nSent from my phone",
        ] {
            assert_eq!(
                focus(&format!("{}\n\n{question}\n\n{closing}", mail())).as_deref(),
                Some(question),
                "{closing}"
            );
        }
        for lead in
            ["This came yesterday.", "Hi! I got the mail below from Ann, and cannot make head or tail of it."]
        {
            assert_eq!(
                focus(&format!("{lead} {question}\n\n{}", mail())).as_deref(),
                Some(question),
                "{lead}"
            );
            assert_eq!(
                focus(&format!("{lead}\n{question}\n \r\n{}", mail())).as_deref(),
                Some(question),
                "{lead}"
            );
        }
        let both = format!("This came. Who is Ann?\n\n{}\n{question}\nThanks", mail());
        assert_eq!(focus(&both).as_deref(), Some("Who is Ann? When is the dentist?"));
    }

    #[test]
    fn a_text_without_one_is_read_as_a_whole() {
        assert_eq!(focus(&mail()), None);
        assert_eq!(focus("Where is it? It was here. Did you see it?"), None);
        assert_eq!(focus(&"Is this one question without an end ".repeat(20)), None);
        assert_eq!(focus(""), None);
    }
}
