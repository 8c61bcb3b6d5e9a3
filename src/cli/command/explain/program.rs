//! What can be wrong with the configuration, the sandbox, and the program's own surroundings.

use super::Told;

const HOSPITAL: &str = "README.md, A hospital's EHR";
const LINKING: &str = "README.md, Linking and syncing";
const VALIDATING: &str = "README.md, Validating FHIR";
const TRY: &str = "README.md, Try it";
const PRIVACY: &str = "README.md, Privacy";
const NOTE: &str = "README.md, How a session note travels";

/// All of this file.
#[rustfmt::skip]
pub(super) const ALL: &[Told] = &[
    Told("config-exists", "an EHR of this name is configured", "Edit the file, or choose another name.", HOSPITAL),
    Told(
        "config-inline-secret",
        "a secret stands in the configuration",
        "Configuration is copied and shown around. Let it name a file, a variable or a command instead.",
        PRIVACY,
    ),
    Told("config-missing", "a setting is missing", "The message says which, and what needs it.", HOSPITAL),
    Told("config-permissions", "others can read a file with a secret", "Set its mode to 0600.", PRIVACY),
    Told("config-secret", "a secret can't be fetched", "The file, variable or command that the configuration names gives none. The message says why.", HOSPITAL),
    Told("config-syntax", "the configuration is not TOML", "The place that is shown is where reading ended.", "https://toml.io/en/v1.0.0"),
    Told("config-type", "a setting of another type", "The message says which type it has: text, number, list, table.", HOSPITAL),
    Told("config-unknown-ehr", "no EHR of this name is configured", "`ehr list` shows those that are.", HOSPITAL),
    Told("config-unknown-key", "a setting that does not exist", "A misspelt setting would silently count for nothing. Correct it or remove it.", HOSPITAL),
    Told("config-unreadable", "the configuration can't be read", "The message says why. A file that --config names must be there; it may be empty.", HOSPITAL),
    Told("config-unwritable", "the configuration can't be written", "Look at the file and its rights.", HOSPITAL),
    Told("config-value", "a setting that can't be used", "The message says what is allowed.", HOSPITAL),
    Told("demo", "the demo did not come out as told", "Something of it went otherwise than it should. Report it.", TRY),
    Told("directory", "there is no working directory", "It was removed, or may not be read. Change to another one.", TRY),
    Told("interrupted", "the command was interrupted", "What was done is saved, and the same command goes on from there.", LINKING),
    Told("man", "a manual page can't be written", "Look at the directory and its rights.", TRY),
    Told("needs-confirmation", "a person must confirm this", "Questions are asked on a terminal only. Give --yes if a person has checked it.", LINKING),
    Told("not-confirmed", "it was not confirmed", "Nothing was done.", LINKING),
    Told("output", "the result can't be written", "The message says why; what was printed before is not whole.", LINKING),
    Told("render-no-note", "there is no note of this session", "It was neither held nor missed. The plan tells what is known of it.", NOTE),
    Told("render-no-session", "the record has no such session", "`record show --format json` lists the sessions with their ids.", NOTE),
    Told("render-output", "the note can't be written", "The message says why. Name another place.", NOTE),
    Told("render-pdf-to-terminal", "a PDF is nothing for a terminal", "Give --output FILE, or let a pipe take it.", NOTE),
    Told("runtime", "the program can't start its threads", "The system gives no more threads. Look at its limits.", TRY),
    Told("sample", "the built-in record can't be read", "This is a fault of the program. Report it.", TRY),
    Told("sandbox-jwks", "the file holds no public keys", "`ehr keys jwks NAME` prints what to register.", HOSPITAL),
    Told("sandbox-listen", "the sandbox can't listen there", "Another program may have the port. --listen 127.0.0.1:0 takes a free one.", TRY),
    Told("sandbox-not-loopback", "the sandbox listens on this machine only", "It asks nobody who they are, and may hold records. Take 127.0.0.1 or ::1.", TRY),
    Told("sandbox-scope", "the scope can't be read", "As SMART has it: system/Patient.rs, or system/*.cruds.", HOSPITAL),
    Told("sandbox-seed", "a resource of the seed has no id that FHIR allows", "Letters, digits, - and ., 64 at most.", "https://hl7.org/fhir/R4/datatypes.html#id"),
    Told("sandbox-snapshot", "the snapshot can't be read or written", "Name a file that the sandbox wrote, or one that is not there yet.", TRY),
    Told("tx-busy", "the terminology server has no time", "It said so several times. Wait, then run the same command again.", VALIDATING),
    Told(
        "tx-denied",
        "the terminology server wants a login",
        "Configure it like an EHR (`ehr add NAME URL`), then give --tx NAME.",
        VALIDATING,
    ),
    Told("tx-incorrect", "the terminology server answers nonsense", "It does not speak FHIR as asked. Check that the URL is its base.", VALIDATING),
    Told("tx-no-answer", "the terminology server gave no answer", "It may be slow: give a longer --timeout, or validate without --tx.", VALIDATING),
    Told(
        "tx-refused",
        "the terminology server does not answer questions about codes",
        "Check that the URL is its base, and that it has $validate-code.",
        "https://hl7.org/fhir/R4/valueset-operation-validate-code.html",
    ),
    Told("tx-too-many", "too many different codes", "Beyond 200,000 no more are asked about. Validate the files in several runs.", VALIDATING),
    Told("tx-unreachable", "the terminology server can't be reached", "Check the URL and the network. Without --tx all else is checked offline.", VALIDATING),
    Told("tx-url", "the URL of the terminology server can't be used", "It is https, or http to this machine, without password, query or fragment.", VALIDATING),
    Told("usage", "the command line is wrong", "--help shows what is possible.", TRY),
];
