use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The entity types: the application's seven, and tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityType {
    Person,
    Company,
    Project,
    Date,
    Topic,
    Location,
    Tool,
    ActionItem,
}

impl EntityType {
    pub const ALL: [Self; 8] = [
        Self::Person,
        Self::Company,
        Self::Project,
        Self::Date,
        Self::Topic,
        Self::Location,
        Self::Tool,
        Self::ActionItem,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
            Self::Project => "project",
            Self::Date => "date",
            Self::Topic => "topic",
            Self::Location => "location",
            Self::Tool => "tool",
            Self::ActionItem => "action_item",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The graph label: tools are kept with projects, dates and action items with topics, as the application reads them.
    pub fn label(self) -> Label {
        match self {
            Self::Person => Label::Person,
            Self::Company => Label::Company,
            Self::Project | Self::Tool => Label::Project,
            Self::Date | Self::Topic | Self::ActionItem => Label::Topic,
            Self::Location => Label::Location,
        }
    }
}

/// The application's labels for entity nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Label {
    Person,
    Company,
    Project,
    Topic,
    Location,
}

impl Label {
    pub const ALL: [Self; 5] = [Self::Person, Self::Company, Self::Project, Self::Topic, Self::Location];

    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "Person",
            Self::Company => "Company",
            Self::Project => "Project",
            Self::Topic => "Topic",
            Self::Location => "Location",
        }
    }
}

/// A set of words that a model may leave: another one is kept as it was said.
macro_rules! open_set {
    ($(#[$meta:meta])* $name:ident { $($variant:ident $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub enum $name { $($variant,)+ Other(String) }

        impl $name {
            /// The words of the set.
            pub const WORDS: &[&str] = &[$($word,)+];

            pub fn name(&self) -> &str {
                match self { $(Self::$variant => $word,)+ Self::Other(word) => word }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                match word.as_str() { $($word => Self::$variant,)+ _ => Self::Other(word) }
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.name().to_owned()
            }
        }
    };
}

open_set! {
    /// Where in the source text an entity was found.
    EntitySource { Metadata "metadata", Body "body", Subject "subject", }
}

open_set! {
    /// Of an action item.
    Priority { Low "low", Medium "medium", High "high", }
}

/// One entity mentioned by a memory, in canonical form: texts are trimmed and bounded, `normalized` is never empty,
/// `confidence` has six decimals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: EntityType,
    pub value: String,
    pub normalized: String,
    pub confidence: f64,
    pub source: EntitySource,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assignee: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deadline: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub priority: Option<Priority>,
}

/// The unique key of an entity node: SHA-256 over user, label and normalized name, each length-prefixed, so that no
/// two users and no two names can meet. The SQL function `izzie_memory.entity_key` computes the same.
pub fn entity_key(user_id: &str, label: Label, normalized: &str) -> String {
    let mut hash = Sha256::new();
    for part in [user_id, label.name(), normalized] {
        hash.update(format!("{}:", part.len()));
        hash.update(part);
    }
    format!("{:x}", hash.finalize())
}
