//! FHIRPath made to hang, to overflow or to fill the memory. `fhirpath/bombs.rs` shows how each ends; here it is measured.

use ipt_fhir::fhir::Release;
use ipt_fhir::json::Limits;
use ipt_fhir::validate::Validator;
use ipt_fhir::validate::definitions::Definitions;
use ipt_fhir::validate::fhirpath::{Context, Expression, Limit, Mistake, Model, Stop};
use ipt_fhir::validate::options::Options;
use ipt_fhir::validate::tree::{NodeId, json};

use super::{alone, bounded};

#[test]
fn expressions_end_at_their_limits() {
    if !alone("bombs::expression::expressions_end_at_their_limits") {
        return;
    }
    let validator = Validator::new(Definitions::core(Release::R4), Options::default());
    // A document of 20,000 names, so that what is done for each of them for each of them shows.
    let names = "{\"family\":\"a\"},".repeat(20_000);
    let source = format!(
        "{{\"resourceType\":\"Patient\",\"name\":[{names}{{\"family\":\"{}\"}}]}}",
        "a".repeat(50_000)
    );
    let mut tree = json::read(&source, Limits::BUNDLE).unwrap();
    validator.annotate(&mut tree);
    let model = Model::new(std::sync::Arc::clone(validator.programs().types()));
    let context = Context::new(&tree, &model);
    let ten = "(1|2|3|4|5|6|7|8|9|10)";
    let many = format!("({ten}.combine({ten}.combine({ten}.combine({ten}))))");
    let steps = [Limit::Steps, Limit::Items];
    let cases: Vec<(&str, String, Option<Stop>, &[Limit])> = vec![
        ("pairs", "name.select(%resource.name).count()".into(), None, &steps),
        ("repeat upwards", "1.repeat($this + 1)".into(), None, &steps),
        ("repeat all", "name.repeat(%resource.name)".into(), None, &steps),
        ("a text that grows", "'a'.repeat($this & $this)".into(), None, &[Limit::Steps, Limit::Text]),
        ("aggregate", format!("{many}.aggregate($total & $total, 'aaaa')"), None, &[Limit::Text]),
        ("replace", format!("{many}.aggregate($total.replace('a', 'aaaaaaaaaa'), 'a')"), None, &[Limit::Text]),
        ("replace by a pattern", "name.last().family.replaceMatches('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa').replaceMatches('a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')".into(), None, &[Limit::Text]),
        ("join", "name.select(%resource.name.last().family).join('')".into(), None, &[Limit::Steps, Limit::Text, Limit::Items]),
        ("nested select", format!("{ten}.select({ten}.select({ten}.select({ten}.select({ten}.select({ten}.select({ten}))))))"), None, &steps),
        ("a huge pattern", "'a'.matches('(a{1000}){1000}{1000}')".into(), Some(Stop::Mistake(Mistake::BadPattern)), &[]),
        ("a long pattern", format!("'a'.matches('{}')", "(a|b)*".repeat(20_000)), Some(Stop::Mistake(Mistake::BadPattern)), &[]),
    ];
    let mut odd = Vec::new();
    for (name, text, wanted, limits) in cases {
        let stop = bounded(name, || {
            let expression = Expression::parse(&text).unwrap();
            context.evaluate(&expression, NodeId::ROOT).err()
        });
        let is_named = match stop {
            Some(Stop::Limit(limit)) => limits.contains(&limit),
            other => other.is_some() && other == wanted,
        };
        if !is_named {
            odd.push(format!("{name}: {stop:?}"));
        }
    }
    // Patterns that hang other engines, what need not be worked out again for each item, and what is only long.
    for (name, text) in [
        ("each for each", "name.where(%resource.name.where(family = 'b').exists())"),
        ("each for each for each", "name.all(%resource.name.all(%resource.name.exists()))"),
        ("each with each", "name.where(family = %resource.name.first().family).count()"),
        ("backtracking", "name.last().family.matches('^(a+)+$')"),
        ("backtracking without match", "(name.last().family & '!').matches('^(a|a)*$')"),
        ("alternation", "name.last().family.matches('(a|aa|aaa|aaaa)+b')"),
        ("all below", "descendants().count()"),
        ("distinct", "name.family.distinct().count()"),
        ("numbers", "10.power(1000000000) * 1000000.exp()"),
    ] {
        let stop = bounded(name, || {
            let expression = Expression::parse(text).unwrap();
            context.evaluate(&expression, NodeId::ROOT).err()
        });
        if !matches!(stop, None | Some(Stop::Limit(_))) {
            odd.push(format!("{name}: {stop:?}"));
        }
    }
    assert!(odd.is_empty(), "{odd:#?}");
}

#[test]
fn expressions_that_are_no_more_than_deep_or_long_are_refused() {
    if !alone("bombs::expression::expressions_that_are_no_more_than_deep_or_long_are_refused") {
        return;
    }
    for open in ["(", "-", "iif(", "a.where(", "a[", "{", "'", "/*", "1+(", "not("] {
        let bomb = open.repeat(200_000);
        assert!(bounded(open, || Expression::parse(&bomb).is_err()), "{open}");
    }
    let long = format!("name{}", ".name".repeat(15_000));
    bounded("a long path", || Expression::parse(&long).is_ok());
}
