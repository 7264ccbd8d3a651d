//! Names that stand beside an address: when they are a person's, and which part of them is the name.

use std::collections::HashSet;

use super::companies::is_legal_suffix;
use super::name_words::{is_apart, is_name_char, is_particle, is_unspaced_name, without_affixes};
use super::normalize::fold;
use super::organisations::is_organisation;
use super::people_cues::is_surname;
use super::tables::{Certainty, first_name, is_not_name, is_stop_word};

/// Words of a name, particles not counted.
const MAX_NAME: usize = 4;
/// In a header the name ends where the address begins, so it may be longer.
const MAX_HEADER_NAME: usize = 6;

/// A name in a text that reads as a person's: capitalised words without a role or an organisation among them,
/// and a given name or a part of the address that says so ("Deutsche Bahn <info@bahn.example>" is nobody).
pub(super) fn display_name(raw: &str, address: Option<&str>) -> Option<String> {
    let name = turned(&bare(raw))?;
    let words = Words::of(&name)?;
    (words.have_a_persons_name(address, MAX_NAME) && !words.are_common()).then(|| words.joined())
}

/// The same in a header, whose writer put it beside the address: that several words are spelled like a name and say
/// nothing else is enough there, for tables know few of the world's given names.
pub(super) fn header_name(raw: &str, address: Option<&str>) -> Option<String> {
    let bare = bare(raw);
    if address.is_some() && is_unspaced_name(&bare) {
        return Some(bare);
    }
    let turned = turned(&bare)?;
    let words = Words::of(&turned).or_else(|| Words::in_small_letters(&turned))?;
    let person =
        words.have_a_persons_name(address, MAX_HEADER_NAME) || address.is_some_and(|it| words.may_be_of(it));
    (person && !words.are_common()).then(|| words.joined())
}

/// Whether a text is spelled like a name, a person's or not.
pub(super) fn is_spelled_like_a_name(text: &str) -> bool {
    Words::of(text).is_some()
}

struct Words<'n> {
    words: Vec<&'n str>,
    folded: Vec<String>,
}

impl<'n> Words<'n> {
    /// The words of a name, which are all spelled like words of names, with particles only between them.
    fn of(name: &'n str) -> Option<Self> {
        let words = words_without_nicknames(name);
        let is_name = |word: &&str| is_name_word(word) || is_particle(word);
        let ends = words.last().is_some_and(|last| is_name_word(last));
        (ends && words.iter().all(is_name)).then(|| Self::folding(words))
    }

    /// Some people write their name in small letters: a known one, for other words are written so, too.
    fn in_small_letters(name: &'n str) -> Option<Self> {
        let words = words_without_nicknames(name);
        let is_small = |word: &&str| {
            word.chars().all(|c| is_name_char(c) && !c.is_uppercase()) && word.contains(char::is_lowercase)
        };
        let known = words.first().and_then(|first| first_name(&fold(first))) == Some(Certainty::Plain);
        (known && words.len() >= 2 && words.iter().all(is_small)).then(|| Self::folding(words))
    }

    fn folding(words: Vec<&'n str>) -> Self {
        let folded = words.iter().map(|word| fold(word).into_owned()).collect();
        Self { words, folded }
    }

    fn given(&self) -> Option<Certainty> {
        self.folded.first().and_then(|first| first_name(first))
    }

    fn count(&self) -> usize {
        self.words.iter().filter(|word| !is_particle(word)).count()
    }

    fn have_a_persons_name(&self, address: Option<&str>, max: usize) -> bool {
        let local = address.and_then(|a| a.split('@').next()).map(fold).unwrap_or_default();
        let in_address = self.folded.iter().any(|word| word.len() >= 3 && local.contains(&**word));
        match self.given() {
            Some(Certainty::Plain) => self.count() <= max,
            Some(Certainty::Ambiguous) => address.is_some() && self.count() <= max,
            None => in_address && (2..=MAX_NAME).contains(&self.count()),
        }
    }

    /// Whether nothing says that they are the name of something else than the person who has this address.
    fn may_be_of(&self, address: &str) -> bool {
        let host = fold(address.rsplit('@').next().unwrap_or_default());
        let is_hosts = |word: &String| word.chars().count() >= 4 && host.contains(&**word);
        (2..=MAX_NAME).contains(&self.count())
            && !self.words.iter().any(|word| has_inner_capital(word))
            && !self.are_of_two_cases()
            && !self.folded.iter().any(|word| is_hosts(word) || is_organisation(word))
            && !self.repeat_a_word()
    }

    /// Initials may be the same.
    fn repeat_a_word(&self) -> bool {
        let whole: Vec<&String> = self.folded.iter().filter(|word| word.chars().count() > 2).collect();
        whole.iter().collect::<HashSet<_>>().len() < whole.len()
    }

