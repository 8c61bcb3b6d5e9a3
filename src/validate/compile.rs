//! From a StructureDefinition's snapshot to a [`Program`] (R4 5.1 "ElementDefinition", 5.4 "Snapshot").
//!
//! Everything that a walk would have to work out per document is worked out here once: choices become names, a content reference
//! becomes a number, canonical URLs of types become numbers of definitions. What is not used (texts, mappings, examples) is left.
//!
//! It refuses a definition without snapshot: generating one from the differential is another step that would stand before
//! this one. Slicing other than that of extensions by `url` is not compiled; the slices' own rules are left out, the
//! path is noted in [`Program::unchecked`], and what the sliced element itself demands holds.

use std::sync::OnceLock;

use super::program::{
    Aggregation, Binding, Child, Children, Constraint, Context, ContextKind, Element, ElementType,
    Form, Handle, Program, ProgramId, Programs, Refusal, Slice, Strength,
};
use super::types::{TypeId, TypeKind};
use crate::json::Value;

const SYSTEM: &str = "http://hl7.org/fhirpath/System.";
const FHIR: &str = "http://hl7.org/fhir/StructureDefinition/";

/// Compiles a StructureDefinition.
///
/// # Errors
/// [`Refusal`]
pub(super) fn program(
    structure: &Value,
    id: ProgramId,
    programs: &Programs,
) -> Result<Program, Refusal> {
    let type_name = structure.text("type").ok_or(Refusal::Malformed)?;
    let is_constraint = structure.text("derivation") == Some("constraint");
    let generic = match structure.get("snapshot") {
        // Where an extension may stand is said beside its elements, so that much is known without a snapshot.
        None if is_constraint && type_name == "Extension" => {
            programs.definitions().structure_of_type(type_name)
        }
        _ => None,
    };
    let is_partial = generic.is_some();
    let source = generic.as_deref().map_or(structure, |definition| definition.value());
    let snapshot = source.get("snapshot").ok_or(Refusal::NoSnapshot)?;
    let rows: Vec<&Value> = snapshot.items("element").collect();
    let kind = match structure.text("kind") {
        Some("primitive-type") => TypeKind::Primitive,
        Some("complex-type") => TypeKind::Complex,
        Some("resource") => TypeKind::Resource,
        _ => TypeKind::Logical,
    };
    let mut compiler = Compiler { programs, rows: &rows, kind, unchecked: Vec::new() };
    let mut elements = compiler.elements()?;
    if elements.is_empty() {
        return Err(Refusal::Malformed);
    }
    let unchecked = compiler.unchecked.into();
    let mut root = elements.remove(0);
    if is_partial {
        let own = structure
            .get("differential")
            .and_then(|differential| differential.items("element").next());
        root.is_modifier =
            own.and_then(|own| own.get("isModifier")).and_then(Value::as_bool) == Some(true);
    }
    Ok(Program {
        id,
        url: structure.text("url").unwrap_or_default().into(),
        version: structure.text("version").unwrap_or_default().into(),
        type_id: programs.types().id(type_name).unwrap_or(TypeId::UNKNOWN),
        kind,
        is_constraint,
        is_partial,
        root,
        elements: elements.into(),
        context: structure.items("context").filter_map(context).collect(),
        context_invariants: structure
            .items("contextInvariant")
            .filter_map(Value::as_str)
            .map(|expression| Constraint {
                key: "context".into(),
                is_error: true,
                is_best_practice: false,
                human: "".into(),
                expression: expression.into(),
                source: "".into(),
                compiled: OnceLock::new(),
            })
            .collect(),
        unchecked,
    })
}

fn context(row: &Value) -> Option<Context> {
    let kind = match row.text("type")? {
        "element" => ContextKind::Element,
        "extension" => ContextKind::Extension,
        "fhirpath" => ContextKind::FhirPath,
        _ => return None,
    };
    Some(Context { kind, expression: row.text("expression")?.into(), compiled: OnceLock::new() })
}

struct Compiler<'c> {
    programs: &'c Programs,
    rows: &'c [&'c Value],
    kind: TypeKind,
    unchecked: Vec<Box<str>>,
}

/// The last part of a path or id.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}

