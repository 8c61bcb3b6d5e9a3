//! Searches: parameters, includes, order and pages.

use ipt_fhir::fhir::Bundle;

use super::{Ehr, ids};

/// A plan, its goals, two encounters and an observation of one patient, and a patient beside.
async fn filled() -> Ehr {
    let ehr = Ehr::counting().await;
    for resource in [
        r#"{"resourceType":"Patient","id":"p","identifier":[{"system":"urn:a","value":"1"},{"value":"x,y"}],"name":[{"family":"Müller","given":["Ann","Lee"]}],"birthDate":"1990-05"}"#,
        r#"{"resourceType":"Patient","id":"q","identifier":[{"system":"urn:b","value":"1"}],"active":true}"#,
        r#"{"resourceType":"Goal","id":"g1","lifecycleStatus":"active","subject":{"reference":"Patient/p"},"description":{"text":"one"},"startDate":"2026-03-02"}"#,
        r#"{"resourceType":"Goal","id":"g2","lifecycleStatus":"completed","subject":{"reference":"Patient/p"},"description":{"text":"two"}}"#,
        r#"{"resourceType":"CarePlan","id":"c","identifier":[{"system":"urn:sid","value":"u-1"}],"status":"active","intent":"plan","category":[{"coding":[{"system":"http://snomed.info/sct","code":"734163000"},{"code":"ipt"}]}],"subject":{"reference":"Patient/p"},"goal":[{"reference":"Goal/g1"},{"reference":"Goal/g2"}],"period":{"start":"2026-03-02","end":"2026-06"}}"#,
        r#"{"resourceType":"CarePlan","id":"d","status":"draft","intent":"plan","subject":{"reference":"Patient/q"},"basedOn":[{"reference":"CarePlan/c"}],"period":{"start":"2026-09-01"}}"#,
        r#"{"resourceType":"Encounter","id":"e1","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"subject":{"reference":"Patient/p"},"period":{"start":"2026-03-09T10:00:00-05:00","end":"2026-03-09T10:50:00-05:00"}}"#,
        r#"{"resourceType":"Encounter","id":"e2","status":"planned","class":{"code":"VR"},"subject":{"reference":"Patient/p"}}"#,
        r#"{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"44261-6"}]},"subject":{"reference":"Patient/p"},"encounter":{"reference":"Encounter/e1"},"effectiveDateTime":"2026-03-09"}"#,
        r#"{"resourceType":"QuestionnaireResponse","id":"r","identifier":{"system":"urn:sid","value":"u-2"},"status":"completed","subject":{"reference":"Group/x"}}"#,
    ] {
        let resource = ipt_fhir::fhir::Resource::parse(resource.as_bytes()).unwrap();
        ehr.running.put(resource).unwrap();
    }
    ehr
}

