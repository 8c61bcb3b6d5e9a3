//! Documents with the types that the definitions give their elements, for expressions to look at.

use std::sync::{Arc, LazyLock};

use ipt_fhir::fhir::Release;
use ipt_fhir::json::Limits;
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::detect;
use ipt_fhir::validate::fhirpath::Model;
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::tree::{Tree, json, xml};

struct Definitive {
    validator: Validator,
    model: Model,
}

fn of(release: Release) -> &'static Definitive {
    static ALL: [LazyLock<Definitive>; 3] = [
        LazyLock::new(|| Definitive::new(Release::R4)),
        LazyLock::new(|| Definitive::new(Release::R4B)),
        LazyLock::new(|| Definitive::new(Release::R5)),
    ];
    &ALL[release as usize]
}

impl Definitive {
    fn new(release: Release) -> Self {
        let validator = Validator::new(Definitions::core(release), Options::default());
        let model = Model::new(Arc::clone(validator.programs().types()));
        Self { validator, model }
    }
}

/// The types of a release, ready for evaluations.
pub(super) fn model(release: Release) -> &'static Model {
    &of(release).model
}

/// A document of a release, with types.
pub(super) fn read(release: Release, source: &str) -> Tree<'_> {
    let limits = Limits { depth: 200, ..Limits::RESOURCE };
    let mut tree = match detect::input(source.as_bytes()) {
        detect::Input::Xml => xml::read(source, limits).unwrap(),
        _ => json::read(source, limits).unwrap(),
    };
    of(release).validator.annotate(&mut tree);
    tree
}
