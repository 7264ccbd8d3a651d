//! What is sent: the conversation, and the form that the answer shall have.

use serde::Serialize;
use serde_json::{Value, json};

use super::answer::Answer;
use super::memory_text::{Piece, head};
use crate::model::{EntityType, RelationshipType};

const INSTRUCTIONS: &str = include_str!("instructions.txt");

/// How much of an answer that breaks the rules is sent back with them.
const QUOTED_BYTES: usize = 20_000;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Message {
    role: &'static str,
    content: String,
}

/// How the answer is asked for.
pub(super) struct Form {
    schema: bool,
    /// Models that reason take no temperature.
    temperature: bool,
}

/// From the fullest to the plainest.
pub(super) const FORMS: [Form; 4] = [
    Form { schema: true, temperature: true },
    Form { schema: true, temperature: false },
    Form { schema: false, temperature: true },
    Form { schema: false, temperature: false },
];

#[derive(Serialize)]
pub(super) struct Question<'a> {
    model: &'a str,
    messages: &'a [Message],
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<u8>,
    response_format: Value,
}

impl<'a> Question<'a> {
    pub fn new(model: &'a str, messages: &'a [Message], form: &Form) -> Self {
        let response_format = match form.schema {
            true => json!({
                "type": "json_schema",
                "json_schema": { "name": "extraction", "strict": true, "schema": schema() },
            }),
            false => json!({ "type": "json_object" }),
        };
        Self { model, messages, temperature: form.temperature.then_some(0), response_format }
    }
}

/// The memory stands between two lines of a random mark that it does not contain, so that nothing in it can end it.
pub(super) fn about(piece: &Piece) -> Vec<Message> {
    let text: String =
        piece.parts().map(|(source, text)| format!("{}\n{}\n", source.name(), text.trim_end())).collect();
    let mark = mark_for(&text);
    let content = format!("The mark is {mark}.\n{mark}\n{text}{mark}");
    vec![Message { role: "system", content: INSTRUCTIONS.to_owned() }, Message { role: "user", content }]
}

fn mark_for(text: &str) -> String {
    loop {
        let mark = format!("MEMORY-{:016x}", rand::random::<u64>());
        if !text.contains(&mark) {
            return mark;
        }
    }
}

/// Sends an answer back. `problem` is in words of ours.
pub(super) fn repair(answer: &Answer, problem: &str) -> [Message; 2] {
    let request = format!(
        "That answer breaks the rules: {problem}. Answer again with the whole JSON object, following all rules."
    );
    [
        Message { role: "assistant", content: head(&answer.text, QUOTED_BYTES).to_owned() },
        Message { role: "user", content: request },
    ]
}

/// As strict schemas must be: every member required, no other allowed, `null` for what there is not.
fn schema() -> Value {
    let types: Vec<_> = EntityType::ALL.iter().map(|kind| kind.name()).collect();
    let relationship_types: Vec<_> = RelationshipType::ALL.iter().map(|kind| kind.name()).collect();
    let text = json!({ "type": "string" });
    let number = json!({ "type": "number" });
    let optional = json!({ "type": ["string", "null"] });
    let entity = json!({
        "type": { "type": "string", "enum": types },
        "value": text,
        "confidence": number,
        "source": { "type": "string", "enum": ["metadata", "subject", "body"] },
        "context": optional,
        "assignee": optional,
        "deadline": optional,
        "priority": { "type": ["string", "null"], "enum": ["low", "medium", "high", null] },
    });
    let relationship = json!({
        "fromType": { "type": "string", "enum": types },
        "fromValue": text,
        "toType": { "type": "string", "enum": types },
        "toValue": text,
        "relationshipType": { "type": "string", "enum": relationship_types },
        "confidence": number,
        "evidence": text,
    });
    closed(json!({ "entities": list_of(entity), "relationships": list_of(relationship) }))
}

fn list_of(properties: Value) -> Value {
    json!({ "type": "array", "items": closed(properties) })
}

fn closed(properties: Value) -> Value {
    let required: Vec<_> = properties.as_object().into_iter().flat_map(|members| members.keys()).collect();
    json!({ "type": "object", "required": required, "properties": properties, "additionalProperties": false })
}
