//! The form under which two spellings of an entity count as the same one.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::Kind;
use super::companies::is_legal_suffix;

#[rustfmt::skip]
const TITLES: &[&str] = &[
    "dr", "mr", "mrs", "ms", "miss", "mx", "prof", "professor", "doctor", "sir", "madam", "dame", "rev",
    "herr", "herrn", "frau", "mme", "mlle", "monsieur", "madame", "senor", "senora",
];

/// Lower case, diacritics folded, white space, hyphens and underscores between words collapsed, titles (person), legal
/// suffixes (company) and the word "project" (project) removed. Total, idempotent, and never empty for a value that is not
/// blank. The SQL function `izzie_memory.normal_name` does the same.
pub fn normalize(kind: Kind, value: &str) -> String {
    let folded: String = fold(value).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let spaced: Vec<_> = folded.split_whitespace().map(without_joints).collect();
    let spaced = spaced.join(" ");
    let words = words(&spaced);
    let name = match kind {
        Kind::Person => without_leading(&words, is_title),
        Kind::Company => without_suffixes(&words),
        Kind::Project => without_project(&words),
        _ => &words,
    };
    let joined = name.join(" ");
    if joined.is_empty() { blank_or_trimmed(&folded, value) } else { joined }
}

/// What is left when no word survived: punctuation only ("???"), or control characters only.
fn blank_or_trimmed(folded: &str, value: &str) -> String {
    let collapsed = folded.split_whitespace().collect::<Vec<_>>().join(" ");
    if collapsed.is_empty() { value.trim().to_owned() } else { collapsed }
}

/// Words without the marks around them, and without the hyphens that stand alone between others.
fn words(spaced: &str) -> Vec<&str> {
    let mut words: Vec<&str> = spaced.split_whitespace().map(trim_marks).filter(|w| !w.is_empty()).collect();
    let is_dash = |word: &str| word.bytes().all(|b| b == b'-');
    if !words.iter().all(|word| is_dash(word)) {
        words.retain(|word| !is_dash(word));
    }
    words
}

/// "john_doe" and "john-doe" as two words. Underscores are spaces wherever they stand, hyphens between two other
/// characters: "C--" and "-5" keep theirs. An address or a handle is one word.
fn without_joints(word: &str) -> Cow<'_, str> {
    const JOINTS: [char; 2] = ['-', '_'];
    if !word.contains(JOINTS) || word.contains('@') {
        return Cow::Borrowed(word);
    }
    let inner = word.trim_matches(JOINTS);
    if inner.is_empty() {
        return Cow::Owned(word.replace('_', " "));
    }
    let begin = word.len() - word.trim_start_matches(JOINTS).len();
    let (head, tail) = (&word[..begin], &word[begin + inner.len()..]);
    Cow::Owned([head.replace('_', " "), inner.replace(JOINTS, " "), tail.replace('_', " ")].concat())
}

pub(super) fn is_title(word: &str) -> bool {
    TITLES.contains(&word)
}

/// Lower case without diacritics. Marks are dropped only after a Latin or Greek letter, and the stress and the dots of ё
/// after a Cyrillic vowel: elsewhere (Devanagari, Hangul, Cyrillic й) they are part of the letter.
pub(in crate::extraction) fn fold(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
        return Cow::Borrowed(text);
    }
    if text.is_ascii() {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    let mut plain = String::with_capacity(text.len());
    let mut last = ' ';
    for c in text.nfkd().flat_map(char::to_lowercase) {
        match c {
            '\u{300}'..='\u{36f}' if drops_mark(last, c) => continue,
            '\u{ad}' | '\u{200b}' | '\u{feff}' => continue,
            '’' | 'ʼ' => plain.push('\''),
            '\u{2010}' => plain.push('-'),
            'ς' => plain.push('σ'),
            'ß' => plain.push_str("ss"),
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ı' => plain.push('i'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            _ => plain.push(c),
        }
        last = plain.chars().next_back().unwrap_or(' ');
    }
    Cow::Owned(plain.nfc().collect())
}

/// Whether a mark after this letter is no part of it.
fn drops_mark(letter: char, mark: char) -> bool {
    match letter {
        'a'..='z' | 'α'..='ω' => true,
        'е' => matches!(mark, '\u{300}' | '\u{301}' | '\u{308}'),
        'а' | 'и' | 'о' | 'у' | 'ы' | 'э' | 'ю' | 'я' | 'і' => matches!(mark, '\u{300}' | '\u{301}'),
        _ => false,
    }
}

/// What may stand around a word and be no part of it.
const MARKS: &[char] =
    &['"', '\'', '“', '”', '„', '«', '»', '`', '(', ')', '[', ']', '<', '>', ',', ';', ':'];

