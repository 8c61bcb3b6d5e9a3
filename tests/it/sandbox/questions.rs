//! The questions that the sandbox and HAPI are asked, and what the sandbox answers.
//!
//! Each question is a list of requests; the answer to the last is compared. A request is its first line, then
//! headers, then the body. `{id}` is a text of the question's own, `{1}` the id that the first request created,
//! `{base}` the server's base. `@patient` is a Patient with the identifier `urn:test|{id}`, `@patient x` the same
//! with an id, `@changed x` another version of it, `@flag x` a Flag about x, `@entry [fullUrl] METHOD url
//! [ifNoneExist] | body` an entry of a Bundle.

pub(super) struct Question {
    pub(super) name: &'static str,
    pub(super) requests: &'static [&'static str],
    pub(super) answer: &'static str,
}

const fn ask(
    name: &'static str,
    requests: &'static [&'static str],
    answer: &'static str,
) -> Question {
    Question { name, requests, answer }
}

const CREATE: &str = "POST Patient\n@patient";
const URN: &str = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";

/// The `urn:uuid:` that stands for `@urn` in the requests.
pub(super) const fn urn() -> &'static str {
    URN
}

pub(super) const QUESTIONS: &[Question] = &[
    ask("create", &[CREATE], "201 ETag W/\"1\" Location version 1 Patient"),
    ask(
        "create: the client's id and version are ignored",
        &[
            "POST Patient\n{\"resourceType\":\"Patient\",\"id\":\"x{id}\",\"meta\":{\"versionId\":\"7\"}}",
        ],
        "201 ETag W/\"1\" Location version 1 Patient",
    ),
    ask(
        "create: return=minimal",
        &["POST Patient\nPrefer: return=minimal\n@patient"],
        "201 ETag W/\"1\" Location version 1",
    ),
    ask(
        "create: return=OperationOutcome",
        &["POST Patient\nPrefer: return=OperationOutcome\n@patient"],
        "201 ETag W/\"1\" Location version 1 OperationOutcome",
    ),
    ask(
        "create: resourceType is not that of the URL",
        &["POST Group\n@patient"],
        "400 OperationOutcome",
    ),
    ask("create: not JSON", &["POST Patient\n{\"resourceType\":"], "400 OperationOutcome"),
    ask(
        "create: a content type that is no FHIR",
        &["POST Patient\nContent-Type: text/plain\n@patient"],
        "415 OperationOutcome",
    ),
    ask(
        "create: a dangling reference",
        &["POST Flag\n@flag Patient/none{id}"],
        "400 OperationOutcome",
    ),
    ask(
        "create: a reference to another server",
        &["POST Flag\n@flag https://example.org/fhir/Patient/1"],
        "201 ETag W/\"1\" Location version 1 Flag",
    ),
    ask(
        "create: an absolute reference to this server",
        &[CREATE, "POST Flag\n@flag {base}/Patient/{1}"],
        "201 ETag W/\"1\" Location version 1 Flag",
    ),
    ask(
        "create: a conditional reference outside a transaction",
        &[CREATE, "POST Flag\n@flag Patient?identifier=urn:test|{id}"],
        "400 OperationOutcome",
    ),
    ask("read", &[CREATE, "GET Patient/{1}"], "200 ETag W/\"1\" Patient"),
    ask("read: unknown id", &["GET Patient/none{id}"], "404 OperationOutcome"),
    ask("read: unknown type", &["GET Nonsense/1"], "404 OperationOutcome"),
    ask(
        "read: If-None-Match",
        &[CREATE, "GET Patient/{1}\nIf-None-Match: W/\"1\""],
        "304 ETag W/\"1\"",
    ),
    ask(
        "read: deleted",
        &[CREATE, "DELETE Patient/{1}", "GET Patient/{1}"],
        "410 ETag W/\"2\" OperationOutcome",
    ),
    ask(
        "read: a format that is not there",
        &[CREATE, "GET Patient/{1}\nAccept: application/pdf"],
        "406 OperationOutcome",
    ),
    ask(
        "vread",
        &[CREATE, "PUT Patient/{1}\n@changed {1}", "GET Patient/{1}/_history/1"],
        "200 ETag W/\"1\" Patient",
    ),
    ask("vread: no such version", &[CREATE, "GET Patient/{1}/_history/9"], "404 OperationOutcome"),
    ask(
        "vread: the deletion",
        &[CREATE, "DELETE Patient/{1}", "GET Patient/{1}/_history/2"],
        "410 ETag W/\"2\" OperationOutcome",
    ),
    ask("update", &[CREATE, "PUT Patient/{1}\n@changed {1}"], "200 ETag W/\"2\" Patient"),
    ask(
        "update: nothing changes",
        &[CREATE, "PUT Patient/{1}\n@patient {1}"],
        "200 ETag W/\"1\" Patient",
    ),
    ask(
        "update: unknown id",
        &["PUT Patient/new{id}\n@patient new{id}"],
        "201 ETag W/\"1\" Location version 1 Patient",
    ),
    ask(
        "update: If-Match on an unknown id",
        &["PUT Patient/new{id}\nIf-Match: W/\"1\"\n@patient new{id}"],
        "412 OperationOutcome",
    ),
    ask(
        "update: If-Match holds",
        &[CREATE, "PUT Patient/{1}\nIf-Match: W/\"1\"\n@changed {1}"],
        "200 ETag W/\"2\" Patient",
    ),
    ask(
        "update: If-Match is stale",
        &[
            CREATE,
            "PUT Patient/{1}\n@changed {1}",
            "PUT Patient/{1}\nIf-Match: W/\"1\"\n@patient {1}",
        ],
        "412 OperationOutcome",
    ),
    ask(
        "update: the id is not that of the URL",
        &[CREATE, "PUT Patient/{1}\n@changed other{id}"],
        "400 OperationOutcome",
    ),
    ask("update: no id", &[CREATE, "PUT Patient/{1}\n@patient"], "400 OperationOutcome"),
    ask(
        "update: brings a deleted resource back",
        &[CREATE, "DELETE Patient/{1}", "PUT Patient/{1}\n@patient {1}"],
        "201 ETag W/\"3\" Location version 3 Patient",
    ),
    ask(
        "update: If-Match names the deletion",
        &[CREATE, "DELETE Patient/{1}", "PUT Patient/{1}\nIf-Match: W/\"2\"\n@patient {1}"],
        "201 ETag W/\"3\" Location version 3 Patient",
    ),
    ask(
        "update: If-Match names the version before the deletion",
        &[CREATE, "DELETE Patient/{1}", "PUT Patient/{1}\nIf-Match: W/\"1\"\n@patient {1}"],
        "412 OperationOutcome",
    ),
    ask("delete", &[CREATE, "DELETE Patient/{1}"], "204 ETag W/\"2\""),
    ask("delete: again", &[CREATE, "DELETE Patient/{1}", "DELETE Patient/{1}"], "204 ETag W/\"2\""),
    ask("delete: unknown id", &["DELETE Patient/none{id}"], "204"),
    ask(
        "delete: If-Match is stale",
        &[CREATE, "PUT Patient/{1}\n@changed {1}", "DELETE Patient/{1}\nIf-Match: W/\"1\""],
        "412 OperationOutcome",
    ),
    ask(
        "delete: another resource refers to it",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "DELETE Patient/{1}"],
        "409 OperationOutcome",
    ),
    ask(
        "conditional create: new",
        &["POST Patient\nIf-None-Exist: identifier=urn:test|{id}\n@patient"],
        "201 ETag W/\"1\" Location version 1 Patient",
    ),
    ask(
        "conditional create: one match",
        &[CREATE, "POST Patient\nIf-None-Exist: identifier=urn:test|{id}\n@patient"],
        "200 ETag W/\"1\" Location version 1 Patient",
    ),
    ask(
        "conditional create: two matches",
        &[CREATE, CREATE, "POST Patient\nIf-None-Exist: identifier=urn:test|{id}\n@patient"],
        "412 OperationOutcome",
    ),
    ask(
        "conditional create: unknown parameter",
        &["POST Patient\nIf-None-Exist: colour={id}\n@patient"],
        "400 OperationOutcome",
    ),
    ask(
        "conditional create: the body does not meet its condition",
        &["POST Patient\nIf-None-Exist: identifier=urn:test|other{id}\n@patient"],
        "201 ETag W/\"1\" Location version 1 Patient",
    ),
    ask(
        "conditional update: no match",
        &["PUT Patient?identifier=urn:test|{id}\n@patient"],
        "201 ETag W/\"1\" Location version 1 Patient",
    ),
    ask(
        "conditional update: one match",
        &[CREATE, "PUT Patient?identifier=urn:test|{id}\n@changed"],
        "200 ETag W/\"2\" Patient",
    ),
    ask(
        "conditional update: two matches",
        &[CREATE, CREATE, "PUT Patient?identifier=urn:test|{id}\n@changed"],
        "412 OperationOutcome",
    ),
    ask(
        "conditional update: another id in the body",
        &[CREATE, "PUT Patient?identifier=urn:test|{id}\n@changed other{id}"],
        "400 OperationOutcome",
    ),
    ask(
        "conditional update: If-Match is stale",
        &[
            CREATE,
            "PUT Patient/{1}\n@changed {1}",
            "PUT Patient?identifier=urn:test|{id}\nIf-Match: W/\"1\"\n@patient",
        ],
        "412 OperationOutcome",
    ),
    ask(
        "conditional delete: one match",
        &[CREATE, "DELETE Patient?identifier=urn:test|{id}"],
        "204 ETag W/\"2\"",
    ),
    ask("conditional delete: no match", &["DELETE Patient?identifier=urn:test|{id}"], "204"),
    ask(
        "conditional delete: two matches",
        &[CREATE, CREATE, "DELETE Patient?identifier=urn:test|{id}"],
        "412 OperationOutcome",
    ),
    ask(
        "history of a resource",
        &[
            CREATE,
            "PUT Patient/{1}\n@changed {1}",
            "DELETE Patient/{1}",
            "GET Patient/{1}/_history",
        ],
        "200 Bundle history total 3 [DELETE 204 ETag W/\"3\", PUT 200 ETag W/\"2\" Patient, POST 201 ETag W/\"1\" Patient]",
    ),
    ask("history: unknown id", &["GET Patient/none{id}/_history"], "404 OperationOutcome"),
    ask(
        "search: system and value",
        &[CREATE, "GET Patient?identifier=urn:test|{id}"],
        "200 Bundle searchset total 1 [match Patient]",
    ),
    ask(
        "search: value alone",
        &[CREATE, "GET Patient?identifier={id}"],
        "200 Bundle searchset total 1 [match Patient]",
    ),
    ask(
        "search: any of several",
        &[CREATE, "GET Patient?identifier=urn:test|none,urn:test|{id}"],
        "200 Bundle searchset total 1 [match Patient]",
    ),
    ask(
        "search: another system",
        &[CREATE, "GET Patient?identifier=urn:other|{id}"],
        "200 Bundle searchset total 0 []",
    ),
    ask(
        "search: no match",
        &["GET Patient?identifier=urn:test|{id}"],
        "200 Bundle searchset total 0 []",
    ),
    ask(
        "search by POST",
        &[
            CREATE,
            "POST Patient/_search\nContent-Type: application/x-www-form-urlencoded\nidentifier=urn:test|{id}",
        ],
        "200 Bundle searchset total 1 [match Patient]",
    ),
    ask(
        "search: a deleted resource",
        &[CREATE, "DELETE Patient/{1}", "GET Patient?identifier=urn:test|{id}"],
        "200 Bundle searchset total 0 []",
    ),
    ask(
        "search: unknown parameter",
        &[CREATE, "GET Patient?identifier=urn:test|{id}&colour=red"],
        "200 Bundle searchset total 1 [match Patient]",
    ),
    ask(
        "search: unknown parameter, lenient",
        &[CREATE, "GET Patient?identifier=urn:test|{id}&colour=red\nPrefer: handling=lenient"],
        "200 Bundle searchset total 1 [match Patient]",
    ),
    ask(
        "search: unknown parameter, strict",
        &["GET Patient?colour=red\nPrefer: handling=strict"],
        "400 OperationOutcome",
    ),
    ask(
        "search: unknown modifier",
        &["GET Patient?identifier:colour={id}"],
        "400 OperationOutcome",
    ),
    ask("search: not a date", &["GET Patient?birthdate=soon"], "400 OperationOutcome"),
    ask(
        "search: by a reference",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "GET Flag?subject=Patient/{1}"],
        "200 Bundle searchset total 1 [match Flag]",
    ),
    ask(
        "search: by a bare id",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "GET Flag?patient={1}"],
        "200 Bundle searchset total 1 [match Flag]",
    ),
    ask(
        "search: _revinclude",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "GET Patient?_id={1}&_revinclude=Flag:subject"],
        "200 Bundle searchset total 1 [match Patient, include Flag]",
    ),
    ask(
        "search: _include",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "GET Flag?patient={1}&_include=Flag:subject"],
        "200 Bundle searchset total 1 [match Flag, include Patient]",
    ),
    ask(
        "search: _count and next",
        &[CREATE, CREATE, "GET Patient?identifier=urn:test|{id}&_count=1"],
        "200 Bundle searchset total 2 next [match Patient]",
    ),
    ask(
        "search: _count=0",
        &[CREATE, CREATE, "GET Patient?identifier=urn:test|{id}&_count=0"],
        "200 Bundle searchset total 2 []",
    ),
    ask(
        "search: the day at the end of a period, ge",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "GET Flag?patient={1}&date=ge2026-06-30"],
        "200 Bundle searchset total 0 []",
    ),
    ask(
        "search: the month at the end of a period, eq",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "GET Flag?patient={1}&date=2026-06"],
        "200 Bundle searchset total 0 []",
    ),
    ask(
        "search: the year of a period, eq",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "GET Flag?patient={1}&date=2026"],
        "200 Bundle searchset total 1 [match Flag]",
    ),
    ask(
        "search: before the end of a period, le",
        &[CREATE, "POST Flag\n@flag Patient/{1}", "GET Flag?patient={1}&date=le2026-04"],
        "200 Bundle searchset total 1 [match Flag]",
    ),
    ask(
        "transaction: a link to a later entry",
        &[
            "POST \n@transaction @entry POST Flag | @flag @urn ; @entry @urn POST Patient | @patient",
        ],
        "200 Bundle transaction-response [201 ETag W/\"1\", 201 ETag W/\"1\"]",
    ),
    ask(
        "transaction: ifNoneExist finds one",
        &[
            CREATE,
            "POST \n@transaction @entry @urn POST Patient identifier=urn:test|{id} | @patient ; @entry POST Flag | @flag @urn",
        ],
        "200 Bundle transaction-response [200 ETag W/\"1\", 201 ETag W/\"1\"]",
    ),
    ask(
        "transaction: one entry fails, nothing stays",
        &[
            "POST \n@transaction @entry @urn POST Patient | @patient ; @entry POST Flag | @flag Patient/none{id}",
            "GET Patient?identifier=urn:test|{id}",
        ],
        "200 Bundle searchset total 0 []",
    ),
    ask(
        "transaction: a dangling reference",
        &[
            "POST \n@transaction @entry @urn POST Patient | @patient ; @entry POST Flag | @flag Patient/none{id}",
        ],
        "400 OperationOutcome",
    ),
    ask(
        "transaction: an unresolved urn:uuid",
        &["POST \n@transaction @entry POST Flag | @flag @urn"],
        "400 OperationOutcome",
    ),
    ask(
        "transaction: a conditional reference",
        &[CREATE, "POST \n@transaction @entry POST Flag | @flag Patient?identifier=urn:test|{id}"],
        "200 Bundle transaction-response [201 ETag W/\"1\"]",
    ),
    ask(
        "transaction: a conditional reference without a match",
        &["POST \n@transaction @entry POST Flag | @flag Patient?identifier=urn:test|none{id}"],
        "400 OperationOutcome",
    ),
    ask(
        "transaction: the same resource twice",
        &[
            CREATE,
            "POST \n@transaction @entry PUT Patient/{1} | @changed {1} ; @entry PUT Patient/{1} | @patient {1}",
        ],
        "400 OperationOutcome",
    ),
    ask(
        "transaction: the same ifNoneExist twice",
        &[
            "POST \n@transaction @entry @urn POST Patient identifier=urn:test|{id} | @patient ; @entry urn:uuid:b4a4ba6c-6a8b-4a5e-9d5c-0d9a1d0d6f10 POST Patient identifier=urn:test|{id} | @patient",
        ],
        "412 OperationOutcome",
    ),
    ask(
        "transaction: empty",
        &["POST \n{\"resourceType\":\"Bundle\",\"type\":\"transaction\"}"],
        "200 Bundle transaction-response []",
    ),
    ask(
        "batch: one entry fails, the other stays",
        &["POST \n@batch @entry @urn POST Patient | @patient ; @entry GET Patient/none{id}"],
        "200 Bundle batch-response [201 ETag W/\"1\", 404]",
    ),
    ask(
        "batch of reads",
        &[
            CREATE,
            "POST \n@batch @entry GET Patient/{1} ; @entry GET Patient?identifier=urn:test|{id}",
        ],
        "200 Bundle batch-response [200 ETag W/\"1\" Patient, 200 Bundle]",
    ),
    ask(
        "a Bundle of another type",
        &["POST \n{\"resourceType\":\"Bundle\",\"type\":\"collection\"}"],
        "400 OperationOutcome",
    ),
    ask("an unknown operation", &["GET Patient/$nonsense"], "404 OperationOutcome"),
    ask("capabilities", &["GET metadata"], "200 CapabilityStatement"),
];
