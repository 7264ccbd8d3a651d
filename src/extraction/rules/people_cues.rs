//! The words around a name that say it is a person's.

use super::roles::{is_job, is_modifier};
use super::sentence::Doc;
use super::token::{Shape, Token};

/// Greetings, thanks and interjections that address somebody.
#[rustfmt::skip]
pub(super) const VOCATIVES: &[&str] = &[
    "hey", "hi", "hello", "dear", "bye", "goodbye", "thanks", "thank", "you", "congrats", "congratulations",
    "welcome", "wow", "yeah", "yes", "yep", "yup", "no", "nope", "ok", "okay", "sure", "morning",
    "afternoon", "evening", "night", "cool", "awesome", "great", "nice", "sorry", "cheers", "agreed",
    "absolutely", "definitely", "totally", "whoa", "oh", "aw", "aww", "please",
];
#[rustfmt::skip]
pub(super) const KIN: &[&str] = &[
    "wife", "husband", "son", "daughter", "brother", "sister", "mother", "father", "mom", "mum", "dad",
    "aunt", "uncle", "cousin", "niece", "nephew", "girlfriend", "boyfriend", "fiancé", "fiancee", "fiance",
    "grandma", "grandpa",
];
/// Particles inside names ("Vincent van Gogh"), in lower case.
pub(super) const PARTICLES: &[&str] = &[
    "van", "von", "de", "der", "den", "del", "della", "da", "di", "dos", "das", "du", "la", "le", "ter",
    "ten", "bin", "ibn", "al", "el", "zu", "af", "av", "y",
];
/// Whom a name is put beside, apart from jobs.
#[rustfmt::skip]
const ACQUAINTANCES: &[&str] = &[
    "doctor", "senator", "minister", "author", "singer", "actor", "actress", "colleague", "coworker",
    "co-worker", "teammate", "boss", "friend", "neighbor", "neighbour", "roommate", "mentor", "landlord",
];
/// Everyday words that are common surnames too: behind a given name they are one.
const SURNAMES: &[&str] = &[
    "brown", "white", "green", "black", "gray", "grey", "young", "king", "cook", "hill", "hall", "long",
    "price", "park", "lane", "day", "love", "rice", "church", "page", "moon", "snow", "stone", "best",
    "little", "french", "power", "wolf", "may", "march", "bishop", "prince", "baker", "fisher", "wood",
    "bell", "bush", "case", "lake", "rivers", "dean",
];
/// Verbs whose subject is a person.
#[rustfmt::skip]
const SPEECH: &[&str] = &[
    "said", "says", "told", "asked", "wrote", "replied", "mentioned", "suggested", "thinks", "emailed",
    "promised", "explained", "added", "agreed", "insisted", "texted", "laughed", "smiled",
];
/// Verbs whose object is a person.
#[rustfmt::skip]
const PERSONAL_VERBS: &[&str] = &[
    "met", "emailed", "hired", "interviewed", "told", "asked", "thanked", "married", "texted", "phoned",
    "introduced", "congratulated",
];
#[rustfmt::skip]
const PERSONAL_PHRASES: &[&str] = &[
    "met with", "spoke with", "spoke to", "talked to", "talked with", "lunch with", "dinner with",
    "coffee with", "call with", "interview with", "chat with", "reports to", "married to", "written by",
    "assigned to", "name is", "named after",
];
/// Verbs after a plain given name at the start of a sentence.
#[rustfmt::skip]
const ACTIONS: &[&str] = &[
    "is", "was", "has", "had", "will", "would", "can", "could", "should", "and", "who", "works", "worked",
    "lives", "lived", "leads", "led", "reports", "manages", "runs", "joined", "left", "moved", "wants",
    "wanted", "needs", "needed", "sent", "called", "came", "went", "loves", "likes", "loved", "gave",
    "took", "made", "got", "started", "finished", "agreed", "presented", "shared", "thinks", "knows",
    "helped", "brought", "bought", "found", "met", "plans", "prefers", "owns", "confirmed", "approved",
    "signed", "visited", "takes", "handles", "prepares", "reviewed", "reviews", "fixed", "wrote", "hates",
    "doesn't", "didn't", "isn't", "to", "from", "flew", "ran", "spoke", "sang", "drove", "read", "held",
    "kept", "lost", "won", "sold", "saw", "heard", "felt", "knew", "became", "began", "chose", "grew",
    "taught", "built", "broke", "drew", "ate", "drank", "slept", "woke", "threw", "fell", "forgot", "paid",
    "rode", "sat", "stood", "understood", "wore", "hurt", "cut", "put", "caught", "fought", "meant", "spent",
    "rang", "wins",
];
/// Words before a plain given name.
#[rustfmt::skip]
const LEADS: &[&str] = &[
    "with", "from", "to", "by", "for", "of", "about", "like", "than", "met", "meet", "meeting", "see", "seen",
    "saw", "seeing", "visit", "visited", "call", "called", "calling", "tell", "told", "telling", "ask",
    "asked", "asking", "email", "emailed", "ping", "pinged", "message", "contact", "know", "knew", "love",
    "miss", "invite", "invited", "help", "helped", "helping", "let", "give", "gave", "show", "showed",
    "when", "that", "if", "because", "and", "named", "remind", "reminded", "thank", "hire", "hired",
    "interview", "interviewed", "introduce", "introduced", "married", "but", "where", "while", "after",
    "before", "or", "between", "cc", "join", "joined", "where's", "colleague", "friend", "boss", "manager",
    "neighbor", "neighbour", "mentor", "teammate", "roommate", "coworker", "chase", "bring", "brought",
    "heard", "paid", "owe", "owes", "congratulate", "loop", "include", "including", "assign", "assigned",
    "without", "how", "whether", "since", "said", "wow", "yeah", "hey", "hi", "hello", "dear", "bye",
    "thanks", "congrats", "yes", "ok", "okay", "is", "was", "does", "did", "has", "as", "send", "sent",
];