    /// "HSBC Kundendienst": an abbreviation among words.
    fn are_of_two_cases(&self) -> bool {
        let is_capitals =
            |word: &&&str| word.chars().filter(|c| c.is_uppercase()).count() >= 2 && is_all_capitals(word);
        let has_small = |word: &&&str| word.contains(char::is_lowercase) && !is_particle(word);
        self.words.iter().any(|word| is_capitals(&word)) && self.words.iter().any(|word| has_small(&word))
    }

    fn are_common(&self) -> bool {
        let given = self.given().is_some();
        let is_common =
            |word: &str| (is_stop_word(word) || is_not_name(word)) && !(given && is_surname(word));
        let names = self.folded.iter().zip(&self.words).skip(usize::from(given));
        names.filter(|(_, word)| !is_particle(word)).any(|(folded, _)| is_common(folded))
    }

    fn joined(&self) -> String {
        self.words.join(" ")
    }
}

fn words_without_nicknames(name: &str) -> Vec<&str> {
    let is_nickname = |word: &&str| word.starts_with('"') && word.ends_with('"');
    name.split_whitespace().filter(|word| !is_nickname(word)).collect()
}

fn is_name_word(word: &str) -> bool {
    // Georgian letters count as small ones of capitals that no name is written in.
    let has_no_case =
        |c: char| c.is_alphabetic() && !c.is_lowercase() || matches!(c, '\u{10d0}'..='\u{10ff}');
    let begins = word.starts_with(|c: char| c.is_uppercase() || has_no_case(c));
    (begins || begins_small(word)) && word.chars().all(is_name_char)
}

/// "d'Angelo", "al-Rashid", "ʻAlī".
fn begins_small(word: &str) -> bool {
    word.split_once(is_apart).is_some_and(|(prefix, rest)| {
        prefix.chars().count() <= 3
            && prefix.chars().all(char::is_lowercase)
            && rest.starts_with(char::is_uppercase)
    })
}

/// "GitHub", but not "McDonald", "DeVito" and "O'Brien-Smith".
fn has_inner_capital(word: &str) -> bool {
    const PREFIXES: &[&str] =
        &["Mc", "Mac", "De", "Del", "Da", "Di", "Du", "La", "Le", "Van", "Von", "Fitz", "St"];
    word.split(is_apart).any(|part| {
        let mut after_small = part.char_indices().zip(part.chars().skip(1));
        let inner = after_small.find(|((_, before), c)| before.is_lowercase() && c.is_uppercase());
        inner.is_some_and(|((at, before), _)| !PREFIXES.contains(&&part[..at + before.len_utf8()]))
    })
}

fn is_all_capitals(word: &str) -> bool {
    !word.contains(char::is_lowercase)
}

/// Without quotes, brackets, and what is said in brackets or behind a dash beside the name.
fn bare(raw: &str) -> String {
    let mut depth = 0_usize;
    let trimmed = raw.trim_matches(|c: char| c.is_whitespace() || "\"'<>()[],".contains(c));
    let plain: String = trimmed
        .chars()
        .filter(|c| {
            let opens = matches!(c, '(' | '[' | '（');
            let inside = depth > 0 || opens;
            if opens {
                depth += 1;
            } else if matches!(c, ')' | ']' | '）') {
                depth = depth.saturating_sub(1);
            }
            !inside && *c != '\\'
        })
        .collect();
    let end =
        [" - ", " – ", " — ", " | ", " / ", " @ ", " • "].iter().filter_map(|mark| plain.find(mark)).min();
    plain[..end.unwrap_or(plain.len())].trim().to_owned()
}

/// "Smith, Bob" and "SMITH Bob" the other way round, without titles and suffixes; nothing where it is a company's.
fn turned(name: &str) -> Option<String> {
    let parts = name.split(',').map(|part| without_affixes(part, name)).filter(|part| !part.is_empty());
    let parts: Vec<&str> = parts.collect();
    let is_company = |part: &&str| is_legal_suffix(&fold(part.trim_end_matches('.')));
    match parts.as_slice() {
        [] => None,
        [one] => Some(capitals_last(one)),
        [_, rest @ ..] if rest.iter().any(is_company) => None,
        // "Bob Smith, Acme": where he is from.
        [first, second, ..] if is_full(first) && !begins_with_given_name(second) => Some((*first).to_owned()),
        [last, first, ..] => Some(format!("{first} {last}")),
    }
}

/// "DUPONT Jean", as the French write it.
fn capitals_last(name: &str) -> String {
    let is_capital = |word: &&str| word.chars().count() >= 2 && is_all_capitals(word) && !word.contains('.');
    let count = name.split_whitespace().take_while(is_capital).count();
    let words: Vec<&str> = name.split_whitespace().collect();
    let (last, first) = words.split_at(count);
    let given = first.first().filter(|word| word.contains(char::is_lowercase));
    match given.and_then(|word| first_name(&fold(word))) {
        Some(_) if count > 0 => [first, last].concat().join(" "),
        _ => name.to_owned(),
    }
}

fn is_full(part: &str) -> bool {
    part.contains(' ') && begins_with_given_name(part)
}

