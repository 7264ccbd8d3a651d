//! People: names with a title, given name with surname, and single given names with a strong cue.

use std::collections::HashSet;
use std::ops::Range;

use super::Kind;
use super::mention::Mentions;
use super::normalize::is_title;
use super::people_cues::{
    KIN, PARTICLES, VOCATIVES, acts, introduces_person, is_role, is_surname, leads_to_person, speaks,
    takes_person_before, tells_of_person,
};
use super::places::stands_alone;
use super::sentence::{Doc, Style};
use super::tables::{Certainty, first_name, is_not_name, is_stop_word, place};
use super::token::{Gap, Shape, Token};

const MAX_WORDS: usize = 5;
const MAX_TITLES: usize = 3;

pub(super) fn find(doc: &Doc<'_>, out: &mut Mentions) {
    let finder = Finder { doc, lower: lower_case_words(doc) };
    for at in 0..doc.tokens.len() {
        let capital = matches!(doc.tokens[at].shape, Shape::Capital | Shape::Initial);
        if capital && out.is_free(at) && doc.style(at) != Style::AllCaps {
            finder.find_at(at, out);
        }
    }
}

/// Words that the text also writes in lower case: no names, unless a table says so.
fn lower_case_words<'d>(doc: &'d Doc<'_>) -> HashSet<&'d str> {
    doc.tokens.iter().filter(|t| t.shape == Shape::Lower).map(|t| &*t.folded).collect()
}

struct Finder<'d, 't> {
    doc: &'d Doc<'t>,
    lower: HashSet<&'d str>,
}

impl Finder<'_, '_> {
    fn find_at(&self, at: usize, out: &mut Mentions) {
        let found = self.titled(at, out).or_else(|| self.full_name(at, out)).or_else(|| self.single(at, out));
        if let Some((range, confidence)) = found {
            let value = self.doc.value(&range);
            out.claim(Kind::Person, range, value, confidence);
        }
    }

    /// "Dr. Rossi", "Prof. Dr. Anna Weber". The title belongs to the value only if one word follows.
    fn titled(&self, at: usize, out: &Mentions) -> Option<(Range<usize>, f64)> {
        let mut name = at;
        let is_title_at = |i: usize| {
            self.doc.tokens.get(i).is_some_and(|t| t.shape == Shape::Capital && is_title(&t.folded))
        };
        while name < at + 2 * MAX_TITLES && is_title_at(name) {
            let dot = self.doc.after(name).is_some_and(|t| t.is('.'));
            name += 1 + usize::from(dot);
        }
        let same_sentence = name > at && self.doc.after(name - 1).is_some();
        let range = same_sentence.then(|| self.run(name, out))?;
        let words = &self.doc.tokens[range.clone()];
        let named =
            words.first().is_some_and(|t| t.text.len() >= 2) && !self.is_part_of_a_longer_name(&range);
        let start = if words.len() == 1 { at } else { name };
        named.then_some((start..range.end, 0.95))
    }

    fn full_name(&self, at: usize, out: &Mentions) -> Option<(Range<usize>, f64)> {
        let range = self.run(at, out);
        let words = &self.doc.tokens[range.clone()];
        let full = words.iter().filter(|t| t.shape == Shape::Capital).count();
        if words.len() < 2
            || full == 0
            || self.follows_article(at)
            || self.continues_a_name(at)
            || self.is_part_of_a_longer_name(&range)
        {
            return None;
        }
        let known = first_name(&words[0].folded);
        let confidence = match known {
            Some(Certainty::Plain) if full >= 2 => 0.9,
            Some(Certainty::Ambiguous) if full >= 2 && self.is_unmistakable(&range) => 0.85,
            None | Some(Certainty::Ambiguous) if full <= 3 && self.is_cued(&range) => 0.75,
            _ => return None,
        };
        let heading = self.doc.style(at) == Style::TitleCase;
        (!heading || known == Some(Certainty::Plain) && full == 2).then_some((range, confidence))
    }

    /// An ambiguous given name counts with a cue, or beside a word that goes with people.
    fn is_unmistakable(&self, range: &Range<usize>) -> bool {
        let last = &self.doc.tokens[range.end - 1].folded;
        let rest_is_name = place(last).is_none() && first_name(last).is_none();
        let led =
            self.doc.follows_word(range.start) && self.doc.before(range.start).is_some_and(leads_to_person);
        // "Victoria Beckham opened …" is one even there, "Will Turner …" may be a question.
        let first = &self.doc.tokens[range.start].folded;
        let may_open =
            !self.doc.starts_sentence(range.start) || place(first).is_some() && !is_stop_word(first);
        let acts = may_open && self.doc.after(range.end - 1).is_some_and(acts);
        self.is_cued(range) || rest_is_name && (led || acts)
    }

    /// Whether the words around an unknown name say that it is a person's.
    fn is_cued(&self, range: &Range<usize>) -> bool {
        let words = &self.doc.tokens[range.clone()];
        let written_small =
            words.iter().any(|t| t.shape == Shape::Capital && self.lower.contains(&*t.folded));
        let is_place = words.iter().any(|t| place(&t.folded).is_some());
        let cued = introduces_person(self.doc, range.start) || tells_of_person(self.doc, range.end);
        cued && !written_small && !is_place && self.doc.style(range.start) == Style::Prose
    }

