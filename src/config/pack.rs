//! `[ehr.NAME] pack`: what is known of a vendor's servers, and what of it a client is told.
//!
//! Client and packs do not know each other: a client takes a pace and a table of codes, whoever made them, and a pack is
//! words with sources. Here the one becomes the other. A pace of the operator's own counts before the vendor's.

use std::num::NonZeroU32;

use super::{Ehr, nearest};
use crate::client::{Class, Codes, Rate};
use crate::vendor::{self, CodeClass, CodePlace, Pack};

/// A pack by its name, or what to write instead.
pub(super) fn named(name: &str) -> Result<&'static Pack, String> {
    Pack::named(name).ok_or_else(|| {
        let all: Vec<&str> = Pack::names().collect();
        match nearest(name, all.iter().copied()) {
            Some(near) => format!("there is no such vendor pack; did you mean `{near}`?"),
            None => format!("there is no such vendor pack; there are: {}", all.join(", ")),
        }
    })
}

impl Ehr {
    /// The vendor pack, if one is configured.
    pub fn pack(&self) -> Option<&'static Pack> {
        self.pack.as_ref().map(|pack| pack.value)
    }

    /// How fast it may be asked: as configured, else as its vendor says.
    pub fn rate(&self) -> Option<Rate> {
        let configured = self.network.rate.as_ref().map(|rate| rate.value);
        configured.or_else(|| self.pack()?.rate.iter().find_map(pace))
    }

    /// The vendor's own codes, as far as a client can act on them.
    pub(super) fn codes(&self) -> Codes {
        let codes = self.pack().map(|pack| &pack.codes);
        // A number in a body of the vendor's own form is not where the client looks.
        let codes = codes.filter(|codes| {
            codes.place.as_ref().is_none_or(|place| place.value == CodePlace::Coding)
        });
        let listed = codes.into_iter().flat_map(|codes| &codes.list);
        // A code whose meaning hangs on an element is judged by its issue type alone.
        Codes::new(
            listed
                .filter(|code| code.at.is_none())
                .filter_map(|code| Some((code.code.clone(), class(code.class)?))),
        )
    }
}

/// A vendor's limit as a pace; those of a day are no pace.
fn pace(rate: &vendor::Rate) -> Option<Rate> {
    let requests = NonZeroU32::new(rate.requests)?;
    match (rate.seconds, rate.aligned) {
        (1, false) => Some(Rate::per_second(requests)),
        (60, false) => Some(Rate::per_minute(requests)),
        (60, true) => Some(Rate::per_minute(requests).aligned_to_minute()),
        _ => None,
    }
}

/// What a client does about a code.
const fn class(class: CodeClass) -> Option<Class> {
    Some(match class {
        CodeClass::Success => return None,
        CodeClass::AlreadyThere => Class::AlreadyThere,
        CodeClass::Incomplete => Class::Incomplete,
        CodeClass::Transient | CodeClass::RetryOnce | CodeClass::RestartSearch => Class::Transient,
        CodeClass::NextDay => Class::NotProcessed,
        CodeClass::Denied | CodeClass::Policy | CodeClass::Merged => Class::Denied,
        CodeClass::Gone => Class::Gone,
        CodeClass::Dependency => Class::Dependency,
        CodeClass::Permanent => Class::Permanent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ehr(name: &str) -> Ehr {
        let environment = |variable: &str| {
            let value = match variable {
                "IPT_FHIR_EHR__X__URL" => "http://127.0.0.1:1/fhir",
                "IPT_FHIR_EHR__X__PACK" => name,
                "HOME" => "/nowhere",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let sources = super::super::Sources {
            file: None,
            ehr: Some("x"),
            environment: &environment,
            directory: std::path::Path::new("/nowhere"),
        };
        super::super::Config::load(sources).unwrap().ehr("x").unwrap().clone()
    }

    #[test]
    fn a_vendors_pace_and_codes_reach_the_client() {
        let expected = Rate::per_minute(NonZeroU32::new(250).unwrap()).aligned_to_minute();
        assert_eq!(ehr("eclinicalworks").rate(), Some(expected));
        assert_eq!(ehr("hapi").rate(), None);
        assert_ne!(ehr("epic").codes(), Codes::default());
        assert_eq!(ehr("eclinicalworks").codes(), Codes::default(), "they stand in its own bodies");
    }

    #[test]
    fn each_pack_can_be_told_to_a_client() {
        for pack in Pack::all() {
            let ehr = ehr(&pack.name);
            assert_eq!(ehr.pack().unwrap().name, pack.name);
            let _ = (ehr.rate(), ehr.codes());
        }
    }
}
