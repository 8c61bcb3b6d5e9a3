//! What can be wrong with inputs, packages, profiles and expressions: commands that read FHIR.

use super::Told;

const VALIDATING: &str = "README.md, Validating FHIR";
const TOUR: &str = "README.md, A tour";
const WORKING: &str = "README.md, Working on it";
const FHIRPATH: &str = "https://hl7.org/fhirpath/";

/// All of this file.
#[rustfmt::skip]
pub(super) const ALL: &[Told] = &[
    Told(
        "convert-impossible",
        "the document can't be written in the other format",
        "Something in it is no FHIR, so it would be lost or changed; nothing is written. `validate` tells what is wrong there.",
        "https://hl7.org/fhir/R4/formats.html",
    ),
    Told(
        "definitions-other-jar",
        "a jar is not the one that is pinned",
        "Packs are built of jars of one version and hash, so that everybody builds the same. Fetch the one that is named.",
        "profiles/core/README.md",
    ),
    Told("definitions-unreadable", "a jar can't be read", "A file is missing in it, or is broken. Fetch it again.", "profiles/core/README.md"),
    Told("definitions-unwritable", "a pack can't be written", "Look at the directory and its rights.", "profiles/core/README.md"),
    Told(
        "explain-unknown",
        "no code of this name",
        "Codes stand in brackets after error, warning or note. `explain --list` shows all.",
        VALIDATING,
    ),
    Told(
        "fhirpath-stopped",
        "the expression has no result here",
        "It is wrong for this document (several items where one belongs, another type), it would take too long or too much, or it needs \
         what is not at hand: a terminology server, a reference elsewhere. The message says which.",
        FHIRPATH,
    ),
    Told(
        "fhirpath-syntax",
        "the expression can't be read",
        "The message says what and where. Put it in single quotes, or the shell takes parts of it for itself.",
        FHIRPATH,
    ),
    Told(
        "input-bomb",
        "the file unpacks to far more than it is",
        "Gzip that grows without measure is made to fill a machine's memory or disk, so reading ends. If it is meant: unpack it yourself, and \
         give that.",
        VALIDATING,
    ),
    Told("input-directory", "a directory where one document belongs", "Name a file, or - for stdin. `validate` takes directories.", TOUR),
    Told(
        "input-not-a-bundle",
        "the document is no Bundle of resources",
        "This command reads the Bundle that `map` writes or that an EHR answers. A single resource goes into one as an entry.",
        "https://hl7.org/fhir/R4/bundle.html",
    ),
    Told(
        "input-not-a-statement",
        "the document is no CapabilityStatement",
        "Save what the server answers to BASE/metadata, as JSON.",
        "https://hl7.org/fhir/R4/capabilitystatement.html",
    ),
    Told(
        "input-not-fhir",
        "the document is no FHIR resource",
        "FHIR's JSON is an object with a `resourceType`.",
        "https://hl7.org/fhir/R4/json.html",
    ),
    Told(
        "input-not-gzip",
        "the file is gzip that breaks off or is damaged",
        "What came before was still looked at. Fetch the file again, or pack it again.",
        VALIDATING,
    ),
    Told(
        "input-not-json",
        "the document is not JSON",
        "The place that is shown is where reading ended; often the fault stands a line before.",
        "https://www.rfc-editor.org/rfc/rfc8259",
    ),
    Told(
        "input-nothing",
        "a directory or pattern leads to no document",
        "Documents end in .json, .xml, .ndjson or .jsonl, with .gz or without. A pattern knows *, ? and **.",
        VALIDATING,
    ),
    Told(
        "input-too-large",
        "the file is larger than any document of its kind",
        "It is likely another file. Exports of any size are NDJSON, which `validate` reads line by line.",
        VALIDATING,
    ),
    Told("input-unreadable", "the file can't be read", "It is not there, it may not be read, or the disk failed. The message says which.", TOUR),
    Told("package-empty", "the package holds no definition", "A package is package/*.json in a .tgz, or a directory of JSON files with StructureDefinitions, ValueSets or CodeSystems.", "https://hl7.org/fhir/packages.html"),
    Told(
        "package-not-found",
        "the package is not in the cache",
        "`id#version` is looked up in ~/.fhir/packages; nothing is fetched. Fetch it with a tool that fills the cache, or name the .tgz.",
        "https://hl7.org/fhir/packages.html",
    ),
    Told(
        "package-unreadable",
        "the package is no archive that is taken",
        "It is no gzip-compressed tar, or it holds links, paths that lead outside, two files of one name, or more than a package has. Such \
         archives are refused whole: some are made to write where they should not.",
        "https://hl7.org/fhir/packages.html",
    ),
    Told(
        "profile-unknown",
        "no definition has this canonical URL",
        "A profile that nobody knows would always be met, so it is a mistake to ask for it. `--package` loads the package that defines it.",
        VALIDATING,
    ),
    Told("suite-unreadable", "the suite can't be read", "A suite is cases.json with cases.tgz, or NAME.tgz files with reference.json.", WORKING),
    Told("validate-nothing", "nothing to validate", "Name files, directories or patterns, or pipe a document in.", VALIDATING),
];
