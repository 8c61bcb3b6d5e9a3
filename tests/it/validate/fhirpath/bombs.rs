//! Expressions made to hang, to overflow or to fill the memory: each ends soon, with a name for why.

use std::time::{Duration, Instant};

use ipt_fhir::fhir::Release;
use ipt_fhir::validate::fhirpath::{
    Context, Expression, Host, Limit, Limits, Mistake, Open, Stop, SyntaxFault,
};
use ipt_fhir::validate::tree::NodeId;
use proptest::prelude::*;

use super::typed::{model, read};

fn syntax(text: &str) -> SyntaxFault {
    Expression::parse(text).unwrap_err().fault
}

#[test]
fn nesting_without_end_is_refused() {
    for bomb in ["(", "-", "a(", "iif(", "{", "[", "a[", "not(", "'", "`", "/*", "$this.where("] {
        let fault = Expression::parse(&bomb.repeat(20_000)).unwrap_err().fault;
        let text = format!("{bomb}: {fault:?}");
        assert!(
            matches!(
                fault,
                SyntaxFault::TooDeep
                    | SyntaxFault::Unexpected
                    | SyntaxFault::OpenText
                    | SyntaxFault::OpenComment
                    | SyntaxFault::UnknownFunction
            ),
            "{text}"
        );
    }
    assert_eq!(syntax(&"(".repeat(90_000)), SyntaxFault::TooDeep);
    assert_eq!(syntax(&"a ".repeat(300_000)), SyntaxFault::TooLong);
    // Each bracket with all levels of operators in it.
    let level = "1 + 1 * - (true and 1 in 2 | 3 < (";
    assert_eq!(syntax(&level.repeat(2_000)), SyntaxFault::TooDeep);
    // A long row or path is no depth.
    assert_eq!(run(&format!("1{}", " + 1".repeat(20_000))), None);
    assert_eq!(run(&format!("1{}", " is Integer".repeat(5_000))), None);
    let path = format!("Patient{}", ".name".repeat(20_000));
    assert!(Expression::parse(&path).is_ok());
    // The deepest that is read is also evaluated.
    let deep = format!("{}1{}", "(".repeat(38), ")".repeat(38));
    assert_eq!(run(&deep), None);
    let deep = format!("{}true{}", "iif(true, ".repeat(38), ", 1)".repeat(38));
    assert_eq!(run(&deep), None);
    let deep = format!("{}1{}", "select(1 + ".repeat(19), ")".repeat(19));
    assert_eq!(run(&deep), None);
}

const SOURCE: &str = r#"{"resourceType":"Patient","id":"p","name":[{"family":"A","given":["B","C"]},{"family":"D"}],
    "contact":[{"name":{"given":["E"]}}]}"#;

/// Why an expression ends without result, if it does.
fn run(text: &str) -> Option<Stop> {
    let tree = read(Release::R4, SOURCE);
    let context = Context::new(&tree, model(Release::R4));
    let expression = Expression::parse(text).unwrap();
    let begin = Instant::now();
    let stop = context.evaluate(&expression, NodeId::ROOT).err();
    assert!(begin.elapsed() < Duration::from_secs(20), "{text}");
    stop
}

#[test]
fn growth_without_end_meets_a_limit() {
    let numbers = "(1|2|3|4|5|6|7|8|9|10)";
    let tens = format!(
        "{numbers}.select({numbers}.select({numbers}.select({numbers}.select({numbers}.select({numbers}.select({numbers}.select(1)))))))"
    );
    let doubling =
        format!("{numbers}.aggregate($total.combine($total).combine($this), {numbers}).count()");
    let many = format!("({0}.combine({0}.combine({0}.combine({0}))))", numbers);
    for (bomb, limits) in [
        (tens.as_str(), &[Limit::Steps, Limit::Items][..]),
        (&format!("{many}.aggregate($total.combine($total), 1)"), &[Limit::Steps, Limit::Items]),
        (&format!("{many}.aggregate($total & $total, 'aaaa').length()"), &[Limit::Text]),
        (
            &format!("{many}.aggregate($total.replace('a', 'aaaaaaaaaa'), 'a').length()"),
            &[Limit::Text],
        ),
        (
            &format!(
                "{many}.aggregate($total | ($total.select($this + 1)) | ($total.select($this * 2)), 1)"
            ),
            &[Limit::Steps, Limit::Items],
        ),
        ("1.repeat($this + 1)", &[Limit::Steps, Limit::Items]),
        ("'a'.repeat($this & 'a').count()", &[Limit::Steps, Limit::Text]),
    ] {
        match run(bomb) {
            Some(Stop::Limit(limit)) if limits.contains(&limit) => {}
            other => panic!("{bomb}: {other:?}"),
        }
    }
    assert_eq!(run(&doubling), None);
    // What only looks large ends by itself.
    assert_eq!(run(&format!("Patient{}", ".children()".repeat(5_000))), None);
    assert_eq!(run("Patient.repeat(children() | %resource.children() | $this)"), None);
    assert_eq!(run("2147483647 * 2147483647 * 2147483647 * 2147483647 * 2147483647"), None);
    assert_eq!(run("10.power(1000000000) * 1000000.exp()"), None);
    assert_eq!(run("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.matches('^(a+)+$')"), None);
    assert_eq!(
        run("'a'.matches('(a{1000}){1000}{1000}')"),
        Some(Stop::Mistake(Mistake::BadPattern))
    );
}

