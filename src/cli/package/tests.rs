//! Packages, whole and hostile: what an archive must not do, and where packages are found.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::archive::{Bounds, Refused, is_definition, read, read_within};
use super::load_with;
use crate::cli::exit::Exit;
use crate::validate::definitions::ResourceType;

const PROFILE: &str = r#"{"resourceType":"StructureDefinition","url":"http://a.example/p","version":"2","kind":"resource","type":"Patient"}"#;
const MANIFEST: &str =
    r#"{"name":"a.example","version":"1.0.0","dependencies":{"hl7.fhir.r4.core":"4.0.1"}}"#;

/// An entry as it is written, without what the writer would refuse.
fn append(builder: &mut Builder<Vec<u8>>, path: &str, kind: EntryType, bytes: &[u8]) {
    let mut header = Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(bytes.len() as u64);
    if kind.is_symlink() || kind.is_hard_link() {
        header.set_link_name("/etc/passwd").unwrap();
    }
    header.set_cksum();
    builder.append(&header, bytes).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, bytes) in entries {
        append(&mut builder, path, *kind, bytes);
    }
    gzip(&builder.into_inner().unwrap())
}

fn refusal(entries: &[(&str, EntryType, &[u8])]) -> Option<Refused> {
    let mut all = vec![("package/p.json", EntryType::Regular, PROFILE.as_bytes())];
    all.extend(entries);
    read(&archive(&all)[..], is_definition).err()
}

#[test]
fn links_special_files_and_paths_that_climb_are_refused() {
    for kind in [
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::GNUSparse,
    ] {
        assert_eq!(refusal(&[("package/a.json", kind, b"")]), Some(Refused::NotAFile), "{kind:?}");
    }
    for path in [
        "../a.json",
        "package/../../a.json",
        "/etc/a.json",
        "package//a.json",
        "C:/a.json",
        "package\\..\\a.json",
    ] {
        assert_eq!(refusal(&[(path, EntryType::Regular, b"{}")]), Some(Refused::Path), "{path}");
    }
    assert_eq!(refusal(&[("./package/a.json", EntryType::Regular, b"{}")]), None);
    assert_eq!(refusal(&[("package/", EntryType::Directory, b"")]), None);
}

#[test]
fn two_files_of_one_name_are_refused() {
    for path in ["package/p.json", "./package/p.json"] {
        assert_eq!(
            refusal(&[(path, EntryType::Regular, b"{}")]),
            Some(Refused::Duplicate),
            "{path}"
        );
    }
}

#[test]
fn an_extended_header_may_lengthen_a_path_and_nothing_else() {
    let long = format!("package/{}.json", "a".repeat(150));
    let record = |text: &str| {
        // The length counts its own digits.
        let length =
            (0..9_999).find(|length| text.len() + 2 + format!("{length}").len() == *length);
        format!("{} {text}\n", length.unwrap())
    };
    let next = ("package/b.json", EntryType::Regular, PROFILE.as_bytes());
    let pax = |text: &str| refusal(&[("pax", EntryType::XHeader, record(text).as_bytes()), next]);
    assert_eq!(pax(&format!("path={long}")), None);
    assert_eq!(pax("mtime=1.5"), None);
    assert_eq!(pax("path=../../a.json"), Some(Refused::Path));
    assert_eq!(pax("path=package/p.json"), Some(Refused::Duplicate));
    assert_eq!(pax("size=1"), Some(Refused::Header));
    assert_eq!(pax("linkpath=/etc/passwd"), Some(Refused::Header));
    assert_eq!(pax("GNU.sparse.realsize=99999999999"), Some(Refused::Header));
    let gnu = |name: &str| refusal(&[("long", EntryType::GNULongName, name.as_bytes()), next]);
    assert_eq!(gnu(&format!("{long}\0")), None);
    assert_eq!(gnu("../a.json\0"), Some(Refused::Path));
    assert_eq!(gnu(&"a".repeat(70_000)), Some(Refused::Header));
}

