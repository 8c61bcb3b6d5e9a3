//! The command line as it is typed: clap's types and nothing else. What they mean is decided in `settings`.

mod validate;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::exit::Exit;
use crate::ipt::Variant;
use crate::mapping::Section;
use crate::sandbox::{CATALOGUE, Personality};
use crate::store::RejectReason;
use crate::vendor::{self, Allow, Encounters, Pack, Rung};

pub(crate) use validate::{
    Convert, DocumentFormat, Explain, Fhirpath, Level, ReportForm, Suite, SuiteRun, Validate,
};

/// Maps interpersonal psychotherapy plans to FHIR and syncs them with hospital EHRs.
#[derive(Debug, Parser)]
#[command(name = "ipt-fhir", version, after_long_help = Exit::table())]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Configuration file; its values count before those of ./ipt-fhir.toml and the user's file
    #[arg(short, long, global = true, value_name = "FILE", env = crate::config::CONFIG_VARIABLE)]
    pub(crate) config: Option<PathBuf>,
    /// The EHR to work with, by its name in the configuration
    #[arg(short = 'E', long, global = true, value_name = "NAME", env = crate::config::EHR_VARIABLE)]
    pub(crate) ehr: Option<String>,
    /// How results are written
    #[arg(long, global = true, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: Format,
    /// Say less: no notes and no progress, and log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Log more: -v what was done, -vv each request, -vvv all that is safe
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// When to color; auto minds NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// When to show progress, on stderr
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) progress: Progress,
    /// Answer every question with yes
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,
    /// Time limit of one request to the EHR
    #[arg(long, global = true, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: Option<u64>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For a person
    Human,
    /// One JSON document: schema, ok, result, errors, meta
    Json,
    /// One JSON value on each line
    Ndjson,
}

/// When to color.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// When to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// A bar on a terminal, lines elsewhere once it takes longer than two seconds
    Auto,
    /// From the first step, also with --quiet
    Always,
    /// Never
    Never,
    /// One JSON object for each step
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Map a record to FHIR, or back
    Map(Map),
    /// Check, show and begin records
    #[command(subcommand)]
    Record(Record),
    /// Check FHIR resources, Bundles and NDJSON exports against their definitions and profiles
    Validate(Box<Validate>),
    /// Evaluate a FHIRPath expression in a document
    Fhirpath(Fhirpath),
    /// Write a FHIR document in the other format, JSON or XML
    Convert(Convert),
    /// Explain a rule by the code that a report shows
    Explain(Explain),
    /// Bring linked records into an EHR, each resource once, overwriting nobody
    Sync(Sync),
    /// Show it all at work on this machine, in a few seconds and without any configuration
    Demo,
    /// Configure and test EHRs, and link records to their patients
    #[command(subcommand)]
    Ehr(Ehr),
    /// List, show and decide on the packages that a person carries into an EHR
    #[command(subcommand)]
    HandOffs(HandOffs),
    /// Run an EHR on this machine to try things against: a FHIR R4 server in memory
    Sandbox(Sandbox),
    /// Score the validator against verdicts that were recorded
    #[command(subcommand, hide = true)]
    Suite(Suite),
    /// FHIR's own definitions, which are part of the program
    #[command(subcommand, hide = true)]
    Definitions(Definitions),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write all pages into a directory
    Man {
        /// Where to write one page for each command
        directory: Option<PathBuf>,
    },
    /// Print the version and what it was built with
    Version,
}

