//! Documents into which canaries are put: between them they have something for every kind of rule.

/// In JSON.
pub(super) const JSON: [&str; 8] = [
    r##"{"resourceType":"Patient","id":"p1","meta":{"versionId":"1","lastUpdated":"2024-01-02T03:04:05Z",
"profile":["http://hl7.org/fhir/StructureDefinition/Patient"],"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},
"implicitRules":"http://a.example/rules","language":"en",
"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>A</p><img src=\"#i\" alt=\"a\"/></div>"},
"contained":[{"resourceType":"Organization","id":"o","name":"O"}],
"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"city":"C"}},
{"url":"http://a.example/unknown","valueString":"s"}],
"modifierExtension":[{"url":"http://a.example/modifier","valueBoolean":true}],
"identifier":[{"system":"urn:oid:1.2.3","value":"m1","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR","display":"Medical record number"}]}}],
"name":[{"use":"official","family":"F","given":["G","H"],"_given":[{"id":"a"},null]}],
"telecom":[{"system":"phone","value":"1"}],"gender":"male","birthDate":"1990-01-02","_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"1990-01-02T03:04:05Z"}]},
"deceasedBoolean":false,"address":[{"line":["L"],"country":"AT"}],"multipleBirthInteger":2,
"photo":[{"contentType":"image/png","data":"aGVsbG8=","size":5,"hash":"qvTGHdzF6KLavt4PO0gs2a6pQ00="}],
"communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"en"}]}}],
"managingOrganization":{"reference":"#o","type":"Organization","display":"O"},
"generalPractitioner":[{"reference":"Practitioner/d","identifier":{"value":"1"}}],
"link":[{"other":{"reference":"Patient/p2"},"type":"seealso"}]}"##,
    r#"{"resourceType":"Observation","id":"b1","status":"final",
"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],
"code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure"},{"system":"http://snomed.info/sct","version":"http://snomed.info/sct/900000000000207008","code":"75367002"}],"text":"t"},
"subject":{"reference":"Patient/p1"},"effectivePeriod":{"start":"2024-01-02","end":"2024-01-03"},"issued":"2024-01-02T03:04:05.000Z",
"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N","display":"Normal"}]}],
"referenceRange":[{"low":{"value":1,"unit":"mm","system":"http://unitsofmeasure.org","code":"mm[Hg]"},"text":"r"}],
"component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
{"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"dataAbsentReason":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/data-absent-reason","code":"unknown"}]}}],
"note":[{"authorString":"a","time":"2024-01-02T03:04:05+01:00","text":"markdown"}]}"#,
    r#"{"resourceType":"Bundle","id":"d1","identifier":{"system":"urn:ietf:rfc:3986","value":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"},"type":"document","timestamp":"2024-01-02T03:04:05Z",
"link":[{"relation":"self","url":"http://a.example/fhir"}],
"entry":[{"fullUrl":"http://a.example/fhir/Composition/c","resource":{"resourceType":"Composition","id":"c","status":"final","type":{"text":"t"},"subject":{"reference":"Patient/p"},"date":"2024-01-02","author":[{"reference":"Practitioner/d"}],"title":"T",
"section":[{"title":"S","code":{"text":"x"},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">s</div>"},"entry":[{"reference":"Patient/p"}]}]}},
{"fullUrl":"http://a.example/fhir/Patient/p","resource":{"resourceType":"Patient","id":"p","name":[{"text":"N"}]}},
{"fullUrl":"http://a.example/fhir/Practitioner/d","resource":{"resourceType":"Practitioner","id":"d"}},
{"fullUrl":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1","resource":{"resourceType":"Condition","subject":{"reference":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e2"},"onsetString":"o"}}]}"#,
    r#"{"resourceType":"Bundle","type":"transaction","entry":[
{"fullUrl":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e1","resource":{"resourceType":"Goal","lifecycleStatus":"active","description":{"text":"d"},"subject":{"reference":"Patient/p"},"target":[{"measure":{"text":"m"},"detailString":"x","dueDate":"2024-05-06"}]},"request":{"method":"POST","url":"Goal","ifNoneExist":"identifier=a|b"}},
{"fullUrl":"http://a.example/fhir/Encounter/e","resource":{"resourceType":"Encounter","id":"e","status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"period":{"start":"2024-01-02T03:04:05Z","end":"2024-01-02T04:04:05Z"}},"request":{"method":"PUT","url":"Encounter/e","ifMatch":"W/\"1\""}},
{"request":{"method":"DELETE","url":"Patient/old"}}]}"#,
    r##"{"resourceType":"CarePlan","status":"active","intent":"plan","instantiatesCanonical":["http://a.example/PlanDefinition/x|1"],"instantiatesUri":["http://a.example/u"],
"category":[{"text":"c"}],"title":"T","subject":{"reference":"Patient/p"},"period":{"start":"2024","end":"2024-02"},
"addresses":[{"reference":"Condition/c"}],"goal":[{"reference":"#g"}],
"contained":[{"resourceType":"Goal","id":"g","lifecycleStatus":"proposed","description":{"text":"d"},"subject":{"reference":"Patient/p"}}],
"activity":[{"detail":{"kind":"Task","code":{"text":"c"},"status":"scheduled","scheduledTiming":{"repeat":{"boundsDuration":{"value":1,"unit":"wk","system":"http://unitsofmeasure.org","code":"wk"},"frequency":1,"period":1,"periodUnit":"wk","timeOfDay":["10:00:00"]}},"description":"d"},"progress":[{"text":"n"}]}]}"##,
    r#"{"resourceType":"QuestionnaireResponse","questionnaire":"http://a.example/Questionnaire/q|1","status":"completed","subject":{"reference":"Patient/p"},"authored":"2024-01-02",
