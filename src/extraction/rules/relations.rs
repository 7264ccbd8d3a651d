//! Relations between findings that a sentence states in so many words.

use super::Kind::{self, Company, Location, Person, Project};
use super::RelationKind::{self, Leads, LocatedIn, MarriedTo, ReportsTo, WorksFor, WorksOn, WorksWith};
use super::mention::Mention;
use super::roles::describe_job;
use super::sentence::{Doc, Style};
use super::token::{Shape, Token};

/// A relation between two mentions, by their index.
#[derive(Debug)]
pub(super) struct Link {
    pub from: usize,
    pub to: usize,
    pub kind: RelationKind,
    pub confidence: f64,
    pub evidence: String,
}

/// What stands between two mentions, word for word, and what it says of them.
struct Phrase {
    from: Kind,
    to: Kind,
    relation: RelationKind,
    /// The second mention is the one that the relation starts from.
    inverse: bool,
    /// Separated by `|`.
    words: &'static str,
}

const fn phrase(from: Kind, to: Kind, relation: RelationKind, words: &'static str) -> Phrase {
    Phrase { from, to, relation, inverse: false, words }
}

const fn inverse(from: Kind, to: Kind, relation: RelationKind, words: &'static str) -> Phrase {
    Phrase { from, to, relation, inverse: true, words }
}

const PHRASES: &[Phrase] = &[
    phrase(Person, Company, WorksFor, "works for|works at|work for|work at|is working for|is working at"),
    phrase(Person, Company, WorksFor, "is employed by|is employed at|joined|has joined|from|of"),
    phrase(Person, Project, Leads, "leads|is leading|heads|is heading|runs|is running|manages|is managing"),
    phrase(Person, Project, Leads, "will lead|owns|is in charge of|is responsible for|, lead of"),
    phrase(Person, Project, Leads, ", who leads|, who runs|, who heads|, who manages"),
    phrase(Person, Project, WorksOn, "works on|work on|is working on|are working on|joined|contributes to"),
    phrase(Person, Project, WorksOn, "is assigned to"),
    phrase(Person, Person, ReportsTo, "reports to|is reporting to|, who reports to"),
    phrase(Person, Person, ReportsTo, "'s manager|'s manager ,|'s manager is|'s boss|'s boss ,|'s boss is"),
    inverse(Person, Person, ReportsTo, "manages|is the manager of|is the boss of|, manager of|, boss of"),
    phrase(Person, Person, WorksWith, "works with|is working with|collaborates with|works closely with"),
    phrase(Person, Person, MarriedTo, "is married to|, married to|married|'s wife|'s wife ,|'s husband"),
    phrase(
        Person,
        Person,
        MarriedTo,
        "'s husband ,|and his wife|and her husband|and his husband|and her wife",
    ),
    phrase(Person, Location, LocatedIn, "lives in|live in|is living in|resides in|is based in|, based in"),
    phrase(Person, Location, LocatedIn, "moved to|has moved to|relocated to|is located in"),
    phrase(Company, Location, LocatedIn, "is based in|, based in|is located in|is headquartered in"),
    phrase(Company, Location, LocatedIn, ", headquartered in"),
];
/// Phrases that say it of the mention before them wherever it stands ("I met Sarah Chen from Acme Inc").
const APPOSITIONS: &[&str] = &["from", "of"];
const ADVERBS: &[&str] =
    &["now", "currently", "also", "still", "directly", "just", "already", "both", "again"];
const ARTICLES: &[&str] = &["the", "our", "their"];
const PREPOSITIONS: &[&str] =
    &["of", "with", "from", "to", "by", "for", "about", "like", "than", "at", "in", "on"];
/// Words that turn a statement into a condition, a guess or its opposite.
#[rustfmt::skip]
const HEDGES: &[&str] = &[
    "if", "whether", "unless", "suppose", "maybe", "perhaps", "wish", "not", "never", "rumor", "rumour",
    "might", "imagine", "pretend", "hopefully", "doubt", "don't", "doesn't", "didn't", "isn't", "wasn't",
    "won't", "can't",
];
const MAX_BETWEEN: usize = 9;

/// `mentions` in the order of the text.
pub(super) fn find(doc: &Doc<'_>, mentions: &[Mention]) -> Vec<Link> {
    let order: Vec<usize> = (0..mentions.len()).filter(|i| mentions[*i].kind != Kind::ActionItem).collect();
    let mut links = Vec::new();
    for (at, pair) in order.windows(2).enumerate() {
        let (from, to) = (&mentions[pair[0]], &mentions[pair[1]]);
        let Some((kind, inverse)) = stated(doc, from, to) else { continue };
        let evidence = evidence(doc, from, to);
        let mut link = |from, to| {
            let (from, to) = if inverse { (to, from) } else { (from, to) };
            links.push(Link { from, to, kind, confidence: 0.85, evidence: evidence.clone() });
        };
        link(pair[0], pair[1]);
        let fellow = at.checked_sub(1).map(|i| order[i]).filter(|i| is_fellow(doc, &mentions[*i], from));
        if let Some(fellow) = fellow.filter(|_| kind != MarriedTo && kind != ReportsTo) {
            link(fellow, pair[1]);
        }
    }
    links
}