/// What to do with the definitions.
#[derive(Debug, Subcommand)]
pub(crate) enum Definitions {
    /// Make the packs anew from the jars that are pinned
    Build {
        /// Where the jars are: a directory of them, or a Maven repository
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        /// Where to write the packs
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
}

/// A record to be mapped.
#[derive(Debug, Args)]
pub(crate) struct Map {
    /// The record, as JSON or YAML; - for stdin
    pub(crate) file: PathBuf,
    /// Read a Bundle and write the record
    #[arg(long, conflicts_with_all = ["explain", "policy", "grant", "to"])]
    pub(crate) reverse: bool,
    /// Show where each value of the record goes, and what FHIR can't hold
    #[arg(long, conflicts_with = "to")]
    pub(crate) explain: bool,
    /// The kind of Bundle
    #[arg(long, value_name = "KIND", default_value = "collection")]
    pub(crate) to: BundleKind,
    #[command(flatten)]
    pub(crate) policy: PolicyFlags,
}

/// A kind of Bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BundleKind {
    /// The resources alone
    Collection,
    /// Conditional creates, people included: for a test server
    Transaction,
}

/// What may leave.
#[derive(Debug, Clone, Args)]
pub(crate) struct PolicyFlags {
    /// What may leave without a grant
    #[arg(long, value_name = "POLICY", default_value = "minimum")]
    pub(crate) policy: PolicyName,
    /// Let a section leave that the policy withholds; may be given several times
    #[arg(long, value_name = "SECTION", value_parser = sections())]
    pub(crate) grant: Vec<Section>,
}

/// A policy by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyName {
    /// Nothing that needs a grant
    Minimum,
    /// Everything
    Full,
}

/// What to do with records.
#[derive(Debug, Subcommand)]
pub(crate) enum Record {
    /// List everything that is wrong with a record
    Check {
        /// The record, as JSON or YAML; - for stdin
        file: PathBuf,
    },
    /// Print a record as a clinician reads it: with names
    Show {
        /// The record, as JSON or YAML; - for stdin
        file: PathBuf,
    },
    /// Write the plan or a session as a document to read and to print: with names
    Render(Render),
    /// Print a new record to be filled in
    New {
        /// The form of therapy
        #[arg(long, value_name = "VARIANT", value_parser = variants())]
        variant: Variant,
    },
}

/// A record to be rendered.
#[derive(Debug, Args)]
pub(crate) struct Render {
    /// The record, as JSON or YAML; - for stdin
    pub(crate) file: PathBuf,
    /// The form; a PDF is tagged (PDF/UA-1) and goes to a file or a pipe, never to a terminal
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) to: Form,
    /// The session of this id in the record, instead of the plan
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// Where to write it, readable by its owner only; replaces a file that is there
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) policy: PolicyFlags,
}

/// A form of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Plain text
    Text,
    /// An HTML page that stands alone
    Html,
    /// A tagged PDF
    Pdf,
}

fn sections() -> impl TypedValueParser<Value = Section> {
    PossibleValuesParser::new(Section::ALL.map(Section::code))
        .try_map(|code| Section::from_code(&code).ok_or("no such section"))
}

fn variants() -> impl TypedValueParser<Value = Variant> {
    PossibleValuesParser::new(Variant::ALL.iter().map(|variant| variant.code()))
        .try_map(|code| Variant::from_code(&code).ok_or("no such variant"))
}

/// What to do with EHRs.
#[derive(Debug, Subcommand)]
pub(crate) enum Ehr {
    /// Write an EHR into the configuration
    Add(Box<EhrAdd>),
    /// List the configured EHRs, and where their settings come from
    List,
    /// Check step by step whether an EHR can be synced with
    Test {
        /// Its name in the configuration
        name: Option<String>,
    },
    /// Link a record to a Patient of an EHR, and then to what else is there, after a person has confirmed
    Link(EhrLink),
    /// Find what a record's sessions, therapist and organization may be in an EHR, and link nothing
    Candidates {
        /// The EHR's name in the configuration
        name: String,
        /// The record, which is linked to its Patient
        record: PathBuf,
    },
    /// End a link to an Encounter, a Practitioner or an organization
    Unlink(EhrUnlink),
    /// Show what an EHR lets be done, kind by kind, and who says so
    Capabilities(EhrCapabilities),
    /// Show how each kind of content of a record gets into an EHR, and what is lost: before anything is sent
    Ladder(Box<EhrLadder>),
    /// Make, show and rotate the private keys of a SMART login
    #[command(subcommand)]
    Keys(EhrKeys),
}

