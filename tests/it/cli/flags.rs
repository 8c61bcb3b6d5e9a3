//! Every flag that the program accepts does something that a test has seen.

use std::collections::BTreeSet;
use std::path::Path;

/// Command, flag or argument, and the test that shows its effect. A flag in no row fails the test below, and so does
/// a row whose test does not use its flag.
const EXERCISED: &[(&str, &str, &str)] = &[
    ("", "--config", "config_names_the_file_that_counts_most"),
    ("", "--ehr", "ehr_names_the_ehr_for_a_command_without_a_name"),
    ("", "--format", "results_have_three_formats"),
    ("", "--quiet", "quiet_leaves_out_notes"),
    ("", "--verbose", "verbose_logs_more_and_nothing_of_the_record"),
    ("", "--color", "color_is_written_when_asked_for"),
    ("", "--progress", "progress_is_shown_when_asked_for"),
    ("", "--yes", "yes_confirms_a_link_that_a_script_makes"),
    ("", "--timeout", "timeout_limits_a_request"),
    ("map", "file", "map_writes_the_same_bytes_each_time"),
    ("map", "--reverse", "reverse_gives_the_record_back"),
    ("map", "--explain", "explain_tells_where_each_value_goes"),
    ("map", "--policy", "policy_and_grants_say_what_leaves"),
    ("map", "--grant", "policy_and_grants_say_what_leaves"),
    ("map", "--to", "to_makes_a_transaction"),
    ("record check", "file", "check_lists_every_fault_with_its_place"),
    ("record show", "file", "show_prints_a_view_and_the_record"),
    ("record new", "--variant", "new_lacks_only_what_the_therapist_must_tell"),
    ("record render", "file", "a_plan_and_a_session_are_rendered_under_the_policy"),
    ("record render", "--session", "a_plan_and_a_session_are_rendered_under_the_policy"),
    ("record render", "--grant", "a_plan_and_a_session_are_rendered_under_the_policy"),
    ("record render", "--policy", "two_processes_write_the_same_bytes"),
    ("record render", "--to", "two_processes_write_the_same_bytes"),
    ("record render", "--output", "a_pdf_goes_to_a_private_file_or_a_pipe_and_never_into_json"),
    ("validate", "inputs", "files_directories_patterns_and_stdin_are_validated"),
    ("validate", "--release", "release_profile_and_package_say_what_counts"),
    ("validate", "--profile", "release_profile_and_package_say_what_counts"),
    ("validate", "--package", "release_profile_and_package_say_what_counts"),
    ("validate", "--report", "reports_have_four_forms"),
    ("validate", "--level", "level_and_references_say_what_is_shown_and_followed"),
    ("validate", "--references", "level_and_references_say_what_is_shown_and_followed"),
    ("validate", "--show-values", "values_are_shown_only_when_asked_for"),
    ("validate", "--tx", "a_server_tells_what_can_not_be_told_here"),
    ("validate", "--threads", "an_export_gives_the_same_report_with_any_number_of_threads"),
    ("fhirpath", "expression", "fhirpath_yields_items_with_type_and_place"),
    ("fhirpath", "file", "fhirpath_yields_items_with_type_and_place"),
    ("fhirpath", "--release", "fhirpath_yields_items_with_type_and_place"),
    ("convert", "file", "convert_goes_to_xml_and_back"),
    ("convert", "--to", "convert_goes_to_xml_and_back"),
    ("convert", "--release", "convert_goes_to_xml_and_back"),
    ("definitions build", "--from", "the_pinned_jars_give_the_bytes_that_are_shipped"),
    ("definitions build", "--to", "the_pinned_jars_give_the_bytes_that_are_shipped"),
    ("explain", "code", "explain_tells_of_a_rule_and_of_near_misses"),
    ("explain", "--list", "each_code_is_told_in_both_forms"),
    ("suite run", "directory", "a_suite_is_scored"),
    ("suite run", "--release", "a_suite_is_scored"),
    ("suite run", "--module", "a_suite_is_scored"),
    ("suite run", "--only", "a_suite_is_scored"),
    ("suite run", "--misses", "a_suite_is_scored"),
    ("suite run", "--reviewed", "a_suite_is_scored"),
    ("ehr add", "name", "add_writes_an_ehr_that_list_shows"),
    ("ehr add", "url", "add_writes_an_ehr_that_list_shows"),
    ("ehr add", "--settle", "add_writes_an_ehr_that_list_shows"),
    ("ehr add", "--pack", "pack_and_override_of_the_configuration_count"),
    ("ehr add", "--private-network", "add_takes_the_way_to_an_ehr"),
    ("ehr add", "--tls-ca", "add_takes_the_way_to_an_ehr"),
    ("ehr add", "--tls-certificate", "add_takes_the_way_to_an_ehr"),
    ("ehr add", "--tls-key", "add_takes_the_way_to_an_ehr"),
    ("ehr add", "--rate-per-second", "add_takes_the_way_to_an_ehr"),
    ("ehr add", "--rate-per-minute", "add_takes_the_way_to_an_ehr"),
    ("ehr add", "--rate-aligned-to-minute", "add_takes_the_way_to_an_ehr"),
    ("ehr add", "--token-file", "add_takes_the_place_of_a_secret"),
    ("ehr add", "--token-env", "add_takes_the_place_of_a_secret"),
    ("ehr add", "--token-command", "add_takes_the_place_of_a_secret"),
    ("ehr add", "--user", "add_takes_the_place_of_a_secret"),
    ("ehr add", "--password-file", "add_takes_the_place_of_a_secret"),
    ("ehr add", "--password-env", "add_takes_the_place_of_a_secret"),
    ("ehr add", "--password-command", "add_takes_the_place_of_a_secret"),
    ("ehr add", "--allow", "add_says_what_is_allowed_below_structure"),
    ("ehr add", "--opt-in", "add_says_what_is_allowed_below_structure"),
    ("ehr add", "--encounter", "add_says_what_is_allowed_below_structure"),
    ("ehr add", "--hand-off", "add_says_what_is_allowed_below_structure"),
    ("ehr ladder", "name", "a_configured_ehr_is_asked_once_and_its_own_words_count"),
    ("ehr ladder", "record", "a_configured_ehr_is_asked_once_and_its_own_words_count"),
    ("ehr ladder", "--pack", "a_configured_ehr_is_asked_once_and_its_own_words_count"),
    ("ehr ladder", "--from", "captured_statements_stand_where_their_packs_say"),
    ("ehr ladder", "--allow", "one_pack_tells_why_each_kind_stands_no_higher"),
    ("ehr ladder", "--opt-in", "the_table_of_the_sample_and_all_packs"),
    ("ehr ladder", "--encounter", "a_configured_ehr_is_asked_once_and_its_own_words_count"),
    ("ehr ladder", "--policy", "what_a_policy_withholds_is_not_counted"),
    ("ehr ladder", "--grant", "what_a_policy_withholds_is_not_counted"),
    ("ehr capabilities", "name", "capabilities_of_a_server_are_kept_and_a_change_is_told"),
    ("ehr capabilities", "--from", "from_reads_a_saved_statement_through_a_pack"),
    ("ehr capabilities", "--pack", "from_reads_a_saved_statement_through_a_pack"),
    ("ehr capabilities", "--scopes", "scopes_narrow_what_a_statement_lists"),
    (
        "ehr capabilities",
        "--forget-refusals",
        "one_request_is_made_and_a_changed_statement_forgets_refusals",
    ),
    ("ehr capabilities", "--explain", "from_reads_a_saved_statement_through_a_pack"),
    ("ehr add", "--client-id", "a_login_is_added_tested_and_used"),
    ("ehr add", "--key-file", "smart_flags_say_what_is_asked_for_and_given"),
    ("ehr add", "--key-env", "the_key_may_come_from_a_variable_or_a_command"),
    ("ehr add", "--key-command", "the_key_may_come_from_a_variable_or_a_command"),
    ("ehr add", "--token-url", "smart_flags_say_what_is_asked_for_and_given"),
    ("ehr add", "--scope", "smart_flags_say_what_is_asked_for_and_given"),
    ("ehr add", "--algorithm", "smart_flags_say_what_is_asked_for_and_given"),
    ("ehr keys generate", "name", "generate_makes_a_private_file_and_jwks_shows_the_public_part"),
    ("ehr keys generate", "--alg", "generate_makes_a_private_file_and_jwks_shows_the_public_part"),
    ("ehr keys rotate", "name", "rotate_adds_a_key_that_waits_and_retire_takes_the_old_one"),
    ("ehr keys rotate", "--alg", "rotate_adds_a_key_that_waits_and_retire_takes_the_old_one"),
    (
        "ehr keys rotate",
        "--cache-time",
        "rotate_adds_a_key_that_waits_and_retire_takes_the_old_one",
    ),
    ("ehr keys rotate", "--retire", "rotate_adds_a_key_that_waits_and_retire_takes_the_old_one"),
    ("ehr keys jwks", "name", "generate_makes_a_private_file_and_jwks_shows_the_public_part"),
    ("ehr keys list", "name", "generate_makes_a_private_file_and_jwks_shows_the_public_part"),
    ("ehr link", "name", "yes_confirms_a_link_that_a_script_makes"),
    ("ehr link", "record", "yes_confirms_a_link_that_a_script_makes"),
    ("ehr link", "patient", "yes_confirms_a_link_that_a_script_makes"),
    ("ehr link", "--practitioner", "practitioner_and_patient_must_be_fit_to_be_linked"),
    ("ehr link", "--accept-differences", "yes_confirms_a_link_that_a_script_makes"),
    ("ehr link", "--session", "a_person_links_what_was_named_and_ends_it_again"),
    ("ehr link", "--organization", "a_person_links_what_was_named_and_ends_it_again"),
    ("ehr candidates", "name", "candidates_are_told_with_their_reasons_and_nothing_is_linked"),
    ("ehr candidates", "record", "candidates_are_told_with_their_reasons_and_nothing_is_linked"),
    ("ehr unlink", "name", "a_person_links_what_was_named_and_ends_it_again"),
    ("ehr unlink", "record", "a_person_links_what_was_named_and_ends_it_again"),
    ("ehr unlink", "--session", "a_person_links_what_was_named_and_ends_it_again"),
    ("ehr unlink", "--practitioner", "a_person_links_what_was_named_and_ends_it_again"),
    ("ehr unlink", "--organization", "references_need_the_patient_and_end_with_it"),
    ("hand-offs list", "name", "packages_are_listed_shown_and_decided_on"),
    ("hand-offs show", "id", "packages_are_listed_shown_and_decided_on"),
    ("hand-offs done", "id", "packages_are_listed_shown_and_decided_on"),
    ("hand-offs reject", "id", "packages_are_listed_shown_and_decided_on"),
    ("hand-offs reject", "--reason", "packages_are_listed_shown_and_decided_on"),
    ("sync", "names", "sync_writes_each_resource_once"),
    ("sync", "--policy", "policy_and_grants_hold_for_sync_too"),
    ("sync", "--grant", "policy_and_grants_hold_for_sync_too"),
    ("sync plan", "names", "sync_writes_each_resource_once"),
    ("sync plan", "--policy", "policy_and_grants_hold_for_sync_too"),
    ("sync plan", "--grant", "policy_and_grants_hold_for_sync_too"),
    ("sync apply", "names", "sync_writes_each_resource_once"),
    ("sync apply", "--policy", "policy_and_grants_hold_for_sync_too"),
    ("sync apply", "--grant", "policy_and_grants_hold_for_sync_too"),
    ("ehr test", "name", "test_passes_against_the_sandbox"),
    ("sandbox", "--listen", "sandbox_listens_where_it_is_told"),
    ("sandbox", "--snapshot", "snapshot_and_seed_fill_the_sandbox"),
    ("sandbox", "--seed", "snapshot_and_seed_fill_the_sandbox"),
    ("sandbox", "--as", "sandbox_plays_another_server"),
    ("sandbox", "--faults", "sandbox_names_its_seed_and_its_faults"),
    ("sandbox", "--fault-share", "sandbox_names_its_seed_and_its_faults"),
    ("sandbox", "--fault-kind", "sandbox_names_its_seed_and_its_faults"),
    ("sandbox", "--smart-client", "smart_flags_say_what_is_asked_for_and_given"),
    ("sandbox", "--smart-scope", "smart_flags_say_what_is_asked_for_and_given"),
    ("sandbox", "--token-lifetime", "smart_flags_say_what_is_asked_for_and_given"),
    ("completions", "shell", "completions_know_the_commands"),
    ("man", "directory", "man_writes_a_page_for_each_command"),
];

