//! What the record's types share: closed sets of codes, each from one table (the type, its text in the record, its
//! display and its definition), and a `Debug` that tells nothing of a person.

/// An enumeration whose variants are codes of a record.
///
/// Each variant's documentation is the code's definition; it also becomes the definition in the CodeSystem under
/// `profiles/`, so that code and guide can't drift apart.
macro_rules! codes {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident { $( $(#[doc = $definition:literal])+ $variant:ident = $code:literal, $display:literal; )+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $( $(#[doc = $definition])+ #[serde(rename = $code)] $variant, )+
        }

        impl $name {
            /// All codes in the order of the table.
            pub const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];

            /// The code as the record writes it.
            pub const fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )+ }
            }

            /// The code in words for people.
            pub const fn display(self) -> &'static str {
                match self { $( Self::$variant => $display, )+ }
            }

            /// What the code means.
            pub const fn definition(self) -> &'static str {
                match self { $( Self::$variant => concat!($($definition),+), )+ }
            }

            /// The variant of a code; `None` if the table has no such code.
            pub fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.code() == code)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.code())
            }
        }
    };
}

/// `Debug` for types that hold what a person said or is: their name and nothing in them. A record can then stand in
/// an error or a log without leaking.
macro_rules! opaque {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(concat!(stringify!($name), " [phi]"))
            }
        }
    )+};
}

pub(crate) use {codes, opaque};