pub(super) fn is_role(word: &str) -> bool {
    is_job(word) || ACQUAINTANCES.contains(&word) || matches!(word, "chief" | "senior" | "vice" | "executive")
}

pub(super) fn is_surname(word: &str) -> bool {
    SURNAMES.contains(&word)
}

pub(super) fn speaks(token: &Token<'_>) -> bool {
    SPEECH.contains(&&*token.folded)
}

/// A verb of a person, by the list or by its ending ("asked", "hosts").
pub(super) fn acts(token: &Token<'_>) -> bool {
    let word = &*token.folded;
    let ending = word.ends_with("ed") || word.ends_with('s') && !word.ends_with("ss");
    let inflected = word.len() >= 5 && ending;
    token.shape == Shape::Lower && (inflected || ACTIONS.contains(&&*token.folded) || speaks(token))
}

/// A word after which even an ambiguous given name with a surname is a person: not one that places and
/// things follow as well.
pub(super) fn leads_to_person(token: &Token<'_>) -> bool {
    let loose = [
        "from", "to", "by", "for", "of", "about", "like", "than", "see", "saw", "and", "or", "is", "was",
        "as",
    ];
    let looser = [
        "visit", "visited", "join", "joined", "call", "love", "miss", "know", "after", "before", "if", "when",
    ];
    takes_person_before(token) && !loose.contains(&&*token.folded) && !looser.contains(&&*token.folded)
}

pub(super) fn takes_person_before(token: &Token<'_>) -> bool {
    LEADS.contains(&&*token.folded) || KIN.contains(&&*token.folded)
}

/// "met …", "lunch with …", "our CTO …", "my brother …".
pub(super) fn introduces_person(doc: &Doc<'_>, at: usize) -> bool {
    let verb = doc.follows_word(at) && doc.before(at).is_some_and(|t| PERSONAL_VERBS.contains(&&*t.folded));
    verb || follows_role(doc, at) || PERSONAL_PHRASES.iter().any(|phrase| doc.words_before(at, phrase))
}

/// A role or a relative right before the name, in lower case or as an abbreviation ("engineer", "CTO").
fn follows_role(doc: &Doc<'_>, at: usize) -> bool {
    let before = doc.before(at).filter(|_| doc.follows_word(at));
    before.is_some_and(|t| {
        let written =
            matches!(t.shape, Shape::Lower | Shape::Upper) && t.folded != "head" && t.folded != "lead";
        written && (is_role(&t.folded) || KIN.contains(&&*t.folded))
    })
}

/// "… said", "…, our new CTO", "… (CEO)".
pub(super) fn tells_of_person(doc: &Doc<'_>, end: usize) -> bool {
    let Some(last) = end.checked_sub(1) else { return false };
    let Some(next) = doc.after(last).filter(|_| !doc.tokens[last].possessive) else { return false };
    if next.shape == Shape::Lower {
        return matches!(&*next.folded, "said" | "told" | "wrote" | "replied" | "emailed" | "asked")
            && doc.follows_word(end);
    }
    next.is_one_of(&[',', '(']) && role_follows(doc, end)
}

/// A job or an acquaintance after the mark, with nothing but what belongs to it before.
fn role_follows(doc: &Doc<'_>, mark: usize) -> bool {
    let mut words = (mark..mark + 5).map_while(|i| doc.after(i)).skip_while(|t| is_modifier(&t.folded));
    words.next().is_some_and(|t| is_job(&t.folded) || ACQUAINTANCES.contains(&&*t.folded))
}