#[tokio::test]
async fn parameters_find_what_they_name() {
    let ehr = filled().await;
    let base = ehr.running.base_url().to_owned();
    let absolute = format!("CarePlan?subject={base}/Patient/p");
    let questions: [(&str, &[&str]); 57] = [
        ("Patient", &["p", "q"]),
        ("Patient?identifier=urn:a|1", &["p"]),
        ("Patient?identifier=1", &["p", "q"]),
        ("Patient?identifier=|x\\,y", &["p"]),
        ("Patient?identifier=|1", &[]),
        ("Patient?identifier=urn:a|", &["p"]),
        ("Patient?identifier=urn:a|1,urn:b|1", &["p", "q"]),
        ("Patient?identifier=urn:a|1&identifier=urn:b|1", &[]),
        ("Patient?identifier=URN:A|1", &[]),
        ("Patient?identifier:not=urn:a|1", &["q"]),
        ("Patient?name:missing=true", &["q"]),
        ("Patient?name:missing=false", &["p"]),
        ("Patient?name=lee", &["p"]),
        ("Patient?name=ee", &[]),
        ("Patient?name:contains=ee", &["p"]),
        ("Patient?family:exact=Müller", &["p"]),
        ("Patient?family:exact=müller", &[]),
        ("Patient?family=MÜL", &["p"]),
        ("Patient?birthdate=1990", &["p"]),
        ("Patient?birthdate=1990-05-01", &[]),
        ("Patient?active=true", &["q"]),
        ("Patient?_id=p,q,zz", &["p", "q"]),
        ("Patient?_id=p&active=true", &[]),
        ("Patient?_lastUpdated=gt2020", &["p", "q"]),
        ("Patient?_lastUpdated=lt2020-01-01T00:00:00Z", &[]),
        ("CarePlan?patient=p", &["c"]),
        ("CarePlan?patient=Patient/p", &["c"]),
        ("CarePlan?subject=p,q", &["c", "d"]),
        ("CarePlan?subject:Patient=p", &["c"]),
        ("CarePlan?subject:Group=p", &[]),
        (&absolute, &["c"]),
        ("CarePlan?subject=https://example.org/Patient/p", &[]),
        ("QuestionnaireResponse?patient=x", &[]),
        ("QuestionnaireResponse?subject=x", &["r"]),
        ("QuestionnaireResponse?identifier=urn:sid|u-2", &["r"]),
        ("CarePlan?category=http://snomed.info/sct|734163000", &["c"]),
        ("CarePlan?category=|ipt", &["c"]),
        ("CarePlan?category=http://loinc.org|734163000", &[]),
        ("CarePlan?status=active,draft", &["c", "d"]),
        ("CarePlan?goal=Goal/g2", &["c"]),
        ("CarePlan?goal=g2", &["c"]),
        ("CarePlan?based-on=CarePlan/c", &["d"]),
        ("CarePlan?date=2026", &["c"]),
        ("CarePlan?date=2026-03", &[]),
        ("CarePlan?date=ge2026-07", &["d"]),
        ("CarePlan?date=ge2026-06-29", &["c", "d"]),
        ("CarePlan?date=lt2026-03-03", &["c"]),
        ("CarePlan?date=sa2026-07", &["d"]),
        ("CarePlan?date=eb2026-07-01", &["c"]),
        ("CarePlan?date=ge2026-04&date=le2026-05", &["c"]),
        ("Goal?lifecycle-status=active", &["g1"]),
        ("Goal?start-date=2026-03-02", &["g1"]),
        ("Encounter?class=AMB", &["e1"]),
        ("Encounter?date=2026-03-09T15:00:00Z", &[]),
        ("Encounter?date=ap2026-03-09T15:10Z", &["e1"]),
        ("Observation?encounter=Encounter/e1&code=44261-6", &["o"]),
        ("Observation?date=2026-03-09", &["o"]),
    ];
    for (question, expected) in questions {
        let name = question.split('?').next().unwrap();
        let expected: Vec<String> = expected.iter().map(|id| format!("{name}/{id}")).collect();
        assert_eq!(ehr.found(question).await, expected, "{question}");
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_left_out_or_refused() {
    let ehr = filled().await;
    let lenient =
        ehr.get("Patient?colour=red&identifier=urn:a|1&name=&_format=json").await.bundle();
    assert_eq!((ids(&lenient).len(), lenient.total), (1, Some(1)));
    let base = ehr.running.base_url();
    assert_eq!(
        lenient.link("self"),
        Some(format!("{base}/Patient?identifier=urn%3Aa%7C1").as_str())
    );
    for refused in
        ["colour=red", "_sort=colour", "_include=Patient:colour", "subject.name=x", "_summary=true"]
    {
        let strict =
            ehr.ask(&format!("GET Patient?{refused}"), &["Prefer: handling=strict"], "").await;
        assert_eq!((strict.status, strict.issue().as_str()), (400, "not-supported"), "{refused}");
        assert_eq!(ehr.get(&format!("Patient?{refused}")).await.status, 200, "{refused}");
    }
    for always in [
        "identifier:text=x",
        "birthdate=soon",
        "birthdate=xx2026",
        "_count=-1",
        "_total=all",
        "name:missing=maybe",
        "identifier=|",
        "general-practitioner=a%20b",
    ] {
        assert_eq!(ehr.get(&format!("Patient?{always}")).await.status, 400, "{always}");
    }
    let told = ehr.ask("GET Patient?John+Lee=1", &["Prefer: handling=strict"], "").await;
    assert!(!told.text.contains("John"), "{}", told.text);
}

#[tokio::test]
async fn what_is_referred_to_comes_along() {
    let ehr = filled().await;
    let modes = |bundle: &Bundle| -> Vec<(String, String)> {
        let modes = bundle.entries.iter().map(|entry| entry.search_mode.clone().unwrap());
        ids(bundle).into_iter().zip(modes).collect()
    };
    let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(id, mode)| ((*id).to_owned(), (*mode).to_owned())).collect()
    };
    let plan = ehr.get("CarePlan?status=active&_include=CarePlan:goal").await.bundle();
    assert_eq!(
        modes(&plan),
        pairs(&[("CarePlan/c", "match"), ("Goal/g1", "include"), ("Goal/g2", "include")])
    );
    assert_eq!(plan.total, Some(1));
    for (search, count) in [
        ("CarePlan?_include=CarePlan:patient", 4),
        ("CarePlan?_include=CarePlan:subject:Group", 2),
        ("CarePlan?_include=CarePlan:*", 6),
        ("Patient?_id=p&_revinclude=Encounter:patient", 3),
        ("Patient?_id=p&_revinclude=Encounter:patient&_revinclude=CarePlan:subject", 4),
        ("CarePlan?_id=c&_include=CarePlan:based-on&_revinclude=CarePlan:based-on", 2),
    ] {
        assert_eq!(ehr.found(search).await.len(), count, "{search}");
    }
}

