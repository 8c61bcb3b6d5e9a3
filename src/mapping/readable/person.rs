//! The people of a record: who they are, and the inventory of those in the client's life.

use super::words::amount;
use super::{Page, words};
use crate::ipt::person::Telecom;
use crate::ipt::{Relationship, plan::Plan};

impl Page<'_> {
    pub(super) fn people(&mut self) {
        let plan = self.plan;
        self.client();
        self.field("Therapist", &plan.therapist.name.text);
        if self.is_note {
            self.therapist_details();
        }
        self.field("Therapy", plan.variant.display());
        self.field("Status", plan.status.display());
        self.date("Date", plan.date.as_ref());
        for member in &plan.care_team {
            let name = member.name.as_ref().or(member.organization.as_ref());
            let mut text = name.cloned().unwrap_or_default();
            if self.is_note {
                let role = member.role.coding.iter().map(words::coding);
                let more: Vec<String> = role.chain(member.telecom.iter().map(telecom)).collect();
                if !more.is_empty() {
                    text = format!("{text} ({})", more.join("; "));
                }
            }
            self.field(&member.role.text, text.trim_start());
        }
        if let Some(referral) = &plan.referral {
            let date = referral.date.as_ref().filter(|_| self.is_note);
            match (&referral.by, date) {
                (Some(by), Some(date)) => {
                    self.field("Referred by", &format!("{by}, {}", date.as_str()));
                }
                (Some(by), None) => self.field("Referred by", by),
                (None, date) => self.date("Referred", date),
            }
            self.field_if("Reason for referral", referral.reason.as_ref());
        }
    }

    /// Whom the document is about.
    pub(super) fn client(&mut self) {
        let client = &self.plan.client;
        self.field("Client", &client.name.text);
        if self.is_note {
            self.date("Born", client.birth_date.as_ref());
        }
        if let Some(age) = &client.age {
            let as_of = age.as_of.as_ref().filter(|_| self.is_note);
            let as_of = as_of.map(|date| format!(" (as of {})", date.as_str()));
            let text = amount(&age.value, age.unit);
            self.field("Age", &format!("{text}{}", as_of.unwrap_or_default()));
        }
        if self.is_note {
            self.field("Gender", client.gender.map_or("", |gender| gender.display()));
        }
    }

    pub(super) fn therapist_details(&mut self) {
        let therapist = &self.plan.therapist;
        self.field_if("Qualification", therapist.qualification.as_ref());
        self.field_if("Organization", therapist.organization.as_ref());
    }

    /// The people of these ids by their names; an id that is nobody's is left out.
    pub(super) fn names(&self, ids: &[String]) -> Vec<String> {
        ids.iter().filter_map(|id| name(self.plan, id)).collect()
    }

    /// The people in the client's life, each with what is told of the relationship.
    pub(super) fn inventory(&mut self) {
        let plan = self.plan;
        if plan.inventory.is_empty() {
            return;
        }
        self.document.section("Interpersonal inventory");
        for person in &plan.inventory {
            self.relationship(person);
        }
    }

    fn relationship(&mut self, person: &Relationship) {
        self.document.part(&person.label);
        self.field("Relationship", person.relationship.map_or("", |role| role.display()));
        self.field_if("In words", person.relationship_text.as_ref());
        self.field("Status", person.status.map_or("", |status| status.display()));
        self.field_if("Communication", person.communication_style.as_ref());
        for (label, texts) in [
            ("Disputes", &person.disputes),
            ("Losses", &person.losses),
            ("Role changes", &person.role_changes),
        ] {
            self.field(label, &texts.join("\n"));
        }
        self.field_if("Support", person.support.as_ref());
        self.field_if("Expectations", person.expectations.as_ref());
        self.field_if("Patterns", person.patterns.as_ref());
        self.field_if("Intimacy", person.intimacy.as_ref());
        let takes_part = person.participates.map(|yes| if yes { "yes" } else { "no" });
        self.field("Takes part", takes_part.unwrap_or_default());
        self.field_if("Special care", person.sensitivity.as_ref());
    }

    pub(super) fn consents(&mut self) {
        let plan = self.plan;
        if plan.consents.is_empty() {
            return;
        }
        self.document.section("Consents");
        for consent in &plan.consents {
            let mut words = vec![consent.status.display().to_lowercase()];
            words.extend(consent.scope.clone());
            words.extend(consent.recipient.as_ref().map(|name| format!("to {name}")));
            if let Some(period) = &consent.period {
                words.extend(period.start.as_ref().map(|date| format!("from {}", date.as_str())));
                words.extend(period.end.as_ref().map(|date| format!("until {}", date.as_str())));
            }
            self.field(consent.kind.display(), &words.join("; "));
        }
    }
}

fn telecom(telecom: &Telecom) -> String {
    let purpose = telecom.purpose.map(|purpose| format!(" ({})", purpose.display().to_lowercase()));
    let system = telecom.system.display().to_lowercase();
    format!("{system} {}{}", telecom.value, purpose.unwrap_or_default())
}

fn name(plan: &Plan, id: &str) -> Option<String> {
    if plan.client.id == id {
        return Some(plan.client.name.text.clone());
    }
    if plan.therapist.id == id {
        return Some(plan.therapist.name.text.clone());
    }
    let member = plan.care_team.iter().find(|member| member.id == id);
    if let Some(member) = member {
        return member.name.clone().or_else(|| member.organization.clone());
    }
    plan.inventory.iter().find(|person| person.id == id).map(|person| person.label.clone())
}