    /// A single given name: plain ones that stand alone, surer with any cue; ambiguous ones when addressed, speaking or
    /// called kin.
    fn single(&self, at: usize, out: &Mentions) -> Option<(Range<usize>, f64)> {
        let token = &self.doc.tokens[at];
        let range = at..at + 1;
        if self.continues_a_name(at)
            || self.follows_article(at)
            || self.goes_on_in_capitals(at, out)
            || self.doc.style(at) != Style::Prose
        {
            return None;
        }
        let confidence = match first_name(&token.folded) {
            _ if self.doc.before(at).is_some_and(|t| KIN.contains(&&*t.folded)) && self.is_word(at, out) => {
                0.8
            }
            Some(_) if self.is_speaker(at) || self.is_addressed(at) => 0.9,
            Some(_) if self.doc.after(at).is_some_and(speaks) && !token.possessive => 0.85,
            Some(Certainty::Plain) if self.is_mentioned(at, out) => 0.85,
            Some(Certainty::Plain) if !token.possessive && stands_alone(self.doc, at, at + 1) => 0.65,
            _ => return None,
        };
        Some((range, confidence))
    }

    /// "Caroline: Hey!" at the start of a line.
    fn is_speaker(&self, at: usize) -> bool {
        self.doc.starts_line(at) && self.doc.after(at).is_some_and(|t| t.is(':') && t.gap == Gap::None)
    }

    /// "Hey Mel!", "Thanks, Caroline!", a greeting's "Dear Tom," or a signature's line of its own.
    fn is_addressed(&self, at: usize) -> bool {
        let closed = self.doc.after(at).is_none_or(|t| t.is_one_of(&[',', '!', '.', '?', '-', '–', '—']));
        let greeted =
            self.doc.follows_word(at) && self.doc.before(at).is_some_and(|t| VOCATIVES.contains(&&*t.folded));
        let after_comma = at >= 2
            && self.doc.before(at).is_some_and(|t| t.is(','))
            && VOCATIVES.contains(&&*self.doc.tokens[at - 2].folded);
        closed && (greeted || after_comma) || self.is_signature(at)
    }

    /// A line with nothing but the name: the last one, or after "Best," and "Kind regards".
    fn is_signature(&self, at: usize) -> bool {
        let last = at + 1 == self.doc.tokens.len();
        let alone = at > 0 && self.doc.starts_line(at) && (last || self.doc.starts_line(at + 1));
        let closing = self.doc.tokens[..at].iter().rev().find(|t| !t.is(','));
        alone && (last || closing.is_some_and(|t| is_stop_word(&t.folded)))
    }

    /// A plain given name with a word before or after it that goes with people.
    fn is_mentioned(&self, at: usize, out: &Mentions) -> bool {
        let (before, after) = (self.doc.before(at), self.doc.after(at));
        let token = &self.doc.tokens[at];
        let after_comma = before.is_some_and(|t| t.is(','));
        let closed = after.is_none_or(|t| t.is_one_of(&[',', '!', '?', '.']));
        let opens = self.doc.starts_sentence(at) && after.is_some_and(|t| t.is(','));
        let listed =
            at >= 2 && before.is_some_and(|t| t.folded == "and" || t.is(',')) && self.is_person(at - 2, out);
        let pronoun = after.is_some_and(|t| t.folded == "and")
            && self.doc.tokens.get(at + 2).is_some_and(|t| t.text == "I");
        let led = self.doc.follows_word(at) && before.is_some_and(takes_person_before);
        let acts = !token.possessive && after.is_some_and(|t| t.gap != Gap::None && acts(t));
        led || acts || listed || pronoun || opens || self.owns(at) || after_comma && closed
    }

    /// "Emily's mother", not "dinner at Luigi's on Friday".
    fn owns(&self, at: usize) -> bool {
        let owned = |t: &Token<'_>| t.shape == Shape::Lower && !is_stop_word(&t.folded);
        self.doc.tokens[at].possessive && self.doc.after(at).is_some_and(owned)
    }

    fn is_person(&self, at: usize, out: &Mentions) -> bool {
        out.at(at).is_some_and(|m| m.kind == Kind::Person)
    }

    /// "the Oliver Wyman report", "a Martin guitar".
    fn follows_article(&self, at: usize) -> bool {
        self.doc.before(at).is_some_and(|t| matches!(&*t.folded, "the" | "a" | "an"))
    }

    /// The words of a name from `at`: capitalised words, initials, and particles between them.
    fn run(&self, at: usize, out: &Mentions) -> Range<usize> {
        let mut end = at;
        while end < at + 2 * MAX_WORDS && (end == at || self.continues(end)) && self.is_word(end, out) {
            let token = &self.doc.tokens[end];
            end += 1;
            if token.possessive {
                break;
            }
            let dot = token.shape == Shape::Initial
                && self.doc.after(end - 1).is_some_and(|t| t.is('.') && t.gap == Gap::None);
            end += usize::from(dot && end + 1 < self.doc.tokens.len() && self.is_word(end + 1, out));
            end = self.skip_particles(end, out);
        }
        at..end
    }

