//! SMART scopes: what an access token may do (SMART App Launch 2.2.0, "Scopes and Launch Context").
//!
//! Both spellings are read, v1 (`system/CarePlan.read`) and v2 (`system/CarePlan.rs?category=…`), because servers grant
//! in either, whatever they were asked for. A string that is neither is kept as it is and grants nothing: to take a
//! scope for more than it says would only move the refusal from here to the middle of a plan.

use std::fmt;

use super::resource::is_resource_type;

/// The scopes of a token, in the order in which they were granted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Access to resources.
    Resource {
        /// Whose.
        context: Context,
        /// The type; nothing for `*`.
        resource_type: Option<String>,
        /// What may be done.
        access: Access,
        /// The search that narrows it, as it was written: `category=http://…|assess-plan`.
        query: Option<String>,
    },
    /// `launch`, or `launch/patient`.
    Launch(Option<String>),
    /// Anything else: `openid`, `offline_access`, a vendor's own.
    Other(String),
}

/// Whose data a scope is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The one patient of the launch.
    Patient,
    /// Whatever the user may see.
    User,
    /// Whatever the client may see: a backend service's.
    System,
}

/// What a scope lets be done, in the spelling in which it was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// v1 `.read`.
    Read,
    /// v1 `.write`.
    Write,
    /// v1 `.*`.
    All,
    /// v2: some of `cruds`, in that order.
    Letters {
        /// `c`
        create: bool,
        /// `r`
        read: bool,
        /// `u`
        update: bool,
        /// `d`
        delete: bool,
        /// `s`
        search: bool,
    },
}

/// Whether scopes let something be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// They do.
    Yes,
    /// They do not.
    No,
    /// Only with resources that one of these searches finds. For a scope of one patient the search begins with
    /// `patient`.
    Narrowed(Vec<String>),
}

impl Scopes {
    /// Reads a list of scopes, apart by white space (RFC 6749 3.3). Nothing is refused; what is not understood grants
    /// nothing.
    ///
    /// ```
    /// use ipt_fhir::fhir::scope::{Granted, Scopes};
    /// let scopes = Scopes::parse("system/CarePlan.rs system/Goal.write");
    /// assert_eq!(scopes.allows("CarePlan", "search-type"), Granted::Yes);
    /// assert_eq!(scopes.allows("CarePlan", "create"), Granted::No);
    /// assert_eq!(scopes.allows("Goal", "create"), Granted::Yes);
    /// ```
    pub fn parse(text: &str) -> Self {
        Self(text.split_ascii_whitespace().map(Scope::parse).collect())
    }

    /// The scopes.
    pub fn iter(&self) -> std::slice::Iter<'_, Scope> {
        self.0.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they let an interaction with a type be done: a code of `CapabilityStatement.rest.resource.interaction`.
    pub fn allows(&self, resource_type: &str, interaction: &str) -> Granted {
        let mut searches = Vec::new();
        for scope in &self.0 {
            match scope.allows(resource_type, interaction) {
                Granted::Yes => return Granted::Yes,
                Granted::No => {}
                Granted::Narrowed(more) => searches.extend(more),
            }
        }
        searches.sort_unstable();
        searches.dedup();
        if searches.is_empty() { Granted::No } else { Granted::Narrowed(searches) }
    }
}