fn packs() -> impl TypedValueParser<Value = &'static Pack> {
    PossibleValuesParser::new(Pack::names())
        .try_map(|name| Pack::named(&name).ok_or("no such vendor pack"))
}

/// The rungs that can be allowed, by their names.
fn rungs() -> impl TypedValueParser<Value = Rung> {
    PossibleValuesParser::new(Rung::BELOW_STRUCTURE.map(Rung::code))
        .try_map(|word| Allow::rung(&word))
}

/// The kinds of content, by their names.
fn kinds() -> impl TypedValueParser<Value = vendor::Kind> {
    PossibleValuesParser::new(vendor::Kind::ALL.map(vendor::Kind::code))
        .try_map(|word| Allow::kind(&word))
}

/// Where Encounters come from.
fn encounters() -> impl TypedValueParser<Value = Encounters> {
    PossibleValuesParser::new(Encounters::ALL.map(Encounters::code))
        .try_map(|word| Encounters::parse(&word))
}

/// What an EHR lets be done.
#[derive(Debug, Args)]
pub(crate) struct EhrCapabilities {
    /// Its name in the configuration
    pub(crate) name: Option<String>,
    /// Read a saved CapabilityStatement and ask no server; - for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// The vendor pack to look through, instead of the configured one
    #[arg(long, value_name = "PACK", value_parser = packs())]
    pub(crate) pack: Option<&'static Pack>,
    /// Assume that these scopes are granted; without it those of the login count
    #[arg(long, value_name = "SCOPES")]
    pub(crate) scopes: Option<String>,
    /// Forget what the server has refused, so that the next sync tries it again
    #[arg(long, conflicts_with = "from")]
    pub(crate) forget_refusals: bool,
    /// Show each fact with its source
    #[arg(long)]
    pub(crate) explain: bool,
}

/// What to do with packages.
#[derive(Debug, Subcommand)]
pub(crate) enum HandOffs {
    /// List the packages, those that wait first
    List {
        /// The EHR's name in the configuration; all if none is given
        name: Option<String>,
    },
    /// Show a package: its files, their digests, and what became of it
    Show {
        /// The package's name
        id: String,
    },
    /// Say that a package is in the chart
    Done {
        /// The package's name
        id: String,
    },
    /// Say that a package was not taken over
    ///
    /// The same content is not made into a package again, and sync ends with code 5 for it, until the record changes:
    /// then a new package is made. With --reason lost the next sync makes the same one anew; that can also be said of
    /// a package that was rejected before.
    Reject {
        /// The package's name
        id: String,
        /// Why: a code, because words might tell of a person
        #[arg(long, value_name = "REASON", default_value = "other", value_parser = reasons())]
        reason: RejectReason,
    },
}

fn reasons() -> impl TypedValueParser<Value = RejectReason> {
    PossibleValuesParser::new(RejectReason::ALL.map(RejectReason::code))
        .try_map(|code| RejectReason::from_code(&code).ok_or("no such reason"))
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum EhrKeys {
    /// Make a key file with one key
    Generate {
        /// The EHR's name, configured or yet to be
        name: String,
        /// The algorithm; every token server takes rs384
        #[arg(long, value_name = "ALGORITHM", default_value = "rs384")]
        alg: KeyAlgorithm,
    },
    /// Add a new key that signs once token servers know it, or take the old one away
    Rotate(KeysRotate),
    /// Print the public keys as a JWKS, to be registered or published
    Jwks {
        /// The EHR's name
        name: String,
    },
    /// List the keys, and which one signs now
    List {
        /// The EHR's name
        name: String,
    },
}

/// A rotation.
#[derive(Debug, Args)]
pub(crate) struct KeysRotate {
    /// The EHR's name
    pub(crate) name: String,
    /// The algorithm of the new key; that of the present one if not given
    #[arg(long, value_name = "ALGORITHM", conflicts_with = "retire")]
    pub(crate) alg: Option<KeyAlgorithm>,
    /// How long the token server may keep an old JWKS: the new key signs after that
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400, conflicts_with = "retire",
        value_parser = clap::value_parser!(u64).range(0..=31_536_000))]
    pub(crate) cache_time: u64,
    /// Take the old key away, once the new one signs
    #[arg(long)]
    pub(crate) retire: bool,
}

