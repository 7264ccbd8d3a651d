//! The second label of an entity node, for people who look at the graph: one per type, of ours only, so that no statement
//! of another program meets our nodes.

use std::sync::LazyLock;

use crate::model::{EntityType, Label};

/// What nodes carried up to projection version 1: the application's labels.
pub(super) const FORMER: [&str; 6] = ["Memory", "Person", "Company", "Project", "Topic", "Location"];

/// `IzzieActionItem` of `action_item`.
pub(super) fn of(kind: EntityType) -> String {
    let mut label = String::from("Izzie");
    for word in kind.name().split('_') {
        let mut letters = word.chars();
        label.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        label.push_str(letters.as_str());
    }
    label
}

/// All of them, in the order of the types.
pub(super) static ALL: LazyLock<Vec<String>> = LazyLock::new(|| EntityType::ALL.map(of).into());

/// Every label that an entity may carry or have carried beside `:IzzieEntity`.
pub(super) fn all_and_former() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(String::as_str).chain(FORMER)
}

/// The types that share a node: its key holds their common label.
pub(super) fn types_of(label: Label) -> Vec<&'static str> {
    EntityType::ALL.into_iter().filter(|kind| kind.label() == label).map(EntityType::name).collect()
}

/// The label of the key, as the other graph keeps it, of a node with this type and these labels of the table; what does
/// not fit together is told as it is.
pub(super) fn told(kind: &str, labels: &[String]) -> String {
    match EntityType::named(kind) {
        Some(kind) if labels == [of(kind)] => kind.label().name().to_owned(),
        _ => labels.join("+"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_label_of_ours_and_none_of_the_applications() {
        assert_eq!(of(EntityType::Person), "IzziePerson");
        assert_eq!(of(EntityType::ActionItem), "IzzieActionItem");
        for label in ALL.iter() {
            assert!(label.starts_with("Izzie") && !FORMER.contains(&label.as_str()), "{label}");
        }
        let mut distinct = ALL.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), EntityType::ALL.len());
    }

    #[test]
    fn a_node_that_fits_tells_the_label_of_its_key() {
        assert_eq!(told("tool", &["IzzieTool".to_owned()]), "Project");
        assert_eq!(told("tool", &["IzzieProject".to_owned()]), "IzzieProject");
        assert_eq!(told("person", &["IzziePerson".to_owned(), "Person".to_owned()]), "IzziePerson+Person");
        assert_eq!(told("banana", &[]), "");
    }
}