impl<'a> IntoIterator for &'a Scopes {
    type Item = &'a Scope;
    type IntoIter = std::slice::Iter<'a, Scope>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            scope.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Scope {
    /// Reads one scope.
    pub fn parse(text: &str) -> Self {
        if text == "launch" {
            return Self::Launch(None);
        }
        if let Some(what) = text.strip_prefix("launch/").filter(|what| !what.is_empty()) {
            return Self::Launch(Some(what.to_owned()));
        }
        Self::resource(text).unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    fn resource(text: &str) -> Option<Self> {
        let (scope, query) = match text.split_once('?') {
            Some((_, "")) => return None,
            Some((scope, query)) => (scope, Some(query)),
            None => (text, None),
        };
        let (context, rest) = scope.split_once('/')?;
        let context = Context::ALL.into_iter().find(|known| known.code() == context)?;
        let (resource_type, access) = rest.split_once('.')?;
        let resource_type = match resource_type {
            "*" => None,
            name => Some(is_resource_type(name).then(|| name.to_owned())?),
        };
        Some(Self::Resource {
            context,
            resource_type,
            access: Access::parse(access)?,
            query: query.map(str::to_owned),
        })
    }

    /// Whether it lets an interaction with a type be done.
    pub fn allows(&self, resource_type: &str, interaction: &str) -> Granted {
        let Self::Resource { context, resource_type: granted, access, query } = self else {
            return Granted::No;
        };
        let is_of_type = granted.as_deref().is_none_or(|granted| granted == resource_type);
        if !is_of_type || !access.allows(interaction) {
            return Granted::No;
        }
        match (context, query) {
            (Context::User | Context::System, None) => Granted::Yes,
            (Context::User | Context::System, Some(query)) => {
                Granted::Narrowed(vec![query.clone()])
            }
            (Context::Patient, None) => Granted::Narrowed(vec!["patient".to_owned()]),
            (Context::Patient, Some(query)) => Granted::Narrowed(vec![format!("patient&{query}")]),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource { context, resource_type, access, query } => {
                let resource_type = resource_type.as_deref().unwrap_or("*");
                write!(formatter, "{}/{resource_type}.{access}", context.code())?;
                query.iter().try_for_each(|query| write!(formatter, "?{query}"))
            }
            Self::Launch(None) => formatter.write_str("launch"),
            Self::Launch(Some(what)) => write!(formatter, "launch/{what}"),
            Self::Other(text) => formatter.write_str(text),
        }
    }
}

impl Context {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Patient, Self::User, Self::System];

    /// The word in a scope.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        }
    }
}

impl Access {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "read" => return Some(Self::Read),
            "write" => return Some(Self::Write),
            "*" => return Some(Self::All),
            "" => return None,
            _ => {}
        }
        let mut rest = text;
        // The letters have one order; in another they are no scope ("system/Goal.sr").
        let mut take = |letter: char| match rest.strip_prefix(letter) {
            Some(after) => {
                rest = after;
                true
            }
            None => false,
        };
        let (create, read, update) = (take('c'), take('r'), take('u'));
        let (delete, search) = (take('d'), take('s'));
        rest.is_empty().then_some(Self::Letters { create, read, update, delete, search })
    }

    /// Whether it lets an interaction be done: a code of `CapabilityStatement.rest.resource.interaction`.
    pub fn allows(self, interaction: &str) -> bool {
        let (creates, reads, updates, deletes, searches) = match self {
            Self::Read => (false, true, false, false, true),
            Self::Write => (true, false, true, true, false),
            Self::All => (true, true, true, true, true),
            Self::Letters { create, read, update, delete, search } => {
                (create, read, update, delete, search)
            }
        };
        match interaction {
            "create" => creates,
            "read" | "vread" | "history-instance" => reads,
            "update" | "patch" => updates,
            "delete" => deletes,
            "search-type" | "history-type" => searches,
            _ => false,
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Read => formatter.write_str("read"),
            Self::Write => formatter.write_str("write"),
            Self::All => formatter.write_str("*"),
            Self::Letters { create, read, update, delete, search } => {
                let letters =
                    [('c', create), ('r', read), ('u', update), ('d', delete), ('s', search)];
                let mut there = letters.into_iter().filter(|(_, is_there)| *is_there);
                there.try_for_each(|(letter, _)| write!(formatter, "{letter}"))
            }
        }
    }
}

impl fmt::Display for Granted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes => formatter.write_str("yes"),
            Self::No => formatter.write_str("no"),
            Self::Narrowed(searches) => write!(formatter, "only {}", searches.join(" or ")),
        }
    }
}