pub(super) fn begins_with_given_name(part: &str) -> bool {
    let first = part.split_whitespace().next().filter(|word| word.starts_with(char::is_uppercase));
    first.is_some_and(|word| first_name(&fold(word)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_beside_an_address_is_a_persons_whatever_the_tables_know() {
        let names = [
            ("Dr. med. Franz Müller", "Franz Müller"),
            ("Prof. Dr. rer. nat. Anna Weber", "Anna Weber"),
            ("Prof. Dr.-Ing. habil. Hans Weber", "Hans Weber"),
            ("Univ.-Prof. Mag. Dr. Eva Huber", "Eva Huber"),
            ("Dipl.-Ing. Karl Braun", "Karl Braun"),
            ("Dr. h. c. Lena Vogt", "Lena Vogt"),
            ("Dott.ssa Giulia Rossi", "Giulia Rossi"),
            ("Müller, Dr. med. Franz", "Franz Müller"),
            ("Dr. med. Oyelaran Adeyemi", "Oyelaran Adeyemi"),
            ("Lt. Col. Kwaku Mensah", "Kwaku Mensah"),
            ("Franz Müller M.Sc.", "Franz Müller"),
            ("José Luis María García López", "José Luis María García López"),
            ("Kwaku Obeng-Mensah", "Kwaku Obeng-Mensah"),
            ("Xochitl Quetzal", "Xochitl Quetzal"),
            ("Mensah, Kwaku", "Kwaku Mensah"),
            ("Vincent van Gogh", "Vincent van Gogh"),
            ("Ursula von der Leyen", "Ursula von der Leyen"),
            ("Tjalling van 't Hoff", "Tjalling van 't Hoff"),
            ("Gabriele d'Annunzio", "Gabriele d'Annunzio"),
            ("Siobhán O’Connor", "Siobhán O’Connor"),
            ("Mwai N'Dour", "Mwai N'Dour"),
            ("Harun al-Rashid", "Harun al-Rashid"),
            ("Ronan McDonald", "Ronan McDonald"),
            ("J. R. R. Tolkien", "J. R. R. Tolkien"),
            ("ZOE HART", "ZOE HART"),
            ("OYELARAN ADEYEMI", "OYELARAN ADEYEMI"),
            ("DUPONT Jean", "Jean DUPONT"),
            ("DE LA CRUZ Marie", "Marie DE LA CRUZ"),
            ("zoe hart", "zoe hart"),
            ("Анна Иванова", "Анна Иванова"),
            ("Иванова Анна Сергеевна", "Иванова Анна Сергеевна"),
            ("Γιώργος Παπαδόπουλος", "Γιώργος Παπαδόπουλος"),
            ("Արամ Խաչատրյան", "Արամ Խաչատրյան"),
            ("محمد علي", "محمد علي"),
            ("דוד כהן", "דוד כהן"),
            ("राहुल शर्मा", "राहुल शर्मा"),
            ("สมชาย ใจดี", "สมชาย ใจดี"),
            ("გიორგი მაისურაძე", "გიორგი მაისურაძე"),
            ("王小明", "王小明"),
            ("欧阳娜娜", "欧阳娜娜"),
            ("山田 太郎", "山田 太郎"),
            ("山田太郎", "山田太郎"),
            ("김민수", "김민수"),
        ];
        let found = names.map(|(raw, _)| (raw, header_name(raw, Some("x17@q.example"))));
        let missed = |((_, name), (_, found)): &(_, (_, Option<String>))| found.as_deref() != Some(*name);
        let wrong: Vec<_> = names.into_iter().zip(found).filter(missed).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn what_is_no_persons_is_nobodys_in_a_header_too() {
        let named = |raw: &&str| header_name(raw, Some("x17@q.example")).is_some();
        let nobodys = [
            "GitHub",
            "GitHub Actions",
            "Deutsche Bahn",
            "Acme Support",
            "Acme, Inc.",
            "HSBC Kundendienst",
            "BBC News",
            "Stadtwerke Ulm",
            "Sparkasse Bremen",
            "New York",
            "New York Times",
            "Monday",
            "Team Rocket",
            "Amazon Marketplace",
            "LinkedIn Jobs",
            "The Economist",
            "ООО Ромашка",
            "Служба Поддержки",
            "Сбербанк Онлайн",
            "微信支付",
            "中国银行",
            "株式会社山田",
            "楽天 カード",
            "Order 17",
            "Windows Insider Program",
            "Quetzal Quetzal",
            "Xochitl",
            "red ferry",
        ];
        assert_eq!(nobodys.into_iter().filter(named).collect::<Vec<_>>(), Vec::<&str>::new());
        assert_eq!(header_name("Blue Quetzal", Some("hello@bluequetzal.example")), None, "the host's own");
        assert_eq!(header_name("Kwaku Mensah", None), None, "with nobody's address");
        assert_eq!(display_name("Kwaku Mensah", Some("x17@q.example")), None, "in a text");
    }
}