#[tokio::test]
async fn results_are_sorted() {
    let ehr = filled().await;
    for (search, expected) in [
        ("Patient?_sort=_lastUpdated", ["p", "q"]),
        ("Patient?_sort=-_lastUpdated", ["q", "p"]),
        ("Patient?_sort=-_id", ["q", "p"]),
        ("CarePlan?_sort=date", ["c", "d"]),
        ("CarePlan?_sort=-date", ["d", "c"]),
        ("Encounter?_sort=date", ["e1", "e2"]),
        ("Encounter?_sort=-date", ["e1", "e2"]),
        ("CarePlan?_sort=intent,-status", ["d", "c"]),
    ] {
        let name = search.split('?').next().unwrap();
        let expected = expected.map(|id| format!("{name}/{id}"));
        assert_eq!(ehr.found(search).await, expected, "{search}");
    }
}

#[tokio::test]
async fn pages_show_the_state_of_the_first() {
    let ehr = Ehr::counting().await;
    for number in 0..7 {
        ehr.post("Patient", &super::patient(&number.to_string())).await;
    }
    let first = ehr.get("Patient?_count=3&_sort=-_lastUpdated").await.bundle();
    assert_eq!((ids(&first).len(), first.total), (3, Some(7)));
    ehr.ask("DELETE Patient/1", &[], "").await;
    ehr.post("Patient", &super::patient("late")).await;
    let second = ehr.get(first.link("next").unwrap()).await.bundle();
    let third = ehr.get(second.link("next").unwrap()).await.bundle();
    assert_eq!(third.link("next"), None);
    let all: Vec<String> = [first, second, third].iter().flat_map(ids).collect();
    assert_eq!(all, (1..=7).rev().map(|id| format!("Patient/{id}")).collect::<Vec<_>>());

    let count = ehr.get("Patient?_count=0").await.bundle();
    assert_eq!((count.entries.len(), count.total, count.link("next")), (0, Some(7), None));
    assert_eq!(ehr.get("Patient?_total=none").await.bundle().total, None);
    let base = ehr.running.base_url();
    let expired = ehr.get(&format!("{base}?_page=nothing&_offset=3")).await;
    assert_eq!((expired.status, expired.issue().as_str()), (410, "expired"));
}

#[tokio::test]
async fn a_search_by_post_keeps_its_parameters_out_of_urls() {
    let ehr = filled().await;
    let form = ["Content-Type: application/x-www-form-urlencoded"];
    let found =
        ehr.ask("POST CarePlan/_search?_count=1", &form, "subject=p%2CPatient/q").await.bundle();
    assert_eq!(ids(&found), ["CarePlan/c"]);
    assert!(found.link("self").unwrap().contains("subject=p%2CPatient%2Fq"));
    let next = found.link("next").unwrap();
    assert!(!next.contains("subject"), "{next}");
    assert_eq!(ids(&ehr.get(next).await.bundle()), ["CarePlan/d"]);
    assert_eq!(ehr.post("CarePlan/_search", "").await.bundle().entries.len(), 2);
    assert_eq!(ehr.post("CarePlan/_search", "{}").await.status, 415);
}
