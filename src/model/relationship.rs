use serde::{Deserialize, Serialize};

use super::EntityType;

macro_rules! relationship_types {
    ($($variant:ident $name:literal,)+) => {
        /// The relationship types of the application: the only edge types ever written between entities.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum RelationshipType { $(#[serde(rename = $name)] $variant,)+ }

        impl RelationshipType {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

relationship_types! {
    WorksWith "WORKS_WITH",
    ReportsTo "REPORTS_TO",
    WorksFor "WORKS_FOR",
    Leads "LEADS",
    WorksOn "WORKS_ON",
    ExpertIn "EXPERT_IN",
    LocatedIn "LOCATED_IN",
    FriendOf "FRIEND_OF",
    FamilyOf "FAMILY_OF",
    MarriedTo "MARRIED_TO",
    SiblingOf "SIBLING_OF",
    SameAs "SAME_AS",
    PartnersWith "PARTNERS_WITH",
    CompetesWith "COMPETES_WITH",
    Owns "OWNS",
    RelatedTo "RELATED_TO",
    DependsOn "DEPENDS_ON",
    PartOf "PART_OF",
    SubtopicOf "SUBTOPIC_OF",
    AssociatedWith "ASSOCIATED_WITH",
}

/// A relationship that a memory states, in canonical form. Both ends are among the memory's entities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relationship {
    pub from_type: EntityType,
    pub from_value: String,
    pub from_normalized: String,
    pub to_type: EntityType,
    pub to_value: String,
    pub to_normalized: String,
    pub relationship_type: RelationshipType,
    pub confidence: f64,
    pub evidence: String,
}
