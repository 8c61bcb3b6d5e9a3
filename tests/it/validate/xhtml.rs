//! The narrative: what may be in it, and that nothing in it is expanded or run.

use ipt_fhir::json::Limits;
use ipt_fhir::validate::finding::Findings;
use ipt_fhir::validate::tree::{NodeId, Tree, json};
use ipt_fhir::validate::xhtml::{DEEPEST, element, has_content, html_checks, parse};
use proptest::prelude::*;

fn of(div: &str) -> Vec<(&'static str, Option<usize>)> {
    let source = serde_json::json!({"resourceType": "Patient", "text": {"div": div}}).to_string();
    let tree = json::read(&source, Limits::RESOURCE).unwrap();
    let mut findings = Findings::new();
    element(&tree, div_of(&tree), &mut findings);
    findings.as_slice().iter().map(|finding| (finding.rule.code, finding.offset)).collect()
}

fn div_of(tree: &Tree<'_>) -> NodeId {
    tree.all().find(|node| tree.name(*node) == "div").unwrap()
}

fn codes(inner: &str) -> Vec<&'static str> {
    of(&format!(r#"<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>"#))
        .into_iter()
        .map(|(code, _)| code)
        .collect()
}

#[test]
fn what_reports_hold_passes() {
    for good in [
        "text",
        "<p>a<br/>b <b>bold</b> &amp; &lt; &#160; &#xA0;</p>",
        "<table border=\"1\"><caption>x</caption><thead><tr><th>a</th></tr></thead><tbody><tr><td colspan=\"2\">b</td></tr></tbody></table>",
        "<ul><li>a<ul><li>b</li></ul></li></ul><dl><dt>a</dt><dd>b</dd></dl>",
        "<a href=\"http://x.org/a?b=c#d\">x</a><a name=\"q\">y</a><a href=\"#\">z</a>",
        "<img src=\"data:image/png;base64,QUJD\" alt=\"x\"/>",
        "<!-- a comment --><![CDATA[ < ]]>",
        "<div style=\"color: red\" id=\"a\"><pre>x</pre></div>",
        "<p xml:lang=\"de\">x</p>",
    ] {
        assert_eq!(codes(good), Vec::<&str>::new(), "{good}");
    }
}

#[test]
fn what_runs_or_loads_is_refused() {
    for (bad, code) in [
        ("<script>alert(1)</script>", "fhir-xhtml-element"),
        ("<SCRIPT>alert(1)</SCRIPT>", "fhir-xhtml-element"),
        ("<style>p {}</style>", "fhir-xhtml-element"),
        ("<iframe src=\"http://x\"/>", "fhir-xhtml-element"),
        ("<object value=\"x\"/>", "fhir-xhtml-element"),
        ("<object value=\"x\"/>", "fhir-xhtml-attribute"),
        ("<form><input/></form>", "fhir-xhtml-element"),
        ("<svg onload=\"x\"/>", "fhir-xhtml-attribute"),
        ("<p onclick=\"x\">a</p>", "fhir-xhtml-attribute"),
        ("<a href=\"javascript:alert(1)\">x</a>", "fhir-xhtml-link-active"),
        ("<a href=\"JaVaScRiPt:alert(1)\">x</a>", "fhir-xhtml-link-active"),
        ("<a href=\"java&#10;script:alert(1)\">x</a>", "fhir-xhtml-link-active"),
        ("<a href=\"&#106;avascript:alert(1)\">x</a>", "fhir-xhtml-link-active"),
        ("<img src=\"vbscript:x\"/>", "fhir-xhtml-link-active"),
        ("<a href=\"urn:uuid:1\">x</a>", "fhir-xhtml-link-scheme"),
        ("<a href=\"\">x</a>", "fhir-xhtml-link-empty"),
        ("<a href=\"ftp://x.org/\">x</a>", "fhir-xhtml-link-unusual"),
        ("<img src=\"http://x y\"/>", "fhir-xhtml-url"),
        ("<img src=\"data:image/png;base64,QQ\"/>", "fhir-xhtml-url"),
    ] {
        assert!(codes(bad).contains(&code), "{bad}: {:?}", codes(bad));
    }
}

#[test]
fn markup_that_is_not_xml_is_refused() {
    let malformed = "fhir-xhtml-malformed";
    for (bad, code) in [
        ("<p>", malformed),
        ("<p></b></p>", malformed),
        ("<p", malformed),
        ("a < b", malformed),
        ("<p id=\"a\" id=\"b\"/>", malformed),
        ("<p title=\"a<b\"/>", malformed),
        ("<!-- ", malformed),
        ("</div>x", malformed),
        ("a & b", "fhir-xhtml-entity"),
        ("&nbsp;", "fhir-xhtml-entity"),
        ("&#0;", "fhir-xhtml-entity"),
        ("&#xD800;", "fhir-xhtml-entity"),
        ("<?php x ?>", "fhir-xhtml-instruction"),
        ("<!DOCTYPE x>", "fhir-xhtml-doctype"),
        ("<td nowrap>x</td>", "fhir-xhtml-attribute-form"),
    ] {
        assert!(codes(bad).contains(&code), "{bad}: {:?}", codes(bad));
    }
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><div>&b;</div>";
    assert_eq!(of(bomb)[0].0, "fhir-xhtml-doctype");
    let deep = DEEPEST + 1;
    let nested = format!("{}{}", "<div>".repeat(deep), "</div>".repeat(deep));
    assert_eq!(codes(&nested), ["fhir-xhtml-depth"]);
    assert_eq!(of("")[0].0, malformed);
}

#[test]
fn the_root_is_a_div_of_xhtml() {
    let first = |div: &str| of(div).first().map(|(code, _)| *code);
    assert_eq!(first("<div>x</div>"), Some("fhir-xhtml-namespace"));
    assert_eq!(first("<div xmlns=\"http://hl7.org/fhir\">x</div>"), Some("fhir-xhtml-namespace"));
    assert_eq!(first("<p xmlns=\"http://www.w3.org/1999/xhtml\">x</p>"), Some("fhir-xhtml-div"));
    assert_eq!(first("<h:div xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:p>x</h:p></h:div>"), None);
    assert_eq!(first("x"), Some("fhir-xhtml-malformed"));
    assert!(codes("<p xmlns=\"urn:x\">x</p>").contains(&"fhir-xhtml-namespace"));
}

#[test]
fn tables_and_lists_hold_what_they_can() {
    for (bad, code) in [
        ("<table>x</table>", "fhir-xhtml-children"),
        ("<table><td>x</td></table>", "fhir-xhtml-children"),
        ("<ul>x<li>y</li></ul>", "fhir-xhtml-children"),
        ("<tr><td>x</td></tr>", "fhir-xhtml-out-of-place"),
        ("<li>x</li>", "fhir-xhtml-out-of-place"),
        ("<br>x</br>", "fhir-xhtml-no-children"),
        ("<p><div>x</div></p>", "fhir-xhtml-paragraph"),
        ("<h1><table/></h1>", "fhir-xhtml-block"),
        ("<b>a<i><b>c</b></i></b>", "fhir-xhtml-in-itself"),
    ] {
        assert!(codes(bad).contains(&code), "{bad}: {:?}", codes(bad));
    }
}

#[test]
fn a_finding_points_to_the_byte() {
    let div = "<div xmlns='http://www.w3.org/1999/xhtml'><p>é<script/></p></div>";
    let source = format!(r#"{{"text":{{"div":"{div}"}}}}"#);
    let tree = json::read(&source, Limits::RESOURCE).unwrap();
    let mut findings = Findings::new();
    element(&tree, div_of(&tree), &mut findings);
    let offset = findings.as_slice()[0].offset.unwrap();
    assert!(source.get(offset..).unwrap().starts_with("<script/>"));
    // Escapes make what is written longer than the text.
    let escaped = source.replace('\'', "\\\"").replace('é', "\\u00e9\\ud83d\\ude00");
    let tree = json::read(&escaped, Limits::RESOURCE).unwrap();
    let mut findings = Findings::new();
    element(&tree, div_of(&tree), &mut findings);
    let offset = findings.as_slice()[0].offset.unwrap();
    assert!(escaped.get(offset..).unwrap().starts_with("<script/>"), "{escaped}");
}

#[test]
fn html_checks_are_those_of_txt_1_and_txt_2() {
    let div = |inner: &str| format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>");
    assert!(html_checks(&div("<p>x</p>")).is_ok());
    assert_eq!(html_checks(&div("<script/>")).unwrap_err().0.code, "fhir-xhtml-element");
    assert_eq!(html_checks(&div("<p")).unwrap_err().0.code, "fhir-xhtml-malformed");
    assert!(has_content(&div("<p>x</p>")));
    assert!(has_content(&div("<img src=\"#a\"/>")));
    assert!(has_content(&div("&#160;")));
    for empty in ["", " \n\t", "<p> </p>", "&#32;&#x20;", "<!-- x -->", "<br/>"] {
        assert!(!has_content(&div(empty)), "{empty:?}");
    }
}

/// Each is a megabyte of one thing, and would take minutes if a step looked at all that came before.
#[test]
fn bombs_take_no_time() {
    let many =
        |piece: &dyn Fn(usize) -> String, count: usize| (0..count).map(piece).collect::<String>();
    let start = std::time::Instant::now();
    let attributes = many(&|at| format!(" a{at}=\"\""), 60_000);
    assert!(codes(&format!("<p{attributes}/>")).len() >= 60_000);
    let tables = "<table>x</table>".repeat(60_000);
    assert_eq!(codes(&tables).len(), 60_000);
    assert_eq!(codes(&"&amp;".repeat(200_000)), Vec::<&str>::new());
    assert_eq!(codes(&"<".repeat(1 << 20)), ["fhir-xhtml-malformed"]);
    assert!(start.elapsed().as_secs() < 60);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in any::<String>()) {
        let _ = parse(&text);
        prop_assert!(of(&text).iter().all(|(code, _)| code.starts_with("fhir-xhtml-")));
    }

    #[test]
    fn no_markup_breaks_the_rules(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<p>", "</p>", "<a href=\"#x\">", "</a>", "<table>", "</table>", "<tr>", "</tr>", "<td nowrap>", "&",
                "&amp;", "<!--", "-->", "<![CDATA[", "]]>", "<script>", "</script>", "x", "é", "=\"", "'", "<", ">", "/>",
                "<img src=", "<?", "?>", "<!DOCTYPE ", "\u{0}", " ",
            ]),
            0..40,
        )
    ) {
        let inner: String = pieces.concat();
        let _ = codes(&inner);
        if let Ok(markup) = parse(&inner) {
            for (index, part) in markup.parts().iter().enumerate() {
                prop_assert!(part.parent <= index && part.end > index && part.end <= markup.parts().len());
            }
        }
    }
}