/// The value of the first extension of an element that has this URL, whatever its type.
fn extension<'v>(element: &'v Value, url: &str) -> Option<&'v Value> {
    let found = element.items("extension").find(|extension| extension.text("url") == Some(url))?;
    found.as_object()?.iter().find(|(name, _)| name.starts_with("value")).map(|(_, value)| value)
}

/// The value of a choice such as `fixed[x]`.
fn choice<'v>(element: &'v Value, stem: &str) -> Option<&'v Value> {
    let typed = |name: &str| {
        name.strip_prefix(stem)
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_uppercase()))
    };
    element.as_object()?.iter().find(|(name, _)| typed(name)).map(|(_, value)| value)
}

impl Compiler<'_> {
    fn elements(&mut self) -> Result<Vec<Element>, Refusal> {
        let ids: Vec<&str> = self
            .rows
            .iter()
            .map(|row| row.text("id").or_else(|| row.text("path")).unwrap_or_default())
            .collect();
        let mut numbers: Vec<(&str, usize)> =
            ids.iter().copied().enumerate().map(|(number, id)| (id, number)).collect();
        numbers.sort_unstable();
        numbers.dedup_by_key(|(id, _)| *id);
        let number_of = |id: &str| {
            let place = numbers.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            numbers.get(place).map(|(_, number)| *number)
        };
        let mut elements = Vec::with_capacity(self.rows.len());
        for (row, id) in self.rows.iter().zip(&ids) {
            elements.push(self.element(row, id, &number_of)?);
        }
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); elements.len()];
        let mut slices: Vec<Vec<usize>> = vec![Vec::new(); elements.len()];
        for (number, id) in ids.iter().enumerate().skip(1) {
            let (parent, name) = id.rsplit_once('.').ok_or(Refusal::Malformed)?;
            if let Some((sliced, _)) = name.split_once(':') {
                let sliced = number_of(&[parent, ".", sliced].concat());
                if let Some(list) = sliced.and_then(|sliced| slices.get_mut(sliced)) {
                    list.push(number);
                }
            } else if let Some(list) = number_of(parent).and_then(|parent| below.get_mut(parent)) {
                list.push(number);
            }
        }
        for number in 0..elements.len() {
            let children = self.children(&elements, below.get(number), &slices);
            let sliced = self.slices(number, &elements, &slices, &below);
            if let Some(element) = elements.get_mut(number) {
                element.children = children;
                element.slices = sliced;
            }
        }
        for number in 0..elements.len() {
            let counts = |at: &&usize| {
                elements.get(**at).is_some_and(|element| {
                    let mut slices = element
                        .slices
                        .iter()
                        .filter_map(|slice| elements.get(slice.element as usize));
                    slices.any(|slice| slice.min > 0 || slice.max < u32::MAX)
                })
            };
            let sliced: Vec<u32> = below
                .get(number)
                .into_iter()
                .flatten()
                .filter(counts)
                .filter_map(|at| u32::try_from(*at).ok())
                .collect();
            if let Some(element) = elements.get_mut(number).filter(|_| !sliced.is_empty()) {
                element.children.set_sliced(sliced);
            }
        }
        Ok(elements)
    }

    /// The children by the names that documents have.
    fn children(
        &self,
        elements: &[Element],
        below: Option<&Vec<usize>>,
        slices: &[Vec<usize>],
    ) -> Children {
        let mut children = Vec::new();
        let mut place = 0;
        for number in below.into_iter().flatten() {
            let (Some(element), Ok(at)) = (elements.get(*number), u32::try_from(*number)) else {
                continue;
            };
            // The value of a primitive is no child of it; its grammar is its type's.
            if self.kind == TypeKind::Primitive && &*element.name == "value" {
                continue;
            }
            if element.is_choice {
                let written = last(&element.path);
                let stem = u8::try_from(element.name.len()).unwrap_or(0);
                // One without types allows nothing; its name tells what is not allowed.
                if element.types.is_empty() {
                    children.push(Child {
                        name: written.into(),
                        element: at,
                        place,
                        of_type: 0,
                        stem,
                    });
                }
                for (of_type, row) in element.types.iter().enumerate() {
                    let type_name = self.programs.types().name(row.type_id);
                    let name = if written.ends_with("[x]") {
                        choice_name(&element.name, type_name)
                    } else {
                        written.to_owned()
                    };
                    // A slice of a choice by type says more about that type.
                    let slice = slices.get(*number).into_iter().flatten().find(|slice| {
                        elements.get(**slice).is_some_and(
                            |slice| matches!(&*slice.types, [one] if one.type_id == row.type_id),
                        )
                    });
                    let element = slice.and_then(|slice| u32::try_from(*slice).ok());
                    let of_type =
                        if element.is_some() { 0 } else { u16::try_from(of_type).unwrap_or(0) };
                    children.push(Child {
                        name: name.into(),
                        element: element.unwrap_or(at),
                        place,
                        of_type,
                        stem,
                    });
                }
            } else {
                children.push(Child {
                    name: element.name.clone(),
                    element: at,
                    place,
                    of_type: 0,
                    stem: 0,
                });
            }
            place += 1;
        }
        let required = |child: &Child| {
            elements.get(child.element as usize).is_some_and(|element| element.min > 0)
        };
        Children::new(children, required)
    }

    /// The slices of extensions, by their URLs; other slicings are noted as not checked.
    fn slices(
        &mut self,
        number: usize,
        elements: &[Element],
        slices: &[Vec<usize>],
        below: &[Vec<usize>],
    ) -> Box<[Slice]> {
        let Some(of) = slices.get(number).filter(|of| !of.is_empty()) else {
            return Box::default();
        };
        let Some(element) = elements.get(number) else { return Box::default() };
        if element.is_choice {
            return Box::default();
        }
        if !matches!(&*element.name, "extension" | "modifierExtension") {
            self.unchecked.push(element.path.clone());
            return Box::default();
        }
        let mut found = Vec::new();
        for slice in of {
            let Some(definition) = elements.get(*slice) else { continue };
            let profile = definition.types.iter().find_map(|row| row.profiles.first()).cloned();
            let fixed = || {
                let mut parts = below.get(*slice)?.iter().filter_map(|part| elements.get(*part));
                let url = parts.find(|part| &*part.name == "url")?;
                url.fixed.as_ref()?.as_str().map(Box::from)
            };
            // The URL of an extension is the canonical of its definition, without version.
            let url: Option<Box<str>> = fixed()
                .or_else(|| profile.map(|url| url.split('|').next().unwrap_or_default().into()));
            match (url, u32::try_from(*slice)) {
                (Some(url), Ok(element)) => found.push(Slice { url, element }),
                _ => self.unchecked.push(definition.id.clone()),
            }
        }
        found.into()
    }

    fn element(
        &self,
        row: &Value,
        id: &str,
        number_of: &impl Fn(&str) -> Option<usize>,
    ) -> Result<Element, Refusal> {
        let path = row.text("path").ok_or(Refusal::Malformed)?;
        let base = row.get("base");
        let written = last(path);
        let inherited = base.and_then(|base| base.text("path")).map_or(written, last);
        // Old profiles write `valueQuantity` where `value[x]` is meant.
        let stem = written.strip_suffix("[x]").or_else(|| {
            let stem = inherited.strip_suffix("[x]")?;
            (written.len() > stem.len() && written.starts_with(stem)).then_some(stem)
        });
        let max = number(row.text("max"), u32::MAX);
        let base_max = base.and_then(|base| base.text("max"));
        let content = row.text("contentReference").and_then(|reference| {
            let target = reference.rsplit('#').next().unwrap_or_default();
            number_of(target).and_then(|number| u32::try_from(number).ok())
        });
        let compared = ["fixed", "pattern", "minValue", "maxValue"];
        Ok(Element {
            checks_value: row.get("maxLength").is_some()
                || compared.iter().any(|stem| choice(row, stem).is_some()),
            id: id.into(),
            path: path.into(),
            name: stem.unwrap_or(written).into(),
            slice: row.text("sliceName").unwrap_or_default().into(),
            is_choice: stem.is_some(),
            min: row
                .get("min")
                .and_then(Value::as_u64)
                .and_then(|min| u32::try_from(min).ok())
                .unwrap_or(0),
            max,
            is_list: base_max.map_or(max > 1, |max| !matches!(max, "0" | "1")),
            is_attribute: row.items("representation").any(|way| way.as_str() == Some("xmlAttr")),
            is_modifier: row.get("isModifier").and_then(Value::as_bool) == Some(true),
            must_have_value: row.get("mustHaveValue").and_then(Value::as_bool) == Some(true),
            types: row.items("type").filter_map(|row| self.element_type(row)).collect(),
            children: Children::default(),
            content,
            fixed: choice(row, "fixed").cloned(),
            pattern: choice(row, "pattern").cloned(),
            binding: row.get("binding").and_then(binding),
            max_length: row.get("maxLength").and_then(Value::as_u64),
            min_value: choice(row, "minValue").cloned(),
            max_value: choice(row, "maxValue").cloned(),
            constraints: row.items("constraint").filter_map(constraint).collect(),
            slices: Box::default(),
            is_closed: row.get("slicing").and_then(|slicing| slicing.text("rules"))
                == Some("closed"),
        })
    }

    fn element_type(&self, row: &Value) -> Option<ElementType> {
        let code = row.text("code")?;
        let system = code.strip_prefix(SYSTEM);
        let name = match system {
            Some(system) => {
                let stated = extension(
                    row,
                    "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type",
                );
                let stated = stated.and_then(Value::as_str);
                stated.unwrap_or(match system {
                    "Boolean" => "boolean",
                    "Integer" => "integer",
                    "Decimal" => "decimal",
                    "Date" => "date",
                    "DateTime" => "dateTime",
                    "Time" => "time",
                    _ => "string",
                })
            }
            None => code.strip_prefix(FHIR).unwrap_or(code),
        };
        let types = self.programs.types();
        let type_id = types.id(name).unwrap_or(TypeId::UNKNOWN);
        let texts = |name| row.items(name).filter_map(Value::as_str).map(Box::from).collect();
        Some(ElementType {
            type_id,
            program: self.programs.find_type(type_id),
            form: match types.kind(type_id) {
                Some(TypeKind::Primitive) => match types.name(type_id) {
                    "boolean" => Form::Boolean,
                    "integer" | "unsignedInt" | "positiveInt" | "decimal" => Form::Number,
                    "xhtml" => Form::Xhtml,
                    _ => Form::Text,
                },
                Some(TypeKind::Resource) => Form::Resource,
                Some(TypeKind::Complex | TypeKind::Logical) => Form::Complex,
                None => Form::Unknown,
            },
            is_system: system.is_some(),
            profiles: texts("profile"),
            targets: texts("targetProfile"),
            target_types: OnceLock::new(),
            aggregation: row
                .items("aggregation")
                .filter_map(|mode| match mode.as_str()? {
                    "contained" => Some(Aggregation::Contained),
                    "referenced" => Some(Aggregation::Referenced),
                    "bundled" => Some(Aggregation::Bundled),
                    _ => None,
                })
                .collect(),
        })
    }
}