/// An algorithm of SMART Backend Services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyAlgorithm {
    /// RSA with 3072 bits
    Rs384,
    /// Elliptic curve P-384
    Es384,
}

/// How a record gets into an EHR.
#[derive(Debug, Args)]
pub(crate) struct EhrLadder {
    /// The EHR's name in the configuration; without it all vendor packs are shown
    pub(crate) name: Option<String>,
    /// The record, as JSON or YAML; without it a sample
    pub(crate) record: Option<PathBuf>,
    /// The vendor pack to look through, instead of the configured one; or all
    #[arg(long, value_name = "PACK", value_parser = pack_or_all())]
    pub(crate) pack: Option<LadderPack>,
    /// Read a saved CapabilityStatement and ask no server; - for stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// What may be sent below structure, instead of what is configured; without a word nothing
    #[arg(long, value_name = "RUNG", value_delimiter = ',', num_args = 0.., value_parser = rungs())]
    pub(crate) allow: Option<Vec<Rung>>,
    /// Ask for the way of a kind that its pack gives only to those who ask
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds())]
    pub(crate) opt_in: Vec<vendor::Kind>,
    /// Whether sessions are linked to the EHR's own Encounters, or make theirs
    #[arg(long, value_name = "WAY", value_parser = encounters())]
    pub(crate) encounter: Option<Encounters>,
    #[command(flatten)]
    pub(crate) policy: PolicyFlags,
}

/// One vendor pack, or all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LadderPack {
    /// All.
    All,
    /// This one.
    One(&'static Pack),
}

fn pack_or_all() -> impl TypedValueParser<Value = LadderPack> {
    PossibleValuesParser::new(Pack::names().chain(["all"])).try_map(|name| match name.as_str() {
        "all" => Ok(LadderPack::All),
        name => Pack::named(name).map(LadderPack::One).ok_or("no such vendor pack"),
    })
}