    fn continues(&self, at: usize) -> bool {
        let after_initial = self.doc.before(at).is_some_and(|t| t.is('.'));
        self.doc.follows_word(at) || after_initial && self.doc.tokens[at].gap == Gap::Space
    }

    /// Past "van der" and its like, if a capitalised word follows them.
    fn skip_particles(&self, at: usize, out: &Mentions) -> usize {
        let is_particle =
            |i: &usize| self.doc.follows_word(*i) && PARTICLES.contains(&self.doc.tokens[*i].text);
        let count = (at..self.doc.tokens.len().min(at + 3)).take_while(is_particle).count();
        let name = at + count;
        let goes_on = name < self.doc.tokens.len() && self.doc.follows_word(name) && self.is_word(name, out);
        if goes_on { name } else { at }
    }

    /// A word that can be part of a name.
    fn is_word(&self, at: usize, out: &Mentions) -> bool {
        let Some(token) = self.doc.tokens.get(at).filter(|_| out.is_free(at)) else { return false };
        let common = is_stop_word(&token.folded) || is_not_name(&token.folded) || is_role(&token.folded);
        let behind_given = || at > 0 && first_name(&self.doc.tokens[at - 1].folded) == Some(Certainty::Plain);
        let surname = is_surname(&token.folded) && self.continues(at) && behind_given();
        let allowed = !common || surname || first_name(&token.folded).is_some();
        match token.shape {
            Shape::Capital => allowed && is_name_spelling(token.text) && !is_title(&token.folded),
            Shape::Initial => token.text.is_ascii(),
            _ => false,
        }
    }

    /// The word before is capitalised too, and no word that only begins a sentence or names a role.
    fn continues_a_name(&self, at: usize) -> bool {
        let before =
            self.doc.before(at).filter(|_| self.continues(at) || self.doc.tokens[at].gap == Gap::None);
        let saint = at >= 2
            && before.is_some_and(|t| t.is('.'))
            && matches!(&*self.doc.tokens[at - 2].folded, "st" | "mt");
        saint
            || before.is_some_and(|t| {
                let capital = is_raised(t) || t.shape == Shape::Initial;
                let marks_link = t.is_one_of(&['/', '-', '_', '#', '&', '\\', '.']);
                let plain = is_stop_word(&t.folded) || is_role(&t.folded) || is_addressing(&t.folded);
                capital && !plain || marks_link && self.doc.tokens[at].gap == Gap::None
            })
    }

    /// "Sarah Chen Foundation", "Martin Luther King Boulevard", "Anna & Co".
    fn is_part_of_a_longer_name(&self, range: &Range<usize>) -> bool {
        let last = &self.doc.tokens[range.end - 1];
        let next =
            self.doc.after(range.end - 1).filter(|_| !last.possessive && self.doc.follows_word(range.end));
        let more = next.is_some_and(|t| is_raised(t) && !is_stop_word(&t.folded) && !is_role(&t.folded));
        let owned = self.doc.after(range.end - 1).filter(|_| last.possessive);
        more || owned.is_some_and(|t| is_raised(t) && is_not_name(&t.folded))
    }

    /// "Anna Quindlen-Prize", "Anna/Tom", "Anna.txt".
    fn goes_on_in_capitals(&self, at: usize, out: &Mentions) -> bool {
        let joined = self.doc.follows_word(at + 1) && !self.doc.tokens[at].possessive;
        let next = self.doc.after(at).filter(|_| joined);
        let taken = next.is_some() && !out.is_free(at + 1);
        let capital = next.is_some_and(|t| {
            let lower = matches!(t.shape, Shape::Lower | Shape::Mark | Shape::Number);
            !lower && !is_stop_word(&t.folded)
        });
        let linked =
            self.doc.after(at).is_some_and(|t| t.gap == Gap::None && t.is_one_of(&['/', '_', '.', '&', '@']))
                && self.doc.tokens.get(at + 2).is_some_and(|t| t.gap == Gap::None && t.shape != Shape::Mark);
        taken || capital || linked
    }
}

/// Written with a capital, as names are.
fn is_raised(token: &Token<'_>) -> bool {
    matches!(token.shape, Shape::Capital | Shape::Upper | Shape::Mixed)
}

fn is_addressing(word: &str) -> bool {
    VOCATIVES.contains(&word) || KIN.contains(&word)
}

/// `Anna`, `O'Brien`, `Jean-Luc`, `McDonald`, not `GitHub` or `Web3`.
fn is_name_spelling(word: &str) -> bool {
    word.split(['-', '\'', '’']).all(|part| {
        let body = ["Mc", "Mac", "De", "Di", "La", "Le", "Van", "Fitz"]
            .iter()
            .find_map(|p| part.strip_prefix(p).filter(|rest| rest.starts_with(char::is_uppercase)));
        let mut chars = body.unwrap_or(part).chars();
        chars.next().is_some_and(char::is_uppercase) && chars.all(char::is_lowercase)
    })
}
