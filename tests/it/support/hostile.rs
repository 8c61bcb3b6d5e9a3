//! URLs that a hostile server may name where a client expects one of its own (reliability-and-security.md, U1).
//!
//! Each of them leads, for some reader of URLs, elsewhere than below the base: to another server, another port,
//! another tenant, another scheme, or to a second spelling of this machine. A client follows none of them.

/// At least sixty of them, each once.
///
/// `base` is the base that the client was given (`http://127.0.0.1:PORT/fhir`), `second` the base of a server that
/// must never be asked. Some hold line ends, tabs and NUL: write them into JSON with [`in_json`], and into a header
/// only those that [`fits_header`] lets through.
pub(crate) fn urls(base: &str, second: &str) -> Vec<String> {
    let (scheme, rest) = base.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let (host, port) = authority.rsplit_once(':').unwrap();
    let origin = format!("{scheme}://{authority}");
    let second_authority = second.split_once("://").unwrap().1.split('/').next().unwrap();
    let second_port = second_authority.rsplit_once(':').unwrap().1;
    let other_scheme = if scheme == "http" { "https" } else { "http" };
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let mut urls = vec![
        // Another server, plainly.
        second.to_owned(),
        format!("{second}/Patient?page=2"),
        format!("http://{second_authority}"),
        format!("http://{second_authority}/{path}"),
        format!("http://localhost:{second_port}/{path}"),
        format!("//{second_authority}/{path}"),
        format!("///{second_authority}/{path}"),
        format!("////{second_authority}/{path}"),
        format!("{scheme}:{second_authority}/{path}"),
        format!("{scheme}:/{second_authority}/../../{path}x"),
        format!("{scheme}:///{second_authority}/{path}"),
        format!("{scheme}:////{second_authority}/{path}"),
        // Another port, another scheme.
        format!("{scheme}://{host}:{second_port}/{path}"),
        format!("{scheme}://{host}:1/{path}"),
        format!("{scheme}://{host}/{path}"),
        format!("{scheme}://{host}:0{port}/{path}"),
        format!("{scheme}://{host}:/{path}"),
        format!("{scheme}://{host}:99999/{path}"),
        format!("{other_scheme}://{authority}/{path}"),
        format!("ftp://{authority}/{path}"),
        format!("ws://{authority}/{path}"),
        format!("gopher://{second_authority}/1{path}"),
        format!("ldap://{second_authority}/{path}"),
        format!("jar:{second}!/{path}"),
        format!("file:///{path}"),
        "file:///etc/passwd".to_owned(),
        format!("file://{authority}/{path}"),
        "data:application/fhir+json,{}".to_owned(),
        "javascript:fetch('/')".to_owned(),
        format!("blob:{base}/1"),
        // The base as something else than the host.
        format!("{scheme}://{authority}@{second_authority}/{path}"),
        format!("{scheme}://{host}@{second_authority}/{path}"),
        format!("{scheme}://{authority}:x@{second_authority}/{path}"),
        format!("{scheme}://user@{authority}/{path}"),
        format!("{scheme}://user:password@{authority}/{path}"),
        format!("{scheme}://:@{authority}/{path}"),
        format!("{scheme}://{second_authority}#@{authority}/{path}"),
        format!("{base}#@{second_authority}"),
        format!("{scheme}://{second_authority}?@{authority}/{path}"),
        format!("{scheme}://{host}.evil.example:{second_port}/{path}"),
        format!("{scheme}://{host}.evil.example/{path}"),
        format!("{scheme}://evil.example/{authority}/{path}"),
        format!("{scheme}://evil.example/?{base}"),
        format!("{scheme}://{second_authority}/{base}"),
        // Backslashes, tabs, line ends, spaces, NUL.
        format!("{scheme}:\\\\{second_authority}\\{path}"),
        format!("\\\\{second_authority}\\{path}"),
        format!("/\\{second_authority}/{path}"),
        format!("{scheme}://{authority}\\@{second_authority}/{path}"),
        format!("{scheme}://{second_authority}\\@{authority}/{path}"),
        format!("{base}\\..\\..\\admin"),
        format!("{scheme}://{second_authority}\t/{path}"),
        format!("ht\ttp://{second_authority}/{path}"),
        format!("/\t/{second_authority}/{path}"),
        format!("\n{base}/Patient"),
        format!("{base}/Pat\r\nient"),
        format!(" {second}"),
        format!("{base}/ Patient"),
        format!("{base}\u{0}.evil.example/Patient"),
        format!("{base}/Patient\u{7f}"),
        format!("{base}/Patient%00.json"),
        format!("{base}/Patient%0d%0aHost:%20evil.example"),
        // Out of the base.
        format!("{origin}/{path}/../admin"),
        format!("{origin}/{path}/%2e%2e/admin"),
        format!("{origin}/{path}/%2E./admin"),
        format!("{origin}/{path}/.%2e/%2e%2e/admin"),
        format!("{origin}/{path}/..%2fadmin"),
        format!("{origin}/{path}/..%5cadmin"),
        format!("{origin}/{path}/%252e%252e/admin"),
        format!("{origin}/{path}/..%252fadmin"),
        format!("{origin}/{path}/..;/admin"),
        format!("{origin}/{path}/..;a=b/admin"),
        format!("{origin}/{path}d/Patient"),
        format!("{origin}/{path}%2f../admin"),
        format!("{origin}/{parent}"),
        format!("{origin}/admin"),
        "/admin".to_owned(),
        "../admin".to_owned(),
        "./../admin".to_owned(),
        "..".to_owned(),
        // This machine and the link-local metadata service, spelled in ways that filters miss.
        format!("{scheme}://169.254.169.254/latest/meta-data"),
        format!("{scheme}://[fd00:ec2::254]/latest/meta-data"),
        format!("{scheme}://[::1]:{second_port}/{path}"),
        format!("{scheme}://[::ffff:127.0.0.1]:{second_port}/{path}"),
        format!("{scheme}://[::ffff:7f00:1]:{port}/{path}"),
        format!("{scheme}://[::]:{second_port}/{path}"),
        format!("{scheme}://0:{second_port}/{path}"),
        format!("{scheme}://0.0.0.0:{second_port}/{path}"),
        format!("{scheme}://2130706433:{second_port}/{path}"),
        format!("{scheme}://2130706433:{port}/{path}"),
        format!("{scheme}://0x7f.1:{second_port}/{path}"),
        format!("{scheme}://0x7f.1:{port}/{path}"),
        format!("{scheme}://0177.0.0.1:{second_port}/{path}"),
        format!("{scheme}://127.1:{port}/{path}"),
        format!("{scheme}://{host}.:{second_port}/{path}"),
        format!("{scheme}://{host}.:{port}/{path}"),
        format!("{scheme}://localhost.:{second_port}/{path}"),
        format!("{scheme}://LocalHost:{second_port}/{path}"),
        format!("HTTP://LOCALHOST:{second_port}/{path}"),
        // Names that only look like another.
        format!("{scheme}://127\u{3002}0\u{3002}0\u{3002}1:{second_port}/{path}"),
        format!("{scheme}://127\u{3002}0\u{3002}0\u{3002}1:{port}/{path}"),
        format!("{scheme}://\u{ff11}\u{ff12}\u{ff17}.0.0.1:{port}/{path}"),
        format!("{scheme}://loc\u{430}lhost:{second_port}/{path}"),
        format!("{scheme}://xn--loclhost-6fg:{second_port}/{path}"),
        format!("{scheme}://%31%32%37.0.0.1:{second_port}/{path}"),
        format!("{scheme}://%31%32%37.0.0.1:{port}/{path}"),
        // No URL, or too much of one.
        "http://".to_owned(),
        "://".to_owned(),
        "//".to_owned(),
        format!("{base}/{}", "a".repeat(100_000)),
        format!("{second}/{}", "a".repeat(100_000)),
    ];
    let mut seen = std::collections::BTreeSet::new();
    urls.retain(|url| seen.insert(url.clone()));
    urls
}

/// A URL as it stands in JSON between quotes.
pub(crate) fn in_json(url: &str) -> String {
    let quoted = serde_json::to_string(url).unwrap();
    quoted.trim_start_matches('"').trim_end_matches('"').to_owned()
}

/// Whether a URL can stand in a header: line ends would end it, and NUL spoils the whole answer.
pub(crate) fn fits_header(url: &str) -> bool {
    !url.chars().any(char::is_control) && url.len() < 16_000
}

#[test]
fn there_are_sixty_and_each_is_there_once() {
    let urls = urls("http://127.0.0.1:1234/fhir", "http://127.0.0.1:4321/fhir");
    assert!(urls.len() >= 60, "{}", urls.len());
    let once: std::collections::BTreeSet<&String> = urls.iter().collect();
    assert_eq!(once.len(), urls.len());
    assert!(urls.iter().filter(|url| fits_header(url)).count() >= 60);
    assert_eq!(in_json("a\t\"b"), "a\\t\\\"b");
}