/// `value` and `string` make `valueString`.
fn choice_name(stem: &str, type_name: &str) -> String {
    let mut name = String::with_capacity(stem.len() + type_name.len());
    name.push_str(stem);
    let mut rest = type_name.chars();
    name.extend(rest.next().map(|first| first.to_ascii_uppercase()));
    name.push_str(rest.as_str());
    name
}

/// `*` is any number; an absent or odd text is `otherwise`.
fn number(text: Option<&str>, otherwise: u32) -> u32 {
    text.and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn binding(row: &Value) -> Option<Binding> {
    let strength = match row.text("strength")? {
        "required" => Strength::Required,
        "extensible" => Strength::Extensible,
        "preferred" => Strength::Preferred,
        _ => Strength::Example,
    };
    let value_set = row.text("valueSet")?;
    let maximum =
        extension(row, "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet");
    // R5 has it as an additional binding too.
    let additional =
        row.items("additional").find(|additional| additional.text("purpose") == Some("maximum"));
    let maximum = maximum.and_then(Value::as_str).or_else(|| additional?.text("valueSet"));
    Some(Binding {
        strength,
        value_set: value_set.into(),
        maximum: maximum.map(Box::from),
        handle: Handle::default(),
        maximum_handle: Handle::default(),
    })
}

fn constraint(row: &Value) -> Option<Constraint> {
    let best =
        extension(row, "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice");
    let text = |name| row.text(name).unwrap_or_default().into();
    Some(Constraint {
        key: row.text("key")?.into(),
        is_error: row.text("severity") == Some("error"),
        is_best_practice: best.and_then(Value::as_bool) == Some(true),
        human: text("human"),
        expression: text("expression"),
        source: text("source"),
        compiled: OnceLock::new(),
    })
}
