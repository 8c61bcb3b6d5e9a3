//! `record render`: the plan or a session as a document.

use super::Home;
use crate::support::record_names;

#[test]
fn a_plan_and_a_session_are_rendered_under_the_policy() {
    let home = Home::new();
    let file = "@ipt/john-lee-in-treatment.json";
    let plan = home.run(&format!("record render {file}")).ends(0);
    assert!(plan.stdout.starts_with("Sample Treatment Plan"), "{}", plan.stdout);
    assert!(plan.stdout.contains("\n--\nIPT-REF: "));
    assert!(plan.stderr.contains("withheld: /inventory (--grant inventory"));
    assert!(!plan.stdout.contains("Interpersonal inventory\n---"));
    let granted = home.run(&format!("record render {file} --grant inventory")).ends(0);
    assert!(granted.stdout.contains("Interpersonal inventory\n---"));
    let session = home.run(&format!("record render {file} --session session-5 --to html")).ends(0);
    assert!(session.stdout.starts_with("<!DOCTYPE html>"));
    assert!(session.stdout.contains("<h1>IPT session 5</h1>"));
    let json = home.run(&format!("record render {file} --format json")).ends(0).envelope();
    assert_eq!(json.pointer("/result/text").unwrap().as_str(), Some(plan.stdout.as_str()));
    home.run(&format!("record render {file} --session nobody")).ends(2);
    home.run(&format!("record render {file} --to docx")).ends(2);
    home.run("record render nowhere.json").ends(4);
}

#[test]
fn two_processes_write_the_same_bytes() {
    let home = Home::new();
    for name in record_names() {
        for form in ["text", "html"] {
            let line = format!("record render @ipt/{name} --policy full --to {form}");
            assert_eq!(home.run(&line).ends(0).stdout, home.run(&line).ends(0).stdout, "{name}");
        }
    }
}

#[cfg(feature = "pdf")]
#[test]
fn a_pdf_goes_to_a_private_file_or_a_pipe_and_never_into_json() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let line = "record render @ipt/john-lee-in-treatment.json --to pdf";
    for file in ["one.pdf", "two.pdf"] {
        let run = home.run(&format!("{line} --output {file}")).ends(0);
        assert!(run.stdout.starts_with(&format!("{file}: application/pdf, ")), "{}", run.stdout);
        let mode = home.path(file).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
    }
    let bytes = std::fs::read(home.path("one.pdf")).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.7"));
    assert_eq!(bytes, std::fs::read(home.path("two.pdf")).unwrap());
    let piped = home.command(super::words(line)).output().unwrap();
    assert_eq!((piped.status.code(), piped.stdout), (Some(0), bytes));
    let json = home.run(&format!("{line} --format json")).ends(2);
    assert_eq!(json.codes(), ["render-pdf-to-terminal"]);
    let result = home.run(&format!("{line} --output one.pdf --format json")).ends(0).envelope();
    assert_eq!(result.pointer("/result/mediaType").unwrap().as_str(), Some("application/pdf"));
    home.run(&format!("{line} --output .")).ends(1);
}

#[cfg(feature = "pdf")]
#[test]
fn a_pdf_refuses_a_terminal() {
    let home = Home::new();
    let program = home.command(super::words("record render @ipt/john-lee.json --to pdf"));
    let line: Vec<String> = std::iter::once(program.get_program())
        .chain(program.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    // `script` of util-linux gives the program a terminal.
    let run = std::process::Command::new("script")
        .args(["-q", "-e", "-c", &line.join(" ")])
        .arg(home.path("typescript"))
        .stdin(std::process::Stdio::null())
        .output();
    let Ok(run) = run else {
        println!("left out: a PDF at a terminal (there is no `script`)");
        return;
    };
    let text = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(run.status.code(), Some(2), "{text}");
    assert!(text.contains("render-pdf-to-terminal") && !text.contains("%PDF"), "{text}");
}
