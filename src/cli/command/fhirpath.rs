//! `fhirpath EXPR [FILE]`: what an expression yields in a document, item by item with its type and place. What it prints
//! is the document's own content.

use std::fmt::Write;

use super::super::args::Fhirpath;
use super::super::clock;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::input;
use super::super::output::Done;
use super::convert::annotated;
use crate::json::{self, Limits, Number, Object, Value};
use crate::object;
use crate::validate::fhirpath::{Context, Expression, Item, Model};
use crate::validate::tree::write::{self, Style};
use crate::validate::tree::{Naming, NodeId, Tree};
use crate::validate::types::Types;

pub(crate) fn run(args: &Fhirpath) -> Result<Done, Failure> {
    let expression = Expression::parse(&args.expression).map_err(|error| {
        Failure::new(Exit::Usage, "fhirpath-syntax", error.to_string())
            .help("a FHIRPath expression, in quotes for the shell: 'Patient.name.given'")
    })?;
    let bytes = input::read(&args.file, Limits::BUNDLE)?;
    let (tree, shared) = annotated(&bytes, args.release.said(), &args.file)?;
    let types = shared.programs().types();
    let model = Model::new(std::sync::Arc::clone(types));
    let now = clock::now().to_string();
    let context = Context::new(&tree, &model).at_time(&now);
    let found = context.evaluate(&expression, NodeId::ROOT).map_err(|stop| {
        Failure::new(Exit::Failed, "fhirpath-stopped", stop.to_string()).in_file(&args.file)
    })?;
    let document = whole(&tree, types);
    let mut human = String::new();
    let mut items = Vec::new();
    for item in found.as_slice() {
        let object = described(item, &context, types, document.as_ref());
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let value = match object.get("value") {
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_text(),
            None => String::new(),
        };
        let _ = writeln!(human, "{}\t{}\t{value}", text("type"), text("path"));
        items.push(Value::Object(object));
    }
    Ok(Done::new(human, Value::Array(items)))
}

/// The document as JSON, for the values of elements that have children.
fn whole(tree: &Tree<'_>, types: &Types) -> Option<Value> {
    let text = write::json(tree, types, Style::Compact).ok();
    let text = text.as_deref().or_else(|| tree.is_json().then(|| tree.source()))?;
    json::parse_with(text.as_bytes(), Limits::BUNDLE).ok()
}

fn described(
    item: &Item<'_>,
    context: &Context<'_>,
    types: &Types,
    document: Option<&Value>,
) -> Object {
    let system = |name: &str, value: Value| {
        let mut object = object! { "type" => format!("System.{name}") };
        object.insert("value", value);
        object
    };
    let number = |text: String| Number::from_text(&text).map_or(Value::String(text), Value::Number);
    match item {
        Item::Node(node) => {
            let tree = context.tree();
            let mut object = object! {
                "type" => context.type_name(*node),
                "path" => tree.expression(*node, types, Naming::AsWritten),
            };
            let value =
                document.and_then(|document| document.pointer(tree.pointer(*node).as_str()));
            let text = || tree.text(*node).map(|text| Value::String(text.to_owned()));
            if let Some(value) = value.cloned().or_else(text) {
                object.insert("value", value);
            }
            object
        }
        Item::Boolean(value) => system("Boolean", Value::Bool(*value)),
        Item::Integer(value) => system("Integer", number(value.to_string())),
        Item::Decimal(value) => system("Decimal", number(value.to_string())),
        Item::Text(text) => system("String", Value::String(text.clone().into_owned())),
        Item::Temporal(value) => {
            let text = value.to_string();
            let name = match (text.contains('T'), text.contains(':')) {
                (true, _) => "DateTime",
                (false, true) => "Time",
                (false, false) => "Date",
            };
            system(name, Value::String(text))
        }
        Item::Quantity(value) => system("Quantity", Value::String(value.to_string())),
        Item::Type(namespace, name) => {
            system("TypeInfo", Value::String(format!("{namespace}.{name}")))
        }
        Item::Elsewhere(type_id) => object! { "type" => types.name(*type_id) },
    }
}
