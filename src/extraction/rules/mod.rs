//! Finds entities and relations in English text by rules, offline. Precision before recall: a finding needs a
//! cue in the text (a legal suffix, a title, a known given name, "Project …", "in …"), and what is unclear
//! is left out.
//!
//! A text is read once into tokens and sentences ([`sentence::Doc`]); each rule walks over the tokens and
//! claims those it explains, the surest rule first. Everything is linear in the length of the text.

mod actions;
mod address;
mod collect;
mod companies;
mod contacts;
mod departments;
mod display_names;
mod known_names;
mod mailboxes;
mod mention;
mod name_words;
mod normalize;
mod organisations;
mod people;
mod people_cues;
mod places;
mod projects;
mod relations;
mod roles;
mod sentence;
mod tables;
#[cfg(test)]
mod tests;
mod token;

pub(super) use normalize::fold;
pub use normalize::normalize;

use crate::model::{EntitySource as Source, EntityType as Kind, RelationshipType as RelationKind};
use collect::Collector;

#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub kind: Kind,
    /// As the text writes it.
    pub value: String,
    /// See [`normalize`].
    pub normalized: String,
    pub confidence: f64,
    pub source: Source,
    /// The sentence around it, at most 160 characters.
    pub context: String,
    /// Of a person: e-mail addresses that the text writes beside the name.
    pub addresses: Vec<String>,
    /// Of an action item, where the text names it.
    pub assignee: Option<String>,
    /// Of an action item, as the text writes it.
    pub deadline: Option<String>,
}

/// A stated relation between two findings, by their index in [`Extraction::found`].
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    pub from: usize,
    pub to: usize,
    pub kind: RelationKind,
    pub confidence: f64,
    /// The sentence that states it.
    pub evidence: String,
}

/// What is known about a text besides the text.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hints<'a> {
    /// Its heading or summary.
    pub subject: Option<&'a str>,
    /// Header values of an e-mail. `from`, `to`, `cc`, `bcc`, `sender` and `reply-to` are read, in any case.
    pub metadata: &'a [(&'a str, &'a str)],
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extraction {
    pub found: Vec<Found>,
    pub relations: Vec<Relation>,
}

const ADDRESS_HEADERS: &[&str] = &["from", "to", "cc", "bcc", "sender", "reply-to"];

/// Whether a member of the metadata is a header that says who wrote to whom, or about what.
pub(super) fn is_mail_header(key: &str) -> bool {
    is_address_header(key) || is_subject(key)
}

fn is_address_header(key: &str) -> bool {
    ADDRESS_HEADERS.iter().any(|header| header.eq_ignore_ascii_case(key))
}

fn is_subject(key: &str) -> bool {
    key.eq_ignore_ascii_case("subject")
}

/// Total for any input, in linear time. Each entity (kind and normalized form) is found once, with its
/// highest confidence.
pub fn extract(text: &str, hints: &Hints<'_>) -> Extraction {
    let mut collector = Collector::default();
    for (key, value) in hints.metadata {
        if is_address_header(key) {
            collector.add_header(value);
        } else if is_subject(key) {
            collector.add_text(value, &Source::Subject);
        }
    }
    if let Some(subject) = hints.subject {
        collector.add_text(subject, &Source::Subject);
    }
    collector.add_text(text, &Source::Body);
    collector.finish()
}