"item":[{"linkId":"1","definition":"http://a.example/d#x","text":"t","answer":[{"valueCoding":{"system":"http://loinc.org","code":"LA6568-5","display":"Not at all"},"item":[{"linkId":"1.1","answer":[{"valueString":"s"},{"valueUri":"http://a.example/x"}]}]},{"valueDecimal":1.50}]}]}"#,
    r#"{"resourceType":"DocumentReference","masterIdentifier":{"system":"urn:ietf:rfc:3986","value":"urn:oid:1.2.3"},"status":"current","docStatus":"final","type":{"coding":[{"system":"http://loinc.org","code":"11488-4","display":"Consult note"}]},
"subject":{"reference":"Patient/p"},"date":"2024-01-02T03:04:05Z","custodian":{"reference":"Organization/o"},"relatesTo":[{"code":"replaces","target":{"reference":"DocumentReference/x"}}],
"content":[{"attachment":{"contentType":"text/plain","language":"de","data":"aGVsbG8=","url":"http://a.example/Binary/1","size":5,"hash":"qvTGHdzF6KLavt4PO0gs2a6pQ00=","title":"t","creation":"2024-01-02"},"format":{"system":"urn:oid:1.3.6.1.4.1.19376.1.2.3","code":"urn:ihe:pcc:handp:2008"}}],
"context":{"period":{"start":"2024-01-01","end":"2024-01-02"},"related":[{"reference":"http://b.example/fhir/Observation/1/_history/2"}]}}"#,
    r#"{"resourceType":"StructureDefinition","id":"s","url":"http://a.example/StructureDefinition/s","version":"1","name":"S","status":"draft","date":"2024","fhirVersion":"4.0.1","kind":"resource","abstract":false,"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint",
"contact":[{"telecom":[{"system":"url","value":"http://a.example"}]}],"jurisdiction":[{"coding":[{"system":"urn:iso:std:iso:3166","code":"AT","display":"Austria"}]}],
"differential":{"element":[{"id":"Patient","path":"Patient","constraint":[{"key":"s-1","severity":"error","human":"h","expression":"name.exists()"}]},{"id":"Patient.gender","path":"Patient.gender","min":1,"max":"1","fixedCode":"male","binding":{"strength":"required","valueSet":"http://hl7.org/fhir/ValueSet/administrative-gender"},"type":[{"code":"code"}]}]}}"#,
];

/// In XML.
pub(super) const XML: [&str; 2] = [
    r##"<?xml version="1.0" encoding="UTF-8"?>
<Patient xmlns="http://hl7.org/fhir">
  <id value="p1"/>
  <meta><profile value="http://hl7.org/fhir/StructureDefinition/Patient"/></meta>
  <text>
    <status value="generated"/>
    <div xmlns="http://www.w3.org/1999/xhtml"><p class="a">A <b>b</b><a href="#x">x</a></p></div>
  </text>
  <contained><Organization><id value="o"/><name value="O"/></Organization></contained>
  <extension url="http://a.example/unknown"><valueString value="s"/></extension>
  <name id="n"><family value="F"/><given value="G"/></name>
  <gender value="male"/>
  <birthDate value="1990-01-02"/>
  <managingOrganization><reference value="#o"/></managingOrganization>
</Patient>"##,
    r#"<f:Bundle xmlns:f="http://hl7.org/fhir"><f:type value="collection"/><f:entry><f:fullUrl value="http://a.example/fhir/Goal/g"/><f:resource>
<f:Goal><f:id value="g"/><f:lifecycleStatus value="active"/><f:description><f:text value="d"/></f:description><f:subject><f:reference value="Patient/p"/></f:subject></f:Goal></f:resource></f:entry></f:Bundle>"#,
];

/// Narratives that are none, or ones that FHIR forbids.
pub(super) const MARKUP: [&str; 14] = [
    "CANARY",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><CANARY>a</CANARY></div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p CANARY=\"a\">a</p></div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p onclick=\"CANARY\">CANARY</p></div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>CANARY</script></div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\">&CANARY;</div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><!-- CANARY --> <?CANARY CANARY?> CANARY</div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><![CDATA[CANARY]]></div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>CANARY</div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"#CANARY\">CANARY</a><img src=\"http://CANARY.example/a\"/></div>",
    "<div xmlns=\"http://CANARY.example/\">CANARY</div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\" CANARY:x=\"a\"><CANARY:p/></div>",
    "<!DOCTYPE CANARY [<!ENTITY CANARY \"CANARY\">]><div>&CANARY;</div>",
    "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p id=\"CANARY\"/><p id=\"CANARY\" style=\"CANARY\"/></div> CANARY",
];

/// Pieces that stand somewhere in XML where they do not belong.
pub(super) const PIECES: [&str; 7] = [
    "CANARY",
    "<!-- CANARY <x CANARY=\"CANARY\"> -->",
    "<?CANARY CANARY?>",
    "<![CDATA[CANARY]]>",
    "&CANARY;",
    "<CANARY xmlns=\"http://CANARY.example/\" value=\"CANARY\"/>",
    "<!ENTITY CANARY \"CANARY\">",
];