#[test]
fn a_caller_s_time_and_what_is_outside_end_an_evaluation_by_name() {
    struct Late;
    impl Host for Late {
        fn is_over(&self) -> bool {
            true
        }
    }
    let tree = read(Release::R4, SOURCE);
    let context = Context::new(&tree, model(Release::R4)).with_host(&Late);
    let long = Expression::parse(
        "(1|2|3|4|5|6|7|8|9).select((1|2|3|4|5|6|7|8|9).select((1|2|3|4|5|6|7|8|9)))",
    )
    .unwrap();
    assert_eq!(context.evaluate(&long, NodeId::ROOT).unwrap_err(), Stop::Limit(Limit::Time));
    let few = Limits { steps: 10, ..Limits::default() };
    let context = Context::new(&tree, model(Release::R4)).with_limits(few);
    assert_eq!(context.evaluate(&long, NodeId::ROOT).unwrap_err(), Stop::Limit(Limit::Steps));
    assert_eq!(run("'http://elsewhere.example/x'.resolve()"), Some(Stop::Open(Open::Reference)));
    assert_eq!(run("gender.memberOf('http://example.org/set')"), None);
    assert_eq!(run("id.memberOf('http://example.org/set')"), Some(Stop::Open(Open::Terminology)));
    assert_eq!(run("now()"), Some(Stop::Open(Open::Clock)));
    // What is open does not matter where the other side decides.
    assert_eq!(run("id.memberOf('http://example.org/set') or true"), None);
    assert_eq!(run("id.memberOf('http://example.org/set') and false"), None);
    assert_eq!(
        run("id.memberOf('http://example.org/set') or false"),
        Some(Stop::Open(Open::Terminology))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        let _ = Expression::parse(&text);
    }

    #[test]
    fn any_row_of_tokens_is_read_and_evaluated_or_refused(parts in proptest::collection::vec(prop_oneof![
        Just("Patient"), Just("name"), Just("."), Just("("), Just(")"), Just("["), Just("]"), Just("{}"), Just("'a'"), Just("1"), Just("-"),
        Just("1.5"), Just("@2014-01"), Just("@T10:30"), Just("4 'mg'"), Just("1 year"), Just("+"), Just("*"), Just("/"), Just("div"), Just("mod"), Just("&"),
        Just("|"), Just("="), Just("~"), Just("<"), Just("in"), Just("contains"), Just("and"), Just("or"), Just("implies"), Just("is"), Just("as"), Just("$this"),
        Just("%resource"), Just(".where("), Just(".select("), Just(".repeat("), Just(".children()"), Just(".descendants()"), Just(".count()"),
        Just(".first()"), Just(".toString()"), Just(".toQuantity()"), Just(".lowBoundary()"), Just(".matches('a')"), Just(".substring(1)"), Just(".not()"),
        Just(".ofType(string)"), Just(".sort()"), Just(".distinct()"), Just(".power(9)"), Just(".type()"), Just(","),
    ], 1..24)) {
        let text = parts.join(" ");
        if let Ok(expression) = Expression::parse(&text) {
            let tree = read(Release::R4, SOURCE);
            let context = Context::new(&tree, model(Release::R4)).with_limits(Limits { steps: 20_000, ..Limits::default() });
            let _ = context.evaluate(&expression, NodeId::ROOT);
        }
    }
}
