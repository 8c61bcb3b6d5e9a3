//! Code systems whose codes are told by their form: language tags, media types, units, URIs, colours.
//!
//! No list of such codes can be complete, so their form decides as far as it can: what is malformed is no code of
//! them, what is well-formed is one where the form is all there is (a colour, a URI, a unit), and where a registry has
//! the last word (a language's subtag, a media type) it stays open unless the code is among the well-known ones.
//!
//! It refuses nothing.

use super::{Membership, Reason};
use crate::validate::primitive::scheme;

/// A code system that is told by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grammar {
    /// BCP 47: `en`, `de-CH`, `zh-Hant-TW`.
    Language,
    /// BCP 13: `text/plain; charset=utf-8`.
    MediaType,
    /// UCUM: `mg/dL`, `{score}`, `mm[Hg]`.
    Unit,
    /// RFC 3986: a URI with its scheme.
    Uri,
    /// `#rrggbb`
    Colour,
}

impl Grammar {
    /// The grammar of a code system's URL.
    pub fn of(system: &str) -> Option<Self> {
        Some(match system {
            "urn:ietf:bcp:47" => Self::Language,
            "urn:ietf:bcp:13" | "http://www.rfc-editor.org/bcp/bcp13.txt" => Self::MediaType,
            "http://unitsofmeasure.org" => Self::Unit,
            "urn:ietf:rfc:3986" => Self::Uri,
            "http://hl7.org/fhir/color-rgb" => Self::Colour,
            _ => return None,
        })
    }

    /// Whether a text is a code of the system.
    pub fn holds(self, code: &str, is_unit: fn(&str) -> Option<bool>) -> Membership {
        let open = Membership::Unknown(Reason::System);
        match self {
            Self::Language => match LanguageTag::parse(code) {
                None => Membership::Out,
                Some(tag) if tag.is_well_known() => Membership::In,
                Some(_) => open,
            },
            Self::MediaType => open,
            Self::Unit => match is_unit(code) {
                Some(true) => Membership::In,
                // Not one that we know: a warning of its own says so, and no set is closed by it.
                _ => open,
            },
            Self::Uri if is_absolute_uri(code) => Membership::In,
            Self::Colour if is_colour(code) => Membership::In,
            Self::Uri | Self::Colour => Membership::Out,
        }
    }
}

/// The languages of ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da \
    de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik \
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms \
    mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl \
    sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh \
    zu";

/// The tags that BCP 47 keeps although its grammar has no room for them (RFC 5646 section 2.1, "irregular").
const IRREGULAR: [&str; 17] = [
    "en-GB-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-BE-FR",
    "sgn-BE-NL",
    "sgn-CH-DE",
];

/// A language tag of BCP 47 (RFC 5646), by the parts that it has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are the parts that a tag may have, one by one"
)]
pub struct LanguageTag<'t> {
    /// The language itself; empty for `x-...` and the irregular tags.
    pub language: &'t str,
    /// Whether an extended language follows: `zh-cmn`.
    pub extended: bool,
    /// Whether a script is named: `sr-Latn`.
    pub script: bool,
    /// Whether a region is named: `de-CH`.
    pub region: bool,
    /// Whether a variant is named: `sl-rozaj`.
    pub variant: bool,
    /// Whether an extension follows: `de-u-co-phonebk`.
    pub extension: bool,
    /// Whether a private part follows, or is all of it.
    pub private: bool,
}

impl<'t> LanguageTag<'t> {
    /// A tag, if it is well-formed.
    pub fn parse(tag: &'t str) -> Option<Self> {
        if IRREGULAR.iter().any(|irregular| irregular.eq_ignore_ascii_case(tag)) {
            return Some(Self::default());
        }
        let is_sound = |part: &str| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        if !tag.split('-').all(is_sound) {
            return None;
        }
        let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let mut parts = tag.split('-').peekable();
        let mut found = Self::default();
        if !parts.peek()?.eq_ignore_ascii_case("x") {
            found.language = parts.next()?;
            if found.language.len() < 2 || !letters(found.language) {
                return None;
            }
            for _ in 0..3 {
                let is_extended = |part: &&str| part.len() == 3 && letters(part);
                if found.language.len() > 3 || parts.next_if(is_extended).is_none() {
                    break;
                }
                found.extended = true;
            }
            found.script = parts.next_if(|part| part.len() == 4 && letters(part)).is_some();
            let is_region = |part: &&str| {
                (part.len() == 2 && letters(part))
                    || (part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
            };
            found.region = parts.next_if(is_region).is_some();
            let is_variant = |part: &&str| {
                part.len() >= 5
                    || (part.len() == 4
                        && part.bytes().next().is_some_and(|first| first.is_ascii_digit()))
            };
            while parts.next_if(is_variant).is_some() {
                found.variant = true;
            }
            while parts.next_if(|part| part.len() == 1 && !part.eq_ignore_ascii_case("x")).is_some()
            {
                found.extension = true;
                parts.next_if(|part| part.len() >= 2)?;
                while parts.next_if(|part| part.len() >= 2).is_some() {}
            }
        }
        if parts.next_if(|part| part.eq_ignore_ascii_case("x")).is_some() {
            found.private = true;
            parts.next()?;
            return Some(found);
        }
        parts.next().is_none().then_some(found)
    }

    /// Whether its language is one of ISO 639-1, and at most script and region follow.
    pub fn is_well_known(&self) -> bool {
        let has_known_language = self.language.len() == 2
            && LANGUAGES.split(' ').any(|known| known.eq_ignore_ascii_case(self.language));
        has_known_language && !self.extended && !self.variant && !self.extension && !self.private
    }

    /// Whether it has the part that a filter names (R4 `bcp47` filter properties).
    pub fn has(&self, part: &str) -> Option<bool> {
        Some(match part {
            "language" => !self.language.is_empty(),
            "ext-lang" => self.extended,
            "script" => self.script,
            "region" => self.region,
            "variant" => self.variant,
            "extension" => self.extension,
            "private-use" => self.private,
            _ => return None,
        })
    }
}

/// Whether a text has the form of a media type: `type/subtype` and parameters (RFC 6838 section 4.2, RFC 2045 5.1).
pub fn is_media_type(text: &str) -> bool {
    let name = |name: &str| {
        let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
        first
            && name.len() <= 127
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+*".contains(&byte))
    };
    let mut parts = text.split(';');
    let is_named =
        |kind: &str| kind.split_once('/').is_some_and(|(kind, sub)| name(kind) && name(sub));
    parts.next().is_some_and(|kind| is_named(kind.trim_end()))
        && parts.all(|parameter| {
            parameter.trim().is_empty()
                || parameter
                    .trim()
                    .split_once('=')
                    .is_some_and(|(key, value)| name(key.trim()) && !value.trim().is_empty())
        })
}

/// Whether a text is a URI with a scheme, and without spaces (RFC 3986 section 3).
pub fn is_absolute_uri(text: &str) -> bool {
    scheme(text).is_some_and(|(_, rest)| {
        !rest.is_empty()
            && !rest.chars().any(|letter| letter.is_whitespace() || letter.is_control())
    })
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
