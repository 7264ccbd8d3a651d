//! What the rules found in one text, before spellings are merged.

use std::ops::Range;

use super::Kind;
use super::sentence::Doc;

#[derive(Debug)]
pub(super) struct Mention {
    pub kind: Kind,
    pub value: String,
    pub confidence: f64,
    /// The tokens it stands on.
    pub tokens: Range<usize>,
    /// Of a person, written beside the name.
    pub address: Option<String>,
    pub assignee: Option<String>,
    pub deadline: Option<String>,
}

/// The mentions of one text. A token belongs to at most one of them: the rule that runs first wins.
#[derive(Debug)]
pub(super) struct Mentions {
    pub list: Vec<Mention>,
    /// For each token the index of its mention.
    owner: Vec<Option<usize>>,
}

impl Mentions {
    pub fn new(doc: &Doc<'_>) -> Self {
        Self { list: Vec::new(), owner: vec![None; doc.tokens.len()] }
    }

    pub fn is_free(&self, at: usize) -> bool {
        self.owner.get(at).is_some_and(Option::is_none)
    }

    pub fn at(&self, token: usize) -> Option<&Mention> {
        self.owner.get(token).copied().flatten().and_then(|index| self.list.get(index))
    }

    /// Adds a finding that claims its tokens.
    pub fn claim(&mut self, kind: Kind, tokens: Range<usize>, value: String, confidence: f64) {
        self.owner[tokens.clone()].fill(Some(self.list.len()));
        self.add(Mention { kind, value, confidence, tokens, address: None, assignee: None, deadline: None });
    }

    /// The same for a person whose name stands beside an address.
    pub fn claim_addressed(&mut self, tokens: Range<usize>, name: String, confidence: f64, address: &str) {
        self.claim(Kind::Person, tokens, name, confidence);
        if let Some(person) = self.list.last_mut() {
            person.address = Some(address.to_owned());
        }
    }

    /// The findings in the order of the text.
    pub fn in_order(mut self) -> Vec<Mention> {
        self.list.sort_by_key(|m| m.tokens.start);
        self.list
    }

    /// Adds a finding that leaves its tokens to other rules.
    pub fn add(&mut self, mention: Mention) {
        self.list.push(mention);
    }
}