/// An EHR to be configured.
#[derive(Debug, Args)]
pub(crate) struct EhrAdd {
    /// A name of your choice: a-z, 0-9 and -
    pub(crate) name: String,
    /// The base URL of its FHIR server: what stands before /metadata
    pub(crate) url: String,
    /// How long a request whose outcome is unknown may still be executing
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub(crate) settle: Option<u64>,
    /// The server may be in a private network: follow its name there
    #[arg(long)]
    pub(crate) private_network: bool,
    /// TLS: the file of authorities to trust beyond those of this machine (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_ca: Option<PathBuf>,
    /// TLS: the file of our own certificate (PEM), for a server that asks for one
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// TLS: the file of the key to our certificate (PEM), readable by its owner only
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Ask at most this often in a second
    #[arg(long, value_name = "REQUESTS", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate_per_second: Option<u32>,
    /// Ask at most this often in a minute
    #[arg(long, value_name = "REQUESTS", conflicts_with = "rate_per_second", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate_per_minute: Option<u32>,
    /// The server counts anew with each minute of its clock, and so do we
    #[arg(long, requires = "rate_per_minute")]
    pub(crate) rate_aligned_to_minute: bool,
    /// What is known of its vendor's servers; `ehr capabilities` suggests one
    #[arg(long, value_name = "PACK", value_parser = packs())]
    pub(crate) pack: Option<&'static Pack>,
    /// What may be sent where the resource itself is not taken; may be given several times
    #[arg(long, value_name = "RUNG", value_delimiter = ',', value_parser = rungs())]
    pub(crate) allow: Vec<Rung>,
    /// A kind of content that takes the way which the pack gives only to those who ask; may be given several times
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = kinds())]
    pub(crate) opt_in: Vec<vendor::Kind>,
    /// Whether sessions are linked to the EHR's own Encounters, or make theirs; without it the pack decides
    #[arg(long, value_name = "WAY", value_parser = encounters())]
    pub(crate) encounter: Option<Encounters>,
    /// The directory for packages that a person takes over; without it one beside the database
    #[arg(long, value_name = "DIR")]
    pub(crate) hand_off: Option<PathBuf>,
    /// Bearer token: the file that holds it
    #[arg(long, value_name = "FILE", group = "secret")]
    pub(crate) token_file: Option<PathBuf>,
    /// Bearer token: the environment variable that holds it
    #[arg(long, value_name = "VARIABLE", group = "secret")]
    pub(crate) token_env: Option<String>,
    /// Bearer token: the command that prints it
    #[arg(long, value_name = "COMMAND", group = "secret")]
    pub(crate) token_command: Option<String>,
    /// SMART login: the client id that the EHR has given
    #[arg(long, value_name = "ID", conflicts_with_all = ["secret", "user"])]
    pub(crate) client_id: Option<String>,
    /// SMART login: the file that holds the private key, as PEM, JWK or JWKS
    #[arg(long, value_name = "FILE", group = "key", requires = "client_id")]
    pub(crate) key_file: Option<PathBuf>,
    /// SMART login: the environment variable that holds the private key
    #[arg(long, value_name = "VARIABLE", group = "key", requires = "client_id")]
    pub(crate) key_env: Option<String>,
    /// SMART login: the command that prints the private key
    #[arg(long, value_name = "COMMAND", group = "key", requires = "client_id")]
    pub(crate) key_command: Option<String>,
    /// SMART login: the token URL; without it the server is asked, and a person confirms
    #[arg(long, value_name = "URL", requires = "client_id")]
    pub(crate) token_url: Option<String>,
    /// SMART login: the scopes to ask for; without it none are named
    #[arg(long, value_name = "SCOPES", requires = "client_id")]
    pub(crate) scope: Option<String>,
    /// SMART login: the algorithm, if the key file holds keys of both kinds
    #[arg(long, value_name = "ALGORITHM", requires = "client_id")]
    pub(crate) algorithm: Option<KeyAlgorithm>,
    /// User name, for a server that takes user name and password
    #[arg(long, value_name = "NAME", requires = "password")]
    pub(crate) user: Option<String>,
    /// Password: the file that holds it
    #[arg(long, value_name = "FILE", groups = ["secret", "password"], requires = "user")]
    pub(crate) password_file: Option<PathBuf>,
    /// Password: the environment variable that holds it
    #[arg(long, value_name = "VARIABLE", groups = ["secret", "password"], requires = "user")]
    pub(crate) password_env: Option<String>,
    /// Password: the command that prints it
    #[arg(long, value_name = "COMMAND", groups = ["secret", "password"], requires = "user")]
    pub(crate) password_command: Option<String>,
}

