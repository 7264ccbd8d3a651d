//! What ranking looks at: the live memories of one user in reading order, and where the words of the question occur.

use uuid::Uuid;

use super::words::count;

#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub id: Uuid,
    /// Memories of one conversation have the same number, others another one.
    pub conversation: Option<i64>,
    /// Seconds since 1970.
    pub created_at: f64,
    /// Rises in the order in which memories were stored.
    pub arrival: i64,
    /// In words, without stop words.
    pub length: f64,
    /// It ends with a question.
    pub asks: bool,
    pub importance: i32,
    /// Cosine with the question; none without an embedding on either side.
    pub similarity: Option<f64>,
    /// Whether it passes the filters of the call. Those that do not still count for document frequencies and context.
    pub allowed: bool,
}

/// A word of the question in a memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Index of the candidate.
    pub candidate: usize,
    pub frequency: f64,
    /// The word belongs to the name of the speaker.
    pub names_speaker: bool,
}

/// A word of the question.
#[derive(Debug, Default)]
pub struct Term {
    /// It belongs to what a long text asks.
    pub in_focus: bool,
    /// It belongs to a date and makes no memory a result, unless the question asks for nothing else.
    pub is_date: bool,
    pub hits: Vec<Hit>,
}

#[derive(Debug, Default)]
pub struct Corpus {
    candidates: Vec<Candidate>,
    terms: Vec<Term>,
    /// What a word counts that is not in the focus.
    rest: f64,
    names: Vec<Vec<usize>>,
}

impl Corpus {
    /// By index into `candidates`: `terms` has the words of the question, `names` the memories that mention
    /// each of the entities it names.
    pub fn new(candidates: Vec<Candidate>, mut terms: Vec<Term>, mut names: Vec<Vec<usize>>) -> Self {
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by(|&a, &b| reading_order(&candidates[a], &candidates[b]));
        let mut place = vec![0; candidates.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from] = to;
        }
        for hit in terms.iter_mut().flat_map(|term| &mut term.hits) {
            hit.candidate = place[hit.candidate];
        }
        for index in names.iter_mut().flatten() {
            *index = place[*index];
        }
        let mut slots: Vec<_> = candidates.into_iter().map(Some).collect();
        Self {
            candidates: order.iter().filter_map(|&from| slots[from].take()).collect(),
            rest: weight_of_rest(&terms),
            terms,
            names,
        }
    }

    /// What a word of the question counts.
    pub fn weight(&self, term: &Term) -> f64 {
        if term.in_focus { 1.0 } else { self.rest }
    }

    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    pub fn names(&self) -> &[Vec<usize>] {
        &self.names
    }

    /// The candidate `offset` places after this one in the same conversation.
    pub fn neighbour(&self, index: usize, offset: isize) -> Option<usize> {
        if offset == 0 {
            return Some(index);
        }
        let conversation = self.candidates[index].conversation?;
        let other = index.checked_add_signed(offset)?;
        let candidate = self.candidates.get(other)?;
        (candidate.conversation == Some(conversation)).then_some(other)
    }
}

/// All the rest of a long text together counts as much as the question in it.
fn weight_of_rest(terms: &[Term]) -> f64 {
    let words = terms.iter().filter(|term| !term.is_date).count();
    let inside = terms.iter().filter(|term| term.in_focus && !term.is_date).count();
    match words - inside {
        outside if inside == 0 || outside == 0 => 1.0,
        outside => (count(inside) / count(outside)).min(1.0),
    }
}

fn reading_order(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    (a.conversation.cmp(&b.conversation))
        .then(a.created_at.total_cmp(&b.created_at))
        .then(a.arrival.cmp(&b.arrival))
        .then(a.id.cmp(&b.id))
}