#[test]
fn what_is_too_much_is_refused_before_it_is_in_memory() {
    let bounds = Bounds { files: 4, bytes: 1 << 20, one: 64 << 10 };
    let refusal = |entries: &[(&str, EntryType, &[u8])]| {
        read_within(&archive(entries)[..], is_definition, bounds).err()
    };
    let large = vec![b' '; 100 << 10];
    let larger = vec![0; 2 << 20];
    let regular = EntryType::Regular;
    assert_eq!(refusal(&[("package/a.json", regular, &large)]), Some(Refused::TooLarge));
    // What is not wanted may be larger, as long as all together is not.
    assert_eq!(refusal(&[("package/a.png", regular, &large)]), None);
    assert_eq!(refusal(&[("package/a.png", regular, &larger)]), Some(Refused::TooLarge));
    let many: Vec<String> = (0..5).map(|number| format!("package/{number}.json")).collect();
    let many: Vec<_> = many.iter().map(|path| (path.as_str(), regular, &b"{}"[..])).collect();
    assert_eq!(refusal(&many), Some(Refused::TooLarge));
    assert_eq!(refusal(&many[1..]), None);
    // Files that would all be kept: they end at the measure of the archive, long before that of the contents.
    let spaces = vec![b' '; 8 << 20];
    let few: Vec<_> = many.iter().map(|path| (path.0, regular, &spaces[..])).collect();
    assert_eq!(read(&archive(&few)[..], is_definition).err(), Some(Refused::TooLarge));
}

#[test]
fn what_is_no_archive_is_refused() {
    let whole = archive(&[("package/p.json", EntryType::Regular, PROFILE.as_bytes())]);
    for bytes in [&b"no archive at all"[..], &gzip(&[7; 4096]), &whole[..whole.len() / 2]] {
        assert_eq!(read(bytes, is_definition).err(), Some(Refused::NotAnArchive));
    }
}

#[test]
fn a_package_is_found_as_archive_as_directory_and_in_the_cache() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path();
    let cached = root.join(".fhir/packages/a.example#1.0.0/package");
    let plain = root.join("plain/inner/most");
    for folder in [&cached, &plain] {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("p.json"), PROFILE).unwrap();
    }
    std::fs::write(cached.join("package.json"), MANIFEST).unwrap();
    // An example is no definition of the package's.
    std::fs::create_dir(cached.join("example")).unwrap();
    std::fs::write(cached.join("example/q.json"), PROFILE.replace("a.example/p", "a.example/q"))
        .unwrap();
    let file = root.join("a.tgz");
    let regular = EntryType::Regular;
    let entries = [
        ("package/package.json", regular, MANIFEST.as_bytes()),
        ("package/p.json", regular, PROFILE.as_bytes()),
        ("package/example/q.json", regular, PROFILE.as_bytes()),
    ];
    std::fs::write(&file, archive(&entries)).unwrap();
    let in_package = cached.parent().unwrap().to_str().unwrap();
    for source in ["a.example#1.0.0", in_package, file.to_str().unwrap()] {
        let package = load_with(source, Some(root)).unwrap();
        assert_eq!((package.name(), package.version()), ("a.example", "1.0.0"), "{source}");
        assert_eq!(package.dependencies().collect::<Vec<_>>(), [("hl7.fhir.r4.core", "4.0.1")]);
        assert_eq!(package.len(ResourceType::StructureDefinition), 1);
    }
    let package = load_with(root.join("plain").to_str().unwrap(), None).unwrap();
    assert_eq!((package.name(), package.len(ResourceType::StructureDefinition)), ("", 1));
}

#[test]
fn what_is_no_package_is_told() {
    let home = tempfile::tempdir().unwrap();
    let text = home.path().join("a.txt");
    std::fs::write(&text, "text").unwrap();
    let fault = |source: &str| {
        let failure = load_with(source, Some(home.path())).unwrap_err();
        (failure.exit, failure.problems[0].code.clone())
    };
    assert_eq!(fault("a.example#1.0.0"), (Exit::Usage, "package-not-found".to_owned()));
    assert_eq!(fault("../../a#1"), (Exit::Unreadable, "input-unreadable".to_owned()));
    assert_eq!(fault("nothing.tgz"), (Exit::Unreadable, "input-unreadable".to_owned()));
    assert_eq!(fault(text.to_str().unwrap()), (Exit::Unreadable, "package-unreadable".to_owned()));
    assert_eq!(
        fault(home.path().to_str().unwrap()),
        (Exit::Unreadable, "package-empty".to_owned())
    );
}
