//! What can go wrong with an EHR: reaching it, logging in, linking records, writing, and handing over.

use super::Told;

const LINKING: &str = "README.md, Linking and syncing";
const HOSPITAL: &str = "README.md, A hospital's EHR";
const TAKES: &str = "README.md, What an EHR takes";
const PRIVACY: &str = "README.md, Privacy";

/// All of this file.
#[rustfmt::skip]
pub(super) const ALL: &[Told] = &[
    Told(
        "ehr-busy",
        "the EHR asks to wait",
        "It answered that there are too many requests, or that it is down for a while, again and again. Run the same command later: it goes on.",
        "https://www.rfc-editor.org/rfc/rfc6585#section-4",
    ),
    Told(
        "ehr-conflict",
        "the EHR's version changed in between",
        "Somebody else wrote it after it was read, and nothing of theirs is overwritten. Run the same command again to see what changed.",
        "https://hl7.org/fhir/R4/http.html#concurrency",
    ),
    Told(
        "ehr-forbidden",
        "the EHR does not permit this",
        "It knows who asks and says no. Its administrator can give the permission, or the scope.",
        HOSPITAL,
    ),
    Told(
        "ehr-ignored-parameter",
        "the EHR ignored a condition of a search",
        "It answered with what was not asked for, so a search can't tell whether something is there: nothing is written.",
        "https://hl7.org/fhir/R4/search.html#errors",
    ),
    Told(
        "ehr-incorrect",
        "the answer is none that FHIR has",
        "A page instead of a resource, another type, a broken text. Check that the URL is the base of a FHIR server: `ehr test`.",
        "https://hl7.org/fhir/R4/http.html",
    ),
    Told(
        "ehr-no-answer",
        "nobody knows whether the EHR did it",
        "The connection ended after the request was sent. The same command looks before it writes again.",
        LINKING,
    ),
    Told(
        "ehr-no-token",
        "there is no token to ask with",
        "The token server could not be reached or refused, or the key or token can't be read. The message says which.",
        HOSPITAL,
    ),
    Told("ehr-not-found", "the EHR does not have this", "Check the type and the id; it may have been deleted or merged.", LINKING),
    Told(
        "ehr-not-searchable",
        "the EHR can't be searched for this",
        "What it does not search by can't be listed; the ids are in the EHR itself.",
        TAKES,
    ),
    Told(
        "ehr-other-patient",
        "the EHR answered with another patient's data",
        "It was left out. Do not sync with this EHR before its administrator knows why.",
        PRIVACY,
    ),
    Told(
        "ehr-refused",
        "the EHR refused the request",
        "It says that something in it can't be taken. `ehr test` and `ehr capabilities` say what the server can do.",
        TAKES,
    ),
    Told(
        "ehr-too-large",
        "the answer is larger than is taken",
        "16 MiB are taken from the network. Check that the URL is the base of a FHIR server.",
        "https://hl7.org/fhir/R4/http.html",
    ),
    Told(
        "ehr-unauthorized",
        "the EHR does not accept who asks",
        "The token is missing, old, or not for this server. Look at `auth` of this EHR in the configuration.",
        HOSPITAL,
    ),
    Told("ehr-unnamed", "which EHR is not said", "Several are configured, or none. Name it, or give `--ehr NAME`; `ehr list` shows all.", HOSPITAL),
    Told(
        "ehr-unreachable",
        "the EHR can't be reached",
        "The request was never sent: no such host, no connection, no valid certificate. `ehr test` says how far the connection comes.",
        HOSPITAL,
    ),
    Told(
        "hand-off-damaged",
        "a package for handing over is not whole any more",
        "Its files do not have the content that was written. If it was taken over: `hand-offs done`; else `hand-offs reject --reason lost`.",
        TAKES,
    ),
    Told("hand-off-not-waiting", "a package waits no more", "It was taken over or rejected before. `hand-offs list` shows how each stands.", TAKES),
    Told("hand-off-unknown", "no package of this name", "`hand-offs list` shows all.", TAKES),
    Told("key", "no key to log in with", "A client id needs a key: --key-file, --key-env or --key-command. `ehr keys generate NAME` makes one.", HOSPITAL),
    Told("keys-algorithm", "a key for another algorithm than is configured", "Change `algorithm` under `auth` of this EHR first, or leave it out there.", HOSPITAL),
    Told("keys-exist", "there are keys already", "They may be registered, so they are not overwritten. `ehr keys rotate NAME` adds a new one.", HOSPITAL),
    Told("keys-in-use", "the old key is still in use", "Token servers may hold the old list for a while; the message says how long to wait.", HOSPITAL),
    Told("keys-missing", "there are no keys", "`ehr keys generate NAME` makes one.", HOSPITAL),
    Told("keys-no-jwks", "the keys are no set of keys", "Rotating needs a JWKS file, to which a key can be added. `ehr keys generate NAME` makes one.", HOSPITAL),
    Told("keys-not-a-file", "the key is kept elsewhere", "It comes from a variable or a command. Change it where it is kept.", HOSPITAL),
    Told("keys-nothing-old", "there is no old key", "`ehr keys rotate NAME` adds a new key first.", HOSPITAL),
    Told("keys-old", "an old key is still there", "Retire it before the next rotation, so that there are never more than two.", HOSPITAL),
    Told("keys-pending", "a new key waits for its time", "It signs once token servers have had time to see it. Rotate again later.", HOSPITAL),
    Told("keys-unfit", "the key source holds no key that can be used", "RSA of 2048 bits or more, or P-384, with its private part. The message says what is wrong.", HOSPITAL),
    Told(
        "link-differs",
        "the record and the EHR's Patient differ",
        "Name, birth date or identifiers do not agree, and a note in the wrong chart is a harm. Look the id up; --accept-differences links all the same.",
        LINKING,
    ),
    Told("link-id", "this is no reference that can be linked", "`Patient/ID`, `Encounter/ID` and so on, by the id that the EHR has. `ehr candidates` lists them.", LINKING),
    Told("link-not-a-file", "a link needs a record that stays", "`sync` reads the file again, so stdin can't be linked. Save the record.", LINKING),
    Told(
        "link-other-client",
        "the record is about another client than when it was linked",
        "As when a record becomes the template for another one's. Restore it, or link it to its Patient anew.",
        LINKING,
    ),
    Told("link-other-server", "the record was linked at another server", "Ids of one server mean nothing on another. Link it to its Patient anew.", LINKING),
    Told("link-refused", "this Patient can't be linked", "It is not active, was merged into another, or is no Patient. Look the id up in the EHR.", LINKING),
    Told("link-session", "this is no session that can be linked", "`--session NUMBER=Encounter/ID`. `record show` lists the numbers, `ehr candidates` the Encounters.", LINKING),
    Told("link-twice", "one thing is named twice", "Each session or person is linked to one of the EHR's.", LINKING),
    Told("link-without-patient", "the record is linked to no Patient", "`ehr link EHR RECORD Patient/ID` says whose chart it belongs to.", LINKING),
    Told("settle", "this time of waiting is not allowed", "Without any waiting a second copy may be written, so 0 is for servers on this machine only.", LINKING),
    Told(
        "smart-configuration",
        "the server does not say how to log in",
        "Its `.well-known/smart-configuration` can't be read. Give --token-url as the EHR's documentation has it.",
        "https://hl7.org/fhir/smart-app-launch/conformance.html",
    ),
    Told("store", "the store can't be read or written", "The database is damaged or the disk failed. The message says which; a copy of the directory is worth having before anything is tried.", LINKING),
    Told(
        "store-exposed",
        "others can open the store",
        "It holds health records: the directory has mode 0700, files in it 0600. Set them; until then nothing is opened.",
        PRIVACY,
    ),
    Told(
        "store-linked-otherwise",
        "the record is linked elsewhere",
        "It has resources at another Patient, or what is to be linked belongs to another. Unlink it there first, if that was wrong.",
        LINKING,
    ),
    Told("store-locked", "another process writes to this EHR", "Two at once could write twice. Wait until it has ended.", LINKING),
    Told("store-newer", "a newer program made the store", "Use the newer program.", LINKING),
    Told("store-open", "the store can't be opened", "The message says why: rights, disk, or no directory.", LINKING),
    Told(
        "store-plan-of-another",
        "another record has the same plan id",
        "A record that was begun as a copy needs an id of its own, or its notes would become the other one's. Change its `id`.",
        LINKING,
    ),
    Told("sync-not-linked", "the record is not linked", "`ehr link EHR RECORD Patient/ID` links it.", LINKING),
    Told(
        "token-url",
        "the URL of the token server can't be used",
        "It is not valid, or leads to this machine from elsewhere. A login goes only where a person said it may: --token-url.",
        HOSPITAL,
    ),
    Told("unlink-not-linked", "this is not linked", "There is nothing to end. `ehr list` shows the links.", LINKING),
    Told("url", "the URL of the EHR can't be used", "It is the base of a FHIR server, https except on this machine, without user, query or fragment, and it needs a way to log in.", HOSPITAL),
];