/// A sandbox to be run.
#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    /// Where it listens, on this machine only; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Keep what it holds in this file, over restarts
    #[arg(long, value_name = "FILE")]
    pub(crate) snapshot: Option<PathBuf>,
    /// Begin with the resources of this file: a resource or a Bundle
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Play another server: what it declares, refuses, drops and answers
    #[arg(long = "as", value_name = "NAME", value_parser = personalities())]
    pub(crate) personality: Option<String>,
    /// Break requests on purpose, drawn from this seed: lost answers, 429, HTML pages, commits that are gone
    #[arg(long, value_name = "SEED")]
    pub(crate) faults: Option<u64>,
    /// How many of 100 requests are broken
    #[arg(long, value_name = "PERCENT", default_value_t = 20, requires = "faults",
        value_parser = clap::value_parser!(u64).range(1..=100))]
    pub(crate) fault_share: u64,
    /// Break requests by these faults only; their names are in the log
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "faults", value_parser = faults(),
        hide_possible_values = true)]
    pub(crate) fault_kind: Vec<String>,
    /// Demand a SMART login, and register a client with its public keys; may be given several times
    #[arg(long, value_name = "ID=JWKS-FILE", value_parser = smart_client)]
    pub(crate) smart_client: Vec<(String, PathBuf)>,
    /// What the clients may be granted at most
    #[arg(
        long,
        value_name = "SCOPES",
        default_value = "system/*.cruds",
        requires = "smart_client"
    )]
    pub(crate) smart_scope: String,
    /// How long a token is valid
    #[arg(long, value_name = "SECONDS", default_value_t = 300, requires = "smart_client",
        value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) token_lifetime: u64,
}

fn personalities() -> PossibleValuesParser {
    PossibleValuesParser::new(Personality::ALL.map(Personality::name))
}

fn faults() -> PossibleValuesParser {
    PossibleValuesParser::new(CATALOGUE.iter().map(|known| known.name))
}

fn smart_client(text: &str) -> Result<(String, PathBuf), &'static str> {
    let (id, file) = text.split_once('=').ok_or("write ID=JWKS-FILE")?;
    if id.is_empty() || file.is_empty() {
        return Err("write ID=JWKS-FILE");
    }
    Ok((id.to_owned(), PathBuf::from(file)))
}

/// A link to be made.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct EhrLink {
    /// The EHR's name in the configuration
    pub(crate) name: String,
    /// The record
    pub(crate) record: PathBuf,
    /// The Patient in the EHR, as Patient/ID; a record that is linked already needs none
    #[arg(group = "what")]
    pub(crate) patient: Option<String>,
    /// The Encounter of a session, by the session's number; may be given several times
    #[arg(long, value_name = "N=Encounter/ID", group = "what", conflicts_with = "patient")]
    pub(crate) session: Vec<String>,
    /// The therapist in the EHR, as Practitioner/ID
    #[arg(long, value_name = "Practitioner/ID", group = "what")]
    pub(crate) practitioner: Option<String>,
    /// The therapist's organization in the EHR, as Organization/ID or Location/ID
    #[arg(long, value_name = "Organization/ID", group = "what", conflicts_with = "patient")]
    pub(crate) organization: Option<String>,
    /// With --yes: link although family name, birth date, identifiers, day or name differ
    #[arg(long, requires = "yes")]
    pub(crate) accept_differences: bool,
}

/// A link to be ended.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct EhrUnlink {
    /// The EHR's name in the configuration
    pub(crate) name: String,
    /// The record
    pub(crate) record: PathBuf,
    /// The session, by its number; may be given several times
    #[arg(long, value_name = "N", group = "what")]
    pub(crate) session: Vec<u32>,
    /// The therapist's Practitioner
    #[arg(long, group = "what")]
    pub(crate) practitioner: bool,
    /// The Organization or Location
    #[arg(long, group = "what")]
    pub(crate) organization: bool,
}

/// What to sync.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Sync {
    #[command(subcommand)]
    pub(crate) verb: Option<SyncVerb>,
    #[command(flatten)]
    pub(crate) targets: SyncTargets,
}

/// How far to go.
#[derive(Debug, Subcommand)]
pub(crate) enum SyncVerb {
    /// Show what would be written, and write nothing
    Plan(SyncTargets),
    /// Write without showing first
    Apply(SyncTargets),
}

/// Which EHR and which records.
#[derive(Debug, Args)]
pub(crate) struct SyncTargets {
    /// The EHR's name, then records; without records all that are linked to it
    #[arg(value_name = "EHR|RECORD")]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) policy: PolicyFlags,
}