/// The sentence around the first, or both lines of a signature.
fn evidence(doc: &Doc<'_>, from: &Mention, to: &Mention) -> String {
    let sentence = |m: &Mention| doc.tokens.get(m.tokens.start).map(|t| t.sentence);
    let one = sentence(from) == sentence(to);
    if one { doc.context(from.tokens.start) } else { doc.value(&(from.tokens.start..to.tokens.end)) }
}

/// "Sarah and Tom work on …": the subject before "and".
fn is_fellow(doc: &Doc<'_>, fellow: &Mention, subject: &Mention) -> bool {
    let between = doc.tokens.get(fellow.tokens.end..subject.tokens.start);
    let verb = doc.tokens.get(subject.tokens.end);
    let plural = verb.is_some_and(|t| matches!(&*t.folded, "work" | "are" | "live" | "lead" | "both"));
    plural && fellow.kind == subject.kind && between.is_some_and(|b| b.len() == 1 && b[0].folded == "and")
}

fn stated(doc: &Doc<'_>, from: &Mention, to: &Mention) -> Option<(RelationKind, bool)> {
    if signs_as(doc, from, to) {
        return Some((WorksFor, false));
    }
    let last = doc.tokens.get(from.tokens.end.checked_sub(1)?)?;
    let between = doc.tokens.get(from.tokens.end..to.tokens.start).filter(|b| b.len() <= MAX_BETWEEN)?;
    let same = last.sentence == doc.tokens.get(to.tokens.start)?.sentence;
    if !same || doc.style(from.tokens.start) != Style::Prose || is_hedged(doc, from) {
        return None;
    }
    let mut words: Vec<&str> = if last.possessive { vec!["'s"] } else { Vec::new() };
    words.extend(between.iter().map(|t| &*t.folded).filter(|w| !ADVERBS.contains(w)));
    drop_apposition(&mut words);
    if words.len() > 1 && words.last().is_some_and(|w| ARTICLES.contains(w)) {
        words.pop();
    }
    if from.kind == Person && to.kind == Company && is_job_at(&words) {
        return Some((WorksFor, false));
    }
    let said = words.join(" ");
    let found = PHRASES
        .iter()
        .find(|p| p.from == from.kind && p.to == to.kind && p.words.split('|').any(|words| words == said))?;
    let subject =
        APPOSITIONS.contains(&said.as_str()) || said.starts_with([',', '\'']) || is_subject(doc, from);
    subject.then_some((found.relation, found.inverse))
}

/// A signature: the name on a line of its own, then "COO, Acme Inc".
fn signs_as(doc: &Doc<'_>, person: &Mention, company: &Mention) -> bool {
    let alone = doc.starts_line(person.tokens.start) && doc.starts_line(person.tokens.end);
    let one_line = (person.tokens.end + 1..=company.tokens.start).all(|i| !doc.starts_line(i));
    let between = doc.tokens.get(person.tokens.end..company.tokens.start).filter(|b| b.len() <= MAX_BETWEEN);
    let words: Vec<&str> = between.unwrap_or_default().iter().map(|t| &*t.folded).collect();
    let Some((last, role)) = words.split_last() else { return false };
    let joined = matches!(*last, "," | "at" | "of" | "for");
    person.kind == Person && company.kind == Company && alone && one_line && joined && describe_job(role)
}

/// ", our head of product, reports to" says what "reports to" says.
fn drop_apposition(words: &mut Vec<&str>) {
    let comma = words.iter().skip(1).rposition(|w| *w == ",").map(|i| i + 1);
    if let Some(end) = comma.filter(|end| words[0] == "," && end + 1 < words.len())
        && describe_job(&words[1..end])
    {
        words.drain(..=end);
    }
}

/// ", CEO of", "is a senior engineer at": only words of a job between the two.
fn is_job_at(words: &[&str]) -> bool {
    let [first, job @ .., last] = words else { return false };
    matches!(*first, "," | "is" | "(") && matches!(*last, "of" | "at" | "for") && describe_job(job)
}

/// A name behind a preposition is not what the verb speaks of ("a friend of Sarah works for …").
fn is_subject(doc: &Doc<'_>, mention: &Mention) -> bool {
    doc.before(mention.tokens.start).is_none_or(|t| !PREPOSITIONS.contains(&&*t.folded) && !t.possessive)
}

fn is_hedged(doc: &Doc<'_>, mention: &Mention) -> bool {
    let Some(sentence) = doc.tokens.get(mention.tokens.start).and_then(|t| doc.sentences.get(t.sentence))
    else {
        return true;
    };
    let asks = doc.tokens[sentence.tokens.clone()].iter().rev().take(3).any(|t| t.is('?'));
    let lead = sentence.tokens.start.max(mention.tokens.start.saturating_sub(30))..mention.tokens.start;
    let hedges =
        |t: &Token<'_>| HEDGES.contains(&&*t.folded) && matches!(t.shape, Shape::Lower | Shape::Capital);
    asks || doc.tokens[lead].iter().any(hedges)
}
