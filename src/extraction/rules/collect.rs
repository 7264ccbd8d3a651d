//! Merges the mentions of all texts of a memory into entities, each once.

use std::borrow::Cow;
use std::collections::HashMap;

use super::address::name_in;
use super::mailboxes::mailboxes;
use super::mention::{Mention, Mentions};
use super::relations::{self, Link};
use super::sentence::Doc;
use super::{
    Extraction, Found, Kind, Relation, Source, actions, companies, contacts, known_names, normalize, people,
    places, projects,
};

#[derive(Default)]
pub(super) struct Collector {
    mentions: Vec<Found>,
    links: Vec<Link>,
}

impl Collector {
    pub fn add_text(&mut self, text: &str, source: &Source) {
        let doc = Doc::parse(text);
        let mut mentions = Mentions::new(&doc);
        contacts::find(&doc, &mut mentions);
        companies::find(&doc, &mut mentions);
        projects::find(&doc, &mut mentions);
        known_names::find(&doc, &mut mentions);
        places::find(&doc, &mut mentions);
        people::find(&doc, &mut mentions);
        actions::find(&doc, &mut mentions);
        let mentions = mentions.in_order();
        let first = self.mentions.len();
        let links = relations::find(&doc, &mentions);
        self.links.extend(links.into_iter().map(|l| Link { from: l.from + first, to: l.to + first, ..l }));
        self.mentions.extend(mentions.into_iter().map(|m| {
            let context = doc.context(m.tokens.start);
            found(m, source.clone(), context)
        }));
    }

    /// The people of an address header.
    pub fn add_header(&mut self, header: &str) {
        for mailbox in mailboxes(header) {
            let (value, confidence, address) = match (mailbox.name, mailbox.address) {
                (Some(name), address) => (name, 0.95, address.map(Cow::into_owned)),
                (None, Some(address)) => match name_in(&address) {
                    Some(name) => (name, 0.85, None),
                    None => (address.into_owned(), 0.8, None),
                },
                (None, None) => continue,
            };
            let mention = Mention {
                kind: Kind::Person,
                value,
                confidence,
                tokens: 0..0,
                address,
                assignee: None,
                deadline: None,
            };
            self.mentions.push(found(mention, Source::Metadata, clipped(header)));
        }
    }

    pub fn finish(self) -> Extraction {
        let aliases = Aliases::of(&self.mentions);
        let mut entities: Vec<Found> = Vec::new();
        let mut index: HashMap<(Kind, String), usize> = HashMap::new();
        let mut entity_of: Vec<usize> = Vec::with_capacity(self.mentions.len());
        for mut mention in self.mentions {
            let full = aliases.full(&mention).map(str::to_owned);
            let alias = full.is_some();
            let key = (mention.kind, full.unwrap_or_else(|| mention.normalized.clone()));
            let at = *index.entry(key.clone()).or_insert(entities.len());
            entity_of.push(at);
            match entities.get_mut(at) {
                None => {
                    mention.normalized = key.1;
                    entities.push(mention);
                }
                Some(known) => merge(known, mention, alias),
            }
        }
        let relations = relations_between(self.links, &entity_of);
        Extraction { found: entities, relations }
    }
}

fn found(mention: Mention, source: Source, context: String) -> Found {
    let normalized = normalize(mention.kind, &mention.value);
    let Mention { kind, value, confidence, address, assignee, deadline, .. } = mention;
    let addresses = address.into_iter().collect();
    Found { kind, value, normalized, confidence, source, context, addresses, assignee, deadline }
}

fn clipped(header: &str) -> String {
    header.chars().take(160).collect()
}

/// Keeps the surer of two mentions of one entity, the full form of its name, and all its addresses.
fn merge(known: &mut Found, mut mention: Found, alias: bool) {
    known.addresses.append(&mut mention.addresses);
    if alias
        || mention.confidence <= known.confidence && normalize(known.kind, &known.value) == known.normalized
    {
        known.confidence = known.confidence.max(if alias { 0.0 } else { mention.confidence });
        return;
    }
    let (normalized, addresses) = (known.normalized.clone(), std::mem::take(&mut known.addresses));
    *known = Found { normalized, addresses, ..mention };
}

fn relations_between(links: Vec<Link>, entity_of: &[usize]) -> Vec<Relation> {
    let mut relations: Vec<Relation> = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for Link { from, to, kind, confidence, evidence } in links {
        let (Some(&from), Some(&to)) = (entity_of.get(from), entity_of.get(to)) else { continue };
        if from != to && seen.insert((from, to, kind)) {
            relations.push(Relation { from, to, kind, confidence, evidence });
        }
    }
    relations
}

/// "Sarah" and "Dr. Chen" beside one "Sarah Chen" are she; "Austin" beside "Austin, TX" is that one.
#[derive(Default)]
struct Aliases {
    /// The full form of each part of a name; `None` if several share it.
    full: HashMap<(Kind, String), Option<String>>,
}

impl Aliases {
    fn of(mentions: &[Found]) -> Self {
        let mut aliases = Self::default();
        for mention in mentions {
            for part in parts(mention) {
                let entry = aliases.full.entry((mention.kind, part));
                let full = entry.or_insert_with(|| Some(mention.normalized.clone()));
                if full.as_ref() != Some(&mention.normalized) {
                    *full = None;
                }
            }
        }
        aliases
    }

    fn full(&self, mention: &Found) -> Option<&str> {
        self.full.get(&(mention.kind, mention.normalized.clone()))?.as_deref()
    }
}

/// The short forms under which a text may go on speaking of an entity.
fn parts(mention: &Found) -> Vec<String> {
    match mention.kind {
        Kind::Person => match mention.normalized.split_once(' ') {
            Some((first, rest)) => {
                [first, rest.rsplit(' ').next().unwrap_or(rest)].map(str::to_owned).to_vec()
            }
            None => Vec::new(),
        },
        Kind::Location => match mention.value.split_once(',') {
            Some((city, _)) => vec![normalize(Kind::Location, city)],
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}