/// Quotes, brackets, commas and a closing full stop around a word. A symbol that may carry the meaning
/// ("C++", "C#", "@bob") stays.
fn trim_marks(word: &str) -> &str {
    const CLOSING: &[char] = &['.', '!', '?'];
    let end_trimmed =
        word.trim_start_matches(MARKS).trim_end_matches(|c| MARKS.contains(&c) || CLOSING.contains(&c));
    // Not `is_alphanumeric`: what counts as a letter depends on a database's locale, and SQL does the same.
    let tells = |c: char| !c.is_ascii_punctuation() && !MARKS.contains(&c);
    if end_trimmed.contains(tells) { end_trimmed } else { word.trim_matches(MARKS) }
}

fn without_leading<'a, 'w>(words: &'a [&'w str], drop: fn(&str) -> bool) -> &'a [&'w str] {
    let first = words.iter().position(|w| !drop(w)).unwrap_or(words.len().saturating_sub(1));
    &words[first..]
}

fn without_suffixes<'a, 'w>(mut words: &'a [&'w str]) -> &'a [&'w str] {
    while let [rest @ .., last] = words {
        let joins = matches!(*last, "&" | "and" | "+");
        if rest.is_empty() || !(joins || is_legal_suffix(last)) {
            break;
        }
        words = rest;
    }
    words
}

fn without_project<'a, 'w>(mut words: &'a [&'w str]) -> &'a [&'w str] {
    while let ["project", rest @ ..] | [rest @ .., "project"] = words {
        if rest.is_empty() {
            break;
        }
        words = rest;
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_the_spellings_of_an_entity() {
        for (kind, value, expected) in [
            (Kind::Person, "  Prof. Dr.  José\u{a0}GARCÍA ", "jose garcia"),
            (Kind::Person, "O’Brien", "o'brien"),
            (Kind::Person, "Dr.", "dr"),
            (Kind::Person, "Łukasz Żółć", "lukasz zolc"),
            (Kind::Person, "İlker", "ilker"),
            (Kind::Person, "bob.smith@ACME.com", "bob.smith@acme.com"),
            (Kind::Company, "Acme, Inc.", "acme"),
            (Kind::Company, "Nordwind GmbH & Co. KG", "nordwind"),
            (Kind::Company, "Banco Azul S.A.", "banco azul"),
            (Kind::Company, "Inc", "inc"),
            (Kind::Project, "Project Apollo", "apollo"),
            (Kind::Project, "the project", "the"),
            (Kind::Project, "Project", "project"),
            (Kind::Location, "São Paulo", "sao paulo"),
            (Kind::Location, "Straße", "strasse"),
            (Kind::Tool, "C++", "c++"),
            (Kind::Tool, "C#.", "c#"),
            (Kind::Topic, "서울", "서울"),
            (Kind::Topic, "हिन्दी", "हिन्दी"),
            (Kind::Topic, "Май", "май"),
            (Kind::Person, "john_doe", "john doe"),
            (Kind::Person, "JOHN  DOE", "john doe"),
            (Kind::Person, "Jean-Luc", "jean luc"),
            (Kind::Person, "jean\u{2011}luc", "jean luc"),
            (Kind::Person, "_john__doe_", "john doe"),
            (Kind::Person, "john - doe", "john doe"),
            (Kind::Person, "Bob_Smith@acme-corp.com", "bob_smith@acme-corp.com"),
            (Kind::Company, "acme_corp", "acme"),
            (Kind::Company, "T-Mobile", "t mobile"),
            (Kind::Tool, "C--", "c--"),
            (Kind::Topic, "-5", "-5"),
            (Kind::Topic, "___", "___"),
            (Kind::Topic, "- -", "- -"),
            (Kind::Location, "ΕΛΛΆΣ", "ελλασ"),
            (Kind::Location, "Ελλάς", "ελλασ"),
            (Kind::Person, "Королёв", "королев"),
            (Kind::Person, "Андре́й", "андрей"),
            (Kind::Location, "Київ", "київ"),
            (Kind::Location, "GROẞE Straße", "grosse strasse"),
        ] {
            assert_eq!(normalize(kind, value), expected, "{value:?}");
        }
    }

    #[test]
    fn total_never_empty_and_idempotent() {
        let odd = [
            "?",
            "...",
            "\u{0}",
            "\u{301}",
            "🙂",
            " , ",
            "''",
            "&",
            "& Co",
            "\u{200b}x",
            "a\u{0}b",
            "\u{200b}",
            "İ",
            "().",
            "_-_",
            "a_-",
            "-a_",
            "a_- b",
            "(_)",
            "'-a",
            "Dr._Bob",
        ];
        for value in odd {
            for kind in Kind::ALL {
                let once = normalize(kind, value);
                assert!(!once.is_empty(), "{kind:?} {value:?}");
                assert_eq!(normalize(kind, &once), once, "{kind:?} {value:?}");
            }
        }
        assert_eq!(normalize(Kind::Topic, " \t"), "");
    }
}
