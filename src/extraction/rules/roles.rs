//! Jobs, as apposition and signatures name them: "our new senior engineer", "VP Operations".

#[rustfmt::skip]
const JOBS: &[&str] = &[
    "ceo", "cto", "cfo", "coo", "cmo", "cpo", "ciso", "vp", "svp", "president", "chairman", "chairwoman",
    "founder", "co-founder", "cofounder", "director", "manager", "head", "lead", "engineer", "developer",
    "designer", "architect", "analyst", "consultant", "scientist", "researcher", "accountant", "lawyer",
    "attorney", "counsel", "recruiter", "intern", "partner", "owner", "officer", "assistant", "secretary",
    "professor", "teacher", "nurse", "therapist", "editor", "writer",
];
#[rustfmt::skip]
const MODIFIERS: &[&str] = &[
    "the", "a", "an", "our", "my", "their", "his", "her", "its", "new", "senior", "junior", "chief",
    "executive", "general", "managing", "principal", "staff", "vice", "regional", "global", "technical",
    "technology", "financial", "operating", "marketing", "product", "project", "program", "programme",
    "software", "data", "engineering", "sales", "design", "research", "operations", "finance", "hr", "people",
    "legal", "account", "security", "it", "support",
];
const JOINERS: &[&str] = &["of", "and", "&", ","];

pub(super) fn is_job(word: &str) -> bool {
    JOBS.contains(&word)
}

pub(super) fn is_modifier(word: &str) -> bool {
    MODIFIERS.contains(&word)
}

/// Only words of a job, and one that names it: "a senior engineer", "head of marketing".
pub(super) fn describe_job(words: &[&str]) -> bool {
    let fits = |word: &&str| is_job(word) || is_modifier(word) || JOINERS.contains(word);
    words.iter().all(fits) && words.iter().any(|word| is_job(word))
}
