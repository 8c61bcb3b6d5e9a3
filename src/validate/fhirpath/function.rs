//! The functions by name, how many arguments each takes, and whether those are evaluated per item.

/// How a function's arguments are evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arguments {
    /// In the context of the whole expression.
    Outer,
    /// With `$this` the item, or the whole input, that the function is applied to.
    Inner,
}

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:literal $arguments:ident;)*) => {
        /// A function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function {
            $($variant,)*
        }

        impl Function {
            /// The function of a name.
            pub(super) fn of_name(name: &str) -> Option<Self> {
                Some(match name {
                    $($name => Self::$variant,)*
                    _ => return None,
                })
            }

            /// How many arguments it takes, at least and at most.
            pub(super) const fn arity(self) -> (usize, usize) {
                match self {
                    $(Self::$variant => ($least, $most),)*
                }
            }

            /// How its arguments are evaluated.
            pub(super) const fn arguments(self) -> Arguments {
                match self {
                    $(Self::$variant => Arguments::$arguments,)*
                }
            }
        }
    };
}

functions! {
    Empty "empty" 0 0 Outer;
    Exists "exists" 0 1 Inner;
    All "all" 1 1 Inner;
    AllTrue "allTrue" 0 0 Outer;
    AnyTrue "anyTrue" 0 0 Outer;
    AllFalse "allFalse" 0 0 Outer;
    AnyFalse "anyFalse" 0 0 Outer;
    SubsetOf "subsetOf" 1 1 Outer;
    SupersetOf "supersetOf" 1 1 Outer;
    Count "count" 0 0 Outer;
    Distinct "distinct" 0 0 Outer;
    IsDistinct "isDistinct" 0 0 Outer;
    Where "where" 1 1 Inner;
    Select "select" 1 1 Inner;
    Repeat "repeat" 1 1 Inner;
    Aggregate "aggregate" 1 2 Inner;
    Sort "sort" 0 9 Inner;
    Single "single" 0 0 Outer;
    First "first" 0 0 Outer;
    Last "last" 0 0 Outer;
    Tail "tail" 0 0 Outer;
    Skip "skip" 1 1 Outer;
    Take "take" 1 1 Outer;
    Intersect "intersect" 1 1 Outer;
    Exclude "exclude" 1 1 Outer;
    Union "union" 1 1 Outer;
    Combine "combine" 1 2 Outer;
    Iif "iif" 2 3 Inner;
    Not "not" 0 0 Outer;
    ToBoolean "toBoolean" 0 0 Outer;
    ToInteger "toInteger" 0 0 Outer;
    ToLong "toLong" 0 0 Outer;
    ToDecimal "toDecimal" 0 0 Outer;
    ToText "toString" 0 0 Outer;
    ToDate "toDate" 0 0 Outer;
    ToDateTime "toDateTime" 0 0 Outer;
    ToTime "toTime" 0 0 Outer;
    ToQuantity "toQuantity" 0 1 Outer;
    ConvertsToBoolean "convertsToBoolean" 0 0 Outer;
    ConvertsToInteger "convertsToInteger" 0 0 Outer;
    ConvertsToLong "convertsToLong" 0 0 Outer;
    ConvertsToDecimal "convertsToDecimal" 0 0 Outer;
    ConvertsToText "convertsToString" 0 0 Outer;
    ConvertsToDate "convertsToDate" 0 0 Outer;
    ConvertsToDateTime "convertsToDateTime" 0 0 Outer;
    ConvertsToTime "convertsToTime" 0 0 Outer;
    ConvertsToQuantity "convertsToQuantity" 0 1 Outer;
    IndexOf "indexOf" 1 1 Outer;
    LastIndexOf "lastIndexOf" 1 1 Outer;
    Substring "substring" 1 2 Outer;
    StartsWith "startsWith" 1 1 Outer;
    EndsWith "endsWith" 1 1 Outer;
    Contains "contains" 1 1 Outer;
    Upper "upper" 0 0 Outer;
    Lower "lower" 0 0 Outer;
    Replace "replace" 2 2 Outer;
    Matches "matches" 1 2 Outer;
    MatchesFull "matchesFull" 1 2 Outer;
    ReplaceMatches "replaceMatches" 2 3 Outer;
    Length "length" 0 0 Outer;
    ToChars "toChars" 0 0 Outer;
    Trim "trim" 0 0 Outer;
    Split "split" 1 1 Outer;
    Join "join" 0 1 Outer;
    Encode "encode" 1 1 Outer;
    Decode "decode" 1 1 Outer;
    Escape "escape" 1 1 Outer;
    Unescape "unescape" 1 1 Outer;
    Abs "abs" 0 0 Outer;
    Ceiling "ceiling" 0 0 Outer;
    Exp "exp" 0 0 Outer;
    Floor "floor" 0 0 Outer;
    Ln "ln" 0 0 Outer;
    Log "log" 1 1 Outer;
    Power "power" 1 1 Outer;
    Round "round" 0 1 Outer;
    Sqrt "sqrt" 0 0 Outer;
    Truncate "truncate" 0 0 Outer;
    Children "children" 0 0 Outer;
    Descendants "descendants" 0 0 Outer;
    Trace "trace" 1 2 Inner;
    Now "now" 0 0 Outer;
    Today "today" 0 0 Outer;
    TimeOfDay "timeOfDay" 0 0 Outer;
    DefineVariable "defineVariable" 1 2 Inner;
    LowBoundary "lowBoundary" 0 1 Outer;
    HighBoundary "highBoundary" 0 1 Outer;
    Precision "precision" 0 0 Outer;
    Comparable "comparable" 1 1 Outer;
    Type "type" 0 0 Outer;
    Is "is" 1 1 Outer;
    As "as" 1 1 Outer;
    OfType "ofType" 1 1 Outer;
    Extension "extension" 1 1 Outer;
    HasValue "hasValue" 0 0 Outer;
    GetValue "getValue" 0 0 Outer;
    Resolve "resolve" 0 0 Outer;
    MemberOf "memberOf" 1 1 Outer;
    Subsumes "subsumes" 1 1 Outer;
    SubsumedBy "subsumedBy" 1 1 Outer;
    ConformsTo "conformsTo" 1 1 Outer;
    HtmlChecks "htmlChecks" 0 0 Outer;
    HtmlContent "htmlChecks2" 0 0 Outer;
}