#[test]
fn every_flag_is_exercised() {
    let mut accepted = BTreeSet::new();
    let mut command = ipt_fhir::cli::command_line();
    command.build();
    collect(&command, "", &mut accepted);
    let listed: BTreeSet<(String, String)> = EXERCISED
        .iter()
        .map(|(command, flag, _)| ((*command).to_owned(), (*flag).to_owned()))
        .collect();
    let missing: Vec<_> = accepted.difference(&listed).collect();
    assert!(missing.is_empty(), "no test exercises {missing:?}");
    let gone: Vec<_> = listed.difference(&accepted).collect();
    assert!(gone.is_empty(), "the program does not accept {gone:?}");
}

#[test]
fn every_listed_test_uses_its_flag() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/cli");
    let sources: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    for (_, flag, test) in EXERCISED {
        let start = format!("fn {test}()");
        let body = sources.iter().find_map(|source| {
            let (_, rest) = source.split_once(&start)?;
            rest.split("\n}\n").next()
        });
        let body = body.unwrap_or_else(|| panic!("there is no test {test}"));
        let used = flag == &"--verbose" && body.contains("-vvv") || body.contains(flag);
        assert!(used || !flag.starts_with("--"), "{test} does not use {flag}");
    }
}

/// The flags and arguments of a command and of all below it; global ones count once, for the program.
fn collect(command: &clap::Command, path: &str, accepted: &mut BTreeSet<(String, String)>) {
    for argument in command.get_arguments() {
        let name = match argument.get_long() {
            Some("help" | "version") => continue,
            Some(long) => format!("--{long}"),
            None => argument.get_id().to_string(),
        };
        if path.is_empty() || !argument.is_global_set() {
            accepted.insert((path.to_owned(), name));
        }
    }
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        collect(below, format!("{path} {}", below.get_name()).trim(), accepted);
    }
}
